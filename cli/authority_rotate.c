/* A new key for the authority: the successor's, who names the next one. The next one's file is on the disk
 * before the log names it, and the successor's becomes the authority's after: a crash in between is mended by
 * the next change. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_change.h"
#include "cli/authority_successor.h"
#include "cli/passphrase.h"
#include "cli/verb.h"
#include "crypto/authlog_view.h"
#include "crypto/guarded.h"
#include "os/clock.h"
#include "os/file.h"

struct rotation {
	char file[LIMIT_PATH_BYTES]; /* of the successor */
	struct id old, new, next;    /* keys: retired, put in force, named */
	struct id after;             /* the entry behind which it stands; zero: at the end */
	size_t dropped, revocations; /* entries that count no more, and those among them */
	uint8_t next_key[KEY_BYTES];
};

/* --- which entry is the last to stand --- */

static bool is_typed(const struct authlog_view *v, const char *typed, bool number, unsigned index)
{
	char hex[ID_HEX_BYTES];
	id_hex(&v->hash, hex);
	return number ? v->index == index : strncmp(hex, typed, strlen(typed)) == 0;
}

/* By its number, where only one has it, or by the beginning of its hash. */
static enum err find_after(const struct authority_change *ch, struct id *ret, struct err_info *info)
{
	const char *typed = options_value(&ch->command->options, "after");
	char shown[64];
	struct authlog_view v;
	size_t found = 0, len;
	if (typed == NULL)
		return ERR_OK;
	bool number = typed[0] != '\0' && strlen(typed) < 6 && strspn(typed, "0123456789") == strlen(typed);
	unsigned index = number ? (unsigned)strtoul(typed, NULL, 10) : 0;
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	if (!number && strlen(typed) < 6)
		return err_set(info, ERR_USAGE,
			       "--after %s: an entry's number, or at least 6 digits of its hash, is needed",
			       shown);
	for (size_t i = 0; i < authlog_count(ch->log); i++) {
		const uint8_t *entry = authlog_entry(ch->log, i, &len);
		if (authlog_view(entry, len, &v) != ERR_OK || !is_typed(&v, typed, number, index))
			continue;
		*ret = v.hash;
		found++;
	}
	if (found == 1)
		return ERR_OK;
	return err_set(
	    info, found == 0 ? ERR_NOT_FOUND : ERR_ARG,
	    "%s entry of the log is \"%s\": mesh authority log --dir %s -o wide shows their numbers and "
	    "hashes",
	    found == 0 ? "no" : "more than one", shown, ch->dir.folder);
}

static enum err choose_place(const struct authority_change *ch, struct rotation *r, struct err_info *info)
{
	if (authlog_forked(ch->log) && !options_has(&ch->command->options, "after"))
		return err_set(
		    info, ERR_STALE,
		    "the log in \"%s\" is forked: say with --after which entry is the last to stand (mesh "
		    "authority log --dir %s -o wide shows their hashes); all behind and beside it counts "
		    "no more",
		    ch->dir.folder, ch->dir.folder);
	return find_after(ch, &r->after, info);
}

/* --- keys --- */

static enum err load_successor(struct authority_change *ch, struct rotation *r, struct err_info *info)
{
	enum err err = authority_successor_file(ch->command, &ch->dir, r->file, info);
	if (err == ERR_OK)
		err = authority_successor_settle(r->file, ch->log, info);
	/* Before a person is asked for a passphrase that opens the wrong key. */
	if (err == ERR_OK)
		err = authority_successor_check(r->file, ch->log, info);
	if (err == ERR_OK)
		err = passphrase_load_key(ch->command, r->file, KEY_AUTHORITY, "passphrase-file",
					  "Passphrase of the successor's key: ", NULL, &ch->key, info);
	if (err == ERR_OK)
		r->new = *identity_id(ch->key);
	return err;
}

static enum err make_next(struct authority_change *ch, struct rotation *r, struct err_info *info)
{
	struct identity *next = NULL;
	char *passphrase = passphrase_new();
	enum err err = passphrase_choose(ch->command, "new-passphrase-file", "no-passphrase",
					 "Passphrase for the next successor's key: ", passphrase, info);
	if (err == ERR_OK)
		err = authority_successor_make_next(r->file, passphrase, &next, info);
	passphrase_free(passphrase);
	if (err == ERR_OK) {
		r->next = *identity_id(next);
		memcpy(r->next_key, identity_public_key(next), KEY_BYTES);
	}
	identity_free(next);
	return err;
}

