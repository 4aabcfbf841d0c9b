/* Enrolment and what it leaves behind. The certificate is written last: a folder without one was never
 * enrolled, whatever else a crash left in it, and enrolling again starts over with a new key.
 *
 * Fails before anything is written where it can: token and grant are judged first, then the folder. A disk
 * that fills half-way leaves files that the next attempt replaces; the token is the caller's and stays. */
#include "crypto/credentials.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/authlog_entry.h"
#include "crypto/guarded.h"
#include "os/file.h"
#include "os/hardware.h"

#define IDENTITY_FILE    "identity.key"
#define ESTATE_FILE      "estate.key"
#define CERTIFICATE_FILE "certificate"
#define LOG_FILE         "authority.log"
#define SEEDS_FILE       "seeds"
#define LOCK_FILE        "lock"
#define SEQ_FILE         "seq" /* written by meshd: its presence says that a node ran here */

#define SEEDS_FILE_BYTES (LIMIT_TOKEN_SEEDS * (TOKEN_SEED_BYTES + 1))

struct files {
	char identity[LIMIT_PATH_BYTES];
	char estate[LIMIT_PATH_BYTES];
	char certificate[LIMIT_PATH_BYTES];
	char log[LIMIT_PATH_BYTES];
	char seeds[LIMIT_PATH_BYTES];
	char lock[LIMIT_PATH_BYTES];
	char seq[LIMIT_PATH_BYTES];
};

static enum err name_files(struct files *ret, const char *state, struct err_info *info)
{
	/* The longest name decides for all. */
	if (strlen(state) + sizeof("/" LOG_FILE ".new") > LIMIT_PATH_BYTES)
		return err_set(
		    info, ERR_LIMIT,
		    "the state folder's path \"%.64s...\" is longer than %zu bytes; choose a shorter one",
		    state, LIMIT_PATH_BYTES - sizeof("/" LOG_FILE ".new"));
	os_path_join(ret->identity, LIMIT_PATH_BYTES, state, IDENTITY_FILE);
	os_path_join(ret->estate, LIMIT_PATH_BYTES, state, ESTATE_FILE);
	os_path_join(ret->certificate, LIMIT_PATH_BYTES, state, CERTIFICATE_FILE);
	os_path_join(ret->log, LIMIT_PATH_BYTES, state, LOG_FILE);
	os_path_join(ret->seeds, LIMIT_PATH_BYTES, state, SEEDS_FILE);
	os_path_join(ret->lock, LIMIT_PATH_BYTES, state, LOCK_FILE);
	os_path_join(ret->seq, LIMIT_PATH_BYTES, state, SEQ_FILE);
	return ERR_OK;
}

static wall_day floored(const struct authlog *log, wall_ms now)
{
	wall_day today = clock_day(now), newest = authlog_day(log);
	return today > newest ? today : newest;
}

static void day_text(wall_day day, char ret[16])
{
	/* Civil date from a day count (proleptic Gregorian calendar, years from 1 March). */
	uint32_t z = day + 719468, era = z / 146097, doe = z - era * 146097;
	uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	uint32_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	uint32_t month = mp < 10 ? mp + 3 : mp - 9;
	snprintf(ret, 16, "%04" PRIu32 "-%02" PRIu32 "-%02" PRIu32, (yoe + era * 400 + (month <= 2)) % 10000,
		 month % 100, (doy - (153 * mp + 2) / 5 + 1) % 100);
}

static bool grant_allows(const struct authlog_grant *grant, const char *site)
{
	for (size_t i = 0; i < grant->site_count; i++) {
		if (strcmp(grant->sites[i], site) == 0)
			return true;
	}
	return grant->site_count == 0;
}

static void list_sites(const struct authlog_grant *grant, char *ret, size_t cap)
{
	size_t at = 0;
	text_copy(ret, cap, grant->site_count == 0 ? "any" : "");
	for (size_t i = 0; i < grant->site_count; i++) {
		char site[4 * LIMIT_SITE_NAME_BYTES + 1];
		text_escape(site, sizeof(site), grant->sites[i], strlen(grant->sites[i]));
		int n = snprintf(ret + at, cap - at, "%s%s", i == 0 ? "" : ", ", site);
		if (n < 0 || (size_t)n >= cap - at)
			return;
		at += (size_t)n;
	}
}

