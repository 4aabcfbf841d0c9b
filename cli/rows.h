/* The whole result of a small question in memory. */
#ifndef MESH_CLI_ROWS_H
#define MESH_CLI_ROWS_H

#include "store/query.h"

/* Zeroed memory is empty. */
struct rows {
	size_t columns, count; /* count: rows */
	char **names;
	struct query_value *cells; /* text is terminated and owned */
	size_t cell_cap;
	bool failed;
};

#define ROWS_MAX 100000

/* ERR_NOMEM, ERR_LIMIT (more than ROWS_MAX rows), and those of query_run. Release with rows_release, also
 * after an error. */
enum err rows_fetch(struct query *q, const char *sql, const char *const *parameters, size_t count,
		    struct rows *ret, struct err_info *info);
void rows_release(struct rows *r);
const struct query_value *rows_cell(const struct rows *r, size_t row, size_t column);
/* By name; NULL when there is no such column. */
const struct query_value *rows_find(const struct rows *r, size_t row, const char *column);
/* "" unless the cell is text. */
const char *rows_text(const struct rows *r, size_t row, const char *column);
/* 0 unless the cell is a positive integer. */
uint64_t rows_u64(const struct rows *r, size_t row, const char *column);

#endif
