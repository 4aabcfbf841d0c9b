#include "report.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

void report_put(struct report *r, const char *bench, const char *metric, double value, const char *unit)
{
	for (size_t i = 0; i < r->count; i++) {
		struct report_row *row = &r->rows[i];
		if (strcmp(row->bench, bench) == 0 && strcmp(row->metric, metric) == 0) {
			if (value > row->value)
				row->value = value;
			return;
		}
	}
	CHECK(r->count < REPORT_ROWS);
	r->rows[r->count++] = (struct report_row){bench, metric, unit, value};
}

void report_print(const struct report *r, bool json)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct report_row *row = &r->rows[i];
		if (json)
			printf("{\"bench\": \"%s\", \"metric\": \"%s\", \"value\": %.3f, \"unit\": \"%s\"}\n",
			       row->bench, row->metric, row->value, row->unit);
		else
			printf("  %-14s %-28s %12.3f %s\n", row->bench, row->metric, row->value, row->unit);
	}
	fflush(stdout);
}
