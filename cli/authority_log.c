/* The authority's log: listed, carried, and copies of it brought up to date. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/authority_spare.h"
#include "cli/bundle.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/authlog_view.h"
#include "os/clock.h"
#include "os/file.h"

#define WARN_DAYS    30
#define DETAIL_BYTES 1024
#define DONE_BYTES   (5 * LIMIT_PATH_BYTES + 256)

static const struct output_column columns[] = {
    {.name = "entry"},
    {.name = "time_ms", .heading = "TIME", .style = OUTPUT_TIME},
    {.name = "type", .style = OUTPUT_FIXED},
    {.name = "what", .style = OUTPUT_FIXED, .only_wide = true},
    {.name = "id", .style = OUTPUT_ID},
    {.name = "name"},
    {.name = "detail"},
    {.name = "sites", .only_wide = true},
    {.name = "quota"},
    {.name = "last_day", .heading = "LAST DAY", .style = OUTPUT_FIXED},
    {.name = "days_left", .heading = "DAYS LEFT"},
    {.name = "grace_days", .heading = "GRACE", .only_wide = true},
    {.name = "roles", .only_wide = true},
    {.name = "reason", .only_wide = true},
    {.name = "allow_list", .heading = "ALLOW-LIST", .style = OUTPUT_ID, .only_wide = true},
    {.name = "revoked", .style = OUTPUT_YESNO},
    {.name = "forked", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "hash", .style = OUTPUT_ID, .only_wide = true},
    {.name = "successor", .style = OUTPUT_ID, .only_wide = true},
    {.name = NULL},
};
enum {
	ENTRY,
	TIME,
	TYPE,
	WHAT,
	WHO,
	NAME,
	DETAIL,
	SITES,
	QUOTA,
	LAST_DAY,
	DAYS_LEFT,
	GRACE,
	ROLES,
	REASON,
	ALLOW_LIST,
	REVOKED,
	FORKED,
	HASH,
	SUCCESSOR,
	COLUMNS
};

struct shown_entry {
	char who[ID_HEX_BYTES], list[ID_HEX_BYTES], hash[ID_HEX_BYTES], successor[ID_HEX_BYTES],
	    day[SHOWN_BYTES];
	char sites[LIMIT_GRANT_SITES * (LIMIT_SITE_NAME_BYTES + 2)];
	char roles[64], detail[DETAIL_BYTES];
	struct query_value values[COLUMNS];
};

static struct query_value of_text(const char *text)
{
	if (text == NULL || text[0] == '\0')
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

static struct query_value of_number(int64_t n)
{
	return (struct query_value){.type = QUERY_INTEGER, .integer = n};
}

static const char *type_name(enum log_entry_type type)
{
	static const char *const names[] = {"genesis", "grant", "extend", "operator", "revoke", "rotate"};
	return names[type];
}

static const char *what_name(const struct authlog_view *v)
{
	if (v->type != LOG_REVOKE)
		return NULL;
	return v->what == LOG_REVOKE_HOST ? "host" : v->what == LOG_REVOKE_ISSUER ? "issuer" : "operator";
}

static void list_sites(const struct authlog_view *v, struct shown_entry *e)
{
	size_t len = 0;
	for (size_t i = 0; i < v->site_count; i++)
		len += (size_t)snprintf(e->sites + len, sizeof(e->sites) - len, "%s%s", i > 0 ? ", " : "",
					v->sites[i]);
}

static void list_roles(const struct authlog_view *v, struct shown_entry *e)
{
	static const char *const names[] = {"incidents", "inventory", "policy", "decommission"};
	size_t len = 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (v->roles & 1u << i)
			len += (size_t)snprintf(e->roles + len, sizeof(e->roles) - len, "%s%s",
						len > 0 ? ", " : "", names[i]);
	}
}

/* What a person wants to read of an entry, beside who and until when. */
static void describe(const struct authlog_view *v, struct shown_entry *e)
{
	switch (v->type) {
	case LOG_GENESIS:
		text_copy(e->detail, sizeof(e->detail), "the estate begins");
		break;
	case LOG_GRANT:
		snprintf(e->detail, sizeof(e->detail), "enrols hosts of %s",
			 v->site_count > 0 ? e->sites : "any site");
		break;
	case LOG_EXTEND:
		snprintf(e->detail, sizeof(e->detail), "%s",
			 id_is_zero(&v->subject) ? "all issuers" : "one issuer");
		break;
	case LOG_OPERATOR:
		snprintf(e->detail, sizeof(e->detail), "may say: %s", e->roles);
		break;
	case LOG_REVOKE:
		snprintf(e->detail, sizeof(e->detail), "%s%s: %s", what_name(v),
			 !id_is_zero(&v->allow_list)    ? ", all hosts but those of a list"
			 : v->what == LOG_REVOKE_ISSUER ? " with its hosts"
							: "",
			 v->reason);
		break;
	case LOG_ROTATE:
		text_copy(e->detail, sizeof(e->detail), "the authority has a new key");
		break;
	}
}