static enum err judge_site(const struct authlog_grant *grant, const char *site, struct err_info *info)
{
	char shown[8 * LIMIT_SITE_NAME_BYTES], allowed[256];
	size_t len = strlen(site);
	list_sites(grant, allowed, sizeof(allowed));
	if (len == 0)
		return err_set(info, ERR_ARG,
			       "neither the token nor a subnet in it says this machine's site; name one with "
			       "--site (%s)",
			       allowed);
	/* A name that would have to be escaped is a slip at best. */
	if (text_escape(shown, sizeof(shown), site, len) != len || strcmp(shown, site) != 0)
		return err_set(info, ERR_ARG,
			       "site name \"%s\" is too long or has unprintable characters; choose another",
			       shown);
	if (len > LIMIT_SITE_NAME_BYTES)
		return err_set(info, ERR_LIMIT, "site name \"%s\" has %zu bytes; at most %d are allowed",
			       shown, len, LIMIT_SITE_NAME_BYTES);
	if (!grant_allows(grant, site))
		return err_set(info, ERR_UNTRUSTED,
			       "site \"%s\" is outside the issuer's grant; it may enrol hosts of: %s", shown,
			       allowed);
	return ERR_OK;
}

static enum err judge_grant(const struct token *token, const struct identity *issuer, const char *site,
			    wall_ms now, struct err_info *info)
{
	char hex[ID_HEX_BYTES], day[16];
	wall_day today = floored(token->log, now);
	const struct authlog_grant *grant = authlog_find_grant(token->log, identity_id(issuer));
	id_hex(identity_id(issuer), hex);
	if (grant == NULL)
		return err_set(info, ERR_UNTRUSTED,
			       "the token's issuer %s is not in its authority log; ask for a new token", hex);
	if (grant->revoked)
		return err_set(info, ERR_REVOKED,
			       "the token's issuer \"%.64s\" was revoked; ask for a token of another issuer",
			       grant->name);
	if (token->last_day < today) {
		day_text(token->last_day, day);
		return err_set(info, ERR_EXPIRED,
			       "the token was valid until %s; ask for a new one, or check this clock", day);
	}
	if (grant->last_day < today) {
		day_text(grant->last_day, day);
		return err_set(info, ERR_EXPIRED,
			       "the grant of issuer \"%.64s\" ended on %s; extend it and make a new token",
			       grant->name, day);
	}
	return judge_site(grant, site, info);
}

static enum err refuse_enrolled(const struct files *f, const char *state, struct err_info *info)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	struct record r;
	struct certificate c;
	if (!os_file_exists(f->certificate)) {
		if (!os_file_exists(f->seq))
			return ERR_OK;
		return err_set(info, ERR_EXISTS,
			       "a node ran in \"%s\" and its certificate is gone; restore \"%s\", or "
			       "name another folder with --state",
			       state, f->certificate);
	}
	if (os_file_read(f->certificate, LIMIT_CERTIFICATE_BYTES, &bytes, &len, NULL) == ERR_OK &&
	    record_parse(bytes, len, &r) == ERR_OK && certificate_decode(&r, &c) == ERR_OK) {
		char hex[ID_HEX_BYTES];
		id_hex(&c.host, hex);
		err_set(info, ERR_EXISTS,
			"\"%s\" is enrolled already, as host %s of site \"%s\"; name another folder with "
			"--state",
			state, hex, c.site);
	} else {
		err_set(info, ERR_EXISTS,
			"\"%s\" was enrolled already, but its certificate cannot be read; restore it, or "
			"name another folder with --state",
			state);
	}
	free(bytes);
	return ERR_EXISTS;
}

static enum err save_estate_key(const struct files *f, const struct token *token,
				const struct crypto_rng *rng, struct err_info *info)
{
	return key_file_save(KEY_ESTATE_SECRET, token->estate_secret, f->estate, NULL, true, rng, info);
}

