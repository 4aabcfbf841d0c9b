#include "store/host_order.h"

#include <stdlib.h>
#include <string.h>

#define RANKS_MAX 4096 /* values of a column by which hosts are put in order by counting */
#define SLOTS     (4 * RANKS_MAX)
#define RECENT    256 /* texts whose value is known: a block has each text in one place */

struct host_order {
	struct order_plan plan;
	uint32_t *numbers; /* of the hosts */
	size_t count;
	size_t ranked;   /* the first terms, whose order all hosts are in; in that of the others ... */
	size_t sorted;   /* ... those at places below this one are */
	uint8_t *starts; /* bit by place: differs from the host before in a ranked term */
};

static bool bit(const uint8_t *bits, size_t at)
{
	return (bits[at / 8] >> at % 8 & 1) != 0;
}

/* NULL: it has none. */
static enum err text_of(struct query *q, const struct order_term *term, uint32_t number, const char **ret)
{
	const struct roster_host *host = &q->roster.hosts[number];
	struct column_row row;
	enum err err = ERR_OK;
	switch ((enum order_kind)term->kind) {
	case ORDER_SITE:
		*ret = q->roster.sites[host->site].state.name;
		break;
	case ORDER_STATUS:
		*ret = host_status_name((enum host_status)host->status);
		break;
	default:
		err = columns_row(&q->columns, (enum column_group)term->group, number, &row);
		if (err == ERR_OK)
			*ret = row.block != NULL ? column_row_text(row, term->column) : NULL;
	}
	return err;
}

/* --- by counting --- */

struct value {
	const char *text;
	uint16_t index; /* + 1, in the order in which they were met */
};

struct values {
	struct value list[RANKS_MAX];
	uint16_t slots[SLOTS]; /* index + 1 by text, open addressing */
	size_t count, max;
	bool too_many;
	const char *recent[RECENT];
	uint16_t recent_index[RECENT];
};

static uint16_t value_of(struct values *v, const char *text)
{
	uint32_t h = 2166136261u; /* FNV-1a */
	for (const char *c = text; *c != '\0'; c++)
		h = (h ^ (uint8_t)*c) * 16777619u;
	size_t slot = (h ^ h >> 16) % SLOTS;
	while (v->slots[slot] != 0 && strcmp(v->list[v->slots[slot] - 1].text, text) != 0)
		slot = (slot + 1) % SLOTS;
	if (v->slots[slot] == 0 && v->count < v->max) {
		v->slots[slot] = (uint16_t)(v->count + 1);
		v->list[v->count] = (struct value){text, v->slots[slot]};
		v->count++;
	}
	v->too_many = v->too_many || v->slots[slot] == 0;
	return v->slots[slot];
}

static int by_text(const void *a, const void *b)
{
	const struct value *x = a, *y = b;
	return strcmp(x->text, y->text);
}

/* Ranks of the hosts by one term; 0: NULL. */
static enum err rank(struct query *q, struct values *v, const struct order_term *term,
		     const uint32_t *numbers, size_t count, uint16_t *ranks)
{
	uint16_t places[RANKS_MAX + 1] = {0};
	enum err err = ERR_OK;
	*v = (struct values){.max = v->max};
	for (size_t i = 0; i < count && err == ERR_OK && !v->too_many; i++) {
		const char *text = NULL;
		err = text_of(q, term, numbers[i], &text);
		size_t at = ((uintptr_t)text >> 1) % RECENT;
		if (text != NULL && v->recent[at] != text) {
			v->recent_index[at] = value_of(v, text);
			v->recent[at] = text;
		}
		ranks[i] = text != NULL ? v->recent_index[at] : 0;
	}
	if (err != ERR_OK || v->too_many)
		return err;
	qsort(v->list, v->count, sizeof(*v->list), by_text);
	for (size_t i = 0; i < v->count; i++)
		places[v->list[i].index] = (uint16_t)(i + 1);
	for (size_t i = 0; i < count; i++)
		ranks[i] = places[ranks[i]];
	return ERR_OK;
}

/* Of sites there are as many as the roster has, and of states a handful: their names are ranked, not those of
 * all hosts. */
