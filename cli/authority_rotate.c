/* A new key for the authority. The new one is on the disk before the log names it, and takes its place after:
 * a crash in between is mended by the next change. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_change.h"
#include "cli/passphrase.h"
#include "cli/verb.h"
#include "crypto/hash.h"
#include "os/clock.h"
#include "os/file.h"

static enum err make_next(struct authority_change *ch, struct identity **ret, struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	struct identity *next = NULL;
	char *passphrase = passphrase_new();
	enum err err = passphrase_choose(ch->command, "new-passphrase-file", "no-passphrase",
					 "Passphrase for the new key: ", passphrase, info);
	/* Of an attempt that signed nothing. */
	if (err == ERR_OK && os_file_exists(ch->dir.next))
		err = os_file_wipe(ch->dir.next, info);
	if (err == ERR_OK && identity_generate(&rng, &next) != ERR_OK)
		err = err_set(info, ERR_NOMEM, "cannot make a key: %s", err_text(ERR_NOMEM));
	if (err == ERR_OK)
		err = identity_save(next, KEY_AUTHORITY, ch->dir.next, passphrase, &rng, info);
	passphrase_free(passphrase);
	if (err == ERR_OK)
		*ret = next;
	else
		identity_free(next);
	return err;
}

static int report(struct authority_change *ch, const struct id *old, const struct id *next)
{
	char from[ID_HEX_BYTES], to[ID_HEX_BYTES], text[512];
	struct fields f = {0};
	id_hex(old, from);
	id_hex(next, to);
	fields_text(&f, "authority", to);
	fields_text(&f, "authority_before", from);
	snprintf(text, sizeof(text),
		 "The authority's key is now %.8s.\nThe old one, %.8s, is kept in old/; to wipe it: mesh "
		 "authority "
		 "rotate --dir %.*s --remove-old\n",
		 to, from, 256, ch->dir.folder);
	return authority_change_finish(ch, &f, text);
}

struct wiping {
	const char *folder;
	size_t count;
	enum err err;
	struct err_info *info;
};

static bool wipe_one(void *context, const char *name)
{
	struct wiping *w = context;
	char path[LIMIT_PATH_BYTES];
	if (os_path_join(path, sizeof(path), w->folder, name) != ERR_OK)
		return true;
	w->err = os_file_wipe(path, w->info);
	w->count += w->err == ERR_OK;
	return w->err == ERR_OK;
}

static enum err wipe_folder(const char *folder, size_t *ret_count, struct err_info *info)
{
	struct wiping w = {.folder = folder, .info = info};
	if (!os_file_exists(folder))
		return ERR_OK;
	enum err err = os_dir_list(folder, wipe_one, &w, info);
	if (ret_count != NULL)
		*ret_count = w.count;
	return err == ERR_OK ? w.err : err;
}

/* The copy's first: what is left here would be copied again. */
static int remove_old(struct authority_change *ch)
{
	struct authority_dir copy;
	struct err_info info = {0};
	struct fields f = {0};
	char text[128];
	size_t count = 0;
	enum err err = ERR_OK;
	if (ch->spare.condition == SPARE_BEHIND)
		return command_fail(
		    ch->command, MESH_EXIT_ERROR,
		    "the spare copy in \"%s\" cannot be reached (%s); its old keys would stay: "
		    "nothing was wiped",
		    ch->spare.folder, ch->spare.why.text);
	if (ch->spare.condition == SPARE_REACHED) {
		err = authority_dir_of(ch->spare.folder, &copy, &info);
		if (err == ERR_OK)
			err = wipe_folder(copy.old, NULL, &info);
	}
	if (err == ERR_OK)
		err = wipe_folder(ch->dir.old, &count, &info);
	if (err != ERR_OK)
		return command_report(ch->command, &info);
	fields_number(&f, "wiped", (int64_t)count);
	snprintf(text, sizeof(text), "Wiped %zu old key%s.\n", count, count == 1 ? "" : "s");
	return fields_answer(ch->command, &f, text, false);
}

int verb_authority_rotate(struct command *c)
{
	struct authority_change ch;
	struct err_info info = {0};
	struct identity *next = NULL;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0;
	struct id old = {{0}}, new = {{0}};
	enum err err = authority_change_open(c, &ch, &info);
	if (err == ERR_OK && options_has(&c->options, "remove-old")) {
		int code = remove_old(&ch);
		authority_change_close(&ch);
		return code;
	}
	if (err == ERR_OK)
		err = authority_change_unlock(&ch, false, &info);
	if (err == ERR_OK)
		err = make_next(&ch, &next, &info);
	if (err == ERR_OK) {
		old = *identity_id(ch.key);
		new = *identity_id(next);
		err = authlog_make_rotate(ch.log, ch.key, next, os_clock_wall(), entry, &len);
		err = authority_change_add(&ch, err, entry, len, &info);
	}
	identity_free(next);
	if (err == ERR_OK)
		err = authority_change_settle(&ch, &info);
	int code = err == ERR_OK ? report(&ch, &old, &new) : command_report(c, &info);
	authority_change_close(&ch);
	return code;
}
