#include "tests/unit/oracle_lists.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/check.h"
#include "base/text.h"
#include "crypto/authlog.h"
#include "record/body.h"
#include "record/listing.h"

struct said {
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
};

struct known_host {
	char id[ID_HEX_BYTES];
	struct profile profile;
	bool gone;
};

struct machine {
	struct said *of;
	struct inventory_row row;
};

struct look {
	struct snapshot *s;
	struct said *said;
	size_t said_count;
	struct machine *machines;
	size_t machine_count;
	struct known_host *hosts;
	size_t host_count;
	struct said *listing; /* being read */
};

static int by_text(const void *a, const void *b)
{
	return strcmp(a, b);
}

static char *add_line(struct oracle_lines *l)
{
	if (l->count == l->cap) {
		l->cap = l->cap == 0 ? 64 : 2 * l->cap;
		l->lines = realloc(l->lines, l->cap * sizeof(*l->lines));
		CHECK(l->lines != NULL);
	}
	return l->lines[l->count++];
}

void oracle_lines_free(struct oracle_lines *l)
{
	free(l->lines);
	*l = (struct oracle_lines){.count = 0};
}

void oracle_lists_free(struct oracle_lists *l)
{
	oracle_lines_free(&l->inventory);
	oracle_lines_free(&l->incidents);
	oracle_lines_free(&l->claims);
}

static bool is_heard(struct look *k, const struct record *r)
{
	struct row_key key = row_key_id(TABLE_OPERATORS, &r->key.writer);
	struct row_value row;
	struct operator_state o;
	static const uint8_t roles[] = {[0] = 1, [1] = 1, [2] = 1, [3] = 4, [4] = 2, [5] = 8};
	return snapshot_get(k->s, &key, &row) == ERR_OK &&
	       row_decode_operator(&key, row.bytes, row.len, &o) == ERR_OK && !o.revoked &&
	       (o.roles & roles[r->key.kind - 32]) != 0 && r->time / CLOCK_DAY_MS <= o.last_day;
}

/* All records of operators that count. */
static void hear(struct look *k)
{
	const uint8_t prefix[] = {TABLE_RECORDS};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes, *record;
	size_t len, record_len;
	wall_ms received;
	CHECK(snapshot_scan_open(k->s, prefix, 1, &scan) == ERR_OK);
	while (snapshot_scan_next(&scan, &key, &bytes, &len) == ERR_OK) {
		struct said s;
		if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK)
			continue;
		memcpy(s.bytes, record, record_len);
		if (record_parse(s.bytes, record_len, &s.r) != ERR_OK || s.r.key.kind < 32 ||
		    s.r.key.kind > 37 || !is_heard(k, &s.r))
			continue;
		k->said = realloc(k->said, (k->said_count + 1) * sizeof(*k->said));
		CHECK(k->said != NULL);
		k->said[k->said_count++] = s;
	}
	snapshot_scan_close(&scan);
	for (size_t i = 0; i < k->said_count; i++)
		CHECK(record_parse(k->said[i].bytes, k->said[i].r.len, &k->said[i].r) == ERR_OK);
}

static enum err fetch(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	struct look *k = context;
	struct row_key key = row_key_id(TABLE_BLOBS, id);
	struct row_value row;
	const uint8_t *blob;
	if (snapshot_get(k->s, &key, &row) != ERR_OK ||
	    row_decode_blob(row.bytes, row.len, &blob, ret_len) != ERR_OK)
		return ERR_NOT_FOUND;
	memcpy(ret, blob, *ret_len);
	return ERR_OK;
}

static bool take_machine(void *context, const struct inventory_row *row)
{
	struct look *k = context;
	k->machines = realloc(k->machines, (k->machine_count + 1) * sizeof(*k->machines));
	CHECK(k->machines != NULL);
	k->machines[k->machine_count++] = (struct machine){k->listing, *row};
	return true;
}

static bool is_inventory(struct look *k, struct said *s, struct listing *ret)
{
	uint8_t blob[LIMIT_BLOB_BYTES];
	size_t len;
	return s->r.key.kind == RECORD_INVENTORY &&
	       id_equal(&s->r.key.subject, &snapshot_meta(k->s)->estate) &&
	       listing_decode(s->r.body, s->r.body_len, ret) == ERR_OK &&
	       fetch(k, &ret->root, blob, &len) == ERR_OK;
}

