/* Which way a component goes: hosts that gained or lost it of late, by the changes that they told. A host
 * tells its last LIMIT_CHANGES, so there may have been more. */
#include <stdlib.h>

#include "store/query_private.h"

#define TREND_MS (7 * CLOCK_DAY_MS)

static const uint8_t *event_at(const uint8_t *events, size_t i)
{
	return events + i * COLUMN_CHANGE_BYTES;
}

static uint64_t entry_at(const uint8_t *events, size_t i)
{
	return column_le(event_at(events, i), 8);
}

static bool comes_or_goes(const uint8_t *events, size_t i)
{
	uint8_t op = event_at(events, i)[16];
	return op == CHANGE_ADDED || op == CHANGE_REMOVED;
}

/* The oldest of the changes of the same entry says whether the host had it before. */
static bool had_before(const uint8_t *events, size_t count, size_t newest)
{
	uint64_t entry = entry_at(events, newest);
	size_t oldest = newest;
	for (size_t i = newest + 1; i < count; i++) {
		if (entry_at(events, i) == entry && comes_or_goes(events, i))
			oldest = i;
	}
	return event_at(events, oldest)[16] == CHANGE_REMOVED;
}

static bool told_already(const uint8_t *events, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (entry_at(events, k) == entry_at(events, i) && comes_or_goes(events, k))
			return true;
	}
	return false;
}

static enum err add_host(struct query *q, struct entry_trend *trends, uint32_t end, const uint8_t *events,
			 size_t count)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		uint32_t number;
		bool has = event_at(events, i)[16] == CHANGE_ADDED;
		if (!comes_or_goes(events, i) || told_already(events, i) ||
		    had_before(events, count, i) == has)
			continue;
		err = catalogue_number(q, entry_at(events, i), &number);
		if (err != ERR_OK || number >= end)
			continue;
		trends[number].gained += has;
		trends[number].lost += !has;
	}
	return err;
}

/* Newest first: those since then. */
static size_t recent(const uint8_t *events, size_t count, wall_ms since)
{
	size_t n = 0;
	while (n < count && column_le(event_at(events, n) + 8, 8) * CLOCK_SECOND_MS >= since)
		n++;
	return n;
}

enum err catalogue_trends(struct query *q)
{
	enum err err = roster_load(q);
	uint32_t end = columns_end(&q->columns, GROUP_ENTRY, &err);
	wall_ms since = q->now > TREND_MS ? q->now - TREND_MS : 0;
	if (err != ERR_OK || q->catalogue.trends != NULL)
		return err;
	struct entry_trend *trends = calloc((size_t)end + 1, sizeof(*trends));
	if (trends == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < q->roster.end && err == ERR_OK; n++) {
		const struct roster_host *host = roster_at(&q->roster, n);
		struct column_row row;
		size_t len = 0;
		if (host == NULL || host->status == HOST_LEFT || host->status == HOST_REPLACED)
			continue;
		err = columns_row(&q->columns, GROUP_CHANGES, n, &row);
		const uint8_t *events =
		    err == ERR_OK && row.block != NULL ? column_row_bytes(row, C_CHANGES_EVENTS, &len) : NULL;
		if (events != NULL)
			err = add_host(q, trends, end, events,
				       recent(events, len / COLUMN_CHANGE_BYTES, since));
	}
	if (err != ERR_OK)
		free(trends);
	else
		q->catalogue.trends = trends;
	return err;
}
