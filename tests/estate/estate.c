#include "tests/estate/estate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "tests/estate/estate_private.h"

#define ROWS_PER_HOST_MAX 300 /* blobs of a manifest that nobody has yet, records, state */

static struct identity *identity_of(struct prng *p)
{
	uint8_t seed[KEY_BYTES];
	struct identity *identity = NULL;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)prng_u64(p);
	return identity_from_seed(seed, &identity) == ERR_OK ? identity : NULL;
}

/* Sites of very different size: the k-th weighs 1/k. */
static enum err make_sites(struct estate *e)
{
	static const char *const cities[] = {
	    "berlin", "leeds",   "hamburg", "lyon",   "porto", "gdansk", "malmo", "turin", "graz",   "gent",
	    "cork",   "tampere", "bergen",  "aarhus", "brno",  "szeged", "split", "varna", "patras", "vigo"};
	uint64_t sum = 0;
	e->sites = calloc(e->o->sites, sizeof(*e->sites));
	e->site_weights = calloc(e->o->sites, sizeof(*e->site_weights));
	if (e->sites == NULL || e->site_weights == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < e->o->sites; i++) {
		const char *city = cities[i % 20];
		if (i < 20)
			snprintf(e->sites[i].name, sizeof(e->sites[i].name), "%s", city);
		else
			snprintf(e->sites[i].name, sizeof(e->sites[i].name), "%s-%03zu", city, i / 20);
		sum += 1000000 / (i + 1);
		e->site_weights[i] = sum;
		/* One in twenty, and never the first. */
		e->sites[i].silent = i % 20 == 19;
	}
	return ERR_OK;
}

static size_t draw_site(struct estate *e, size_t number)
{
	/* So that none is empty. */
	if (number < e->o->sites)
		return number;
	uint64_t at = prng_below(&e->prng, e->site_weights[e->o->sites - 1]);
	size_t site = 0;
	while (e->site_weights[site] <= at)
		site++;
	return site;
}

static enum err make_log(struct estate *e)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	char path[LIMIT_PATH_BYTES];
	size_t len;
	struct authlog *log = NULL;
	struct identity *authority = identity_of(&e->prng);
	struct authlog_grant grant = {
	    .quota = ESTATE_HOSTS_MAX, .last_day = clock_day(e->o->now) + 3650, .name = "estate"};
	e->issuer = identity_of(&e->prng);
	enum err err = authority != NULL && e->issuer != NULL ? authlog_new(&log) : ERR_NOMEM;
	if (err == ERR_OK)
		err = authlog_make_genesis(authority, "synthetic", e->o->now, entry, &len);
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err == ERR_OK) {
		e->id = *authlog_estate(log);
		grant.issuer = *identity_id(e->issuer);
		memcpy(grant.public_key, identity_public_key(e->issuer), KEY_BYTES);
		err = authlog_make_grant(log, authority, &grant, e->o->now, entry, &len);
	}
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err == ERR_OK)
		err = os_path_join(path, sizeof(path), e->o->out, "authority.log");
	if (err == ERR_OK)
		err = authlog_save(log, path, e->info);
	authlog_free(log);
	identity_free(authority);
	return err;
}

static enum err put_record(struct estate *e, const struct host *h, uint8_t kind, uint64_t seq,
			   const uint8_t *body, size_t body_len)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	struct record_key key = {.kind = kind, .writer = h->certificate.host, .subject = h->certificate.host};
	enum err err = record_sign(&key, seq, h->health.boot, h->state.seen, body, body_len, &e->id,
				   h->identity, bytes, &len);
	if (err == ERR_OK)
		err = estate_trouble_record(e, h, bytes, len);
	return err == ERR_OK ? store_put_record(e->store, &key, bytes, len, h->state.seen) : err;
}

static enum err put_host_records(struct estate *e, const struct host *h)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct goodbye goodbye = {.reason = GOODBYE_STOPPED};
	enum err err = profile_encode(&h->profile, body, &len);
	if (err == ERR_OK)
		err = put_record(e, h, RECORD_PROFILE, 2, body, len);
	if (err == ERR_OK)
		err = components_encode(&h->components, body, &len);
	if (err == ERR_OK)
		err = put_record(e, h, RECORD_COMPONENTS, 3, body, len);
	if (err == ERR_OK)
		err = health_encode(&h->health, body, &len);
	if (err == ERR_OK)
		err = put_record(e, h, RECORD_HEALTH, 4, body, len);
	if (err == ERR_OK)
		err = crashes_encode(&h->crashes, body, &len);
	if (err == ERR_OK)
		err = put_record(e, h, RECORD_CRASHES, 5, body, len);
	if (err != ERR_OK || (h->state.status != HOST_STOPPED && h->state.status != HOST_ASLEEP))
		return err;
	if (h->state.status == HOST_ASLEEP)
		goodbye.reason = GOODBYE_ASLEEP;
	err = goodbye_encode(&goodbye, body, &len);
	return err == ERR_OK ? put_record(e, h, RECORD_GOODBYE, 6, body, len) : err;
}

