/* The authority log: an issuer for each kind of site, and an operator with every role. */
#include <string.h>

#include "crypto/authlog.h"
#include "crypto/hash.h"
#include "crypto/rng.h"
#include "gossip/set.h"
#include "os/file.h"
#include "tests/estate/trouble.h"
#include "tests/estate/write.h"

/* Streams of keys that are no host's. */
enum {
	KEY_NUMBER_AUTHORITY = ESTATE_HOSTS_MAX + 1,
	KEY_NUMBER_OPERATOR,
	KEY_NUMBER_SECRET,
	KEY_NUMBER_SUCCESSOR,
	KEY_NUMBER_ISSUER
};

static struct crypto_rng rng_of(const struct estate *e, uint64_t number, struct crypto_rng_seeded *state)
{
	struct prng p = draw_stream(e, STREAM_KEYS, number);
	return crypto_rng_from_seed(state, prng_u64(&p));
}

static enum err key_of(const struct estate *e, uint64_t number, struct identity **ret)
{
	struct crypto_rng_seeded state;
	struct crypto_rng rng = rng_of(e, number, &state);
	return identity_generate(&rng, ret);
}

static enum err append_grants(struct estate *e, struct authlog *log, const struct identity *authority,
			      wall_ms when)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	enum err err = ERR_OK;
	for (size_t i = 0; i < SITE_KINDS && err == ERR_OK; i++) {
		struct authlog_grant grant = {.quota = ESTATE_HOSTS_MAX,
					      .last_day = clock_day(e->o->now) + 3650};
		strcpy(grant.name, names_site_kind((enum site_kind)i));
		err = key_of(e, KEY_NUMBER_ISSUER + i, &e->issuers[i]);
		if (err != ERR_OK)
			break;
		grant.issuer = *identity_id(e->issuers[i]);
		memcpy(grant.public_key, identity_public_key(e->issuers[i]), KEY_BYTES);
		err = authlog_make_grant(log, authority, &grant, when, entry, &len);
		if (err == ERR_OK)
			err = authlog_append(log, entry, len);
	}
	return err;
}

static enum err append_operator(struct estate *e, struct authlog *log, const struct identity *authority,
				wall_ms when)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	const uint8_t roles =
	    LOG_ROLE_INCIDENTS | LOG_ROLE_INVENTORY | LOG_ROLE_POLICY | LOG_ROLE_DECOMMISSION;
	enum err err = key_of(e, KEY_NUMBER_OPERATOR, &e->operator_);
	if (err == ERR_OK)
		err = authlog_make_operator(log, authority, identity_public_key(e->operator_), "operator",
					    roles, clock_day(e->o->now) + 3650, when, entry, &len);
	return err == ERR_OK ? authlog_append(log, entry, len) : err;
}

static enum err make_log(struct estate *e, const struct identity *authority, struct authlog *log)
{
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	char path[LIMIT_PATH_BYTES];
	size_t len;
	/* Before the first host was enrolled. */
	wall_ms when = e->epoch - 1000 * CLOCK_DAY_MS;
	struct identity *successor = NULL;
	enum err err = key_of(e, KEY_NUMBER_SUCCESSOR, &successor);
	if (err == ERR_OK)
		err = authlog_make_genesis(authority, identity_public_key(successor), "synthetic", when,
					   entry, &len);
	identity_free(successor);
	if (err == ERR_OK)
		err = authlog_append(log, entry, len);
	if (err == ERR_OK)
		err = append_grants(e, log, authority, when);
	if (err == ERR_OK)
		err = append_operator(e, log, authority, when);
	if (err != ERR_OK)
		return err;
	e->id = *authlog_estate(log);
	e->head = authlog_head(log);
	err = os_path_join(path, sizeof(path), e->o->out, "authority.log");
	return err == ERR_OK ? authlog_save(log, path, e->info) : err;
}

static enum err make_set(struct estate *e)
{
	struct crypto_rng_seeded state;
	struct crypto_rng rng = rng_of(e, KEY_NUMBER_SECRET, &state);
	rng.fill(rng.context, e->secret, sizeof(e->secret));
	estate_keys_derive(&e->keys, &e->id, e->secret);
	return set_new(e->keys.set_key, &e->set);
}

enum err authority_make(struct estate *e)
{
	struct identity *authority = NULL;
	struct authlog *log = NULL;
	enum err err = key_of(e, KEY_NUMBER_AUTHORITY, &authority);
	if (err == ERR_OK)
		err = authlog_new(&log);
	if (err == ERR_OK)
		err = make_log(e, authority, log);
	if (err == ERR_OK)
		err = make_set(e);
	authlog_free(log);
	identity_free(authority);
	return err;
}

static enum err put_file(const struct estate *e, const char *name, const void *data, size_t len)
{
	char path[LIMIT_PATH_BYTES];
	enum err err = os_path_join(path, sizeof(path), e->o->out, name);
	return err == ERR_OK ? os_file_replace(path, data, len, 0600, e->info) : err;
}

static enum err save_key(const struct estate *e, const char *name, const struct identity *identity,
			 enum key_purpose purpose, const struct crypto_rng *rng)
{
	char path[LIMIT_PATH_BYTES];
	enum err err = os_path_join(path, sizeof(path), e->o->out, name);
	return err == ERR_OK ? identity_save(identity, purpose, path, NULL, rng, e->info) : err;
}

enum err authority_operators(struct estate *e)
{
	struct authlog *log;
	char path[LIMIT_PATH_BYTES];
	enum err err = os_path_join(path, sizeof(path), e->o->out, "authority.log");
	if (err == ERR_OK)
		err = authlog_load(path, &log, e->info);
	if (err != ERR_OK)
		return err;
	err = write_room(e);
	if (err == ERR_OK)
		err = store_put_operators(e->store, log);
	authlog_free(log);
	return err;
}

enum err authority_files(struct estate *e)
{
	struct crypto_rng_seeded state;
	struct crypto_rng rng = rng_of(e, KEY_NUMBER_SECRET, &state);
	const struct host *self = &e->hosts[0];
	struct record_key key = {
	    .kind = RECORD_CERTIFICATE, .writer = *identity_id(trouble_issuer(e, self)), .subject = self->id};
	uint8_t certificate[LIMIT_RECORD_BYTES];
	char path[LIMIT_PATH_BYTES];
	size_t len;
	wall_ms received;
	enum err err = os_path_join(path, sizeof(path), e->o->out, "estate.key");
	if (err == ERR_OK)
		err = key_file_save(KEY_ESTATE_SECRET, e->secret, path, NULL, false, &rng, e->info);
	if (err == ERR_OK)
		err = put_file(e, "seeds", "", 0);
	if (err == ERR_OK)
		err = save_key(e, "identity.key", self->identity, KEY_HOST, &rng);
	if (err == ERR_OK)
		err = save_key(e, "operator.key", e->operator_, KEY_OPERATOR, &rng);
	if (err == ERR_OK)
		err = store_get_record(e->store, &key, certificate, &len, &received);
	return err == ERR_OK ? put_file(e, "certificate", certificate, len) : err;
}
