/* bench-query DIR: time of canned questions over a replica, opening included, one JSON object a line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "os/clock.h"
#include "store/query.h"

#define ROUNDS 7

static const struct {
	const char *metric, *sql;
} questions[] = {
    {"open_ms", NULL},
    {"count_by_site_ms", "SELECT site, count(*) FROM hosts GROUP BY site"},
    {"hosts_list_ms", "SELECT name, site, status, kernel, age_s FROM hosts"},
    {"kernels_ms", "SELECT kernel, count(*) FROM hosts GROUP BY kernel"},
    {"components_ms", "SELECT name, version, hosts, hosts_up, loaded_on FROM components WHERE third_party"},
    {"host_by_name_ms", "SELECT * FROM hosts WHERE name = 'berlin-srv-00000'"},
    {"coverage_ms", ""},
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static bool count_row(void *context, const struct query_value *values, size_t count)
{
	(void)values;
	(void)count;
	++*(size_t *)context;
	return true;
}

static bool ask(const char *state, const char *sql, double *ret_ms)
{
	struct err_info info;
	struct query *q;
	struct query_coverage coverage;
	size_t rows = 0;
	struct query_sink sink = {NULL, count_row, &rows};
	double start = now_ms();
	enum err err = query_open(state, os_clock_wall(), &q, &info);
	if (err == ERR_OK && sql != NULL && sql[0] == '\0')
		err = query_coverage(q, &coverage, &info);
	else if (err == ERR_OK && sql != NULL)
		err = query_run(q, sql, NULL, 0, NULL, &sink, &info);
	if (err != ERR_OK) {
		fprintf(stderr, "bench-query: %s\n", info.text);
		return false;
	}
	*ret_ms = now_ms() - start;
	query_close(q);
	if (sql != NULL && sql[0] != '\0' && rows == 0) {
		fprintf(stderr, "bench-query: no rows for %s\n", sql);
		return false;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: bench-query DIR (a state folder, as mesh-estate writes it)\n");
		return 2;
	}
	for (size_t i = 0; i < sizeof(questions) / sizeof(*questions); i++) {
		double ms[ROUNDS];
		for (size_t k = 0; k < ROUNDS; k++) {
			if (!ask(argv[1], questions[i].sql, &ms[k]))
				return 1;
		}
		qsort(ms, ROUNDS, sizeof(*ms), compare);
		printf("{\"bench\": \"query\", \"metric\": \"%s\", \"value\": %.3f, \"unit\": \"ms\"}\n",
		       questions[i].metric, ms[ROUNDS / 2]);
	}
	return 0;
}
