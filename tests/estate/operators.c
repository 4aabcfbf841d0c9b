/* What operators said: an inventory of what should exist, always; with an outage the incident, and who went
 * where. Through the operator's key, as people would sign it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "record/listing.h"
#include "tests/estate/outage.h"
#include "tests/estate/software.h"
#include "tests/estate/write.h"

#define ROWS_PER_RECORD 8192 /* a root has room for about 31,000 */
#define SPARES_PER      200  /* one machine in so many was never enrolled */
#define CLAIMS_MAX      40
#define SEQ_FIRST       (2 * ESTATE_HOSTS_MAX) /* behind decommissions */

struct desk {
	struct estate *e;
	uint64_t said;
	uint64_t incident; /* slot */
	struct prng prng;
};

static enum err say(struct desk *d, uint8_t kind, const struct id *subject, wall_ms at, const uint8_t *body,
		    size_t len, uint64_t *ret_slot)
{
	struct estate *e = d->e;
	struct signed_record r = {.received = at,
				  .key = {.kind = kind,
					  .writer = *identity_id(e->operator_),
					  .subject = *subject,
					  .slot = draw_mix(e->o->seed ^ 0x6465736b, ++d->said) | 1}};
	enum err err =
	    record_sign(&r.key, SEQ_FIRST + d->said, 1, at, body, len, &e->id, e->operator_, r.bytes, &r.len);
	if (ret_slot != NULL)
		*ret_slot = r.key.slot;
	return err == ERR_OK ? write_record(e, &r, 0) : err;
}

/* --- inventory --- */

static enum err keep_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct estate *e = context;
	enum err err = write_room(e);
	return err == ERR_OK ? store_put_blob(e->store, id, blob, len) : err;
}

static enum err list_rows(struct desk *d, const struct inventory_row *rows, size_t count, unsigned part)
{
	struct listing l;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len, kept;
	memset(&l, 0, sizeof(l));
	enum err err = inventory_build(rows, count, keep_blob, d->e, &l.root, &kept);
	l.rows = (uint32_t)kept;
	snprintf(l.title, sizeof(l.title), "asset register, part %u", part);
	if (err == ERR_OK)
		err = listing_encode(&l, body, &len);
	return err == ERR_OK
		   ? say(d, RECORD_INVENTORY, &d->e->id, d->e->epoch - 30 * CLOCK_DAY_MS, body, len, NULL)
		   : err;
}

static void put_text(char *to, size_t cap, struct reading_text text)
{
	text_copy(to, cap, text.value);
}
#define PUT(to, ...) put_text(to, sizeof(to), draw_known(__VA_ARGS__))

static struct inventory_row site_row(struct desk *d, size_t index)
{
	static const char *const streets[] = {"High Street", "Station Road", "Market Place", "Mill Lane"};
	const struct site *s = &d->e->sites[index];
	struct inventory_row row = {.criticality = s->kind == SITE_DATA_CENTRE ? CRITICALITY_VITAL : 0};
	bool shop = s->kind == SITE_SHOP;
	PUT(row.site, "%s", s->name);
	PUT(row.role, "%s", names_role(shop ? ROLE_TILL : ROLE_SERVER));
	PUT(row.address, "%u %s", 1 + (unsigned)prng_below(&d->prng, 200), streets[prng_below(&d->prng, 4)]);
	PUT(row.hours, "%s", shop ? "Mo-Sa 08:00-20:00" : "Mo-Fr 07:00-19:00");
	PUT(row.contact, "desk of %s, +44 113 496 %04u", s->name, (unsigned)prng_below(&d->prng, 10000));
	PUT(row.recovery_key, "vault, folder %zu", index);
	row.needed = (struct reading_u64){READING_OK, shop ? 1 + s->count / 4 : 1};
	return row;
}

