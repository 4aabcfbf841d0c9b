/* Revocations: of hosts, issuers, operators, for good. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_change.h"
#include "cli/authority_keep.h"
#include "cli/rows.h"
#include "cli/verb.h"
#include "crypto/authlog_view.h"
#include "os/clock.h"
#include "os/file.h"

struct target {
	enum log_revoke_what what;
	struct id id;
	char name[4 * LIMIT_HOSTNAME_BYTES + 1]; /* as typed or known; escaped */
};

static enum err read_what(const char *word, enum log_revoke_what *ret, struct err_info *info)
{
	if (strcmp(word, "host") == 0)
		*ret = LOG_REVOKE_HOST;
	else if (strcmp(word, "issuer") == 0)
		*ret = LOG_REVOKE_ISSUER;
	else if (strcmp(word, "operator") == 0)
		*ret = LOG_REVOKE_OPERATOR;
	else
		return err_set(info, ERR_USAGE, "the first argument is host, issuer or operator");
	return ERR_OK;
}

static enum err read_reason(const struct command *c, const char **ret, struct err_info *info)
{
	char shown[8 * LOG_REASON_BYTES];
	enum err err = authority_required(c, "reason", ret, info);
	if (err != ERR_OK)
		return err;
	size_t len = strlen(*ret);
	if (len > LOG_REASON_BYTES || text_escape(shown, sizeof(shown), *ret, len) != len)
		return err_set(info, ERR_USAGE,
			       "--reason: at most %d bytes without control characters are allowed",
			       LOG_REASON_BYTES);
	return ERR_OK;
}

/* A hostname, by the replica of --state. */
static enum err find_host(const struct command *c, const char *typed, struct target *ret,
			  struct err_info *info)
{
	struct query *q;
	struct rows found;
	char state[LIMIT_PATH_BYTES];
	enum err err = command_state(c, state, sizeof(state), info);
	if (err == ERR_OK && query_open(state, os_clock_wall(), &q, info) != ERR_OK) {
		struct err_info why = *info;
		return err_set(
		    info, ERR_NOT_FOUND,
		    "\"%s\" is no host id of 32 digits, and there is no replica to look a hostname up "
		    "in: %s",
		    ret->name, why.text);
	}
	if (err != ERR_OK)
		return err;
	err = rows_fetch(q, "SELECT host FROM hosts WHERE name = ?1 ORDER BY host", &typed, 1, &found, info);
	if (err == ERR_OK && found.count == 0) {
		/* Hidden ones answer by name, too, so that a second try hears why it is none. */
		rows_release(&found);
		err = rows_fetch(q, "SELECT host FROM hidden_hosts WHERE name = ?1 ORDER BY host", &typed, 1,
				 &found, info);
	}
	if (err == ERR_OK && found.count == 0)
		err = err_set(info, ERR_NOT_FOUND, "no host \"%s\" is known in \"%s\"; mesh hosts lists them",
			      ret->name, state);
	else if (err == ERR_OK && found.count > 1)
		err = err_set(info, ERR_ARG, "%zu hosts are called \"%s\" (%s, %s, ...); name one by its id",
			      found.count, ret->name, rows_text(&found, 0, "host"),
			      rows_text(&found, 1, "host"));
	else if (err == ERR_OK && !id_unhex(&ret->id, rows_text(&found, 0, "host")))
		err = err_set(info, ERR_CORRUPT, "the replica in \"%s\" has no id for \"%s\"", state,
			      ret->name);
	rows_release(&found);
	query_close(q);
	return err;
}

static enum err find_target(struct authority_change *ch, const char *typed, struct target *ret,
			    struct err_info *info)
{
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	text_escape(ret->name, sizeof(ret->name), typed, strlen(typed));
	if (ret->what == LOG_REVOKE_HOST)
		return id_unhex(&ret->id, typed) ? ERR_OK : find_host(ch->command, typed, ret, info);
	enum err err =
	    authority_change_who(ch, ret->what == LOG_REVOKE_OPERATOR, typed, &ret->id, name, info);
	if (err == ERR_OK)
		text_escape(ret->name, sizeof(ret->name), name, strlen(name));
	return err;
}

