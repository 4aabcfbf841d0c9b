#include "tests/vectors/bodies.h"

#include <string.h>

static const uint8_t short_a[8] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7};
static const uint8_t short_b[8] = {0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7};

void put_key_u64(struct mp_writer *w, uint64_t key, uint64_t value)
{
	mp_put_u64(w, key);
	mp_put_u64(w, value);
}

void put_key_str(struct mp_writer *w, uint64_t key, const char *value)
{
	mp_put_u64(w, key);
	mp_put_str(w, value);
}

void put_key_bin(struct mp_writer *w, uint64_t key, const void *value, size_t len)
{
	mp_put_u64(w, key);
	mp_put_bin(w, value, len);
}

static void put_key_array(struct mp_writer *w, uint64_t key, size_t count)
{
	mp_put_u64(w, key);
	mp_put_array(w, count);
}

static void put_profile(struct mp_writer *w, const struct fixture *f)
{
	static const uint8_t v4[] = {10, 7, 0, 17, 0x1f, 0x0a};
	static const uint8_t v6[18] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x11, [16] = 0x1f, [17] = 0x0a};
	(void)f;
	mp_put_map(w, 17);
	put_key_str(w, 1, "till-0217");
	put_key_str(w, 2, SAMPLE_SITE);
	put_key_str(w, 3, "Briggate 12");
	put_key_array(w, 4, 2);
	mp_put_str(w, "till");
	mp_put_str(w, "wave-1");
	put_key_str(w, 5, "till");
	put_key_str(w, 6, "Debian GNU/Linux 12 (bookworm)");
	put_key_str(w, 7, "6.1.0-22-amd64");
	put_key_str(w, 8, "x86_64");
	mp_put_u64(w, 9);
	mp_put_i64(w, -3); /* model: denied */
	put_key_str(w, 10, "uefi");
	put_key_u64(w, 11, 1);
	put_key_bin(w, 12, short_a, 8);
	put_key_array(w, 13, 1);
	mp_put_str(w, "RP5-00217");
	put_key_str(w, 14, "0.1.0");
	put_key_array(w, 15, 2);
	mp_put_bin(w, v4, sizeof(v4));
	mp_put_bin(w, v6, sizeof(v6));
	mp_put_u64(w, 16);
	mp_put_i64(w, -2); /* virtualization: absent */
	put_key_u64(w, 17, 1);
}

static void put_health(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 16);
	put_key_bin(w, 1, short_b, 8);
	put_key_u64(w, 2, SAMPLE_FIRST);
	put_key_u64(w, 3, 0);
	put_key_u64(w, 4, 1);
	put_key_u64(w, 5, 0x28);
	put_key_u64(w, 6, 12);
	put_key_u64(w, 7, 0);
	mp_put_u64(w, 8);
	mp_put_i64(w, -4); /* stalls on io: unsupported */
	put_key_u64(w, 9, 55);
	put_key_u64(w, 10, 91);
	put_key_u64(w, 11, 0);
	put_key_u64(w, 12, 2);
	put_key_u64(w, 13, 70000);
	put_key_u64(w, 14, 0x3001);
	put_key_array(w, 15, 1);
	mp_put_array(w, 2);
	mp_put_bin(w, short_a, 8);
	mp_put_u64(w, 300);
	put_key_u64(w, 16, 1);
}

static void put_components(struct mp_writer *w, const struct fixture *f)
{
	static const uint8_t loaded[] = {0xa0, 0x01};
	uint8_t manifest[ID_BYTES];
	(void)f;
	hash_bytes(manifest, sizeof(manifest), "mesh.blob", SAMPLE_BLOB, strlen(SAMPLE_BLOB));
	mp_put_map(w, 9);
	put_key_bin(w, 1, manifest, sizeof(manifest));
	put_key_u64(w, 2, 16);
	put_key_u64(w, 3, 1);
	put_key_u64(w, 4, 0x1000);
	put_key_bin(w, 5, loaded, sizeof(loaded));
	put_key_array(w, 6, 1);
	mp_put_bin(w, short_a, 8);
	put_key_array(w, 7, 2);
	mp_put_array(w, 3);
	mp_put_bin(w, short_b, 8);
	mp_put_u64(w, SAMPLE_FIRST + 14940);
	mp_put_u64(w, 1);
	mp_put_array(w, 3);
	mp_put_bin(w, short_a, 8);
	mp_put_u64(w, SAMPLE_FIRST);
	mp_put_u64(w, 4);
	mp_put_u64(w, 8);
	mp_put_i64(w, -3); /* eBPF programs: denied */
	put_key_u64(w, 9, 1000);
}

static void put_crashes(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 5);
	mp_put_u64(w, 1);
	mp_put_map(w, 2);
	put_key_u64(w, 1, 3);
	put_key_u64(w, 6, 260);
	put_key_u64(w, 2, FIXTURE_DAY - 2);
	put_key_array(w, 3, 3);
	mp_put_u64(w, 0);
	mp_put_u64(w, 1);
	mp_put_u64(w, 2);
	put_key_array(w, 4, 1);
	mp_put_array(w, 3);
	mp_put_u64(w, SAMPLE_FIRST + 14940);
	mp_put_u64(w, 1);
	mp_put_str(w, "csagent");
	mp_put_u64(w, 5);
	mp_put_map(w, 2);
	put_key_u64(w, 1, 1);
	mp_put_u64(w, 4);
	mp_put_i64(w, -3);
}