static enum err save_seeds(const struct files *f, const struct token *token, struct err_info *info)
{
	char text[SEEDS_FILE_BYTES + 1];
	size_t at = 0;
	for (size_t i = 0; i < token->seed_count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%.*s\n", TOKEN_SEED_BYTES - 1,
				       token->seeds[i]);
	return os_file_replace(f->seeds, text, at, 0600, info);
}

void credentials_machine_look(const char *root, struct credentials_machine *ret)
{
	uint8_t id[OS_HARDWARE_BYTES], hash[ID_BYTES];
	size_t len;
	*ret = (struct credentials_machine){0};
	if (os_network_addresses(ret->addresses, CREDENTIALS_ADDRESSES, &ret->address_count, NULL) != ERR_OK)
		ret->address_count = 0;
	if (os_hardware_id(root, id, &len) != ERR_OK)
		return;
	hash_bytes(hash, sizeof(hash), "mesh.hw", id, len);
	memcpy(ret->hardware, hash, HARDWARE_HASH_BYTES);
	ret->has_hardware = true;
}

/* One enrolment, from token to files. */
struct enrolment {
	struct files files;
	const struct token *token;
	const struct credentials_machine *machine;
	struct identity *issuer, *host;
	char site[8 * LIMIT_SITE_NAME_BYTES]; /* room for one that is too long, to say so */
	struct certificate certificate;
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	size_t len;
};

static enum err make_certificate(struct enrolment *e, const struct crypto_rng *rng, wall_ms now,
				 struct err_info *info)
{
	const struct authlog *log = e->token->log;
	struct certificate c = {.enrolled = floored(log, now), .seq = 1};
	struct record r;
	uint64_t instance;
	text_copy(c.site, sizeof(c.site), e->site);
	c.has_hardware = e->machine->has_hardware;
	memcpy(c.hardware, e->machine->hardware, HARDWARE_HASH_BYTES);
	certificate_consent(&c, e->host, identity_id(e->issuer), authlog_estate(log));
	rng->fill(rng->context, &instance, sizeof(instance));
	enum err err =
	    certificate_issue(&c, e->issuer, authlog_estate(log), instance, now, e->bytes, &e->len);
	if (err == ERR_OK)
		err = record_parse(e->bytes, e->len, &r);
	if (err == ERR_OK)
		err = certificate_verify(&r, log, clock_day(now), &e->certificate);
	if (err != ERR_OK)
		err_set(info, err, "cannot make a certificate from this token: %s; ask for a new token",
			err_text(err));
	return err;
}

static enum err write_all(struct enrolment *e, const struct crypto_rng *rng, wall_ms now,
			  struct err_info *info)
{
	const struct files *f = &e->files;
	enum err err = identity_generate(rng, &e->host);
	if (err != ERR_OK)
		return err_set(info, err, "cannot make a key: %s", err_text(err));
	err = make_certificate(e, rng, now, info);
	/* Key files are never overwritten, so what an attempt before left has to go first. */
	if (err == ERR_OK && os_file_exists(f->identity))
		err = os_file_wipe(f->identity, info);
	if (err == ERR_OK)
		err = identity_save(e->host, KEY_HOST, f->identity, NULL, rng, info);
	if (err == ERR_OK)
		err = save_estate_key(f, e->token, rng, info);
	if (err == ERR_OK)
		err = authlog_save(e->token->log, f->log, info);
	if (err == ERR_OK)
		err = save_seeds(f, e->token, info);
	if (err == ERR_OK)
		err = os_file_create(f->certificate, e->bytes, e->len, 0600, info);
	return err;
}

/* The folder of a service that was erased to enrol anew is still the service's. */
static enum err hand_over(const struct files *f, const char *state, struct err_info *info)
{
	const char *const all[] = {f->identity, f->estate, f->log, f->seeds, f->certificate, f->lock};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < sizeof(all) / sizeof(all[0]); i++)
		err = os_file_hand_over(state, all[i], info);
	return err;
}

