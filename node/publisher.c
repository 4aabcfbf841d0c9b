#include "node/publisher.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "node/components.h"
#include "os/clock.h"
#include "os/file.h"

/* A scan of all components reads hundreds of files: only when a cheap marker changed, or after this long. */
#define RESCAN_MS (15 * CLOCK_MINUTE_MS)

#define KINDS (RECORD_CRASHES + 1)

/* What one look finds; made on the loop's thread, filled on the worker's. */
struct look {
	const char *root;
	bool with_components;
	uint64_t marker;
	struct health previous;
	bool has_previous;
	struct profile profile;
	struct health health;
	struct collected_components components;
	enum err components_err;
	struct err_info components_info;
	struct crash_sources crashes;
};

struct publisher {
	struct publisher_options options;
	uv_work_t work;
	struct look *look; /* NULL: none under way */
	mono_ms due;
	bool stopped;
	bool rescan;          /* components at the next look, whatever the marker says */
	uint64_t said[KINDS]; /* hash of the last body of each kind */
	bool has_said[KINDS];
	struct health last_health;
	bool has_last_health;
	struct components_seen seen;
	uint64_t marker;
	mono_ms scanned;
	bool crashed; /* a crash is counted and not said yet */
};

static uint64_t body_hash(const uint8_t *body, size_t len)
{
	return hash_u64("mesh.body", body, len);
}

static enum err fetch_blob(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	return store_get_blob(context, id, ret, ret_len);
}

/* What the own record of a kind said. Its body points into `bytes`. */
static bool own_record(struct publisher *p, uint8_t kind, uint8_t bytes[LIMIT_RECORD_BYTES],
		       struct record *ret)
{
	struct record_key key = {.kind = kind, .writer = *p->options.self, .subject = *p->options.self};
	size_t len;
	wall_ms received;
	return store_get_record(p->options.store, &key, bytes, &len, &received) == ERR_OK &&
	       record_parse(bytes, len, ret) == ERR_OK;
}

static enum err resume_components(struct publisher *p, const struct record *r)
{
	struct components *c = malloc(sizeof(*c));
	if (c == NULL)
		return ERR_NOMEM;
	enum err err = components_decode(r->body, r->body_len, c);
	if (err == ERR_OK)
		err = components_seen_resume(&p->seen, c, fetch_blob, p->options.store);
	free(c);
	return err;
}

static void resume(struct publisher *p)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	for (uint8_t kind = RECORD_PROFILE; kind <= RECORD_CRASHES; kind++) {
		if (!own_record(p, kind, bytes, &r))
			continue;
		bool whole = kind != RECORD_COMPONENTS || resume_components(p, &r) == ERR_OK;
		/* A manifest that lost chunks is published again whole. */
		p->has_said[kind] = whole;
		p->said[kind] = body_hash(r.body, r.body_len);
		if (kind == RECORD_HEALTH)
			p->has_last_health = health_decode(r.body, r.body_len, &p->last_health) == ERR_OK;
	}
	/* Health is always said anew: a goodbye stands until something newer is said. */
	p->has_said[RECORD_HEALTH] = false;
}

enum err publisher_new(const struct publisher_options *options, struct publisher **ret)
{
	struct publisher *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return ERR_NOMEM;
	p->options = *options;
	p->rescan = true;
	p->crashed = options->crashed;
	resume(p);
	*ret = p;
	return ERR_OK;
}

void publisher_free(struct publisher *p)
{
	if (p == NULL)
		return;
	CHECK(p->look == NULL);
	components_seen_release(&p->seen);
	free(p);
}

/* Worker's thread from here ... */

/* Names of loaded modules and the taint mask: whether a scan is worth its while. Use counts and addresses in
 * the same lines change all the time. */
