/* Writes the seeds of tests/fuzz/corpus: `make_corpus FOLDER`. Built with the tests and run by hand, when a
 * format changes. Records are those of the test vectors. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "base/mp.h"
#include "node/control.h"
#include "os/file.h"
#include "record/body.h"
#include "record/manifest.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/parties.h"
#include "tests/vectors/vectors.h"

static const char *root;

static void put(const char *target, const char *name, int mode, const void *data, size_t len)
{
	static uint8_t input[FUZZ_INPUT_BYTES];
	char folder[LIMIT_PATH_BYTES], path[LIMIT_PATH_BYTES];
	size_t n = 0;
	CHECK(len < sizeof(input));
	if (mode >= 0)
		input[n++] = (uint8_t)mode;
	memcpy(input + n, data, len);
	CHECK(os_path_join(folder, sizeof(folder), root, target) == ERR_OK);
	CHECK(os_dir_make(folder, 0755, NULL) == ERR_OK);
	CHECK(os_path_join(path, sizeof(path), folder, name) == ERR_OK);
	CHECK(os_file_replace(path, input, n + len, 0644, NULL) == ERR_OK);
}

/* In static memory, until the next call. */
static const char *concat(const char *a, const char *b)
{
	static char whole[64];
	snprintf(whole, sizeof(whole), "%s%s", a, b);
	return whole;
}

static void put_records(void)
{
	static const char *const names[] = {"certificate", "profile",  "health",    "components",  "crashes",
					    "goodbye",     "rollcall", "reach",     "incident",    "claim",
					    "note",        "policy",   "inventory", "decommission"};
	struct vectors *v = vectors_load("records.txt");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char name[64];
		size_t len;
		snprintf(name, sizeof(name), "%s.record", names[i]);
		const uint8_t *bytes = vectors_get(v, name, &len);
		put(i == 0 ? "certificate" : "record", names[i], FUZZ_AS_IS, bytes, len);
		/* Kind, slot, body: the envelope is put around it again. */
		uint8_t made[LIMIT_RECORD_BYTES] = {bytes[2], 0};
		size_t body_len = len - RECORD_ENVELOPE_BYTES;
		memcpy(made + 2, bytes + RECORD_BODY_OFFSET, body_len);
		snprintf(name, sizeof(name), "%s-body", names[i]);
		if (i == 0)
			put("certificate", name, FUZZ_PUT_RIGHT, made + 2, body_len);
		else
			put("record", name, FUZZ_PUT_RIGHT, made, body_len + 2);
	}
	vectors_free(v);
}

/* Lists as long as they may be: one element more is one change away. */
static void put_longest(void)
{
	static struct components c;
	static struct crashes crashes;
	static struct profile p;
	uint8_t made[2 + LIMIT_RECORD_BODY_BYTES] = {RECORD_COMPONENTS, 0};
	size_t len;
	c = (struct components){.module_support = READING_OK, .entry_count = LIMIT_COMPONENTS};
	memset(c.loaded, 0xff, sizeof(c.loaded));
	c.pending_count = LIMIT_PENDING;
	c.change_count = LIMIT_CHANGES;
	for (size_t i = 0; i < c.change_count; i++)
		c.changes[i] = (struct component_change){.entry = i, .time_s = i, .op = CHANGE_ADDED};
	CHECK(components_encode(&c, made + 2, &len) == ERR_OK);
	put("record", "longest-components", FUZZ_PUT_RIGHT, made, len + 2);
	crashes = (struct crashes){.first_day = FIXTURE_DAY, .day_count = LIMIT_CRASH_DAYS};
	crashes.event_count = LIMIT_CRASH_EVENTS;
	for (size_t i = 0; i < crashes.event_count; i++)
		crashes.events[i] =
		    (struct crash_event){.time_s = i, .kind = CRASH_OOPS, .detail = "csagent"};
	made[0] = RECORD_CRASHES;
	CHECK(crashes_encode(&crashes, made + 2, &len) == ERR_OK);
	put("record", "longest-crashes", FUZZ_PUT_RIGHT, made, len + 2);
	p.tag_count = LIMIT_TAGS;
	for (size_t i = 0; i < p.tag_count; i++)
		strcpy(p.tags[i], "till");
	made[0] = RECORD_PROFILE;
	CHECK(profile_encode(&p, made + 2, &len) == ERR_OK);
	put("record", "longest-profile", FUZZ_PUT_RIGHT, made, len + 2);
}