/* As it stands now, after extensions and revocations: what is in force is what a person asks for. */
static void put_standing(const struct authlog *log, const struct authlog_view *v, wall_day today,
			 struct shown_entry *e)
{
	const struct authlog_grant *grant =
	    v->type == LOG_GRANT ? authlog_find_grant(log, &v->subject) : NULL;
	const struct authlog_operator *op =
	    v->type == LOG_OPERATOR ? authlog_find_operator(log, &v->subject) : NULL;
	bool revoked = grant != NULL ? grant->revoked : op != NULL && op->revoked;
	if (grant != NULL || op != NULL) {
		wall_day last = grant != NULL ? grant->last_day : op->last_day;
		e->values[REVOKED] = of_number(revoked);
		if (!revoked)
			e->values[DAYS_LEFT] = of_number((int64_t)last - (int64_t)today);
	}
	if (grant != NULL) {
		shown_day(grant->last_day, e->day);
		e->values[QUOTA] = of_number(grant->quota);
		e->values[LAST_DAY] = of_text(e->day);
	}
}

/* An extension or revocation names whom it is about by id alone. */
static const char *name_of(const struct authlog *log, const struct authlog_view *v)
{
	const struct authlog_grant *grant = authlog_find_grant(log, &v->subject);
	const struct authlog_operator *op = authlog_find_operator(log, &v->subject);
	if (v->name[0] != '\0')
		return v->name;
	return grant != NULL ? grant->name : op != NULL ? op->name : NULL;
}

static void fill(const struct authlog *log, const struct authlog_view *v, wall_day today,
		 struct shown_entry *e)
{
	*e = (struct shown_entry){0};
	for (size_t i = 0; i < COLUMNS; i++)
		e->values[i].type = QUERY_NULL;
	if (!id_is_zero(&v->subject))
		id_hex(&v->subject, e->who);
	if (!id_is_zero(&v->allow_list))
		id_hex(&v->allow_list, e->list);
	id_hex(&v->hash, e->hash);
	if (!id_is_zero(&v->successor))
		id_hex(&v->successor, e->successor);
	if (v->has_last_day)
		shown_day(v->last_day, e->day);
	list_sites(v, e);
	list_roles(v, e);
	describe(v, e);
	e->values[ENTRY] = of_number(v->index);
	e->values[TIME] = of_number((int64_t)(v->time_s * CLOCK_SECOND_MS));
	e->values[TYPE] = of_text(type_name(v->type));
	e->values[WHAT] = of_text(what_name(v));
	e->values[WHO] = of_text(e->who);
	e->values[NAME] = of_text(name_of(log, v));
	e->values[DETAIL] = of_text(e->detail);
	e->values[SITES] = of_text(e->sites);
	if (v->has_quota)
		e->values[QUOTA] = of_number(v->quota);
	e->values[LAST_DAY] = of_text(e->day);
	if (v->type == LOG_GRANT)
		e->values[GRACE] = of_number(v->grace_days);
	e->values[ROLES] = of_text(e->roles);
	e->values[REASON] = of_text(v->reason);
	e->values[ALLOW_LIST] = of_text(e->list);
	e->values[FORKED] = of_number(authlog_forked(log));
	e->values[HASH] = of_text(e->hash);
	e->values[SUCCESSOR] = of_text(e->successor);
	put_standing(log, v, today, e);
}

