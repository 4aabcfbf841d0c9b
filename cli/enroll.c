#include <string.h>

#include "base/text.h"
#include "cli/authority_dir.h"
#include "cli/fields.h"
#include "cli/verb.h"
#include "crypto/credentials.h"
#include "os/clock.h"

/* What cannot be wiped after is refused before: a machine that is enrolled and has the token still there
 * would be half a success that nobody looks at. */
static enum err open_token(const char *path, bool keep, struct os_secret **ret, struct err_info *info)
{
	struct err_info why;
	enum err err = os_secret_open(path, !keep, ret, info);
	if (err == ERR_NOT_FOUND)
		return err_set(
		    info, err,
		    "there is no token \"%s\"; a token is removed once it was used: ask for a new one", path);
	struct os_secret *readable;
	if (err == ERR_OK || keep || os_secret_open(path, false, &readable, &why) != ERR_OK)
		return err;
	os_secret_close(readable);
	why = *info;
	return err_set(
	    info, err,
	    "%s. Nothing was done, as the token could not be wiped after its use; move it to where "
	    "it can be, or enrol with --keep-token and destroy it yourself",
	    why.text);
}

enum wiped {
	WIPED_KEPT, /* --keep-token */
	WIPED_NOT,  /* whoever reads it can enrol hosts */
	WIPED,      /* its secrets are gone */
	WIPED_REMOVED,
};

/* The token is used through the file that was read, whatever its name stands for by now. What stays of it is
 * said. */
static enum wiped use_up(struct command *c, struct os_secret *file, const char *path)
{
	struct err_info info = {0};
	if (token_wipe(file, &info) != ERR_OK) {
		command_fail(c, 0,
			     "enrolled, but the token was NOT wiped: %s; whoever reads it can enrol hosts: "
			     "destroy it, or have its issuer revoked",
			     info.text);
		return WIPED_NOT;
	}
	enum err err = os_secret_remove(file, &info);
	if (err == ERR_STALE)
		command_fail(c, 0,
			     "warning: the token that was read is wiped, but %s; if that is a copy of the "
			     "token, destroy it",
			     info.text);
	else if (err != ERR_OK)
		command_fail(c, 0,
			     "warning: the token is wiped, but its empty shell could not be removed: %s",
			     info.text);
	else if (os_secret_names(file) > 0)
		command_fail(c, 0,
			     "warning: the token had %lu more name%s (hard links), under which its wiped "
			     "shell is still there",
			     os_secret_names(file), os_secret_names(file) == 1 ? "" : "s");
	if (os_secret_keeper(file) != NULL)
		command_fail(c, 0,
			     "warning: \"%s\" was wiped on %s, which keeps or may keep what was there before "
			     "elsewhere (layers, snapshots); destroy that, too",
			     path, os_secret_keeper(file));
	return err == ERR_OK ? WIPED_REMOVED : WIPED;
}

static int answer(struct command *c, const char *state, const struct certificate *made, enum wiped wiped)
{
	struct fields f = {0};
	char start[COMMAND_START_BYTES], host[ID_HEX_BYTES], site[4 * LIMIT_SITE_NAME_BYTES + 1];
	char hardware[2 * HARDWARE_HASH_BYTES + 1], text[3 * LIMIT_PATH_BYTES];
	bool lacks = !made->has_hardware && !options_has(&c->options, "shared-machine");
	id_hex(&made->host, host);
	text_hex(hardware, made->hardware, HARDWARE_HASH_BYTES);
	text_escape(site, sizeof(site), made->site, strlen(made->site));
	command_start_hint(state, start);
	fields_text(&f, "host", host);
	fields_text(&f, "site", made->site);
	fields_text(&f, "state", state);
	fields_text(&f, "hardware", made->has_hardware ? hardware : NULL);
	fields_flag(&f, "token_wiped", wiped >= WIPED);
	fields_flag(&f, "token_removed", wiped == WIPED_REMOVED);
	snprintf(
	    text, sizeof(text), "Enrolled as host %s of site %s.\nState folder: %s\n%sNext: %s\n", host, site,
	    state,
	    lacks ? "Its hardware id could not be read (root can, where there is one): installed anew, the "
		    "machine will count as another host.\n"
		  : "",
	    start);
	int code = fields_answer(c, &f, text, false);
	return wiped == WIPED_NOT ? MESH_EXIT_ERROR : code;
}

int verb_enroll(struct command *c)
{
	struct err_info info = {0};
	struct token *token = token_new();
	struct os_secret *file = NULL;
	struct certificate made;
	struct credentials_machine machine;
	struct crypto_rng rng = crypto_rng_system();
	const char *path, *site = options_value(&c->options, "site");
	char state[LIMIT_PATH_BYTES];
	bool keep = options_has(&c->options, "keep-token");
	enum err err = token == NULL ? err_set(&info, ERR_NOMEM, "no memory for a token") : ERR_OK;
	if (err == ERR_OK)
		err = authority_required(c, "token", &path, &info);
	if (err == ERR_OK && site != NULL)
		err = authority_check_site(site, &info);
	if (err == ERR_OK)
		err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK)
		err = open_token(path, keep, &file, &info);
	if (err == ERR_OK)
		err = token_read(file, token, &info);
	if (err == ERR_OK) {
		credentials_machine_look("", &machine);
		/* Of hosts that share a machine each newcomer would take the place of the one before. */
		if (options_has(&c->options, "shared-machine"))
			machine.has_hardware = false;
		err = credentials_enroll(state, token, site, &machine, &rng, os_clock_wall(), &made, &info);
	}
	token_free(token);
	int code = err != ERR_OK ? command_report(c, &info)
				 : answer(c, state, &made, keep ? WIPED_KEPT : use_up(c, file, path));
	os_secret_close(file);
	return code;
}
