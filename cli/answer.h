/* The frame of every answer from the replica: open it, show rows in the chosen format, end with the coverage,
 * and give the exit code. Happy path: answer_open, answer_query, answer_close. */
#ifndef MESH_CLI_ANSWER_H
#define MESH_CLI_ANSWER_H

#include "cli/coverage.h"
#include "cli/host_counts.h"
#include "cli/output.h"
#include "cli/question.h"
#include "cli/rows.h"

struct answer {
	struct command *command;
	struct query *query;
	struct output output;
	struct coverage_modules modules;  /* for verbs that show components */
	const struct host_counts *counts; /* for verbs that show only the first hosts; NULL: none */
	struct query_coverage coverage;   /* once `covered` */
	bool covered;
	wall_ms now;
	const char *remark;      /* line for people in front of the coverage; NULL: none */
	struct err_info missing; /* answer_open_live: why there is no replica, when `query` is NULL */
	bool partial;            /* the verb itself knows that its answer is not whole */
	bool quiet;              /* the verb has put the coverage into its answer itself */
	bool bare;               /* no replica is asked, so there is nothing to be covered */
};

/* An exit code; anything but 0 was reported already and needs no answer_close. */
int answer_open(struct command *c, const struct output_column *columns, struct answer *ret);
/* As answer_open for verbs that ask the running meshd: without a replica the answer goes on, its coverage is
 * nothing, and its exit code 3. */
int answer_open_live(struct command *c, const struct output_column *columns, struct answer *ret);
/* For rows that come from no replica: coverage is nothing, and that is all right. */
void answer_open_bare(struct command *c, const struct output_column *columns, struct answer *ret);
/* Rows of one question to the output. Likewise; closes the answer itself when it fails. */
int answer_query(struct answer *a, const char *sql, const char *const *parameters, size_t count,
		 const struct query_limits *limits);
/* After rows that a verb put itself: true when `err` is none. Else the answer is closed and *ret the exit
 * code. */
bool answer_stands(struct answer *a, enum err err, int *ret);
/* Coverage, flush; the verb's exit code. */
int answer_close(struct answer *a);
/* Gives up: releases everything, reports `info`. */
int answer_fail(struct answer *a, const struct err_info *info);

/* Whether the replica knows a site of that name: a typing error would else look like an empty answer.
 * ERR_NOT_FOUND says what lists them. */
enum err answer_check_site(struct query *q, const char *site, struct err_info *info);

/* The rows of an assembled question. */
int answer_question(struct answer *a, const struct question *q);
/* The rows of one of several questions of the same columns; answer_finish follows the last. */
int answer_add(struct answer *a, const struct question *q);
int answer_finish(struct answer *a);
/* What answer_close will state; asked for once. */
enum err answer_coverage(struct answer *a, const struct query_coverage **ret, struct err_info *info);

#endif