static enum err put_entries(struct answer *a, const struct authlog *log, wall_day today)
{
	const char *names[COLUMNS];
	struct query_sink sink = output_sink(&a->output);
	struct shown_entry *e = malloc(sizeof(*e));
	if (e == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < COLUMNS; i++)
		names[i] = columns[i].name;
	bool more = sink.columns(sink.context, names, COLUMNS);
	for (size_t i = 0; more && i < authlog_count(log); i++) {
		struct authlog_view v;
		size_t len;
		const uint8_t *entry = authlog_entry(log, i, &len);
		if (authlog_view(entry, len, &v) != ERR_OK)
			continue;
		fill(log, &v, today, e);
		more = sink.row(sink.context, e->values, COLUMNS);
	}
	free(e);
	return output_finish_rows(&a->output);
}

/* What is not to be overlooked. */
static void put_remarks(struct command *c, const struct authlog *log, wall_day today)
{
	const struct authlog_grant *g;
	if (authlog_forked(log))
		command_fail(
		    c, 0,
		    "warning: THE LOG IS FORKED in %zu branches: the authority's key was used twice, by a "
		    "copy that had fallen behind or by a thief. What stands behind the fork grants "
		    "nothing; revocations count. A rotation ends it: see docs/operations.md, \"The log is "
		    "forked\"",
		    authlog_branches(log));
	for (size_t i = 0; (g = authlog_grant_at(log, i)) != NULL; i++) {
		int64_t left = (int64_t)g->last_day - (int64_t)today;
		char name[4 * LIMIT_SHORT_TEXT_BYTES + 1], day[SHOWN_BYTES];
		if (g->revoked || left > WARN_DAYS || left + g->grace_days < 0)
			continue;
		text_escape(name, sizeof(name), g->name, strlen(g->name));
		shown_day(g->last_day, day);
		command_fail(c, 0,
			     "warning: the grant of issuer \"%s\" %s on %s; extend it: mesh authority extend "
			     "%s --dir DIR --days N",
			     name, left < 0 ? "ended" : "ends", day, name);
	}
}

static int list(struct command *c, const struct authlog *log, bool partial, const char *done)
{
	struct answer a;
	struct err_info info = {0};
	wall_day today = clock_day(os_clock_wall());
	answer_open_bare(c, columns, &a);
	a.remark = done[0] != '\0' ? done : NULL;
	a.partial = partial || authlog_forked(log);
	enum err err = put_entries(&a, log, today);
	if (err != ERR_OK && err != ERR_IO) {
		err_set(&info, err, "%s", err_text(err));
		return answer_fail(&a, &info);
	}
	put_remarks(c, log, today);
	return answer_close(&a);
}

/* --take: the other copy must have all of this one's entries, or the two would be a fork. */
static enum err take(const struct command *c, const struct authority_dir *d, struct authlog **log,
		     struct err_info *info)
{
	const char *path = options_value(&c->options, "take");
	struct authority_dir other;
	struct bundle b = {0};
	enum err err = authority_dir_of(path, &other, info);
	bool folder = err == ERR_OK && os_file_exists(other.log);
	if (err == ERR_OK)
		err = bundle_read(folder ? other.log : path, &b, info);
	if (err == ERR_OK && !id_equal(authlog_estate(b.log), authlog_estate(*log)))
		err = err_set(info, ERR_ESTATE, "\"%s\" is of another estate (\"%s\")", path,
			      authlog_estate_name(b.log));
	if (err == ERR_OK && bundle_missing(b.log, *log) > 0)
		err = err_set(
		    info, ERR_STALE,
		    "\"%s\" lacks %zu entries of \"%s\": neither is the other's older copy, and to put "
		    "them together would fork the log; see docs/operations.md, \"The log is forked\"",
		    path, bundle_missing(b.log, *log), d->folder);
	if (err == ERR_OK)
		err = folder ? authority_spare_copy(&other, d, info) : authlog_save(b.log, d->log, info);
	if (err == ERR_OK) {
		authlog_free(*log);
		*log = b.log;
		b.log = NULL;
	}
	bundle_release(&b);
	return err;
}

