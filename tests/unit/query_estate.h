/* Asking questions of a small synthetic estate. */
#ifndef MESH_TESTS_UNIT_QUERY_ESTATE_H
#define MESH_TESTS_UNIT_QUERY_ESTATE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/query.h"
#include "tests/estate/estate.h"
#include "tests/unit/scratch.h"

#define NOW   1800000000000ull
#define HOSTS 60
#define SITES 4

static inline void make_estate(const char *folder)
{
	struct estate_options o = {.hosts = HOSTS,
				   .sites = SITES,
				   .seed = 7,
				   .out = folder,
				   .now = NOW,
				   .images = ESTATE_IMAGES_MIN};
	struct err_info info = {0};
	enum err err = estate_write(&o, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
}

struct answer {
	char text[65536]; /* rows as lines, cells separated by | */
	size_t len, rows, columns;
	size_t stop_after;
};

static inline bool take_columns(void *context, const char *const *names, size_t count)
{
	struct answer *a = context;
	a->columns = count;
	return names != NULL;
}

static inline bool take_row(void *context, const struct query_value *values, size_t count)
{
	struct answer *a = context;
	for (size_t i = 0; i < count && a->len < sizeof(a->text) - 256; i++) {
		char *at = a->text + a->len;
		size_t left = sizeof(a->text) - a->len;
		int n = 0;
		switch (values[i].type) {
		case QUERY_NULL:
			n = snprintf(at, left, "NULL");
			break;
		case QUERY_INTEGER:
			n = snprintf(at, left, "%lld", (long long)values[i].integer);
			break;
		case QUERY_REAL:
			n = snprintf(at, left, "%.3f", values[i].real);
			break;
		case QUERY_TEXT:
			n = snprintf(at, left, "%.*s", (int)values[i].text_len, values[i].text);
			break;
		}
		a->len += (size_t)n < left ? (size_t)n : 0;
		a->text[a->len++] = i + 1 < count ? '|' : '\n';
	}
	a->text[a->len] = '\0';
	a->rows++;
	return a->rows != a->stop_after;
}

static inline enum err ask(struct query *q, const char *sql, struct answer *ret, struct err_info *info)
{
	struct query_sink sink = {take_columns, take_row, ret};
	*ret = (struct answer){.columns = 0};
	return query_run(q, sql, NULL, 0, NULL, &sink, info);
}

static inline const char *text_of(struct query *q, const char *sql)
{
	static struct answer a;
	struct err_info info = {0};
	enum err err = ask(q, sql, &a, &info);
	if (err != ERR_OK)
		print_error("%s: %s\n", sql, info.text);
	assert_int_equal(err, ERR_OK);
	return a.text;
}

static inline long number_of(struct query *q, const char *sql)
{
	return strtol(text_of(q, sql), NULL, 10);
}

static inline struct query *open_query(const char *folder)
{
	struct query *q = NULL;
	struct err_info info = {0};
	enum err err = query_open(folder, NOW + 1000, &q, &info);
	if (err != ERR_OK)
		print_error("%s\n", info.text);
	assert_int_equal(err, ERR_OK);
	return q;
}

#endif