/* The fixture's own verifies; the vectors' has another estate. */
static void put_certificate(void)
{
	struct fixture f;
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	fixture_make(&f, FUZZ_SEED);
	size_t len = fixture_certificate(&f, f.host, bytes);
	put("certificate", "fixture", FUZZ_AS_IS, bytes, len);
	put("certificate", "fixture-body", FUZZ_PUT_RIGHT, bytes + RECORD_BODY_OFFSET,
	    len - RECORD_ENVELOPE_BYTES);
	struct mp_writer w;
	mp_writer_init(&w, bytes, sizeof(bytes));
	mp_put_map(&w, 5);
	mp_put_u64(&w, 1);
	mp_put_bin(&w, identity_public_key(f.host), KEY_BYTES);
	mp_put_u64(&w, 2);
	mp_put_str(&w, "leeds");
	mp_put_u64(&w, 3);
	mp_put_array(&w, LIMIT_GROUPS);
	for (size_t i = 0; i < LIMIT_GROUPS; i++)
		mp_put_str(&w, "north");
	mp_put_u64(&w, 4);
	mp_put_u64(&w, FIXTURE_DAY);
	mp_put_u64(&w, 6);
	mp_put_bin(&w, (const uint8_t[SIGNATURE_BYTES]){0}, SIGNATURE_BYTES); /* the target puts it right */
	CHECK(!w.failed);
	put("certificate", "longest-body", FUZZ_PUT_RIGHT, bytes, w.len);
	fixture_release(&f);
}

static void put_messages(void)
{
	static const char *const names[] = {
	    "hello",    "hello_reply",    "hello_finish", "cookie",      "beacon",         "ping",
	    "ack",      "ping_req",       "ping_ack",     "suspect",     "push",           "announce",
	    "pull",     "records",        "sync_roots",   "sync_leaf",   "sync_node_root", "sync_node_child",
	    "log_pull", "log_pull_hello", "blob_pull",    "log_entries", "blobs",          "sketch_pull",
	    "sketch",   "sketch_offer"};
	struct vectors *v = vectors_load("messages.txt");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char name[64];
		uint8_t made[1 + DATAGRAM_MESSAGE_BYTES];
		size_t len;
		snprintf(name, sizeof(name), "%s.message", names[i]);
		const uint8_t *bytes = vectors_get(v, name, &len);
		made[0] = (uint8_t)vectors_u64(v, "%s.type", names[i]);
		memcpy(made + 1, bytes, len);
		snprintf(name, sizeof(name), "message-%s", names[i]);
		put("datagram", name, FUZZ_MESSAGE, made, len + 1);
	}
	vectors_free(v);
}

static void put_vector(const char *target, const char *name, int mode, struct vectors *v)
{
	size_t len;
	const uint8_t *bytes = vectors_get(v, concat(name, ".bytes"), &len);
	put(target, name, mode, bytes, len);
}

/* Pieces: a root that names piece 1, the list there twice piece 2, which is the chunk. */
static void put_pieces(const char *name, const char *chunk_name, struct vectors *v)
{
	uint8_t pieces[FUZZ_INPUT_BYTES], list[2 + 2 * ID_BYTES] = {1, BLOB_LIST};
	size_t len;
	struct writer w = writer_of(pieces, sizeof(pieces));
	list[2 + ID_BYTES - 1] = 1;
	writer_u16(&w, 2 + ID_BYTES);
	writer_bytes(&w, list, 2 + ID_BYTES);
	list[2 + ID_BYTES - 1] = list[2 + 2 * ID_BYTES - 1] = 2;
	writer_u16(&w, sizeof(list));
	writer_bytes(&w, list, sizeof(list));
	const uint8_t *chunk = vectors_get(v, concat(chunk_name, ".bytes"), &len);
	writer_u16(&w, (uint16_t)len);
	writer_bytes(&w, chunk, len);
	put("blob", name, FUZZ_MANIFEST, pieces, w.len);
}

/* The two rows of a chunk, each for itself. */
static void put_rows(const char *name, struct vectors *v)
{
	size_t len, row_len, at = 3;
	const uint8_t *chunk = vectors_get(v, concat(name, ".bytes"), &len);
	for (unsigned i = 0; i < 2; i++, at += row_len) {
		CHECK(mp_check_prefix(chunk + at, len - at, &row_len) == ERR_OK);
		put("blob", concat(name, i == 0 ? "-row0" : "-row1"), FUZZ_ENTRY, chunk + at, row_len);
	}
}

