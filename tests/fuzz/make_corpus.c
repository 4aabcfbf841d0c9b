/* Writes the seeds of tests/fuzz/corpus: `make_corpus FOLDER`. Built with the tests and run by hand, when a
 * format changes. Records are those of the test vectors. */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "os/file.h"
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
		put("record", names[i], -1, bytes, len);
	}
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
	put("datagram", "seal", 2, message, 64);
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

static void put_tokens(void)
{
	struct vectors *keys = vectors_load("keys.txt"), *tokens = vectors_load("token.txt");
	size_t len, binary_len;
	uint8_t binary[FUZZ_INPUT_BYTES];
	const uint8_t *text = vectors_get(tokens, "token.text", &len);
	put("token", "text", FUZZ_AS_IS, text, len);
	put("token", "used", FUZZ_AS_IS, "mesh-token-used\n", 16);
	CHECK(sodium_base642bin(binary, sizeof(binary), (const char *)text + 13, len - 13, "\n", &binary_len,
				NULL, sodium_base64_VARIANT_ORIGINAL) == 0);
	put("token", "binary", FUZZ_PUT_RIGHT, binary, binary_len);
	put("token", "key-host", FUZZ_KEY_FILE, vectors_sized(keys, KEY_FILE_BYTES, "key_file.host_a"),
	    KEY_FILE_BYTES);
	put("token", "key-estate", FUZZ_KEY_FILE, vectors_sized(keys, KEY_FILE_BYTES, "key_file.estate"),
	    KEY_FILE_BYTES);
	put("token", "key-sealed", FUZZ_KEY_FILE, vectors_sized(keys, KEY_FILE_BYTES, "key_file.authority"),
	    KEY_FILE_BYTES);
	vectors_free(keys);
	vectors_free(tokens);
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
	put_datagrams();
	put_log();
	put_tokens();
	return 0;
}