static enum err choose_site(struct enrolment *e, const char *site, struct err_info *info)
{
	if (site == NULL || site[0] == '\0')
		return token_site(e->token, e->machine->addresses, e->machine->address_count, e->site, info);
	text_copy(e->site, sizeof(e->site), site);
	return ERR_OK;
}

/* Everything that can be refused before a file is touched. */
static enum err prepare(struct enrolment *e, const char *state, const char *site, wall_ms now,
			struct err_info *info)
{
	enum err err = name_files(&e->files, state, info);
	if (err == ERR_OK)
		err = refuse_enrolled(&e->files, state, info);
	if (err != ERR_OK)
		return err;
	err = identity_from_seed(e->token->issuer_seed, &e->issuer);
	if (err != ERR_OK)
		return err_set(info, err, "cannot use the token's issuer key: %s", err_text(err));
	err = choose_site(e, site, info);
	if (err == ERR_OK)
		err = judge_grant(e->token, e->issuer, e->site, now, info);
	return err;
}

enum err credentials_enroll(const char *state, const struct token *token, const char *site,
			    const struct credentials_machine *machine, const struct crypto_rng *rng,
			    wall_ms now, struct certificate *ret, struct err_info *info)
{
	static const struct credentials_machine unknown;
	struct enrolment e = {.token = token, .machine = machine != NULL ? machine : &unknown};
	struct os_lock *lock = NULL;
	enum err err = prepare(&e, state, site, now, info);
	if (err == ERR_OK)
		err = os_dir_make(state, 0750, info);
	if (err == ERR_OK)
		err = os_dir_check_writable(state, info);
	if (err == ERR_OK)
		err = os_lock_take(e.files.lock, &lock, info);
	/* Somebody else may have enrolled it before the lock was ours. */
	if (err == ERR_OK)
		err = refuse_enrolled(&e.files, state, info);
	if (err == ERR_OK)
		err = write_all(&e, rng, now, info);
	if (err == ERR_OK)
		err = hand_over(&e.files, state, info);
	if (lock != NULL)
		os_lock_release(lock);
	if (err == ERR_OK && ret != NULL)
		*ret = e.certificate;
	identity_free(e.host);
	identity_free(e.issuer);
	return err;
}

static enum err load_estate_keys(const struct files *f, const struct id *estate, struct estate_keys **ret,
				 struct err_info *info)
{
	uint8_t *secret = crypto_guarded_new(KEY_BYTES);
	enum err err =
	    secret == NULL ? ERR_NOMEM : key_file_load(f->estate, KEY_ESTATE_SECRET, NULL, secret, info);
	if (err == ERR_OK) {
		*ret = estate_keys_new(estate, secret);
		err = *ret != NULL ? ERR_OK : ERR_NOMEM;
	}
	if (err == ERR_NOMEM)
		err_set(info, err, "no memory for the keys of \"%s\"; free some and try again", f->estate);
	crypto_guarded_free(secret, KEY_BYTES);
	return err;
}

/* The key that signed it, though its grant may stand behind a fork, and not count. */
static bool issuer_key(const struct authlog *log, const struct id *issuer, uint8_t ret[KEY_BYTES])
{
	size_t len;
	const uint8_t *bytes;
	for (size_t i = 0; (bytes = authlog_entry(log, i, &len)) != NULL; i++) {
		struct log_entry e;
		struct log_body body;
		if (log_entry_parse(bytes, len, &e) != ERR_OK || e.type != LOG_GRANT ||
		    log_body_decode(e.type, e.body, e.body_len, &body) != ERR_OK ||
		    !id_equal(&body.grant.issuer, issuer))
			continue;
		memcpy(ret, body.grant.public_key, KEY_BYTES);
		return true;
	}
	return false;
}