static enum err rank_known(struct query *q, struct values *v, const struct order_term *term,
			   const uint32_t *numbers, size_t count, uint16_t *ranks)
{
	bool sites = term->kind == ORDER_SITE;
	size_t all = sites ? q->roster.site_total : HOST_REPLACED + 1;
	uint16_t *places = calloc(all + 1, sizeof(*places));
	if (places == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < all; i++)
		v->list[i] = (struct value){sites ? q->roster.sites[i].state.name
						  : host_status_name((enum host_status)i),
					    (uint16_t)i};
	qsort(v->list, all, sizeof(*v->list), by_text);
	for (size_t i = 0; i < all; i++)
		places[v->list[i].index] = (uint16_t)(i + 1);
	for (size_t i = 0; i < count; i++) {
		const struct roster_host *host = &q->roster.hosts[numbers[i]];
		ranks[i] = places[sites ? host->site : host->status];
	}
	free(places);
	return ERR_OK;
}

/* Whether there is room to do so. */
static bool is_known(const struct query *q, const struct values *v, const struct order_term *term)
{
	return (term->kind == ORDER_SITE && q->roster.site_total <= v->max) ||
	       (term->kind == ORDER_STATUS && HOST_REPLACED < v->max);
}

/* Stable, by one term: `from` and `to` are indices of hosts. */
static void count_sort(const uint16_t *ranks, const uint32_t *from, uint32_t *to, size_t count)
{
	uint32_t starts[RANKS_MAX + 2] = {0};
	for (size_t i = 0; i < count; i++)
		starts[ranks[i] + 1]++;
	for (size_t i = 1; i <= RANKS_MAX + 1; i++)
		starts[i] += starts[i - 1];
	for (size_t i = 0; i < count; i++)
		to[starts[ranks[from[i]]]++] = from[i];
}

struct sorting {
	struct values *values;
	uint16_t *ranks[HOST_ORDER_TERMS];
	uint32_t *from, *to; /* indices of hosts */
};

/* In the order of all terms that have ranks. */
static void put_in_order(struct host_order *o, struct sorting *s)
{
	for (size_t i = 0; i < o->count; i++)
		s->from[i] = (uint32_t)i;
	for (size_t term = o->ranked; term > 0; term--) {
		uint32_t *sorted = s->to;
		count_sort(s->ranks[term - 1], s->from, sorted, o->count);
		s->to = s->from;
		s->from = sorted;
	}
	for (size_t i = 0; i < o->count; i++) {
		bool starts = i == 0;
		for (size_t term = 0; term < o->ranked && !starts; term++)
			starts = s->ranks[term][s->from[i]] != s->ranks[term][s->from[i - 1]];
		if (starts)
			o->starts[i / 8] |= (uint8_t)(1u << i % 8);
		s->to[i] = o->numbers[s->from[i]];
	}
	memcpy(o->numbers, s->to, o->count * sizeof(*o->numbers));
}

static enum err sort_ranked(struct query *q, struct host_order *o)
{
	struct sorting s = {.values = malloc(sizeof(*s.values)),
			    .from = malloc((o->count + 1) * sizeof(*s.from)),
			    .to = malloc((o->count + 1) * sizeof(*s.to))};
	enum err err = s.values != NULL && s.from != NULL && s.to != NULL ? ERR_OK : ERR_NOMEM;
	size_t max = o->plan.values_max;
	if (s.values != NULL)
		*s.values = (struct values){.max = max > 0 && max < RANKS_MAX ? max : RANKS_MAX};
	/* Up to the first term that has too many values. */
	for (bool more = true; more && o->ranked < o->plan.term_count && err == ERR_OK;) {
		const struct order_term *term = &o->plan.terms[o->ranked];
		uint16_t *ranks = malloc((o->count + 1) * sizeof(*ranks));
		s.ranks[o->ranked] = ranks;
		more = term->kind != ORDER_ID && term->kind != ORDER_NAME;
		if (ranks == NULL)
			err = ERR_NOMEM;
		else if (is_known(q, s.values, term))
			err = rank_known(q, s.values, term, o->numbers, o->count, ranks);
		else if (more)
			err = rank(q, s.values, term, o->numbers, o->count, ranks);
		more = more && err == ERR_OK && !s.values->too_many;
		o->ranked += more;
	}
	if (err == ERR_OK)
		put_in_order(o, &s);
	for (size_t i = 0; i < HOST_ORDER_TERMS; i++)
		free(s.ranks[i]);
	free(s.from);
	free(s.to);
	free(s.values);
	return err;
}

/* --- by comparing, what is alike so far --- */

struct key {
	const struct host_order *order;
	uint32_t number;
	struct {
		const char *text; /* NULL: none */
		struct id id;
	} terms[HOST_ORDER_TERMS];
};