static uint64_t read_marker(const char *root)
{
	char path[LIMIT_PATH_BYTES];
	uint8_t *data;
	size_t len;
	uint64_t marker = 0;
	if (os_path_join(path, sizeof(path), *root ? root : "/", "proc/modules") == ERR_OK &&
	    os_file_read(path, 16 * LIMIT_COLLECT_FILE_BYTES, &data, &len, NULL) == ERR_OK) {
		for (size_t at = 0; at < len;) {
			size_t name = strcspn((const char *)data + at, " \n");
			marker = marker * 31 + hash_checksum(data + at, name);
			at += name;
			at += strcspn((const char *)data + at, "\n") + 1;
		}
		free(data);
	}
	if (os_path_join(path, sizeof(path), *root ? root : "/", "proc/sys/kernel/tainted") == ERR_OK &&
	    os_file_read(path, LIMIT_COLLECT_FILE_BYTES, &data, &len, NULL) == ERR_OK) {
		marker = marker * 31 + hash_checksum(data, len);
		free(data);
	}
	return marker;
}

static void do_look(uv_work_t *work)
{
	struct publisher *p = work->data;
	struct look *l = p->look;
	collect_profile(l->root, &l->profile);
	collect_health(l->root, l->has_previous ? &l->previous : NULL, &l->health);
	collect_crashes(l->root, &l->crashes);
	uint64_t marker = read_marker(l->root);
	l->with_components = l->with_components || marker != l->marker;
	l->marker = marker;
	if (l->with_components)
		l->components_err = collect_components(l->root, &l->components, &l->components_info);
}

/* ... to here. */

/* False when it could not be said. */
static bool say(struct publisher *p, uint8_t kind, enum gossip_urgency urgency, enum err encoded,
		const uint8_t *body, size_t len)
{
	if (encoded != ERR_OK) {
		log_line(p->options.log, LOG_ERROR, "record of kind %u not published: %s", kind,
			 err_text(encoded));
		return false;
	}
	uint64_t hash = body_hash(body, len);
	if (p->has_said[kind] && p->said[kind] == hash)
		return true;
	enum err err = driver_publish(p->options.driver, kind, urgency, body, len);
	if (err != ERR_OK) {
		log_line(p->options.log, LOG_ERROR, "record of kind %u not published: %s", kind,
			 err_text(err));
		return false;
	}
	p->said[kind] = hash;
	p->has_said[kind] = true;
	return true;
}

/* What the administrator wrote stands in place of what was read. */
static void configured(const char *value, struct reading_text *ret)
{
	if (value[0] == '\0')
		return;
	ret->status = READING_OK;
	text_copy(ret->value, sizeof(ret->value), value);
}

static void say_profile(struct publisher *p, struct profile *profile)
{
	const struct config *c = p->options.config;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	text_copy(profile->site, sizeof(profile->site), c->site[0] != '\0' ? c->site : p->options.home_site);
	profile->location = (struct reading_text){.status = READING_UNKNOWN};
	configured(c->location, &profile->location);
	configured(c->hostname, &profile->hostname);
	text_copy(profile->role, sizeof(profile->role), c->role);
	text_copy(profile->agent, sizeof(profile->agent), MESH_VERSION);
	profile->tag_count = c->tags.count;
	for (size_t i = 0; i < c->tags.count; i++)
		text_copy(profile->tags[i], sizeof(profile->tags[i]), c->tags.items[i]);
	profile->asset_id_count = c->asset_ids.count;
	for (size_t i = 0; i < c->asset_ids.count; i++)
		text_copy(profile->asset_ids[i], sizeof(profile->asset_ids[i]), c->asset_ids.items[i]);
	profile->flags = c->only_gets_out ? PROFILE_ONLY_GETS_OUT : 0;
	profile->address_count = c->advertise.count;
	memcpy(profile->addresses, c->advertise.items, c->advertise.count * sizeof(profile->addresses[0]));
	if (c->advertise.count == 0)
		profile->address_count = udp_reachable(p->options.udp, profile->addresses, LIMIT_ADDRESSES);
	enum err err = profile_encode(profile, body, &len);
	say(p, RECORD_PROFILE, GOSSIP_ROUTINE, err, body, len);
}

