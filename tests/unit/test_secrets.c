/* No secret is left where a core dump or swap could take it: after each operation this process looks for the
 * secrets it worked with in all of its own memory, guarded memory excepted.
 *
 * A needle is 8 bytes of a secret, kept under a mask so that the list of them is no find. What is looked for
 * is found when it is planted, on the heap and on the stack. Guarded is what the kernel leaves out of core
 * dumps ("dd" in /proc/self/smaps). */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/verb.h"
#include "crypto/credentials.h"
#include "crypto/keyring.h"
#include "gossip/gossip.h"
#include "os/clock.h"
#include "os/file.h"
#include "tests/unit/scratch.h"

#define MASK          0x5bd1e9955bd1e995u
#define NEEDLES       512
#define CHUNK_BYTES   65536u
#define PIECE         8u
#define STACK_BYTES   131072u
#define LARGEST_BYTES (512ull << 20) /* beyond it lie the tables of sanitizers */
#define SEED_AT       60             /* in a plain key file */
#define PASSPHRASE    "a passphrase that nothing else has in it"

static struct {
	uint64_t masked[NEEDLES];
	const char *name[NEEDLES];
	size_t count;
	bool begins[65536]; /* by the low 16 bits, masked */
} needles;

static uint64_t masked_at(const uint8_t *at)
{
	uint64_t v;
	memcpy(&v, at, sizeof(v));
	return v ^ MASK;
}

static void add_needle(const char *name, const uint8_t *secret, size_t len)
{
	for (size_t i = 0; i + PIECE <= len; i += PIECE) {
		assert_true(needles.count < NEEDLES);
		uint64_t masked = masked_at(secret + i);
		needles.begins[masked & 0xffff] = true;
		needles.masked[needles.count] = masked;
		needles.name[needles.count++] = name;
	}
}

static void forget_needles(void)
{
	memset(&needles, 0, sizeof(needles));
}

/* Straight into guarded memory, which is all of this process that may hold it. */
static void add_from_file(const char *name, const char *path, size_t at, size_t len)
{
	uint8_t *bytes = crypto_guarded_new(len);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_non_null(bytes);
	assert_true(fd >= 0 && pread(fd, bytes, len, (off_t)at) == (ssize_t)len);
	close(fd);
	add_needle(name, bytes, len);
	crypto_guarded_free(bytes, len);
}

static const char *find_in(const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i + PIECE <= len; i++) {
		uint64_t masked = masked_at(bytes + i);
		if (!needles.begins[masked & 0xffff])
			continue;
		for (size_t n = 0; n < needles.count; n++) {
			if (needles.masked[n] == masked)
				return needles.name[n];
		}
	}
	return NULL;
}

struct mapping {
	uint64_t begin, end;
	bool readable;
};

/* Where it lay: without it a find that happens on one machine alone cannot be followed up. */
static struct {
	char mapping[160];
	uint64_t offset; /* of the piece that was being read */
} place;

/* The buffer is guarded, and so not looked at itself. */
static const char *find_in_mapping(int memory, const struct mapping *m, uint8_t *buffer)
{
	uint64_t at = m->begin;
	size_t kept = 0;
	while (at < m->end) {
		size_t want = m->end - at < CHUNK_BYTES ? (size_t)(m->end - at) : CHUNK_BYTES;
		ssize_t n = pread(memory, buffer + kept, want, (off_t)at);
		if (n <= 0)
			return NULL;
		const char *found = find_in(buffer, kept + (size_t)n);
		if (found != NULL) {
			place.offset = at - m->begin;
			return found;
		}
		at += (uint64_t)n;
		/* What lies across the border. */
		size_t len = kept + (size_t)n;
		kept = len < PIECE - 1 ? len : PIECE - 1;
		memmove(buffer, buffer + len - kept, kept);
	}
	return NULL;
}

static size_t mappings_seen, guarded_seen;

/* The name of a secret that lies in unguarded memory, NULL when none does. */
static const char *look(void)
{
	static char line[4096], text[8192];
	struct mapping m = {0};
	const char *found = NULL;
	uint8_t *buffer = crypto_guarded_new(CHUNK_BYTES + PIECE);
	int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/smaps", "re");
	assert_true(memory >= 0 && maps != NULL && buffer != NULL);
	setvbuf(maps, text, _IOFBF, sizeof(text));
	mappings_seen = guarded_seen = 0;
	while (found == NULL && fgets(line, sizeof(line), maps) != NULL) {
		uint64_t begins, ends;
		char rights[5];
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &begins, &ends, rights) == 3) {
			m = (struct mapping){begins, ends, rights[0] == 'r'};
			snprintf(place.mapping, sizeof(place.mapping), "%.*s", (int)strcspn(line, "\n"),
				 line);
		} else if (strncmp(line, "VmFlags:", 8) == 0) {
			bool guarded = strstr(line, " dd") != NULL;
			guarded_seen += guarded;
			if (!guarded && m.readable && m.end - m.begin <= LARGEST_BYTES) {
				mappings_seen++;
				found = find_in_mapping(memory, &m, buffer);
			}
		}
	}
	fclose(maps);
	close(memory);
	crypto_guarded_free(buffer, CHUNK_BYTES + PIECE);
	return found;
}