/* As it is, under its passphrase: the successor's file becomes the authority's. */
static enum err stage(const struct authority_change *ch, const struct rotation *r, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = crypto_guarded_read(r->file, KEY_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = os_file_replace(ch->dir.next, data, len, 0600, info);
	crypto_guarded_free(data, len);
	return err;
}

/* --- the entry --- */

static size_t count_revocations(const struct authlog *log)
{
	size_t count = 0, len;
	for (size_t i = 0; i < authlog_count(log); i++)
		count += authlog_entry(log, i, &len)[2] == LOG_REVOKE;
	return count;
}

static enum err sign(struct authority_change *ch, struct rotation *r, struct err_info *info)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0, entries = authlog_count(ch->log), revocations = count_revocations(ch->log);
	r->old = id_of_key(authlog_key(ch->log));
	enum err err =
	    authlog_make_rotate(ch->log, ch->key, r->next_key, id_is_zero(&r->after) ? NULL : &r->after,
				os_clock_wall(), entry, &len);
	if (err == ERR_UNTRUSTED)
		return err_set(
		    info, err,
		    "a rotation cannot stand behind that entry: a later one of the log has ended its key");
	err = authority_change_add(ch, err, entry, len, info);
	if (err != ERR_OK)
		return err;
	r->dropped = entries + 1 - authlog_count(ch->log);
	r->revocations = revocations - count_revocations(ch->log);
	err = authority_change_settle(ch, info);
	return err == ERR_OK ? authority_successor_settle(r->file, ch->log, info) : err;
}

static int report(struct authority_change *ch, const struct rotation *r)
{
	char from[ID_HEX_BYTES], to[ID_HEX_BYTES], next[ID_HEX_BYTES], name[ID_HEX_BYTES + 8];
	char text[4 * LIMIT_PATH_BYTES], kept[LIMIT_PATH_BYTES], gone[256] = "";
	struct fields f = {0};
	id_hex(&r->old, from);
	id_hex(&r->new, to);
	id_hex(&r->next, next);
	fields_text(&f, "authority", to);
	fields_text(&f, "authority_before", from);
	fields_text(&f, "successor", next);
	fields_text(&f, "successor_file", r->file);
	fields_number(&f, "entries_dropped", (int64_t)r->dropped);
	fields_number(&f, "revocations_dropped", (int64_t)r->revocations);
	if (r->dropped > 0)
		snprintf(gone, sizeof(gone),
			 "%zu entries of this log count no more, %zu revocations among them: repeat those "
			 "that were "
			 "yours.\n",
			 r->dropped, r->revocations);
	int n = snprintf(
	    text, sizeof(text),
	    "The authority's key is now %.8s, which was its successor's.\n%sThe next successor's, %.8s, is "
	    "in \"%s\": keep it apart from \"%s\" and its copies.\n",
	    to, gone, next, r->file, ch->dir.folder);
	snprintf(name, sizeof(name), "%s.key", from);
	/* A key that was lost has left nothing. */
	if (os_path_join(kept, sizeof(kept), ch->dir.old, name) == ERR_OK && os_file_exists(kept))
		snprintf(text + n, sizeof(text) - (size_t)n,
			 "The old one, %.8s, is kept in old/; to wipe it: mesh authority rotate --dir %s "
			 "--remove-old\n",
			 from, ch->dir.folder);
	return authority_change_finish(ch, &f, text);
}

/* --- old keys --- */

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

/* What another copy knows may be a thief's. */
static void say_after(const struct command *c, struct err_info *info)
{
	char text[ERR_TEXT_BYTES];
	if (info->code != ERR_STALE || options_has(&c->options, "after"))
		return;
	text_copy(text, sizeof(text), info->text);
	err_set(info, ERR_STALE,
		"%.380s; or, if those are a thief's, end them: --after ENTRY, the last that stands", text);
}

int verb_authority_rotate(struct command *c)
{
	struct authority_change ch;
	struct err_info info = {0};
	struct rotation r = {0};
	enum err err = authority_change_open(c, &ch, &info);
	if (err != ERR_OK)
		say_after(c, &info);
	if (err == ERR_OK && options_has(&c->options, "remove-old")) {
		int code = remove_old(&ch);
		authority_change_close(&ch);
		return code;
	}
	if (err == ERR_OK)
		err = choose_place(&ch, &r, &info);
	if (err == ERR_OK)
		err = load_successor(&ch, &r, &info);
	if (err == ERR_OK)
		err = make_next(&ch, &r, &info);
	if (err == ERR_OK)
		err = stage(&ch, &r, &info);
	if (err == ERR_OK)
		err = sign(&ch, &r, &info);
	int code = err == ERR_OK ? report(&ch, &r) : command_report(c, &info);
	authority_change_close(&ch);
	return code;
}
