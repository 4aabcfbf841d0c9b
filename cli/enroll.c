#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_dir.h"
#include "cli/fields.h"
#include "cli/verb.h"
#include "crypto/credentials.h"
#include "os/clock.h"
#include "os/file.h"

static enum err read_token(const char *path, struct token *ret, struct err_info *info)
{
	uint8_t *text;
	size_t len;
	if (ret == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a token");
	enum err err = os_file_read_secret(path, LIMIT_TOKEN_BYTES, &text, &len, info);
	if (err == ERR_NOT_FOUND)
		return err_set(
		    info, err,
		    "there is no token \"%s\"; a token is removed once it was used: ask for a new one", path);
	if (err != ERR_OK)
		return err;
	err = token_decode((const char *)text, len, ret, info);
	crypto_wipe(text, len);
	free(text);
	return err;
}

static int finish(struct command *c, const char *state, const char *path, const struct certificate *made)
{
	struct err_info info = {0};
	struct fields f = {0};
	char start[COMMAND_START_BYTES], host[ID_HEX_BYTES], site[4 * LIMIT_SITE_NAME_BYTES + 1];
	char hardware[2 * HARDWARE_HASH_BYTES + 1], text[3 * LIMIT_PATH_BYTES];
	bool lacks = !made->has_hardware && !options_has(&c->options, "shared-machine");
	bool keep = options_has(&c->options, "keep-token");
	id_hex(&made->host, host);
	text_hex(hardware, made->hardware, HARDWARE_HASH_BYTES);
	text_escape(site, sizeof(site), made->site, strlen(made->site));
	command_start_hint(state, start);
	bool wiped = !keep && token_wipe_file(path, &info) == ERR_OK;
	fields_text(&f, "host", host);
	fields_text(&f, "site", made->site);
	fields_text(&f, "state", state);
	fields_text(&f, "hardware", made->has_hardware ? hardware : NULL);
	fields_flag(&f, "token_wiped", wiped);
	snprintf(
	    text, sizeof(text), "Enrolled as host %s of site %s.\nState folder: %s\n%sNext: %s\n", host, site,
	    state,
	    lacks ? "Its hardware id could not be read (root can, where there is one): installed anew, the "
		    "machine will count as another host.\n"
		  : "",
	    start);
	int code = fields_answer(c, &f, text, false);
	if (wiped || keep)
		return code;
	return command_fail(c, MESH_EXIT_ERROR, "enrolled, but the token is still there: %s", info.text);
}

int verb_enroll(struct command *c)
{
	struct err_info info = {0};
	struct token *token = token_new();
	struct certificate made;
	struct credentials_machine machine;
	struct crypto_rng rng = crypto_rng_system();
	const char *path, *site = options_value(&c->options, "site");
	char state[LIMIT_PATH_BYTES];
	enum err err = authority_required(c, "token", &path, &info);
	if (err == ERR_OK && site != NULL)
		err = authority_check_site(site, &info);
	if (err == ERR_OK)
		err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK)
		err = read_token(path, token, &info);
	if (err != ERR_OK) {
		token_free(token);
		return command_report(c, &info);
	}
	credentials_machine_look("", &machine);
	/* Of hosts that share a machine each newcomer would take the place of the one before. */
	if (options_has(&c->options, "shared-machine"))
		machine.has_hardware = false;
	err = credentials_enroll(state, token, site, &machine, &rng, os_clock_wall(), &made, &info);
	token_free(token);
	return err == ERR_OK ? finish(c, state, path, &made) : command_report(c, &info);
}
