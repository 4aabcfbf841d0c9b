#include "cli/authority_change.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_successor.h"
#include "cli/passphrase.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/authlog_view.h"
#include "crypto/guarded.h"
#include "os/clock.h"
#include "os/file.h"

#define CLOCK_AHEAD_DAYS 60

enum err authority_change_settle(const struct authority_change *ch, struct err_info *info)
{
	uint8_t next[KEY_BYTES], now[KEY_BYTES];
	const struct authority_dir *d = &ch->dir;
	if (!authority_public_of(d->next, next) || memcmp(next, authlog_key(ch->log), KEY_BYTES) != 0)
		return ERR_OK;
	uint8_t *data;
	size_t len;
	enum err err = ERR_OK;
	/* What stands in its place is the old one, unless only the last step is missing. */
	if (authority_public_of(d->key, now) && memcmp(now, next, KEY_BYTES) != 0) {
		char hex[ID_HEX_BYTES], name[ID_HEX_BYTES + 8], path[LIMIT_PATH_BYTES];
		struct id id = id_of_key(now);
		id_hex(&id, hex);
		snprintf(name, sizeof(name), "%s.key", hex);
		os_path_join(path, sizeof(path), d->old, name);
		err = os_dir_make(d->old, 0700, info);
		if (err == ERR_OK)
			err = crypto_guarded_read(d->key, KEY_FILE_BYTES, &data, &len, info);
		if (err == ERR_OK) {
			err = os_file_replace(path, data, len, 0600, info);
			crypto_guarded_free(data, len);
		}
	}
	if (err == ERR_OK)
		err = crypto_guarded_read(d->next, KEY_FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	err = os_file_replace(d->key, data, len, 0600, info);
	crypto_guarded_free(data, len);
	return err == ERR_OK ? os_file_wipe(d->next, info) : err;
}

/* What a crash cut short. A successor's file that is kept elsewhere is seen to by the next rotation. */
static enum err settle_all(const struct authority_change *ch, struct err_info *info)
{
	enum err err = authority_change_settle(ch, info);
	return err == ERR_OK ? authority_successor_settle(ch->dir.successor, ch->log, info) : err;
}

/* Nodes take the time of the newest entry for the least that it can be: one from the future would end grants
 * everywhere, for good. */
static enum err check_clock(const struct command *c, const struct authlog *log, struct err_info *info)
{
	char now[SHOWN_BYTES], newest[SHOWN_BYTES];
	wall_day today = clock_day(os_clock_wall()), last = authlog_day(log);
	shown_day(today, now);
	shown_day(last, newest);
	if (today < last)
		return err_set(
		    info, ERR_ARG,
		    "this machine's clock says %s, but the log's newest entry is of %s; set the clock", now,
		    newest);
	if (today > last + CLOCK_AHEAD_DAYS && !options_has(&c->options, "clock-is-right"))
		return err_set(
		    info, ERR_ARG,
		    "this machine's clock says %s, and the log's newest entry is of %s: what is signed "
		    "with a wrong date cannot be undone; set the clock, or say --clock-is-right",
		    now, newest);
	return ERR_OK;
}

enum err authority_change_open(struct command *c, struct authority_change *ret, struct err_info *info)
{
	*ret = (struct authority_change){.command = c};
	enum err err = authority_dir_name(c, &ret->dir, info);
	/* A lock file would be the first trace of an authority that is not there. */
	if (err == ERR_OK)
		err = authority_dir_check(&ret->dir, info);
	if (err == ERR_OK)
		err = os_lock_take(ret->dir.lock, &ret->lock, info);
	if (err == ERR_OK)
		err = authority_dir_load_log(&ret->dir, &ret->log, info);
	if (err == ERR_OK)
		err = check_clock(c, ret->log, info);
	if (err == ERR_OK)
		err = settle_all(ret, info);
	if (err == ERR_OK)
		err = authority_spare_find(c, &ret->dir, ret->log, &ret->spare, info);
	if (err == ERR_OK)
		err = authority_node_find(c, ret->dir.folder, ret->log, options_has(&c->options, "after"),
					  &ret->node, info);
	return err;
}

enum err authority_change_unlock(struct authority_change *ch, bool revoking, struct err_info *info)
{
	uint8_t public_key[KEY_BYTES];
	bool forked = authlog_forked(ch->log);
	if (forked && !revoking)
		return err_set(
		    info, ERR_STALE,
		    "the log in \"%s\" is forked: of what is signed now only revocations count, here "
		    "and everywhere, until its key is replaced; what to do: docs/operations.md, \"The log is "
		    "forked\"",
		    ch->dir.folder);
	/* Before a person is asked for a passphrase that opens the wrong key. */
	if (!forked && authority_public_of(ch->dir.key, public_key) &&
	    memcmp(public_key, authlog_key(ch->log), KEY_BYTES) != 0)
		return err_set(
		    info, ERR_UNTRUSTED,
		    "\"%s\" is not the key that \"%s\" belongs to; bring the folder up to the copy "
		    "that has it: mesh authority log --dir %s --take COPY",
		    ch->dir.key, ch->dir.log, ch->dir.folder);
	ch->passphrase = passphrase_new();
	if (ch->passphrase == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a passphrase");
	return passphrase_load_key(ch->command, ch->dir.key, KEY_AUTHORITY, "passphrase-file",
				   "Passphrase of the authority's key: ", ch->passphrase, &ch->key, info);
}

enum err authority_change_add(struct authority_change *ch, enum err made, const uint8_t *entry, size_t len,
			      struct err_info *info)
{
	enum err err = made;
	if (err == ERR_OK)
		err = authlog_append(ch->log, entry, len);
	if (err == ERR_OK)
		return authlog_save(ch->log, ch->dir.log, info);
	if (err == ERR_UNTRUSTED)
		return err_set(
		    info, err,
		    "\"%s\" is not the key that \"%s\" belongs to; bring the folder up to the copy "
		    "that has it: mesh authority log --dir %s --take COPY",
		    ch->dir.key, ch->dir.log, ch->dir.folder);
	if (err == ERR_LIMIT)
		return err_set(info, err,
			       "\"%s\" has %zu entries, or this one would be too long: no more is allowed",
			       ch->dir.log, authlog_count(ch->log));
	return err_set(info, err, "cannot append to \"%s\": %s", ch->dir.log, err_text(err));
}

static void tell_node(struct authority_change *ch)
{
	struct bundle b = {0};
	struct err_info why = {0};
	if (ch->node.condition != NODE_REACHED)
		return;
	if (bundle_gather(&ch->dir, ch->log, &b, &why) != ERR_OK) {
		ch->node.condition = NODE_NOT_TOLD;
		ch->node.why = why;
		return;
	}
	authority_node_tell(&b, &ch->node);
	bundle_release(&b);
}

/* A copy that nobody can reach is said each time: it is forgotten otherwise, until it is needed. */
static void warn(const struct authority_change *ch)
{
	struct command *c = ch->command;
	if (ch->spare.condition == SPARE_BEHIND)
		command_fail(
		    c, 0,
		    "warning: the spare copy in \"%s\" is not up to date: %s; once it is at hand: mesh "
		    "authority log --dir %s --spare %s",
		    ch->spare.folder, ch->spare.why.text, ch->dir.folder, ch->spare.folder);
	if (ch->node.condition == NODE_NOT_TOLD)
		command_fail(c, 0,
			     "warning: done, but not published: %s; then: mesh authority publish --dir %s",
			     ch->node.why.text, ch->dir.folder);
}

int authority_change_finish(struct authority_change *ch, struct fields *f, const char *text)
{
	char lines[4 * LIMIT_PATH_BYTES], tail[LIMIT_PATH_BYTES + 64];
	authority_spare_update(&ch->dir, &ch->spare);
	tell_node(ch);
	bool told = ch->node.condition == NODE_TOLD;
	fields_number(f, "log_entries", (int64_t)authlog_count(ch->log));
	fields_text(f, "spare", authority_spare_name(ch->spare.condition));
	fields_text(f, "spare_folder", ch->spare.folder[0] != '\0' ? ch->spare.folder : NULL);
	fields_flag(f, "published", told);
	if (told)
		snprintf(tail, sizeof(tail), "Published to the node in \"%s\".\n", ch->node.state);
	else
		snprintf(tail, sizeof(tail), "Next: mesh authority publish --dir %s\n", ch->dir.folder);
	snprintf(lines, sizeof(lines), "%s%s%s", text,
		 ch->spare.condition == SPARE_CURRENT ? "The spare copy is up to date.\n" : "", tail);
	warn(ch);
	bool partial = ch->spare.condition == SPARE_BEHIND || ch->node.condition == NODE_NOT_TOLD;
	return fields_answer(ch->command, f, lines, partial);
}

void authority_change_close(struct authority_change *ch)
{
	identity_free(ch->key);
	passphrase_free(ch->passphrase);
	authlog_free(ch->log);
	if (ch->lock != NULL)
		os_lock_release(ch->lock);
	*ch = (struct authority_change){0};
}

/* Whether the log has revoked it; names of the revoked may be used again. */
static bool is_revoked(const struct authlog *log, bool op, const struct id *id)
{
	if (op)
		return authlog_operator_key(log, id) == NULL;
	const struct authlog_grant *grant = authlog_find_grant(log, id);
	return grant == NULL || grant->revoked;
}

enum err authority_change_who(const struct authority_change *ch, bool op, const char *typed,
			      struct id *ret_id, char ret_name[LIMIT_SHORT_TEXT_BYTES + 1],
			      struct err_info *info)
{
	struct authlog_view v;
	struct id id;
	bool found = false, by_id = id_unhex(&id, typed);
	char name[LIMIT_SHORT_TEXT_BYTES + 1] = "", shown[128];
	for (size_t i = 0; i < authlog_count(ch->log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(ch->log, i, &len);
		if (authlog_view(entry, len, &v) != ERR_OK || v.type != (op ? LOG_OPERATOR : LOG_GRANT))
			continue;
		if (by_id ? !id_equal(&v.subject, &id) : strcmp(v.name, typed) != 0)
			continue;
		if (found && is_revoked(ch->log, op, &v.subject) && !is_revoked(ch->log, op, &id))
			continue;
		found = true;
		id = v.subject;
		text_copy(name, sizeof(name), v.name);
	}
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	if (!found)
		return err_set(info, ERR_NOT_FOUND,
			       "the log has no %s \"%s\"; mesh authority log --dir %s lists them",
			       op ? "operator" : "issuer", shown, ch->dir.folder);
	*ret_id = id;
	if (ret_name != NULL)
		text_copy(ret_name, LIMIT_SHORT_TEXT_BYTES + 1, name);
	return ERR_OK;
}
