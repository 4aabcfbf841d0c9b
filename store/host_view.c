#include <stdlib.h>
#include <string.h>

#include "store/query_private.h"

void host_view_start(struct host_view *v, struct query *q, const struct roster_host *host)
{
	v->q = q;
	v->host = host;
	v->site = &q->roster.sites[v->host->site];
	v->err = ERR_OK;
	v->tried = v->have = 0;
	v->seq = v->host->seq;
}

static enum err decode(struct host_view *v, const struct record *r)
{
	switch (r->key.kind) {
	case RECORD_CERTIFICATE:
		return certificate_decode(r, &v->certificate);
	case RECORD_PROFILE:
		return profile_decode(r->body, r->body_len, &v->profile);
	case RECORD_HEALTH:
		return health_decode(r->body, r->body_len, &v->health);
	case RECORD_COMPONENTS:
		return components_decode(r->body, r->body_len, &v->components);
	case RECORD_CRASHES:
		return crashes_decode(r->body, r->body_len, &v->crashes);
	default:
		return ERR_OK; /* goodbye: only its seq is asked for */
	}
}

/* A record that does not decode is one of a newer version: as if it were not there. */
static bool load(struct host_view *v, uint8_t kind)
{
	if ((v->tried & 1u << kind) != 0)
		return (v->have & 1u << kind) != 0;
	struct record_key key = {.kind = kind, .writer = v->host->id, .subject = v->host->id};
	if (kind == RECORD_CERTIFICATE)
		key.writer = v->host->issuer;
	struct row_key at = row_key_record(&key);
	struct row_value row;
	const uint8_t *bytes;
	size_t len;
	wall_ms received;
	struct record r;
	v->tried |= 1u << kind;
	enum err err = snapshot_get(v->q->snapshot, &at, &row);
	if (err != ERR_OK) {
		if (err != ERR_NOT_FOUND)
			v->err = err;
		return false;
	}
	if (row_decode_record(row.bytes, row.len, &bytes, &len, &received) != ERR_OK ||
	    record_parse(bytes, len, &r) != ERR_OK || decode(v, &r) != ERR_OK)
		return false;
	if (r.seq > v->seq)
		v->seq = r.seq;
	v->have |= 1u << kind;
	return true;
}

const struct certificate *host_certificate(struct host_view *v)
{
	return load(v, RECORD_CERTIFICATE) ? &v->certificate : NULL;
}

const struct profile *host_profile(struct host_view *v)
{
	return load(v, RECORD_PROFILE) ? &v->profile : NULL;
}

const struct health *host_health(struct host_view *v)
{
	return load(v, RECORD_HEALTH) ? &v->health : NULL;
}

const struct components *host_components(struct host_view *v)
{
	return load(v, RECORD_COMPONENTS) ? &v->components : NULL;
}

const struct crashes *host_crashes(struct host_view *v)
{
	return load(v, RECORD_CRASHES) ? &v->crashes : NULL;
}

uint64_t host_seq(struct host_view *v)
{
	for (uint8_t kind = RECORD_PROFILE; kind <= RECORD_GOODBYE; kind++)
		(void)load(v, kind);
	return v->seq;
}

wall_ms host_attested(const struct roster *roster, const struct roster_host *host)
{
	wall_ms rollcall = roster->sites[host->site].state.last_rollcall;
	if (host->state.status == HOST_UP && rollcall > host->state.seen)
		return rollcall;
	return host->state.seen;
}

/* The name's bytes are looked for in the record as it is before any record is decoded. */
static bool has_name(const uint8_t *bytes, size_t len, const char *name, struct id *ret_host)
{
	const uint8_t *record;
	size_t record_len;
	wall_ms received;
	struct record r;
	struct profile profile;
	if (row_decode_record(bytes, len, &record, &record_len, &received) != ERR_OK ||
	    memmem(record, record_len, name, strlen(name)) == NULL ||
	    record_parse(record, record_len, &r) != ERR_OK ||
	    profile_decode(r.body, r.body_len, &profile) != ERR_OK || profile.hostname.status != READING_OK ||
	    strcmp(profile.hostname.value, name) != 0)
		return false;
	*ret_host = r.key.subject;
	return true;
}

enum err host_by_name(struct query *q, const char *name, size_t **ret_indices, size_t *ret_count)
{
	const uint8_t prefix[] = {TABLE_RECORDS, RECORD_PROFILE};
	struct snapshot_scan scan;
	struct row_key key;
	const uint8_t *bytes;
	size_t len, count = 0, capacity = 0;
	size_t *indices = NULL;
	enum err err = snapshot_scan_open(q->snapshot, prefix, sizeof(prefix), &scan);
	if (err != ERR_OK)
		return err;
	while ((err = snapshot_scan_next(&scan, &key, &bytes, &len)) == ERR_OK) {
		struct id id;
		const struct roster_host *host =
		    has_name(bytes, len, name, &id) ? roster_find(&q->roster, &id) : NULL;
		if (host == NULL)
			continue;
		if (count == capacity) {
			capacity = capacity == 0 ? 4 : capacity * 2;
			size_t *more = realloc(indices, capacity * sizeof(*indices));
			if (more == NULL) {
				err = ERR_NOMEM;
				break;
			}
			indices = more;
		}
		indices[count++] = (size_t)(host - q->roster.hosts);
	}
	snapshot_scan_close(&scan);
	if (err != ERR_NOT_FOUND) {
		free(indices);
		return err;
	}
	*ret_indices = indices;
	*ret_count = count;
	return ERR_OK;
}