static int compare_texts(const char *x, const char *y)
{
	if (x == NULL || y == NULL)
		return (x != NULL) - (y != NULL);
	return strcmp(x, y);
}

static int by_keys(const void *a, const void *b)
{
	const struct key *x = a, *y = b;
	const struct host_order *o = x->order;
	int difference = 0;
	for (size_t i = o->ranked; i < o->plan.term_count && difference == 0; i++) {
		if (o->plan.terms[i].kind == ORDER_ID)
			difference = memcmp(&x->terms[i].id, &y->terms[i].id, sizeof(x->terms[i].id));
		else
			difference = compare_texts(x->terms[i].text, y->terms[i].text);
	}
	return difference;
}

static enum err read_key(struct query *q, const struct host_order *o, uint32_t number, struct key *ret)
{
	enum err err = ERR_OK;
	*ret = (struct key){.order = o, .number = number};
	for (size_t i = o->ranked; i < o->plan.term_count && err == ERR_OK; i++) {
		const struct order_term *term = &o->plan.terms[i];
		struct column_row row;
		if (term->kind != ORDER_ID) {
			err = text_of(q, term, number, &ret->terms[i].text);
			continue;
		}
		err = columns_row(&q->columns, (enum column_group)term->group, number, &row);
		if (err == ERR_OK && row.block != NULL)
			(void)column_row_id(row, term->column, &ret->terms[i].id);
	}
	return err;
}

static enum err sort_segment(struct query *q, struct host_order *o)
{
	size_t first = o->sorted, end = first + 1;
	while (end < o->count && !bit(o->starts, end))
		end++;
	struct key *keys = malloc((end - first) * sizeof(*keys));
	enum err err = keys != NULL ? ERR_OK : ERR_NOMEM;
	for (size_t i = first; i < end && err == ERR_OK; i++)
		err = read_key(q, o, o->numbers[i], &keys[i - first]);
	if (err == ERR_OK) {
		qsort(keys, end - first, sizeof(*keys), by_keys);
		for (size_t i = first; i < end; i++)
			o->numbers[i] = keys[i - first].number;
		o->sorted = end;
	}
	free(keys);
	return err;
}

enum err host_order_at(struct query *q, struct host_order *o, size_t place, uint32_t *ret)
{
	enum err err = ERR_OK;
	while (place >= o->sorted && o->ranked < o->plan.term_count && err == ERR_OK)
		err = sort_segment(q, o);
	if (err == ERR_OK)
		*ret = o->numbers[place];
	return err;
}

/* --- all of it --- */

void host_order_free(struct host_order *o)
{
	if (o == NULL)
		return;
	free(o->numbers);
	free(o->starts);
	free(o);
}

size_t host_order_count(const struct host_order *o)
{
	return o->count;
}

static enum err list_hosts(struct query *q, struct host_order *o)
{
	const struct roster *r = &q->roster;
	o->numbers = malloc(((size_t)r->end + 1) * sizeof(*o->numbers));
	o->starts = calloc((size_t)r->end / 8 + 1, 1);
	if (o->numbers == NULL || o->starts == NULL)
		return ERR_NOMEM;
	for (uint32_t n = 0; n < r->end; n++) {
		const struct roster_host *host = roster_at(r, n);
		if (host != NULL && (o->plan.site > r->site_total || host->site == o->plan.site) &&
		    (o->plan.status < 0 || host->status == o->plan.status))
			o->numbers[o->count++] = n;
	}
	return ERR_OK;
}

static bool same(const struct order_plan *a, const struct order_plan *b)
{
	bool same = a->term_count == b->term_count && a->site == b->site && a->status == b->status;
	for (size_t i = 0; i < a->term_count && same; i++)
		same = memcmp(&a->terms[i], &b->terms[i], sizeof(a->terms[i])) == 0;
	return same;
}

enum err host_order_make(struct query *q, const struct order_plan *plan, struct host_order **order)
{
	if (*order != NULL && same(&(*order)->plan, plan))
		return ERR_OK;
	host_order_free(*order);
	*order = NULL;
	struct host_order *o = calloc(1, sizeof(*o));
	if (o == NULL)
		return ERR_NOMEM;
	o->plan = *plan;
	enum err err = roster_load(q);
	if (err == ERR_OK)
		err = list_hosts(q, o);
	if (err == ERR_OK)
		err = sort_ranked(q, o);
	if (err == ERR_OK)
		*order = o;
	else
		host_order_free(o);
	return err;
}
