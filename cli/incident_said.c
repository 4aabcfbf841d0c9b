/* What people said of the hosts and sites of an incident, and where two of them said it of one. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/incident.h"

static bool is(const struct rows *r, size_t row, const char *column, const char *word)
{
	return strcmp(rows_text(r, row, column), word) == 0;
}

static enum incident_said said_of(const struct rows *r, size_t row)
{
	return is(r, row, "op", "done")      ? SAID_DONE
	       : is(r, row, "op", "blocked") ? SAID_BLOCKED
	       : is(r, row, "op", "claim")   ? SAID_CLAIMED
					     : SAID_NOTHING;
}

/* "al, jo". False when out of memory. */
static bool add_name(char **list, const char *name)
{
	size_t old = *list != NULL ? strlen(*list) + 2 : 0;
	char *grown = realloc(*list, old + strlen(name) + 1);
	if (grown == NULL)
		return false;
	if (old > 0)
		memcpy(grown + old - 2, ", ", 2);
	memcpy(grown + old, name, strlen(name) + 1);
	*list = grown;
	return true;
}

static const char *operator_name(const struct rows *r, size_t row)
{
	const char *name = rows_text(r, row, "operator");
	return name[0] != '\0' ? name : rows_text(r, row, "operator_id");
}

/* Rows are in the order of (subject, operator): one operator's about one subject is one. */
static void say(struct incident_work *w, struct incident_host *h, const struct rows *r, size_t row)
{
	enum incident_said said = said_of(r, row);
	wall_ms at = rows_u64(r, row, "time_ms");
	const char *name = operator_name(r, row);
	if (said == SAID_NOTHING)
		return;
	/* Who claimed the site and the host is one; two may have one name. */
	if (h->who_ids == NULL || strstr(h->who_ids, rows_text(r, row, "operator_id")) == NULL) {
		h->operators++;
		w->failed = !add_name(&h->who, name) ||
			    !add_name(&h->who_ids, rows_text(r, row, "operator_id")) || w->failed;
	}
	if (said == SAID_DONE && (h->done_at == 0 || at < h->done_at))
		h->done_at = at;
	if (said == SAID_BLOCKED && h->blocked == NULL)
		w->failed = !add_name(&h->blocked, rows_text(r, row, "text")) || w->failed;
	if (said > h->said) {
		h->said = said;
		h->said_at = at;
	}
}

static struct incident_host *find_host(struct incident_work *w, const char *id)
{
	size_t low = 0, high = w->host_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(w->hosts[middle].host, id);
		if (order == 0)
			return &w->hosts[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool add_collision(struct incident_work *w, const char *about, const char *who, bool site)
{
	struct incident_collision *list = realloc(w->collisions, (w->collision_count + 1) * sizeof(*list));
	if (list == NULL)
		return false;
	w->collisions = list;
	list[w->collision_count] = (struct incident_collision){.site = site};
	if (!add_name(&list[w->collision_count].about, about) ||
	    !add_name(&list[w->collision_count].who, who)) {
		free(list[w->collision_count].about);
		free(list[w->collision_count].who);
		return false;
	}
	w->collision_count++;
	return true;
}

/* Of a site: several on it as a whole. `row` is the first of a subject; returns the first of the next. */
static size_t site_collision(struct incident_work *w, const struct rows *r, size_t row)
{
	const char *subject = rows_text(r, row, "subject");
	size_t at = row, operators = 0;
	char *who = NULL;
	for (; at < r->count && is(r, at, "subject", subject); at++) {
		if (said_of(r, at) == SAID_NOTHING || !is(r, at, "about", "site"))
			continue;
		operators++;
		w->failed = !add_name(&who, operator_name(r, at)) || w->failed;
	}
	if (operators > 1 && who != NULL) {
		const char *site = rows_text(r, row, "site");
		w->failed = !add_collision(w, site[0] != '\0' ? site : subject, who, true) || w->failed;
	}
	free(who);
	return at;
}

enum err incident_load_said(struct query *query, struct incident_work *w, struct err_info *info)
{
	const char *const parameters[] = {w->head.id};
	struct rows r = {0};
	enum err err = rows_fetch(
	    query,
	    "SELECT subject, about, operator, operator_id, op, site, text, time_ms FROM claims WHERE "
	    "incident = ?1 AND stands = 1 AND about IS NOT NULL ORDER BY subject, operator, operator_id",
	    parameters, 1, &r, info);
	for (size_t i = 0; err == ERR_OK && i < r.count; i++) {
		struct incident_host *h =
		    is(&r, i, "about", "host") ? find_host(w, rows_text(&r, i, "subject")) : NULL;
		if (h != NULL)
			say(w, h, &r, i);
		for (size_t k = 0; is(&r, i, "about", "site") && k < w->host_count; k++) {
			h = &w->hosts[k];
			/* A site is claimed for what is wrong there. */
			if (strcmp(h->site, rows_text(&r, i, "site")) == 0 &&
			    (h->hit != 0 ||
			     (h->match == 1 && (h->good != 1 || strcmp(h->status, "up") != 0))))
				say(w, h, &r, i);
		}
	}
	for (size_t i = 0; err == ERR_OK && i < r.count;)
		i = site_collision(w, &r, i);
	for (size_t i = 0; err == ERR_OK && i < w->host_count; i++) {
		const struct incident_host *h = &w->hosts[i];
		if (h->operators > 1)
			w->failed =
			    !add_collision(w, h->name[0] != '\0' ? h->name : h->host, h->who, false) ||
			    w->failed;
	}
	rows_release(&r);
	return err == ERR_OK && w->failed ? err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM)) : err;
}
