/* Figures of a run: the worst of all seeds is printed. */
#ifndef MESH_TESTS_SIM_REPORT_H
#define MESH_TESTS_SIM_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#define REPORT_ROWS 64

struct report_row {
	const char *bench, *metric, *unit;
	double value;
};

struct report {
	struct report_row rows[REPORT_ROWS];
	size_t count;
};

/* All figures are better when lower. */
void report_put(struct report *r, const char *bench, const char *metric, double value, const char *unit);
void report_print(const struct report *r, bool json);

#endif