static void put_goodbye(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 2);
	put_key_u64(w, 1, 2);
	put_key_u64(w, 2, SAMPLE_FIRST + 86400);
}

static void put_rollcall(struct mp_writer *w, const struct fixture *f)
{
	/* Answers, no answer, stopped, asleep, boot loop: 001 010 011 100 101, then a bit of padding. */
	static const uint8_t states[] = {0x29, 0xca};
	uint8_t trie[128] = {0}, roster[2 * ID_BYTES], hash[16];
	const struct id *a = identity_id(f->host), *b = identity_id(f->other);
	bool sorted = id_compare(a, b) < 0;
	memcpy(roster, sorted ? a->b : b->b, ID_BYTES);
	memcpy(roster + ID_BYTES, sorted ? b->b : a->b, ID_BYTES);
	hash_bytes(hash, sizeof(hash), "mesh.roster", roster, sizeof(roster));
	memcpy(trie + 8, short_a, 8);
	mp_put_map(w, 10);
	put_key_u64(w, 1, 1);
	put_key_bin(w, 2, hash, 8);
	put_key_bin(w, 3, states, sizeof(states));
	put_key_bin(w, 4, trie, sizeof(trie));
	put_key_array(w, 5, 1);
	mp_put_array(w, 2);
	mp_put_u64(w, 1);
	mp_put_u64(w, SAMPLE_FIRST + 15000);
	put_key_array(w, 6, 1);
	mp_put_array(w, 3);
	mp_put_u64(w, 4);
	mp_put_u64(w, 12);
	mp_put_u64(w, SAMPLE_FIRST + 16000);
	put_key_u64(w, 7, 5);
	put_key_u64(w, 8, 3);
	put_key_array(w, 9, 1);
	mp_put_bin(w, short_b, 8);
	put_key_u64(w, 10, 5);
}

static void put_reach(struct mp_writer *w, const struct fixture *f)
{
	struct id york = id_of_site("york");
	(void)f;
	mp_put_map(w, 2);
	put_key_array(w, 1, 1);
	mp_put_array(w, 3);
	mp_put_bin(w, york.b, 8);
	mp_put_u64(w, 1);
	mp_put_u64(w, SAMPLE_FIRST);
	put_key_u64(w, 2, 65536);
}

/* A term on the component's name (field 2), and one on its version (field 3). */
static void put_terms(struct mp_writer *w, uint64_t key, const char *name, uint64_t op, const char *version)
{
	put_key_array(w, key, 2);
	mp_put_array(w, 3);
	mp_put_u64(w, 2);
	mp_put_u64(w, 1);
	mp_put_str(w, name);
	mp_put_array(w, 3);
	mp_put_u64(w, 3);
	mp_put_u64(w, op);
	mp_put_str(w, version);
}

static void put_incident(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 5);
	put_key_u64(w, 1, 1);
	put_key_u64(w, 2, 0);
	put_key_str(w, 3, "Tills down since 06:09");
	put_terms(w, 4, "csagent", 6, "7.11.18110"); /* at least */
	put_terms(w, 5, "csagent", 3, "7.11.18110"); /* less than */
}

static void put_claim(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 4);
	put_key_u64(w, 1, SAMPLE_SLOT);
	put_key_u64(w, 2, 1);
	put_key_u64(w, 3, 2);
	put_key_str(w, 4, "Ada drives there");
}

static void put_note(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 2);
	put_key_u64(w, 1, SAMPLE_SLOT);
	put_key_str(w, 2, "Keys are with the caf\xc3\xa9 next door");
}

static void put_blob(struct mp_writer *w, const char *title, size_t keys)
{
	uint8_t root[ID_BYTES];
	hash_bytes(root, sizeof(root), "mesh.blob", SAMPLE_BLOB, strlen(SAMPLE_BLOB));
	mp_put_map(w, keys);
	put_key_bin(w, 1, root, sizeof(root));
	put_key_u64(w, 2, 4096);
	put_key_str(w, 3, title);
}

static void put_policy(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	put_blob(w, "approved drivers", 3);
}

static void put_inventory(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	put_blob(w, "tills, July", 4);
	put_key_array(w, 4, 2);
	mp_put_u64(w, SAMPLE_SLOT - 1);
	mp_put_u64(w, 12);
}

static void put_decommission(struct mp_writer *w, const struct fixture *f)
{
	(void)f;
	mp_put_map(w, 1);
	put_key_str(w, 1, "replaced by till-0218");
}

const struct sample samples[] = {
    {RECORD_PROFILE, "profile", put_profile},
    {RECORD_HEALTH, "health", put_health},
    {RECORD_COMPONENTS, "components", put_components},
    {RECORD_CRASHES, "crashes", put_crashes},
    {RECORD_GOODBYE, "goodbye", put_goodbye},
    {RECORD_ROLLCALL, "rollcall", put_rollcall},
    {RECORD_REACH, "reach", put_reach},
    {RECORD_INCIDENT, "incident", put_incident},
    {RECORD_CLAIM, "claim", put_claim},
    {RECORD_NOTE, "note", put_note},
    {RECORD_POLICY, "policy", put_policy},
    {RECORD_INVENTORY, "inventory", put_inventory},
    {RECORD_DECOMMISSION, "decommission", put_decommission},
};
const size_t sample_count = sizeof(samples) / sizeof(*samples);