/* By hostname, in whatever case people typed it, by asset id, or by both. */
static struct inventory_row machine_row(struct desk *d, const struct host *h)
{
	static const uint8_t criticalities[ROLES] = {[ROLE_TILL] = CRITICALITY_HIGH,
						     [ROLE_SERVER] = CRITICALITY_HIGH,
						     [ROLE_DB] = CRITICALITY_VITAL,
						     [ROLE_LAPTOP] = CRITICALITY_LOW};
	struct inventory_row row = {.criticality = criticalities[h->role]};
	char name[LIMIT_HOSTNAME_BYTES + 1];
	uint64_t how = prng_below(&d->prng, 10);
	names_host(&d->e->sites[h->site], h, name);
	if (how > 0 || h->asset[0] == '\0')
		text_copy(row.hostname, sizeof(row.hostname), name);
	if (h->asset[0] != '\0' && how < 4)
		text_copy(row.asset_ids[row.asset_id_count++], sizeof(row.asset_ids[0]), h->asset);
	for (char *c = row.hostname; how == 9 && *c != '\0'; c++)
		*c = (char)(*c >= 'a' && *c <= 'z' ? *c - 32 : *c);
	text_copy(row.site, sizeof(row.site), d->e->sites[h->site].name);
	text_copy(row.role, sizeof(row.role), names_role(h->role));
	return row;
}

static struct inventory_row spare_row(struct desk *d, size_t index)
{
	struct inventory_row row = {.criticality = 0};
	PUT(row.hostname, "spare-%04zu", index);
	PUT(row.site, "%s", d->e->sites[prng_below(&d->prng, d->e->o->sites)].name);
	PUT(row.role, "%s", names_role(ROLE_TILL));
	return row;
}

/* Whose machine is on the books: all that are there, and said who they are. */
static bool is_listed(const struct estate *e, const struct host *h)
{
	return h->fate != FATE_LEFT && h->fate != FATE_REPLACED && h->fate != FATE_NEVER_HEARD &&
	       (!e->o->trouble || h->number >= ESTATE_TROUBLE_HOSTS);
}

static enum err list_inventory(struct desk *d)
{
	struct estate *e = d->e;
	struct inventory_row *rows = malloc(ROWS_PER_RECORD * sizeof(*rows));
	size_t count = 0, all, spares = e->o->hosts / SPARES_PER + 2;
	unsigned part = 0;
	enum err err = rows != NULL ? ERR_OK : ERR_NOMEM;
	all = e->o->sites + e->o->hosts + spares;
	for (size_t i = 0; i < all && err == ERR_OK; i++) {
		size_t host = i - e->o->sites, spare = host - e->o->hosts;
		if (i < e->o->sites)
			rows[count++] = site_row(d, i);
		else if (host >= e->o->hosts)
			rows[count++] = spare_row(d, spare);
		else if (is_listed(e, &e->hosts[host]))
			rows[count++] = machine_row(d, &e->hosts[host]);
		if (count == ROWS_PER_RECORD || (i + 1 == all && count > 0)) {
			err = list_rows(d, rows, count, ++part);
			count = 0;
		}
	}
	free(rows);
	e->spares = spares;
	return err;
}

/* --- incident --- */

static void add_term(struct incident *i, uint8_t field, enum term_operator op, const char *value)
{
	struct term *t = &i->match[i->match_count++];
	*t = (struct term){.field = field, .op = (uint8_t)op};
	text_copy(t->value, sizeof(t->value), value);
}

static enum err open_incident(struct desk *d)
{
	const struct estate *e = d->e;
	struct incident i = {.op = INCIDENT_OPEN};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	snprintf(i.text, sizeof(i.text), "Hosts vanish since the morning (%s)", outage_name(e->o->outage));
	if (e->o->outage == ESTATE_DRIVER || e->o->outage == ESTATE_CONTENT) {
		bool content = e->o->outage == ESTATE_CONTENT;
		struct component c = outage_component(
		    e, content ? content_version(e, CONTENT_BAD, CONTENT_BAD_CHANNEL) : VERSION_BAD);
		add_term(&i, TERM_FIELD_NAME, TERM_EQUAL, c.name);
		if (c.version.status == READING_OK)
			add_term(&i, TERM_FIELD_VERSION, TERM_EQUAL, c.version.value);
	} else {
		add_term(&i, TERM_FIELD_STATUS, TERM_EQUAL, host_status_name(HOST_DARK));
	}
	enum err err = incident_encode(&i, body, &len);
	return err == ERR_OK ? say(d, RECORD_INCIDENT, &e->id, e->o->now - 10 * CLOCK_MINUTE_MS, body, len,
				   &d->incident)
			     : err;
}