static void put_blobs(void)
{
	static const char *const names[] = {"chunk",     "list",      "policy",
					    "inventory", "catalogue", "allow_list"};
	static const char *const entries[] = {"entry0", "entry1"};
	struct vectors *v = vectors_load("blobs.txt");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		put_vector("blob", names[i], FUZZ_AS_IS, v);
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		put_vector("blob", entries[i], FUZZ_ENTRY, v);
	put_pieces("manifest", "chunk", v);
	put_pieces("policy-list", "policy", v);
	put_pieces("inventory-list", "inventory", v);
	put_rows("policy", v);
	put_rows("inventory", v);
	vectors_free(v);
}

static void put_datagrams(void)
{
	struct parties p;
	uint8_t bytes[LIMIT_DATAGRAM_BYTES], message[DATAGRAM_MESSAGE_BYTES] = {0};
	size_t len;
	parties_make(&p);
	CHECK(keyring_seal(p.b, &p.id_a, 16, message, 20, bytes, &len, NULL) == ERR_OK);
	put("datagram", "ping", FUZZ_AS_IS, bytes, len);
	put("datagram", "ping-mac", FUZZ_PUT_RIGHT, bytes, len);
	CHECK(keyring_seal_hello(p.b, 1, message, sizeof(message), bytes, &len, NULL) == ERR_OK);
	put("datagram", "hello", FUZZ_AS_IS, bytes, len);
	CHECK(keyring_seal_hello(p.b, 4, message, 32, bytes, &len, NULL) == ERR_OK);
	put("datagram", "cookie-mac", FUZZ_PUT_RIGHT, bytes, len);
	put("datagram", "seal", FUZZ_SEAL, message, 64);
	parties_free(&p);
}

static void put_log(void)
{
	struct vectors *v = vectors_load("log.txt");
	struct fixture f;
	fixture_make(&f, FUZZ_SEED);
	for (unsigned i = 0; i < 7; i++) {
		char name[32];
		uint8_t made[LIMIT_LOG_ENTRY_BYTES];
		size_t len;
		snprintf(name, sizeof(name), "entry%u.body", i);
		const uint8_t *body = vectors_get(v, name, &len);
		made[0] = (uint8_t)vectors_u64(v, "entry%u.type", i);
		memcpy(made + 1, body, len);
		put("log", name, FUZZ_PUT_RIGHT, made, len + 1);
	}
	for (unsigned i = 0; i < authlog_count(f.log); i++) {
		char name[32];
		size_t len;
		const uint8_t *entry = authlog_entry(f.log, i, &len);
		snprintf(name, sizeof(name), "entry%u", i);
		put("log", name, FUZZ_AS_IS, entry, len);
	}
	uint8_t next[LIMIT_LOG_ENTRY_BYTES];
	size_t len;
	CHECK(authlog_make_revoke(f.log, f.authority, LOG_REVOKE_HOST, identity_id(f.host), NULL, "lost",
				  FIXTURE_NOW, next, &len) == ERR_OK);
	put("log", "next", FUZZ_AS_IS, next, len);
	fixture_release(&f);
	vectors_free(v);
}

/* A log that forks: a revocation after the genesis, one after the grant, and a rotation after that. */
static void put_branches(void)
{
	static const uint8_t revoke[] = {0x82, 1, 1, 2, 0xc4, 16, 1,  2,  3,  4,  5,
					 6,    7, 8, 9, 10,   11, 12, 13, 14, 15, 16};
	uint8_t made[128];
	struct writer w = writer_of(made, sizeof(made));
	for (uint8_t i = 0; i < 2; i++) {
		uint8_t head[] = {i, LOG_REVOKE, i, sizeof(revoke)};
		writer_bytes(&w, head, sizeof(head));
		writer_bytes(&w, revoke, sizeof(revoke));
	}
	size_t forked = w.len;
	writer_bytes(&w, (const uint8_t[]){3, 0x80 | LOG_ROTATE, 2, 0}, 4);
	put("log", "branches", FUZZ_BRANCHES, made, w.len);
	/* One revocation, and two rotations: beside it, and on it. */
	w.len = forked / 2;
	writer_bytes(&w, (const uint8_t[]){1, 0x80 | LOG_ROTATE, 2, 0}, 4);
	writer_bytes(&w, (const uint8_t[]){2, 0x80 | LOG_ROTATE, 2, 0}, 4);
	put("log", "rotations", FUZZ_BRANCHES, made, w.len);
}