static void say_health(struct publisher *p, struct health *health)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	health->last_boot_clean = p->options.boot->last_clean;
	collect_health_level(health);
	bool worse = p->has_last_health && health->level > p->last_health.level;
	p->last_health = *health;
	p->has_last_health = true;
	enum err err = health_encode(health, body, &len);
	say(p, RECORD_HEALTH, worse ? GOSSIP_URGENT : GOSSIP_ROUTINE, err, body, len);
}

/* Blobs go out before the record that names them; those the replica has are known already. */
static enum err emit_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct publisher *p = context;
	uint8_t stored[LIMIT_BLOB_BYTES];
	size_t stored_len;
	if (store_get_blob(p->options.store, id, stored, &stored_len) == ERR_OK)
		return ERR_OK;
	return driver_publish_blob(p->options.driver, blob, len);
}

static void say_components(struct publisher *p, struct look *l)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	bool news = false;
	if (!l->with_components)
		return;
	if (l->components_err != ERR_OK)
		log_line(p->options.log, LOG_WARN, "components: %s", l->components_info.text);
	if (l->components_err != ERR_OK && l->components_err != ERR_LIMIT)
		return;
	struct components *record = malloc(sizeof(*record));
	if (record == NULL)
		return;
	enum err err = components_publish(&p->seen, &l->components, os_clock_wall() / CLOCK_SECOND_MS,
					  emit_blob, p, record, &news);
	if (err == ERR_OK)
		err = components_encode(record, body, &len);
	free(record);
	p->rescan = !say(p, RECORD_COMPONENTS, news ? GOSSIP_URGENT : GOSSIP_ROUTINE, err, body, len);
	p->marker = l->marker;
	p->scanned = os_clock_mono();
}

/* Counts are durable before they are published, or a restart would count again. */
static void say_crashes(struct publisher *p, const struct crash_sources *sources)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	struct err_info info;
	struct crash_counts *c = p->options.crash_counts;
	struct crash_counts before = *c;
	uint64_t news = crash_counts_update(c, sources, os_clock_wall());
	if (memcmp(&before, c, sizeof(before)) != 0 &&
	    crash_counts_save(p->options.crash_counts_path, c, &info) != ERR_OK) {
		log_line(p->options.log, LOG_ERROR, "crash counts not saved, will be counted later: %s",
			 info.text);
		*c = before;
		return;
	}
	enum err err = crashes_encode(&c->published, body, &len);
	bool urgent = news > 0 || p->crashed;
	p->crashed =
	    !say(p, RECORD_CRASHES, urgent ? GOSSIP_URGENT : GOSSIP_ROUTINE, err, body, len) && urgent;
}

static void on_look_done(uv_work_t *work, int status)
{
	struct publisher *p = work->data;
	struct look *l = p->look;
	p->look = NULL;
	if (!p->stopped && status == 0) {
		say_profile(p, &l->profile);
		say_health(p, &l->health);
		say_components(p, l);
		say_crashes(p, &l->crashes);
	}
	collect_components_release(&l->components);
	free(l);
	if (!p->stopped)
		p->options.done(p->options.context);
}

mono_ms publisher_due(const struct publisher *p)
{
	return p->look != NULL || p->stopped ? UINT64_MAX : p->due;
}

void publisher_run(struct publisher *p, mono_ms now)
{
	if (now < publisher_due(p))
		return;
	p->due = now + p->options.config->collect_interval_s * CLOCK_SECOND_MS;
	p->look = calloc(1, sizeof(*p->look));
	if (p->look == NULL)
		return;
	p->look->root = p->options.config->collect_root;
	p->look->with_components = p->rescan || now - p->scanned >= RESCAN_MS;
	p->look->marker = p->marker;
	p->look->has_previous = p->has_last_health;
	p->look->previous = p->last_health;
	p->work.data = p;
	CHECK(uv_queue_work(p->options.loop, &p->work, do_look, on_look_done) == 0);
}

void publisher_stop(struct publisher *p)
{
	p->stopped = true;
}