static enum err claim(struct desk *d, enum claim_op op, enum claim_scope scope, const struct id *subject,
		      const char *text)
{
	struct claim c = {.incident = d->incident, .op = op, .scope = scope};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	text_copy(c.text, sizeof(c.text), text);
	enum err err = claim_encode(&c, body, &len);
	return err == ERR_OK
		   ? say(d, RECORD_CLAIM, subject, d->e->o->now - 5 * CLOCK_MINUTE_MS, body, len, NULL)
		   : err;
}

/* Hosts that crashed are gone to; those that were repaired are said to be done. */
static enum err claim_hosts(struct desk *d)
{
	const struct estate *e = d->e;
	size_t claims = 0;
	enum err err = ERR_OK;
	for (size_t i = 0; i < e->o->hosts && claims < CLAIMS_MAX && err == ERR_OK; i++) {
		const struct host *h = &e->hosts[i];
		if (h->fate != FATE_CRASH && h->fate != FATE_LOOP && h->fate != FATE_POWER && !h->repaired)
			continue;
		err = claim(d, CLAIM_CLAIM, CLAIM_HOST, &h->id, "");
		if (err == ERR_OK && h->repaired)
			err = claim(d, CLAIM_DONE, CLAIM_HOST, &h->id, "file removed, restarted");
		else if (err == ERR_OK && claims % 8 == 7)
			err = claim(d, CLAIM_BLOCKED, CLAIM_HOST, &h->id, "nobody opens the door");
		claims++;
	}
	return err;
}

static enum err write_note(struct desk *d)
{
	struct note n = {.incident = d->incident, .text = "The vendor has been called."};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	enum err err = note_encode(&n, body, &len);
	return err == ERR_OK
		   ? say(d, RECORD_NOTE, &d->e->id, d->e->o->now - 4 * CLOCK_MINUTE_MS, body, len, NULL)
		   : err;
}

/* What one vendor makes is approved, and what begins with "edr_"; of that sensors before version 5 are
 * refused. */
static enum err write_policy(struct desk *d)
{
	static const struct policy_row rows[] = {
	    {.name_op = TERM_EQUAL, .version_op = TERM_EQUAL, .vendor = "Example Guard"},
	    {.name = "edr_", .name_op = TERM_PREFIX, .version_op = TERM_EQUAL},
	    {.name = "edr_sensor",
	     .name_op = TERM_EQUAL,
	     .version = "5",
	     .version_op = TERM_LESS,
	     .refused = true,
	     .remark = "stalls at boot"},
	};
	struct listing l;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len, kept;
	memset(&l, 0, sizeof(l));
	enum err err = policy_build(rows, sizeof(rows) / sizeof(rows[0]), keep_blob, d->e, &l.root, &kept);
	l.rows = (uint32_t)kept;
	snprintf(l.title, sizeof(l.title), "kernel components");
	if (err == ERR_OK)
		err = listing_encode(&l, body, &len);
	return err == ERR_OK
		   ? say(d, RECORD_POLICY, &d->e->id, d->e->epoch - 20 * CLOCK_DAY_MS, body, len, NULL)
		   : err;
}

enum err operators_write(struct estate *e)
{
	struct desk d = {.e = e, .prng = draw_stream(e, STREAM_OPERATORS, 0)};
	enum err err = list_inventory(&d);
	if (err == ERR_OK && e->o->policy)
		err = write_policy(&d);
	if (err != ERR_OK || e->o->outage == ESTATE_QUIET)
		return err;
	err = open_incident(&d);
	if (err == ERR_OK)
		err = claim(&d, CLAIM_CLAIM, CLAIM_SITE, &e->sites[0].state.site, "two of us drive there");
	if (err == ERR_OK)
		err = claim_hosts(&d);
	return err == ERR_OK ? write_note(&d) : err;
}