static bool is_replaced(struct look *k, struct said *s)
{
	for (size_t i = 0; i < k->said_count; i++) {
		struct listing other;
		if (&k->said[i] == s || !is_inventory(k, &k->said[i], &other))
			continue;
		for (size_t n = 0; n < other.replace_count; n++) {
			if (other.replaces[n] == s->r.key.slot)
				return true;
		}
	}
	return false;
}

static bool list_machines(struct look *k)
{
	bool any = false;
	for (size_t i = 0; i < k->said_count; i++) {
		struct listing l;
		if (!is_inventory(k, &k->said[i], &l) || is_replaced(k, &k->said[i]))
			continue;
		any = true;
		k->listing = &k->said[i];
		(void)inventory_read(&l.root, fetch, k, take_machine, k, NULL);
	}
	return any;
}

static void know_hosts(struct look *k)
{
	struct oracle_roster roster;
	CHECK(oracle_roster_load(k->s, &roster, NULL) == ERR_OK);
	k->hosts = calloc(roster.host_count + 1, sizeof(*k->hosts));
	CHECK(k->hosts != NULL);
	for (size_t i = 0; i < roster.host_count; i++) {
		const struct oracle_host *h = &roster.hosts[i];
		struct record_key record = {.kind = RECORD_PROFILE, .writer = h->id, .subject = h->id};
		struct row_key key = row_key_record(&record);
		struct known_host *known = &k->hosts[k->host_count];
		struct row_value row;
		const uint8_t *bytes;
		size_t len;
		wall_ms received;
		struct record r;
		if (snapshot_get(k->s, &key, &row) != ERR_OK ||
		    row_decode_record(row.bytes, row.len, &bytes, &len, &received) != ERR_OK ||
		    record_parse(bytes, len, &r) != ERR_OK ||
		    profile_decode(r.body, r.body_len, &known->profile) != ERR_OK)
			continue;
		id_hex(&h->id, known->id);
		known->gone =
		    h->decided && (h->state.status == HOST_LEFT || h->state.status == HOST_REPLACED);
		k->host_count++;
	}
	oracle_roster_free(&roster);
}

static bool has_asset(const struct inventory_row *row, const struct profile *p)
{
	for (size_t i = 0; i < row->asset_id_count; i++) {
		for (size_t n = 0; n < p->asset_id_count; n++) {
			if (row->asset_ids[i][0] != '\0' && strcmp(row->asset_ids[i], p->asset_ids[n]) == 0)
				return true;
		}
	}
	return false;
}

static bool has_name(const struct inventory_row *row, const struct profile *p)
{
	return row->hostname[0] != '\0' && p->hostname.status == READING_OK &&
	       strcasecmp(row->hostname, p->hostname.value) == 0;
}

/* How many hosts fit best, and one of them. */
static size_t link_of(struct look *k, const struct inventory_row *row, const struct known_host **ret)
{
	for (unsigned pass = 0; pass < 4; pass++) {
		size_t fits = 0;
		for (size_t i = 0; i < k->host_count; i++) {
			const struct known_host *h = &k->hosts[i];
			bool fit = pass < 2 ? has_asset(row, &h->profile) : has_name(row, &h->profile);
			if (!fit || h->gone != (pass % 2 == 1))
				continue;
			fits++;
			*ret = h;
		}
		if (fits > 0)
			return fits;
	}
	return 0;
}

static const char *or_null(const char *text)
{
	return text[0] != '\0' ? text : "NULL";
}

static const char *address_of(struct look *k, const struct inventory_row *row)
{
	if (row->address[0] != '\0' || inventory_row_is_site(row))
		return row->address;
	for (size_t i = 0; i < k->machine_count; i++) {
		const struct inventory_row *other = &k->machines[i].row;
		if (inventory_row_is_site(other) && other->address[0] != '\0' &&
		    strcmp(other->site, row->site) == 0)
			return other->address;
	}
	return "";
}

static bool same_machine(const struct inventory_row *a, const struct inventory_row *b)
{
	if (inventory_row_is_site(a) || strcmp(a->site, b->site) != 0 ||
	    (a->hostname[0] == '\0') != (b->hostname[0] == '\0'))
		return false;
	return a->hostname[0] != '\0' ? strcasecmp(a->hostname, b->hostname) == 0
				      : strcmp(a->asset_ids[0], b->asset_ids[0]) == 0;
}

