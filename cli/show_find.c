#include "cli/show_find.h"

#include <string.h>

#include "base/text.h"
#include "cli/show_fields.h"
#include "cli/shown.h"

#define CANDIDATES_MAX 10

static bool is_hex(const char *text)
{
	return text[0] != '\0' && text[strspn(text, "0123456789abcdefABCDEF")] == '\0';
}

static void put_candidate(FILE *f, const struct rows *found, size_t row, wall_ms now)
{
	char name[4 * LIMIT_HOSTNAME_BYTES + 1], seen[SHOWN_BYTES] = "never";
	const char *raw = rows_text(found, row, "name");
	text_escape(name, sizeof(name), raw, strlen(raw));
	fprintf(f, "  %s  %s", rows_text(found, row, "host"), name);
	raw = rows_text(found, row, "site");
	text_escape(name, sizeof(name), raw, strlen(raw));
	if (rows_u64(found, row, "seen_ms") > 0) {
		shown_age(shown_seconds(rows_u64(found, row, "seen_ms"), now), seen);
		strncat(seen, " ago", sizeof(seen) - strlen(seen) - 1);
	}
	fprintf(f, "  %s  %s, seen %s\n", name, rows_text(found, row, "status"), seen);
}

static int refuse(struct answer *a, const struct rows *found, const char *typed)
{
	char shown[128];
	struct err_info info;
	wall_ms now = a->now;
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	if (found->count == 0) {
		err_set(&info, ERR_NOT_FOUND, "no host \"%s\" is known here; mesh hosts lists them", shown);
		return answer_fail(a, &info);
	}
	FILE *f = a->command->err;
	err_set(&info, ERR_ARG, "\"%s\" may be any of %zu hosts; name one by its id", shown, found->count);
	int code = answer_fail(a, &info);
	for (size_t i = 0; i < found->count && i < CANDIDATES_MAX; i++)
		put_candidate(f, found, i, now);
	if (found->count > CANDIDATES_MAX)
		fprintf(f, "  and %zu more\n", found->count - CANDIDATES_MAX);
	return code;
}

/* The row that is meant: the only one, or the only one that is still in the estate. found->count when it
 * cannot be told. */
static size_t pick(const struct rows *found)
{
	size_t current = found->count, n = 0;
	if (found->count == 1)
		return 0;
	for (size_t i = 0; i < found->count; i++) {
		const char *status = rows_text(found, i, "status");
		if (strcmp(status, "replaced") == 0 || strcmp(status, "left") == 0)
			continue;
		current = i;
		n++;
	}
	return n == 1 ? current : found->count;
}

/* By name or id, then by the beginning of an id. */
static enum err look_up(struct answer *a, const char *exact, const char *begins, const char *typed,
			struct rows *ret, struct err_info *info)
{
	enum err err = rows_fetch(a->query, exact, &typed, 1, ret, info);
	if (err != ERR_OK || ret->count > 0 || !is_hex(typed))
		return err;
	rows_release(ret);
	return rows_fetch(a->query, begins, &typed, 1, ret, info);
}

int show_find(struct answer *a, const char *typed, char ret_host[ID_HEX_BYTES], bool *ret_hidden)
{
#define EXACT  "WHERE host = lower(?1) OR name = ?1 ORDER BY host"
#define BEGINS "WHERE substr(host, 1, length(?1)) = lower(?1) ORDER BY host"
#define HOSTS  "SELECT host, name, site, status, seen_ms FROM hosts "
#define HIDDEN "SELECT host, name, site, 'revoked' AS status, seen_ms FROM hidden_hosts "
	struct rows found = {0};
	struct err_info info = {0};
	bool hidden = false;
	enum err err = look_up(a, HOSTS EXACT, HOSTS BEGINS, typed, &found, &info);
	if (err == ERR_OK && found.count == 0) {
		rows_release(&found);
		hidden = true;
		err = look_up(a, HIDDEN EXACT, HIDDEN BEGINS, typed, &found, &info);
	}
#undef EXACT
#undef BEGINS
#undef HOSTS
#undef HIDDEN
	int code = MESH_EXIT_COMPLETE;
	size_t row = pick(&found);
	if (err != ERR_OK) {
		code = answer_fail(a, &info);
	} else if (row == found.count) {
		code = refuse(a, &found, typed);
	} else {
		text_copy(ret_host, ID_HEX_BYTES, rows_text(&found, row, "host"));
		*ret_hidden = hidden;
	}
	rows_release(&found);
	return code;
}

static enum err put_hidden(struct answer *a, const char *host, struct err_info *info)
{
	static const char *const said[] = {"name", NULL};
	char name[4 * LIMIT_HOSTNAME_BYTES + 1];
	struct rows rows;
	FILE *f = a->output.f;
	enum err err =
	    rows_fetch(a->query, "SELECT * FROM hidden_hosts WHERE host = ?1", &host, 1, &rows, info);
	if (err == ERR_OK && rows.count > 0) {
		const char *raw = rows_text(&rows, 0, "name");
		text_escape(name, sizeof(name), raw, strlen(raw));
		fprintf(f, "%s is revoked: what it says is not believed, and hidden from every answer\n",
			raw[0] != '\0' ? name : "This host");
		err = show_fields(a, "hidden_hosts", &rows, said);
		fprintf(f, "\nIts last words, for which nobody vouches: mesh show %s --revoked\n", host);
	}
	rows_release(&rows);
	return err;
}

enum err show_find_hidden(struct answer *a, const char *host, struct err_info *info)
{
	if (output_for_people(&a->output))
		return put_hidden(a, host, info);
	struct query_sink sink = output_sink(&a->output);
	enum err err = query_run(
	    a->query, "SELECT *, 'revoked' AS standing, 1 AS hidden FROM hidden_hosts WHERE host = ?1", &host,
	    1, NULL, &sink, info);
	return err == ERR_OK ? output_finish_rows(&a->output) : err;
}
