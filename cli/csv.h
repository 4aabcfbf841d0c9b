/* Files of rows that operators hand in: separated by commas or semicolons, quotes as in RFC 4180, UTF-8, with
 * a header that names the columns in any order (docs/operations.md). Faults are collected, so that one look
 * at the file mends them all.
 *
 * Happy path: csv_open, then per row csv_next, the fields, csv_keep; csv_close. */
#ifndef MESH_CLI_CSV_H
#define MESH_CLI_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define CSV_FAULTS_SHOWN 20
#define CSV_FILE_BYTES   (64 * 1024 * 1024)
#define CSV_COLUMNS_MAX  32
#define CSV_FIELD_BYTES  512 /* longer than any column may be */

struct csv_fault {
	size_t line;     /* from 1 */
	char column[32]; /* "": of the whole line */
	char text[160];
};

/* What came of a file. */
struct csv_table {
	void *rows;    /* owned */
	size_t *lines; /* owned: where each row begins */
	size_t count, cap;
	struct csv_fault faults[CSV_FAULTS_SHOWN];
	size_t fault_count; /* all of them; with one, the rows are good for nothing */
};
void csv_release(struct csv_table *t);

/* Notes a fault. */
void csv_fault(struct csv_table *t, size_t line, const char *column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

struct csv_form {
	const char *const *names; /* of columns */
	size_t count;             /* at most CSV_COLUMNS_MAX */
	const char *verb;         /* whose help explains them */
};

struct csv {
	const struct csv_form *form;
	struct csv_table *table;
	const uint8_t *at, *end;
	size_t line; /* of `at` */
	char separator;
	size_t columns[CSV_COLUMNS_MAX]; /* by place */
	size_t place_count;
	bool has[CSV_COLUMNS_MAX]; /* by column: the header names it */
	bool failed;               /* no memory */
	/* Of the row at hand. */
	size_t row_line;
	bool sound;                                    /* no fault in it so far */
	char fields[CSV_COLUMNS_MAX][CSV_FIELD_BYTES]; /* by column; "" where there is none */
};

/* Reads the header. `text` stays the caller's until csv_close. ERR_NOMEM. */
enum err csv_open(const struct csv_form *form, const uint8_t *text, size_t len, struct csv_table *table,
		  struct csv **ret);
/* The next row that is not blank, also one that is not sound; not to be called where the header has faults.
 * False at the end. */
bool csv_next(struct csv *r);
/* A copy of a row of `size` bytes, the same for all. Beyond LIMIT_LIST_ROWS a fault, and the end. */
void csv_keep(struct csv *r, const void *row, size_t size);
/* A file without a row is a fault. ERR_NOMEM. */
enum err csv_close(struct csv *r);

/* The field of a column into `ret`; a fault where it is longer than cap - 1 bytes. */
bool csv_text(struct csv *r, size_t column, char *ret, size_t cap);

#endif