static void nothing_after(const char *operation)
{
	const char *found = look();
	assert_true(needles.count > 0 && mappings_seen > 3);
	if (found != NULL)
		fail_msg("after %s: %s lies in unguarded memory, within %u bytes of byte %" PRIu64 " of %s",
			 operation, found, CHUNK_BYTES, place.offset, place.mapping);
}

/* Deep: what looks for it afterwards has frames of its own. */
static __attribute__((noinline)) void leave_on_stack(const uint8_t *secret, size_t len)
{
	volatile uint8_t deep[STACK_BYTES];
	for (size_t i = 0; i < len; i++)
		deep[i] = secret[i];
	(void)deep[0];
}

static void what_is_planted_is_found(void **state)
{
	(void)state;
	struct crypto_rng rng = crypto_rng_system();
	uint8_t *secret = crypto_guarded_new(KEY_BYTES);
	rng.fill(rng.context, secret, KEY_BYTES);
	forget_needles();
	add_needle("the planted one", secret, KEY_BYTES);
	assert_null(look());
	assert_true(guarded_seen > 0);
	/* Eight bytes of it are enough, wherever they begin. */
	for (size_t shift = 0; shift < 3; shift++) {
		uint8_t *heap = calloc(1, 64);
		memcpy(heap + shift, secret + 16, PIECE);
		assert_string_equal(look(), "the planted one");
		crypto_wipe(heap, 64);
		assert_null(look());
		free(heap);
	}
	leave_on_stack(secret, KEY_BYTES);
	assert_string_equal(look(), "the planted one");
	crypto_guarded_free(secret, KEY_BYTES);
}

/* --- the verbs, in this process --- */

struct verbs {
	struct scratch *scratch;
	FILE *null;
	char auth[SCRATCH_PATH_BYTES], spare[SCRATCH_PATH_BYTES], pass[SCRATCH_PATH_BYTES];
};

static int run(struct verbs *v, const char *name, char *const *argv)
{
	const struct option_spec *sets[OPTIONS_MAX_SETS];
	struct err_info info = {0};
	struct command c = {.verb = verb_find(name), .out = v->null, .err = stderr};
	int argc = 0;
	while (argv[argc] != NULL)
		argc++;
	size_t count = verb_option_sets(c.verb, sets);
	for (size_t i = 0; i < count; i++)
		options_add_set(&c.options, sets[i]);
	if (options_parse(&c.options, argc, argv, &info) != ERR_OK)
		fail_msg("mesh %s: %s", name, info.text);
	return c.verb->run(&c);
}

/* Arguments are kept by pointer, and not written to. */
#define RUN(v, name, ...)                                                                                    \
	assert_int_equal(run(v, name, (char *const[]){__VA_ARGS__, (char *)(uintptr_t)NULL}), 0)
#define TEXT(t) ((char *)(uintptr_t)(t))