/* Whether peers still take it is theirs to say; what was damaged is refused. */
static enum err check_certificate(const struct record *r, const struct authlog *log, struct credentials *c)
{
	uint8_t key[KEY_BYTES];
	struct certificate certificate;
	enum err barred = ERR_OK, err = certificate_verify(r, log, 0, &certificate);
	if (err == ERR_REVOKED || err == ERR_UNTRUSTED)
		barred = err;
	if (err == ERR_EXPIRED || barred != ERR_OK) {
		err = certificate_decode(r, &certificate);
		if (err == ERR_OK && !issuer_key(log, &certificate.issuer, key))
			err = ERR_UNTRUSTED;
		if (err == ERR_OK)
			err = record_verify(r, authlog_estate(log), key);
	}
	if (err != ERR_OK)
		return err;
	c->certificate = certificate;
	c->barred = barred;
	return ERR_OK;
}

static enum err read_certificate(const struct files *f, const char *state, struct credentials *c,
				 struct err_info *info)
{
	uint8_t *bytes = NULL;
	size_t len = 0;
	enum err err = os_file_read(f->certificate, LIMIT_CERTIFICATE_BYTES, &bytes, &len, info);
	if (err == ERR_NOT_FOUND)
		return err_set(info, err,
			       "\"%s\" is not enrolled; get a token and run: mesh enroll --token "
			       "FILE --state %s",
			       state, state);
	if (err != ERR_OK)
		return err;
	memcpy(c->certificate_bytes, bytes, len);
	c->certificate_len = len;
	free(bytes);
	return ERR_OK;
}

static enum err judge_certificate(const struct files *f, struct credentials *c, struct err_info *info)
{
	struct record r;
	enum err err = record_parse(c->certificate_bytes, c->certificate_len, &r);
	if (err == ERR_OK)
		err = check_certificate(&r, c->log, c);
	if (err != ERR_OK)
		return err_set(info, err,
			       "\"%s\" does not hold (%s); restore it, or enrol again in another "
			       "folder",
			       f->certificate, err_text(err));
	if (!id_equal(&c->certificate.host, identity_id(c->identity)))
		return err_set(info, ERR_CORRUPT,
			       "\"%s\" and \"%s\" are of two different hosts; restore both from one copy",
			       f->certificate, f->identity);
	return ERR_OK;
}

/* What is no seed of reasonable length is left out: seeds are a help, not a condition. */
static void load_seeds(const struct files *f, struct credentials *c)
{
	uint8_t *text = NULL;
	size_t len = 0;
	if (os_file_read(f->seeds, SEEDS_FILE_BYTES, &text, &len, NULL) != ERR_OK)
		return;
	for (char *line = (char *)text, *end; c->seed_count < LIMIT_TOKEN_SEEDS; line = end + 1) {
		end = strchr(line, '\n');
		if (end == NULL)
			break;
		*end = '\0';
		if (line[0] != '\0' && text_copy(c->seeds[c->seed_count], TOKEN_SEED_BYTES, line))
			c->seed_count++;
	}
	free(text);
}

enum err credentials_load(const char *state, struct credentials *ret, struct err_info *info)
{
	struct files f;
	struct credentials c = {0};
	enum err err = name_files(&f, state, info);
	if (err != ERR_OK)
		return err;
	err = read_certificate(&f, state, &c, info);
	if (err == ERR_OK)
		err = identity_load(f.identity, KEY_HOST, NULL, &c.identity, info);
	if (err == ERR_OK)
		err = authlog_load(f.log, &c.log, info);
	if (err == ERR_OK && authlog_count(c.log) == 0)
		err = err_set(info, ERR_CORRUPT, "\"%s\" is empty; restore it from a copy", f.log);
	if (err == ERR_OK)
		err = load_estate_keys(&f, authlog_estate(c.log), &c.keys, info);
	if (err == ERR_OK)
		err = judge_certificate(&f, &c, info);
	if (err == ERR_OK) {
		load_seeds(&f, &c);
		*ret = c;
	} else {
		credentials_release(&c);
	}
	return err;
}

void credentials_release(struct credentials *c)
{
	if (c == NULL)
		return;
	identity_free(c->identity);
	authlog_free(c->log);
	estate_keys_free(c->keys);
	*c = (struct credentials){0};
}