static enum err write_out(const struct command *c, const struct authority_dir *d, const struct authlog *log,
			  struct err_info *info)
{
	const char *path = options_value(&c->options, "out");
	struct bundle b = {0};
	if (path == NULL)
		return ERR_OK;
	enum err err = bundle_gather(d, log, &b, info);
	if (err == ERR_OK)
		err = bundle_write(&b, path, info);
	bundle_release(&b);
	return err;
}

/* For people, below the list. */
static void say_done(const struct command *c, const struct authority_dir *d,
		     const struct authority_spare *spare, char ret[DONE_BYTES])
{
	const char *from = options_value(&c->options, "take"), *out = options_value(&c->options, "out");
	size_t n = 0;
	ret[0] = '\0';
	if (from != NULL)
		n += (size_t)snprintf(ret + n, DONE_BYTES - n, "\"%s\" is up to date with \"%s\".\n",
				      d->folder, from);
	if (spare->condition == SPARE_CURRENT)
		n += (size_t)snprintf(ret + n, DONE_BYTES - n, "The spare copy in \"%s\" is up to date.\n",
				      spare->folder);
	if (out != NULL)
		snprintf(ret + n, DONE_BYTES - n,
			 "Log and allow-lists are in \"%s\"; no secret is.\n"
			 "Next, on a node of the branch: mesh authority publish --log %s\n",
			 out, out);
}

/* The log of an authority's folder, with what may be done to it. */
static int of_folder(struct command *c)
{
	char done[DONE_BYTES];
	struct authority_dir d;
	struct authority_spare spare = {0};
	struct authlog *log = NULL;
	struct os_lock *lock = NULL;
	struct err_info info = {0};
	bool named = options_value(&c->options, "spare") != NULL;
	bool taking = options_value(&c->options, "take") != NULL;
	enum err err = authority_dir_name(c, &d, &info);
	if (err == ERR_OK)
		err = authority_dir_load_log(&d, &log, &info);
	if (err == ERR_OK && (taking || named))
		err = os_lock_take(d.lock, &lock, &info);
	if (err == ERR_OK && taking)
		err = take(c, &d, &log, &info);
	if (err == ERR_OK && named) {
		err = authority_spare_find(c, &d, log, &spare, &info);
		if (err == ERR_OK)
			authority_spare_update(&d, &spare);
	}
	if (err == ERR_OK)
		err = write_out(c, &d, log, &info);
	say_done(c, &d, &spare, done);
	if (err == ERR_OK && spare.condition == SPARE_BEHIND)
		command_fail(c, 0, "warning: the spare copy in \"%s\" is not up to date: %s", spare.folder,
			     spare.why.text);
	int code =
	    err == ERR_OK ? list(c, log, spare.condition == SPARE_BEHIND, done) : command_report(c, &info);
	authlog_free(log);
	if (lock != NULL)
		os_lock_release(lock);
	return code;
}

int verb_authority_log(struct command *c)
{
	const char *file = options_value(&c->options, "log"), *dir = options_value(&c->options, "dir");
	char state[LIMIT_PATH_BYTES], path[LIMIT_PATH_BYTES];
	struct err_info info = {0};
	struct bundle b = {0};
	if (dir != NULL && file != NULL)
		return command_fail(c, MESH_EXIT_USAGE, "--dir and --log exclude each other");
	if (dir != NULL)
		return of_folder(c);
	if (options_has(&c->options, "take") || options_has(&c->options, "spare") ||
	    options_has(&c->options, "out"))
		return command_fail(c, MESH_EXIT_USAGE,
				    "--take, --spare and --out need the authority's --dir");
	enum err err = ERR_OK;
	if (file == NULL) {
		err = command_state(c, state, sizeof(state), &info);
		if (err == ERR_OK && os_path_join(path, sizeof(path), state, "authority.log") != ERR_OK)
			err = err_set(&info, ERR_LIMIT, "the path of --state is too long");
		file = path;
	}
	if (err == ERR_OK)
		err = bundle_read(file, &b, &info);
	if (err == ERR_NOT_FOUND && file == path)
		err_set(&info, err,
			"there is no log \"%s\": name the authority's folder with --dir, or a node's with "
			"--state",
			path);
	int code = err == ERR_OK ? list(c, b.log, false, "") : command_report(c, &info);
	bundle_release(&b);
	return code;
}