static void put_tokens(void)
{
	struct vectors *tokens = vectors_load("token.txt");
	size_t len, binary_len;
	uint8_t binary[FUZZ_INPUT_BYTES];
	const uint8_t *text = vectors_get(tokens, "token.text", &len);
	put("token", "text", FUZZ_AS_IS, text, len);
	put("token", "used", FUZZ_AS_IS, "mesh-token-used\n", 16);
	CHECK(sodium_base642bin(binary, sizeof(binary), (const char *)text + 13, len - 13, "\n", &binary_len,
				NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
	put("token", "binary", FUZZ_PUT_RIGHT, binary, binary_len);
	vectors_free(tokens);
}

static void put_key_files(void)
{
	static const char *const names[] = {"host_a", "estate", "authority"};
	struct vectors *v = vectors_load("keys.txt");
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const uint8_t *file = vectors_sized(v, KEY_FILE_BYTES, "key_file.%s", names[i]);
		put("key_file", names[i], FUZZ_AS_IS, file, KEY_FILE_BYTES);
		put("key_file", concat(names[i], "-sum"), FUZZ_PUT_RIGHT, file, KEY_FILE_BYTES);
		put("key_file", concat(names[i], "-seal"), FUZZ_SEALED, file, KEY_FILE_BYTES);
	}
	vectors_free(v);
}

/* Requests of each verb: as maps, and framed, several in one stream. */
static void put_control(void)
{
	static const char *const requests[][3] = {
	    {"status"}, {"peers"}, {"commit"}, {"drill", "cut", "leeds"}, {"log", "97a0"}};
	static const uint8_t too_long[] = {0, 0, 0x10, 0x01};
	uint8_t map[256], stream[FUZZ_INPUT_BYTES] = {16};
	size_t n = 1;
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		const char *const *words = requests[i];
		struct mp_writer w;
		size_t count = 0;
		while (count < 2 && words[1 + count] != NULL)
			count++;
		mp_writer_init(&w, map, sizeof(map));
		mp_put_map(&w, 2);
		mp_put_u64(&w, CONTROL_KEY_VERB);
		mp_put_str(&w, words[0]);
		mp_put_u64(&w, CONTROL_KEY_ARGUMENTS);
		mp_put_array(&w, count);
		for (size_t k = 0; k < count; k++)
			mp_put_str(&w, words[1 + k]);
		CHECK(!w.failed);
		put("control", words[0], FUZZ_PUT_RIGHT, map, w.len);
		const uint8_t head[] = {0, 0, (uint8_t)(w.len >> 8), (uint8_t)w.len};
		memcpy(stream + n, head, sizeof(head));
		memcpy(stream + n + sizeof(head), map, w.len);
		n += sizeof(head) + w.len;
	}
	put("control", "stream", FUZZ_AS_IS, stream, n);
	memcpy(stream + n, too_long, sizeof(too_long));
	put("control", "too-long", FUZZ_AS_IS, stream, n + sizeof(too_long));
	put("control", "part", FUZZ_AS_IS, stream, n - 5);
}

/* Each column with what it may hold, quotes, both separators and ends of line; and one of each fault. */
static void put_csv(void)
{
	static const char inventory[] =
	    "name,asset_ids,site,role,criticality,address,opening_hours,contact,recovery_key,needed,"
	    "remark\r\n"
	    "till-1,\"A-1, A-2\",leeds,till,vital,,,,\"safe \"\"B\"\"\",,\r\n"
	    ",,leeds,till,low,\"1 High St\nLeeds\",Mo-Fr 08:00-18:00,0113 496 0000,,2,second floor\r\n";
	static const char policy[] = "verdict;kind;name;name_op;version;version_op;source;vendor;remark\n"
				     "approved;driver;falcon;;7.11;>=;;;tested\n"
				     "\n"
				     "refused;;edr_;begins with;;;;;'=odd\n"
				     ";;;;;;;Example Guard;\n";
	static const char faults[] = "name,version,version_op,kind\n"
				     "\"open,1,,\n"
				     "a,1,~,disk\n"
				     ",,=,\n"
				     "a,1\n"
				     "\xff\x1b,1,,\n"
				     "b\n";
	static const char doubles[] = "site;name;asset_ids\nleeds;a;X\nleeds;a;X\n";
	put("csv", "inventory", FUZZ_INVENTORY, inventory, sizeof(inventory) - 1);
	put("csv", "policy", FUZZ_POLICY, policy, sizeof(policy) - 1);
	put("csv", "faults", FUZZ_POLICY, faults, sizeof(faults) - 1);
	put("csv", "doubles", FUZZ_INVENTORY, doubles, sizeof(doubles) - 1);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_corpus FOLDER\n");
		return 2;
	}
	root = argv[1];
	CHECK(crypto_init() == ERR_OK);
	put_records();
	put_longest();
	put_certificate();
	put_datagrams();
	put_messages();
	put_log();
	put_branches();
	put_tokens();
	put_key_files();
	put_blobs();
	put_control();
	put_csv();
	return 0;
}
