#include "cli/host_counts.h"

#include <inttypes.h>

#include "base/check.h"
#include "cli/shown.h"

enum host_status host_counts_order(size_t place)
{
	static const enum host_status order[HOST_STATUSES] = {HOST_DARK,     HOST_SILENT, HOST_UNKNOWN,
							      HOST_STOPPED,  HOST_ASLEEP, HOST_UP,
							      HOST_REPLACED, HOST_LEFT};
	CHECK(place < HOST_STATUSES);
	return order[place];
}

uint64_t host_counts_total(const struct host_counts *c)
{
	uint64_t total = 0;
	for (size_t i = 0; i < HOST_STATUSES; i++)
		total += c->by_status[i];
	return total;
}

static void put_statuses(FILE *f, const struct host_counts *c)
{
	const char *separator = " (";
	for (size_t i = 0; i < HOST_STATUSES; i++) {
		enum host_status status = host_counts_order(i);
		if (c->by_status[status] == 0)
			continue;
		fprintf(f, "%s%" PRIu64 " %s", separator, c->by_status[status], host_status_name(status));
		separator = ", ";
	}
	fputc(')', f);
}

void host_counts_text(FILE *f, const struct host_counts *c)
{
	uint64_t total = host_counts_total(c);
	bool all = c->shown >= total;
	if (total == 0 || (all && !c->narrowed))
		return;
	if (all)
		fprintf(f, "Shown: %" PRIu64 " host%s that match%s", total, shown_plural(total),
			total == 1 ? "es" : "");
	else
		fprintf(f, "Shown: %" PRIu64 " of %" PRIu64 " hosts%s", c->shown, total,
			c->narrowed ? " that match" : "");
	if (c->narrowed)
		put_statuses(f, c);
	fputs(all ? "\n" : ", those in trouble first; more with --limit N or --all\n", f);
}

void host_counts_json(struct json *j, const struct host_counts *c)
{
	json_begin_object(j, "counts");
	json_u64(j, "total", host_counts_total(c));
	json_u64(j, "shown", c->shown);
	for (size_t i = 0; i < HOST_STATUSES; i++)
		json_u64(j, host_status_name(host_counts_order(i)), c->by_status[host_counts_order(i)]);
	json_end_object(j);
}
