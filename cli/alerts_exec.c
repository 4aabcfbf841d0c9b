/* --exec: a program is told of each alert once, as JSON on its standard input. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/alerts.h"
#include "os/run.h"

#define KEYS_MAX   1024 /* told by one process; then all are told again */
#define LINE_BYTES 400

void alerts_told_free(struct alerts_told *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->keys[i]);
	free(t->keys);
	*t = (struct alerts_told){.count = 0};
}

/* Again where the version becomes known, or a warning an alarm. */
static char *key_of(const struct alert *a)
{
	const struct suspect *w = &a->what;
	const char *parts[] = {w->component_kind, w->name, w->version != NULL ? w->version : "",
			       w->source != NULL ? w->source : "", suspects_verdict_name(w->verdict)};
	size_t len = 1;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		len += strlen(parts[i]) + 1;
	char *key = malloc(len);
	if (key != NULL)
		(void)snprintf(key, len, "%s\n%s\n%s\n%s\n%s", parts[0], parts[1], parts[2], parts[3],
			       parts[4]);
	return key;
}

static enum err tell(struct alerts_told *t, const struct alert *a, bool *ret_new)
{
	char *key = key_of(a);
	if (key == NULL)
		return ERR_NOMEM;
	*ret_new = true;
	for (size_t i = 0; i < t->count; i++) {
		if (strcmp(t->keys[i], key) == 0) {
			*ret_new = false;
			free(key);
			return ERR_OK;
		}
	}
	if (t->count == KEYS_MAX)
		alerts_told_free(t);
	char **keys = realloc(t->keys, (t->count + 1) * sizeof(*keys));
	if (keys == NULL) {
		free(key);
		return ERR_NOMEM;
	}
	t->keys = keys;
	t->keys[t->count++] = key;
	return ERR_OK;
}

static enum err write_text(const struct answer *a, const struct alert *alert,
			   const struct query_coverage *coverage, wall_ms until, char **ret)
{
	struct query_value values[ALERTS_FIELDS];
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (f == NULL)
		return ERR_NOMEM;
	struct json j = {.f = f};
	alerts_values(alert, values);
	json_begin_object(&j, NULL);
	json_begin_object(&j, "alert");
	for (size_t i = 0; i < ALERTS_FIELDS; i++)
		output_json_value(&j, alerts_names[i], &values[i], OUTPUT_PLAIN);
	json_end_object(&j);
	json_u64(&j, "until_ms", until);
	coverage_json(&j, "coverage", coverage, NULL, a->now);
	json_end_object(&j);
	fputc('\n', f);
	bool failed = ferror(f) != 0;
	if (fclose(f) != 0 || failed) {
		free(text);
		return ERR_NOMEM;
	}
	*ret = text;
	return ERR_OK;
}

enum err alerts_news(struct answer *a, const struct alerts *all, struct alerts_told *told,
		     struct alerts_news *ret, struct err_info *info)
{
	const struct query_coverage *coverage;
	struct alerts_news news = {.texts = calloc(all->count + 1, sizeof(*news.texts))};
	enum err err = answer_coverage(a, &coverage, info);
	if (err != ERR_OK || news.texts == NULL) {
		free(news.texts);
		return err != ERR_OK ? err : err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	}
	for (size_t i = 0; i < all->count && err == ERR_OK; i++) {
		bool is_new;
		err = tell(told, &all->list[i], &is_new);
		if (err == ERR_OK && is_new)
			err = write_text(a, &all->list[i], coverage, all->until, &news.texts[news.count]);
		news.count += err == ERR_OK && is_new;
	}
	if (err != ERR_OK) {
		alerts_news_free(&news);
		return err_set(info, err, "%s", err_text(err));
	}
	*ret = news;
	return ERR_OK;
}

void alerts_news_free(struct alerts_news *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->texts[i]);
	free(n->texts);
	*n = (struct alerts_news){.count = 0};
}

/* Line by line, as whatever the program says may hold what hosts call themselves. */
static void show_output(FILE *f, const char *program, const struct os_run_result *r)
{
	char name[LINE_BYTES], line[4 * LINE_BYTES];
	text_escape(name, sizeof(name), program, strlen(program));
	for (size_t at = 0; at < r->output_len;) {
		const char *end = memchr(r->output + at, '\n', r->output_len - at);
		size_t len = end != NULL ? (size_t)(end - (r->output + at)) : r->output_len - at;
		text_escape(line, sizeof(line), r->output + at, len);
		fprintf(f, "%s: %s\n", name, line);
		at += len + 1;
	}
	if (r->output_cut)
		fprintf(f, "%s: (more of its output is left out)\n", name);
}

bool alerts_run(struct command *c, const char *program, unsigned timeout_s, const struct alerts_news *news)
{
	bool good = true;
	for (size_t i = 0; i < news->count; i++) {
		struct os_run_result r;
		struct err_info info = {0};
		enum err err = os_run(program, news->texts[i], strlen(news->texts[i]),
				      (uint64_t)timeout_s * CLOCK_SECOND_MS, &r, &info);
		if (err != ERR_OK) {
			(void)command_fail(c, MESH_EXIT_ERROR, "--exec: %s", info.text);
			good = false;
			continue;
		}
		show_output(c->err, program, &r);
		if (r.timed_out)
			(void)command_fail(c, MESH_EXIT_ERROR, "--exec: \"%s\" was ended after %u s", program,
					   timeout_s);
		else if (r.signal != 0)
			(void)command_fail(c, MESH_EXIT_ERROR, "--exec: \"%s\" was ended by signal %d",
					   program, r.signal);
		else if (r.code != 0)
			(void)command_fail(c, MESH_EXIT_ERROR, "--exec: \"%s\" exited with %d", program,
					   r.code);
		good = good && !r.timed_out && r.signal == 0 && r.code == 0;
	}
	return good;
}