/* Revoking twice would grow the log for nothing; an issuer may be revoked again, with a shorter list. */
static enum err refuse_done(const struct authority_change *ch, const struct target *t, struct err_info *info)
{
	const struct authlog_operator *op = authlog_find_operator(ch->log, &t->id);
	bool done = (t->what == LOG_REVOKE_HOST && authlog_host_revoked(ch->log, &t->id)) ||
		    (t->what == LOG_REVOKE_OPERATOR && op != NULL && op->revoked);
	return done ? err_set(info, ERR_EXISTS, "\"%s\" is revoked already", t->name) : ERR_OK;
}

/* Only now is it known which list it is. */
static enum err refuse_same(const struct authority_change *ch, const struct target *t,
			    const struct keep *keep, struct err_info *info)
{
	static const struct id none;
	const struct authlog_grant *grant = authlog_find_grant(ch->log, &t->id);
	if (t->what != LOG_REVOKE_ISSUER || grant == NULL || !grant->revoked ||
	    !id_equal(&grant->allow_list, keep->list_made ? &keep->list : &none))
		return ERR_OK;
	return err_set(info, ERR_EXISTS, "\"%s\" is revoked already, and the same hosts stay", t->name);
}

static int report(struct authority_change *ch, const struct target *t, const char *reason,
		  const struct keep *keep)
{
	static const char *const words[] = {"", "host", "issuer", "operator"};
	char hex[ID_HEX_BYTES], list[ID_HEX_BYTES] = "", stays[128] = "", text[1024];
	struct fields f = {0};
	id_hex(&t->id, hex);
	if (keep->list_made)
		id_hex(&keep->list, list);
	fields_text(&f, "what", words[t->what]);
	fields_text(&f, "id", hex);
	fields_text(&f, "name", t->name);
	fields_text(&f, "reason", reason);
	fields_text(&f, "allow_list", list[0] != '\0' ? list : NULL);
	if (t->what == LOG_REVOKE_ISSUER)
		fields_number(&f, "hosts_kept", (int64_t)keep->count);
	else
		fields_null(&f, "hosts_kept");
	if (t->what == LOG_REVOKE_ISSUER)
		snprintf(stays, sizeof(stays), " %zu of its hosts stay%s.", keep->count,
			 keep->count == 1 ? "s" : "");
	snprintf(text, sizeof(text), "Revoked %s \"%s\" (%.8s), for good: %s.%s\n", words[t->what], t->name,
		 hex, reason, stays);
	return authority_change_finish(ch, &f, text);
}

int verb_authority_revoke(struct command *c)
{
	struct authority_change ch;
	struct err_info info = {0};
	struct target t = {0};
	struct keep keep = {0};
	const char *reason;
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0;
	enum err err = read_what(c->options.operands[0], &t.what, &info);
	if (err == ERR_OK)
		err = read_reason(c, &reason, &info);
	if (err == ERR_OK)
		err = keep_check(c, t.what == LOG_REVOKE_ISSUER, &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	err = authority_change_open(c, &ch, &info);
	if (err == ERR_OK)
		err = find_target(&ch, c->options.operands[1], &t, &info);
	if (err == ERR_OK)
		err = refuse_done(&ch, &t, &info);
	if (err == ERR_OK && t.what == LOG_REVOKE_ISSUER)
		err = keep_gather(c, &t.id, &keep, &info);
	if (err == ERR_OK)
		err = authority_change_unlock(&ch, true, &info);
	/* The blobs before the entry that names them. */
	if (err == ERR_OK)
		err = keep_save(&keep, &ch.dir, &info);
	if (err == ERR_OK)
		err = refuse_same(&ch, &t, &keep, &info);
	if (err == ERR_OK) {
		err = authlog_make_revoke(ch.log, ch.key, t.what, &t.id, keep.list_made ? &keep.list : NULL,
					  reason, os_clock_wall(), entry, &len);
		err = authority_change_add(&ch, err, entry, len, &info);
	}
	int code = err == ERR_OK ? report(&ch, &t, reason, &keep) : command_report(c, &info);
	keep_release(&keep);
	authority_change_close(&ch);
	return code;
}