static enum err put_certificate(struct estate *e, struct host *h)
{
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
	struct record record;
	const struct identity *issuer = estate_trouble_issuer(e, h);
	certificate_consent(&h->certificate, h->identity, identity_id(issuer), &e->id);
	enum err err = certificate_issue(&h->certificate, issuer, &e->id, 1, e->o->now, bytes, &len);
	if (err == ERR_OK)
		err = record_parse(bytes, len, &record);
	return err == ERR_OK ? store_put_record(e->store, &record.key, bytes, len, e->o->now) : err;
}

static enum err make_host(struct estate *e, size_t number)
{
	static struct host h;
	h = (struct host){.number = number, .site = draw_site(e, number), .identity = identity_of(&e->prng)};
	if (h.identity == NULL)
		return ERR_NOMEM;
	h.certificate = (struct certificate){.host = *identity_id(h.identity),
					     .seq = 1,
					     .enrolled = clock_day(e->o->now) - 30,
					     .group_count = 1,
					     .groups = {"synthetic"}};
	memcpy(h.certificate.public_key, identity_public_key(h.identity), KEY_BYTES);
	memcpy(h.certificate.site, e->sites[h.site].name, sizeof(h.certificate.site));
	e->sites[h.site].hosts++;
	estate_draw(e, &h);
	if (e->o->trouble)
		estate_trouble_host(e, &h);
	enum err err = put_certificate(e, &h);
	if (err == ERR_OK)
		err = estate_components(e, &h);
	if (err == ERR_OK)
		err = put_host_records(e, &h);
	if (err == ERR_OK)
		err = store_put_host_state(e->store, &h.state);
	identity_free(h.identity);
	if (err == ERR_OK && store_pending(e->store) > LIMIT_BATCH_ROWS - ROWS_PER_HOST_MAX)
		err = store_flush(e->store, e->o->now, e->info);
	return err;
}

static enum err put_sites(struct estate *e)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < e->o->sites && err == ERR_OK; i++) {
		struct site_state state = {.status = e->sites[i].silent ? SITE_SILENT : SITE_REPORTING,
					   .interval_s = 5,
					   .live_witnesses = e->sites[i].hosts < 3 ? 1 : 3,
					   .since = e->o->now - CLOCK_DAY_MS,
					   .last_rollcall = e->o->now - 1000};
		memcpy(state.name, e->sites[i].name, sizeof(state.name));
		state.site = id_of_site(state.name);
		if (e->sites[i].silent)
			state.since = state.last_rollcall = e->o->now - 20 * CLOCK_MINUTE_MS;
		err = store_put_site_state(e->store, &state);
		if (err == ERR_OK && store_pending(e->store) > LIMIT_BATCH_ROWS - ROWS_PER_HOST_MAX)
			err = store_flush(e->store, e->o->now, e->info);
	}
	return err;
}

static enum err open_out(struct estate *e)
{
	char path[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
	enum err err = os_dir_make(e->o->out, 0750, e->info);
	if (err == ERR_OK)
		err = os_path_join(path, sizeof(path), e->o->out, "replica");
	if (err == ERR_OK)
		err = os_path_join(data, sizeof(data), path, "data.mdb");
	if (err == ERR_OK && os_file_exists(data))
		return err_set(e->info, ERR_EXISTS, "\"%s\" has a replica already; name an empty folder",
			       e->o->out);
	if (err == ERR_OK)
		err = make_log(e);
	if (err != ERR_OK)
		return err;
	/* The replica is the first host's, whose key is the next one drawn. */
	struct prng peek = e->prng;
	struct identity *self = identity_of(&peek);
	if (self == NULL)
		return ERR_NOMEM;
	err = store_open(path, &e->id, identity_id(self), &e->store, NULL, e->info);
	identity_free(self);
	return err;
}

enum err estate_write(const struct estate_options *o, struct err_info *info)
{
	struct estate e = {.o = o, .info = info};
	struct err_info own = {.code = ERR_OK};
	if (info == NULL)
		e.info = &own;
	e.info->text[0] = '\0';
	if (o->hosts < 1 || o->hosts > ESTATE_HOSTS_MAX || o->sites < 1 || o->sites > ESTATE_SITES_MAX ||
	    o->sites > o->hosts || o->now < 100 * CLOCK_DAY_MS ||
	    (o->trouble && o->hosts < ESTATE_TROUBLE_HOSTS))
		return err_set(e.info, ERR_ARG, "%zu hosts in %zu sites are out of range", o->hosts,
			       o->sites);
	prng_seed(&e.prng, o->seed);
	enum err err = crypto_init();
	if (err == ERR_OK)
		err = open_out(&e);
	if (err == ERR_OK)
		err = make_sites(&e);
	if (err == ERR_OK && o->trouble)
		err = estate_trouble_begin(&e);
	for (size_t i = 0; i < o->hosts && err == ERR_OK; i++)
		err = make_host(&e, i);
	if (err == ERR_OK)
		err = put_sites(&e);
	if (err == ERR_OK && o->trouble)
		err = estate_trouble_issues(&e);
	if (err == ERR_OK)
		err = store_flush(e.store, o->now, e.info);
	store_close(e.store);
	identity_free(e.issuer);
	identity_free(e.bad_issuer);
	identity_free(e.late_issuer);
	free(e.sites);
	free(e.site_weights);
	if (err != ERR_OK && e.info->text[0] == '\0')
		err_set(e.info, err, "cannot write the estate: %s", err_text(err));
	return err;
}