static void tell_machines(struct look *k, struct oracle_lists *ret)
{
	for (size_t i = 0; i < k->machine_count; i++) {
		const struct machine *m = &k->machines[i];
		const struct known_host *host = NULL;
		char operator_[ID_HEX_BYTES], assets[64];
		bool site = inventory_row_is_site(&m->row), counted = site, missed = site;
		size_t fits = site ? 0 : link_of(k, &m->row, &host);
		for (size_t n = 0; n < i && !site; n++) {
			const struct known_host *other;
			bool same = same_machine(&m->row, &k->machines[n].row);
			counted = counted || same;
			missed = missed || (same && link_of(k, &k->machines[n].row, &other) == 0);
		}
		ret->machines += !counted;
		ret->never_enrolled += !missed && fits == 0;
		id_hex(&m->of->r.key.writer, operator_);
		snprintf(assets, sizeof(assets), "%s%s%s", m->row.asset_ids[0],
			 m->row.asset_id_count > 1 ? "," : "", m->row.asset_ids[1]);
		snprintf(add_line(&ret->inventory), ORACLE_LINE_BYTES, "%s|%016llx|%s|%s|%s|%s|%s|%s",
			 operator_, (unsigned long long)m->of->r.key.slot, or_null(m->row.hostname),
			 or_null(assets), m->row.site, or_null(address_of(k, &m->row)),
			 site       ? "NULL"
			 : fits > 0 ? "1"
				    : "0",
			 fits == 1 ? host->id : "NULL");
	}
}

/* --- incidents and claims --- */

static bool is_closed(struct look *k, uint64_t slot)
{
	for (size_t i = 0; i < k->said_count; i++) {
		struct incident other;
		const struct record *r = &k->said[i].r;
		if (r->key.kind == RECORD_INCIDENT &&
		    id_equal(&r->key.subject, &snapshot_meta(k->s)->estate) &&
		    incident_decode(r->body, r->body_len, &other) == ERR_OK && other.op == INCIDENT_CLOSE &&
		    other.incident == slot)
			return true;
	}
	return false;
}

static void tell_incident(struct look *k, const struct record *r, struct oracle_lines *lines)
{
	struct incident i;
	char operator_[ID_HEX_BYTES];
	if (!id_equal(&r->key.subject, &snapshot_meta(k->s)->estate) ||
	    incident_decode(r->body, r->body_len, &i) != ERR_OK || i.op != INCIDENT_OPEN)
		return;
	id_hex(&r->key.writer, operator_);
	snprintf(add_line(lines), ORACLE_LINE_BYTES, "%016llx|%s|%s|%d", (unsigned long long)r->key.slot,
		 operator_, or_null(i.text), !is_closed(k, r->key.slot));
}

static bool is_last(struct look *k, const struct record *r, const struct claim *c)
{
	for (size_t i = 0; i < k->said_count; i++) {
		const struct record *o = &k->said[i].r;
		struct claim other;
		if (o->key.kind == RECORD_CLAIM && id_equal(&o->key.writer, &r->key.writer) &&
		    id_equal(&o->key.subject, &r->key.subject) && o->seq > r->seq &&
		    claim_decode(o->body, o->body_len, &other) == ERR_OK && other.incident == c->incident &&
		    other.scope == c->scope)
			return false;
	}
	return true;
}

static void tell_claim(struct look *k, const struct record *r, struct oracle_lines *lines)
{
	struct claim c;
	char operator_[ID_HEX_BYTES], subject[ID_HEX_BYTES];
	if (claim_decode(r->body, r->body_len, &c) != ERR_OK)
		return;
	id_hex(&r->key.writer, operator_);
	id_hex(&r->key.subject, subject);
	snprintf(add_line(lines), ORACLE_LINE_BYTES, "%016llx|%s|%s|%s|%d", (unsigned long long)c.incident,
		 operator_, subject, claim_op_name(c.op), is_last(k, r, &c));
}

static void sort(struct oracle_lines *l)
{
	if (l->count > 0)
		qsort(l->lines, l->count, sizeof(*l->lines), by_text);
}

void oracle_lists(struct snapshot *s, struct oracle_lists *ret)
{
	struct look k = {.s = s};
	*ret = (struct oracle_lists){.machines = 0};
	hear(&k);
	ret->known = list_machines(&k);
	know_hosts(&k);
	tell_machines(&k, ret);
	for (size_t i = 0; i < k.said_count; i++) {
		if (k.said[i].r.key.kind == RECORD_INCIDENT)
			tell_incident(&k, &k.said[i].r, &ret->incidents);
		if (k.said[i].r.key.kind == RECORD_CLAIM)
			tell_claim(&k, &k.said[i].r, &ret->claims);
	}
	sort(&ret->inventory);
	sort(&ret->incidents);
	sort(&ret->claims);
	free(k.said);
	free(k.machines);
	free(k.hosts);
}