static const char *in_auth(const struct verbs *v, const char *name)
{
	static char path[2 * SCRATCH_PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%s", v->auth, name);
	return path;
}

static void begin(struct verbs *v, struct scratch *s)
{
	v->scratch = s;
	v->null = fopen("/dev/null", "we");
	assert_non_null(v->null);
	memcpy(v->auth, scratch_path(s, "auth"), sizeof(v->auth));
	memcpy(v->spare, scratch_path(s, "spare"), sizeof(v->spare));
	memcpy(v->pass, scratch_path(s, "pass"), sizeof(v->pass));
	setenv("MESH_STATE", scratch_path(s, "nowhere"), 1);
	forget_needles();
}

static void an_estate_without_passphrases(void **state)
{
	struct verbs v;
	begin(&v, *state);
	char *token = TEXT(scratch_path(*state, "token")), *home = TEXT(scratch_path(*state, "state"));
	RUN(&v, "authority init", TEXT("--dir"), v.auth, TEXT("--name"), TEXT("test"),
	    TEXT("--no-passphrase"), TEXT("--spare"), v.spare);
	add_from_file("the authority's key", in_auth(&v, "authority.key"), SEED_AT, KEY_BYTES);
	add_from_file("the estate's secret", in_auth(&v, "estate.key"), SEED_AT, KEY_BYTES);
	add_from_file("the successor's key", in_auth(&v, "successor.key"), SEED_AT, KEY_BYTES);
	nothing_after("authority init");
	RUN(&v, "authority issuer", TEXT("tills"), TEXT("--dir"), v.auth, TEXT("--site"), TEXT("leeds"));
	add_from_file("an issuer's key", in_auth(&v, "issuers/tills.key"), SEED_AT, KEY_BYTES);
	nothing_after("authority issuer");
	RUN(&v, "authority operator", TEXT("jo"), TEXT("--dir"), v.auth, TEXT("--role"), TEXT("incidents"),
	    TEXT("--no-key-passphrase"));
	add_from_file("an operator's key", in_auth(&v, "operators/jo.key"), SEED_AT, KEY_BYTES);
	nothing_after("authority operator");
	RUN(&v, "token create", TEXT("--dir"), v.auth, TEXT("--issuer"), TEXT("tills"), TEXT("--out"), token);
	/* Where both secrets stand in its first two lines. */
	add_from_file("the token's text", token, 24, 64);
	add_from_file("the token's text", token, 92, 16);
	nothing_after("token create");
	RUN(&v, "token show", token);
	nothing_after("token show");
	RUN(&v, "enroll", TEXT("--token"), token, TEXT("--state"), home);
	char key[SCRATCH_PATH_BYTES + 32];
	snprintf(key, sizeof(key), "%s/identity.key", home);
	add_from_file("the host's key", key, SEED_AT, KEY_BYTES);
	nothing_after("enroll");
	RUN(&v, "authority rotate", TEXT("--dir"), v.auth, TEXT("--no-passphrase"));
	add_from_file("the next successor's key", in_auth(&v, "successor.key"), SEED_AT, KEY_BYTES);
	nothing_after("authority rotate");
	fclose(v.null);
}

static void an_estate_with_passphrases(void **state)
{
	struct verbs v;
	struct err_info info = {0};
	struct identity *identity = NULL;
	begin(&v, *state);
	int fd = open(v.pass, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0 && write(fd, PASSPHRASE "\n", sizeof(PASSPHRASE)) == sizeof(PASSPHRASE));
	close(fd);
	/* The constant above is of this program, not of its work: what is looked for is the text backwards.
	 */
	char *passphrase = crypto_guarded_new(sizeof(PASSPHRASE));
	for (size_t i = 0; i + 1 < sizeof(PASSPHRASE); i++)
		passphrase[i] = PASSPHRASE[sizeof(PASSPHRASE) - 2 - i];
	fd = open(v.pass, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0 && write(fd, passphrase, sizeof(PASSPHRASE) - 1) == sizeof(PASSPHRASE) - 1);
	close(fd);
	add_needle("the passphrase", (uint8_t *)passphrase, sizeof(PASSPHRASE) - 1);
	nothing_after("writing it");
	RUN(&v, "authority init", TEXT("--dir"), v.auth, TEXT("--name"), TEXT("test"),
	    TEXT("--passphrase-file"), v.pass, TEXT("--successor-passphrase-file"), v.pass, TEXT("--spare"),
	    v.spare);
	nothing_after("authority init");
	/* Guarded as long as it is held, and gone after. */
	assert_int_equal(
	    identity_load(in_auth(&v, "authority.key"), KEY_AUTHORITY, passphrase, &identity, &info), ERR_OK);
	add_needle("the authority's key", identity_seed(identity), KEY_BYTES);
	nothing_after("loading the authority's key");
	identity_free(identity);
	nothing_after("freeing it");
	RUN(&v, "authority issuer", TEXT("tills"), TEXT("--dir"), v.auth, TEXT("--passphrase-file"), v.pass,
	    TEXT("--key-passphrase-file"), v.pass);
	nothing_after("authority issuer");
	assert_int_equal(
	    identity_load(in_auth(&v, "issuers/tills.key"), KEY_ISSUER, passphrase, &identity, &info),
	    ERR_OK);
	add_needle("the issuer's key", identity_seed(identity), KEY_BYTES);
	identity_free(identity);
	assert_int_equal(
	    identity_load(in_auth(&v, "authority.key"), KEY_AUTHORITY, "wrong", &identity, &info), ERR_SEAL);
	nothing_after("a wrong passphrase");
	RUN(&v, "token create", TEXT("--dir"), v.auth, TEXT("--issuer"), TEXT("tills"), TEXT("--out"),
	    TEXT(scratch_path(*state, "token")), TEXT("--passphrase-file"), v.pass);
	nothing_after("token create");
	char *own = TEXT(scratch_path(*state, "jo.key"));
	RUN(&v, "operator init", own, TEXT("--passphrase-file"), v.pass);
	nothing_after("operator init");
	RUN(&v, "key show", own);
	RUN(&v, "key passphrase", own, TEXT("--passphrase-file"), v.pass, TEXT("--no-passphrase"));
	add_from_file("a person's key", own, SEED_AT, KEY_BYTES);
	nothing_after("key passphrase");
	crypto_guarded_free(passphrase, sizeof(PASSPHRASE));
	fclose(v.null);
}

static void enrol(struct verbs *v, struct scratch *s, const char *home)
{
	char *token = TEXT(scratch_path(s, "token"));
	RUN(v, "authority init", TEXT("--dir"), v->auth, TEXT("--name"), TEXT("test"),
	    TEXT("--no-passphrase"));
	RUN(v, "authority issuer", TEXT("tills"), TEXT("--dir"), v->auth, TEXT("--site"), TEXT("leeds"));
	RUN(v, "token create", TEXT("--dir"), v->auth, TEXT("--issuer"), TEXT("tills"), TEXT("--out"), token);
	RUN(v, "enroll", TEXT("--token"), token, TEXT("--state"), TEXT(home));
}

static enum err gossip_of(const struct credentials *c, struct gossip **ret)
{
	const struct gossip_options o = {.identity = c->identity,
					 .certificate = c->certificate_bytes,
					 .certificate_len = c->certificate_len,
					 .log = c->log,
					 .keys = c->keys,
					 .rng = crypto_rng_system(),
					 .prng_seed = 1,
					 .instance = 1,
					 .now = 10000,
					 .wall = os_clock_wall(),
					 .timing = gossip_timing_default()};
	return gossip_new(&o, ret);
}

static void a_node_and_its_core(void **state)
{
	struct verbs v;
	struct err_info info = {0};
	struct credentials c;
	struct gossip *gossip;
	struct keyring *keyring;
	struct crypto_rng rng = crypto_rng_system();
	uint8_t signature[SIGNATURE_BYTES];
	begin(&v, *state);
	const char *home = scratch_path(*state, "state");
	enrol(&v, *state, home);
	forget_needles();
	assert_int_equal(credentials_load(home, &c, &info), ERR_OK);
	add_needle("the host's key", identity_seed(c.identity), KEY_BYTES);
	add_from_file("the estate's secret", in_auth(&v, "estate.key"), SEED_AT, KEY_BYTES);
	add_needle("the mac key", c.keys->mac_key, sizeof(c.keys->mac_key));
	add_needle("the hello key", c.keys->hello_key, KEY_BYTES);
	add_needle("the set key", c.keys->set_key, KEY_BYTES);
	nothing_after("loading credentials");
	identity_sign(c.identity, "x", 1, signature);
	nothing_after("signing");
	assert_int_equal(gossip_of(&c, &gossip), ERR_OK);
	nothing_after("making a core");
	struct gossip_event tick = {.type = GOSSIP_TICK, .now = 11000, .wall = os_clock_wall()};
	struct gossip_update update;
	assert_int_equal(gossip_step(gossip, &tick, &update), ERR_OK);
	nothing_after("a step");
	/* Session keys are of a day, and in ordinary memory; what they are made from is not. */
	assert_int_equal(keyring_new(identity_id(c.identity), c.keys, &rng, 20000, &keyring), ERR_OK);
	struct id peer = {{1}};
	assert_int_equal(keyring_learn(keyring, &peer, 20000, keyring_public(keyring), true), ERR_OK);
	nothing_after("learning a peer's key");
	keyring_free(keyring);
	gossip_free(gossip);
	credentials_release(&c);
	nothing_after("the end");
	fclose(v.null);
}

static void every_verb_with_secrets_hides(void **state)
{
	static const char *const begins[] = {"authority ", "token ", "enroll", "operator ", "key "};
	(void)state;
	size_t hidden = 0;
	for (size_t i = 0; verb_at(i) != NULL; i++) {
		const struct verb *verb = verb_at(i);
		for (size_t n = 0; n < sizeof(begins) / sizeof(begins[0]); n++) {
			if (strncmp(verb->name, begins[n], strlen(begins[n])) == 0)
				assert_true(verb->secrets);
		}
		hidden += verb->secrets;
	}
	assert_true(hidden >= 14);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_planted_is_found),      IN_FOLDER(an_estate_without_passphrases),
	    IN_FOLDER(an_estate_with_passphrases),           IN_FOLDER(a_node_and_its_core),
	    cmocka_unit_test(every_verb_with_secrets_hides),
	};
	if (crypto_init() != ERR_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
