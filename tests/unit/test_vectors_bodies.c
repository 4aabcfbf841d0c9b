/* The vectors' record bodies and blobs against record/: they were written from the protocol's tables without
 * its encoders. */
#include <stdio.h>
#include <string.h>

#include "record/body.h"
#include "record/listing.h"
#include "tests/unit/scratch.h"
#include "tests/vectors/vectors.h"

#define NIGHT 1721347200u /* 2024-07-19 00:00 UTC */

static struct vectors *records, *blobs;
static uint8_t again[LIMIT_RECORD_BODY_BYTES];
static size_t again_len;

static int load(void **state)
{
	(void)state;
	records = vectors_load("records.txt");
	blobs = vectors_load("blobs.txt");
	return 0;
}

static int unload(void **state)
{
	(void)state;
	vectors_free(records);
	vectors_free(blobs);
	return 0;
}

/* Decodes the body into `struct name name` and checks that encoding that yields the same bytes. */
#define ROUND_TRIP(name)                                                                                     \
	struct name name;                                                                                    \
	size_t len;                                                                                          \
	const uint8_t *body = vectors_get(records, #name ".body", &len);                                     \
	assert_int_equal(name##_decode(body, len, &name), ERR_OK);                                           \
	assert_int_equal(name##_encode(&name, again, &again_len), ERR_OK);                                   \
	assert_int_equal(again_len, len);                                                                    \
	assert_memory_equal(again, body, len)

static void assert_text(const struct reading_text *got, const char *want)
{
	assert_int_equal(got->status, READING_OK);
	assert_string_equal(got->value, want);
}

static void assert_number(const struct reading_u64 *got, uint64_t want)
{
	assert_int_equal(got->status, READING_OK);
	assert_int_equal(got->value, want);
}

static void profile_body(void **state)
{
	(void)state;
	ROUND_TRIP(profile);
	char text[64];
	assert_text(&profile.hostname, "till-0217");
	assert_string_equal(profile.site, "leeds");
	assert_text(&profile.location, "Briggate 12");
	assert_int_equal(profile.tag_count, 2);
	assert_string_equal(profile.tags[1], "wave-1");
	assert_string_equal(profile.role, "till");
	assert_text(&profile.kernel, "6.1.0-22-amd64");
	assert_int_equal(profile.model.status, READING_DENIED);
	assert_text(&profile.boot_mode, "uefi");
	assert_number(&profile.secure_boot, 1);
	assert_string_equal(profile.asset_ids[0], "RP5-00217");
	assert_int_equal(profile.address_count, 2);
	address_text(&profile.addresses[0], text);
	assert_string_equal(text, "10.7.0.17:7946");
	address_text(&profile.addresses[1], text);
	assert_string_equal(text, "[2001:db8::11]:7946");
	assert_int_equal(profile.virtualization.status, READING_ABSENT);
	assert_int_equal(profile.flags, PROFILE_ONLY_GETS_OUT);
}

static void health_body(void **state)
{
	(void)state;
	ROUND_TRIP(health);
	assert_true(health.boot == 0xb0b1b2b3b4b5b6b7u);
	assert_number(&health.boot_time_s, NIGHT);
	assert_number(&health.last_boot_clean, 0);
	assert_int_equal(health.level, HEALTH_WARNING);
	assert_int_equal(health.reasons, HEALTH_REASON_OOPS | HEALTH_REASON_UNCLEAN_BOOT);
	assert_number(&health.stall_cpu_percent, 12);
	assert_int_equal(health.stall_io_percent.status, READING_UNSUPPORTED);
	assert_number(&health.disk_percent, 91);
	assert_number(&health.warnings, 70000);
	assert_int_equal(health.refutation_count, 1);
	assert_true(health.refutations[0].signer == 0xa0a1a2a3a4a5a6a7u && health.refutations[0].seq == 300);
	assert_true(health.clock_off);
}

static void components_body(void **state)
{
	(void)state;
	ROUND_TRIP(components);
	assert_int_equal(components.entry_count, 16);
	assert_int_equal(components.module_support, READING_OK);
	for (size_t i = 0; i < 16; i++)
		assert_int_equal(components_loaded(&components, i), i == 0 || i == 2 || i == 15);
	assert_int_equal(components.pending_count, 1);
	assert_int_equal(components.change_count, 2);
	assert_int_equal(components.changes[0].op, CHANGE_ADDED);
	assert_int_equal(components.changes[1].op, CHANGE_UNLOADED);
	assert_int_equal(components.ebpf_programs.status, READING_DENIED);
	assert_int_equal(components.changes_total, 1000);
}

static void crashes_body(void **state)
{
	(void)state;
	ROUND_TRIP(crashes);
	assert_int_equal(crashes.totals[CRASH_UNCLEAN_BOOT], 3);
	assert_int_equal(crashes.totals[CRASH_CORE_DUMP], 260);
	assert_int_equal(crashes.first_day, 19921);
	assert_int_equal(crashes.day_count, 3);
	assert_int_equal(crashes.per_day[2], 2);
	assert_string_equal(crashes.events[0].detail, "csagent");
	assert_int_equal(crashes.sources[CRASH_PANIC], READING_DENIED);
}

static void goodbye_body(void **state)
{
	(void)state;
	ROUND_TRIP(goodbye);
	assert_int_equal(goodbye.reason, GOODBYE_ASLEEP);
	assert_int_equal(goodbye.back_s, NIGHT + 86400);
}

static void rollcall_body(void **state)
{
	(void)state;
	static const uint8_t states[] = {1, 2, 3, 4, 5};
	ROUND_TRIP(rollcall);
	assert_int_equal(rollcall.state_count, 5);
	assert_memory_equal(rollcall.states, states, 5);
	assert_true(rollcall.trie[1] == 0xa0a1a2a3a4a5a6a7u && rollcall.trie[2] == 0);
	assert_int_equal(rollcall.beacons[0].boots, 12);
	assert_int_equal(rollcall.roster_count, 5);
}

static void reach_body(void **state)
{
	(void)state;
	ROUND_TRIP(reach);
	assert_int_equal(reach.edge_count, 1);
	assert_true(reach.edges[0].reached && reach.edges[0].since_s == NIGHT);
	assert_int_equal(reach.sent_bytes, 65536);
}

static void incident_body(void **state)
{
	(void)state;
	ROUND_TRIP(incident);
	char text[TERMS_TEXT_BYTES];
	assert_int_equal(incident.op, INCIDENT_OPEN);
	assert_string_equal(incident.text, "Tills down since 06:09");
	terms_text(incident.match, incident.match_count, text, sizeof(text));
	assert_string_equal(text, "name = 'csagent' and version >= '7.11.18110'");
	terms_text(incident.good, incident.good_count, text, sizeof(text));
	assert_string_equal(text, "name = 'csagent' and version < '7.11.18110'");
}

static void claim_body(void **state)
{
	(void)state;
	ROUND_TRIP(claim);
	assert_true(claim.incident == 0x0102030405060708u);
	assert_true(claim.op == CLAIM_CLAIM && claim.scope == CLAIM_SITE);
	assert_string_equal(claim.text, "Ada drives there");
}

static void note_body(void **state)
{
	(void)state;
	ROUND_TRIP(note);
	assert_true(note.incident == 0x0102030405060708u);
	assert_string_equal(note.text, "Keys are with the caf\xc3\xa9 next door");
}

static void decommission_body(void **state)
{
	(void)state;
	ROUND_TRIP(decommission);
	assert_string_equal(decommission.reason, "replaced by till-0218");
}

static void listing_bodies(void **state)
{
	(void)state;
	static const char *const names[] = {"policy.body", "inventory.body"};
	for (size_t i = 0; i < 2; i++) {
		size_t len;
		struct listing l;
		const uint8_t *body = vectors_get(records, names[i], &len);
		assert_int_equal(listing_decode(body, len, &l), ERR_OK);
		assert_int_equal(l.rows, 4096);
		assert_string_equal(l.title, i == 0 ? "approved drivers" : "tills, July");
		assert_int_equal(l.replace_count, i == 0 ? 0 : 2);
		assert_true(i == 0 || (l.replaces[0] == 0x0102030405060707u && l.replaces[1] == 12));
		assert_int_equal(listing_encode(&l, again, &again_len), ERR_OK);
		assert_int_equal(again_len, len);
		assert_memory_equal(again, body, len);
	}
}

static void component_entries(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char name[32];
		uint8_t entry[COMPONENT_ENTRY_BYTES];
		size_t len, entry_len;
		struct component c;
		snprintf(name, sizeof(name), "entry%u.bytes", i);
		const uint8_t *bytes = vectors_get(blobs, name, &len);
		assert_int_equal(component_decode(bytes, len, &c), ERR_OK);
		assert_int_equal(c.kind, i == 0 ? COMPONENT_MODULE : COMPONENT_CONTENT_FILE);
		assert_string_equal(c.name, i == 0 ? "csagent" : "/opt/cs/C-00000291.sys");
		assert_int_equal(c.size_bytes.status, i == 0 ? READING_OK : READING_DENIED);
		assert_int_equal(c.flags, COMPONENT_OUT_OF_TREE | COMPONENT_THIRD_PARTY);
		assert_int_equal(component_encode(&c, entry, &entry_len), ERR_OK);
		assert_int_equal(entry_len, len);
		assert_memory_equal(entry, bytes, len);
		assert_true(component_entry_id(bytes, len) == vectors_u64(blobs, "entry%u.id", i));
	}
}

struct built {
	const char *names[2];
	unsigned count;
};

static enum err check_blob(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct built *built = context;
	const char *name = built->names[built->count++];
	if (memcmp(id->b, vectors_sized(blobs, ID_BYTES, "%s.id", name), ID_BYTES) != 0 ||
	    memcmp(blob, vectors_sized(blobs, len, "%s.bytes", name), len) != 0)
		return ERR_CORRUPT;
	return ERR_OK;
}

static enum err fetch_blob(void *context, const struct id *id, uint8_t ret[LIMIT_BLOB_BYTES], size_t *ret_len)
{
	const struct built *built = context;
	for (size_t i = 0; i < 2; i++) {
		char name[48];
		size_t len;
		if (memcmp(id->b, vectors_sized(blobs, ID_BYTES, "%s.id", built->names[i]), ID_BYTES) != 0)
			continue;
		snprintf(name, sizeof(name), "%s.bytes", built->names[i]);
		const uint8_t *bytes = vectors_get(blobs, name, &len);
		memcpy(ret, bytes, len);
		*ret_len = len;
		return ERR_OK;
	}
	return ERR_NOT_FOUND;
}

struct got_rows {
	struct policy_row policy[2];
	struct inventory_row inventory[2];
	size_t count;
};

static bool take_policy(void *context, const struct policy_row *row)
{
	struct got_rows *g = context;
	g->policy[g->count++] = *row;
	return g->count < 2;
}

static bool take_inventory(void *context, const struct inventory_row *row)
{
	struct got_rows *g = context;
	g->inventory[g->count++] = *row;
	return g->count < 2;
}

/* Read, and built again with the rows the other way round. */
static void policy_blobs(void **state)
{
	(void)state;
	struct built built = {.names = {"policy", "policy_list"}};
	struct got_rows got = {.count = 0};
	struct id root;
	size_t kept;
	memcpy(root.b, vectors_sized(blobs, ID_BYTES, "policy_list.id"), ID_BYTES);
	assert_int_equal(policy_read(&root, fetch_blob, &built, take_policy, &got, NULL), ERR_OK);
	assert_int_equal(got.count, 2);
	const struct policy_row *short_ = &got.policy[0], *all = &got.policy[1];
	assert_true(short_->kind == COMPONENT_MODULE && short_->name_op == TERM_EQUAL);
	assert_true(short_->version_op == TERM_LESS && !short_->refused);
	assert_string_equal(short_->version, "7.11");
	assert_true(all->kind == COMPONENT_CONTENT_FILE && all->name_op == TERM_PREFIX && all->refused);
	assert_int_equal(all->version_op, TERM_MORE_EQUAL);
	assert_string_equal(all->source, "00ff");
	assert_string_equal(all->vendor, "CrowdStrike, Inc.");
	assert_string_equal(all->remark, "until the review");
	const struct policy_row turned[] = {*all, *short_};
	assert_int_equal(policy_build(turned, 2, check_blob, &built, &root, &kept), ERR_OK);
	assert_true(built.count == 2 && kept == 2);
}

static void inventory_blobs(void **state)
{
	(void)state;
	struct built built = {.names = {"inventory", "inventory_list"}};
	struct got_rows got = {.count = 0};
	struct id root;
	size_t kept;
	memcpy(root.b, vectors_sized(blobs, ID_BYTES, "inventory_list.id"), ID_BYTES);
	assert_int_equal(inventory_read(&root, fetch_blob, &built, take_inventory, &got, NULL), ERR_OK);
	assert_int_equal(got.count, 2);
	const struct inventory_row *till = &got.inventory[0], *site = &got.inventory[1];
	assert_true(!inventory_row_is_site(till) && inventory_row_is_site(site));
	assert_string_equal(till->hostname, "till-0217");
	assert_string_equal(till->asset_ids[0], "RP5-00217");
	assert_int_equal(till->criticality, CRITICALITY_HIGH);
	assert_int_equal(till->needed.status, READING_UNKNOWN);
	assert_string_equal(site->address, "Briggate 12, Leeds LS1 6HD");
	assert_string_equal(site->hours, "Mo-Sa 08:00-20:00");
	assert_string_equal(site->contact, "store manager, +44 113 496 0000");
	assert_string_equal(site->recovery_key, "safe 2, envelope 0217");
	assert_int_equal(site->needed.value, 2);
	const struct inventory_row turned[] = {*site, *till};
	assert_int_equal(inventory_build(turned, 2, check_blob, &built, &root, &kept), ERR_OK);
	assert_true(built.count == 2 && kept == 2);
}

static void manifest_blobs(void **state)
{
	(void)state;
	struct component components[2];
	struct built built = {.names = {"chunk", "list"}};
	struct id root;
	size_t entries;
	for (unsigned i = 0; i < 2; i++) {
		char name[32];
		size_t len;
		snprintf(name, sizeof(name), "entry%u.bytes", 1 - i);
		const uint8_t *bytes = vectors_get(blobs, name, &len);
		assert_int_equal(component_decode(bytes, len, &components[i]), ERR_OK);
	}
	assert_int_equal(manifest_build(components, 2, NULL, check_blob, &built, &root, &entries), ERR_OK);
	assert_int_equal(built.count, 2);
	assert_int_equal(entries, 2);
	assert_memory_equal(root.b, vectors_sized(blobs, ID_BYTES, "list.id"), ID_BYTES);
	/* Each changed byte makes another blob. */
	static const char *const names[] = {"chunk", "list"};
	for (size_t i = 0; i < 2; i++) {
		char name[32];
		uint8_t changed[LIMIT_BLOB_BYTES];
		size_t len;
		snprintf(name, sizeof(name), "%s.bytes", names[i]);
		const uint8_t *bytes = vectors_get(blobs, name, &len);
		memcpy(changed, bytes, len);
		for (size_t at = 0; at < len; at++) {
			changed[at] ^= 0x10;
			struct id id = blob_id(changed, len);
			assert_memory_not_equal(id.b, vectors_sized(blobs, ID_BYTES, "%s.id", names[i]),
						ID_BYTES);
			changed[at] ^= 0x10;
		}
	}
}

/* What it holds is for later work to read: here it is kept, and known by id. */
static void other_blobs(void **state)
{
	(void)state;
	static const struct {
		const char *name;
		enum blob_type type;
	} others[] = {{"policy", BLOB_POLICY},
		      {"inventory", BLOB_INVENTORY},
		      {"catalogue", BLOB_CATALOGUE},
		      {"allow_list", BLOB_ALLOW_LIST}};
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char name[32];
		size_t len;
		enum blob_type type;
		snprintf(name, sizeof(name), "%s.bytes", others[i].name);
		const uint8_t *bytes = vectors_get(blobs, name, &len);
		assert_int_equal(blob_check(bytes, len, &type), ERR_OK);
		assert_int_equal(type, others[i].type);
		struct id id = blob_id(bytes, len);
		assert_memory_equal(id.b, vectors_sized(blobs, ID_BYTES, "%s.id", others[i].name), ID_BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(profile_body),    cmocka_unit_test(health_body),
	    cmocka_unit_test(components_body), cmocka_unit_test(crashes_body),
	    cmocka_unit_test(goodbye_body),    cmocka_unit_test(rollcall_body),
	    cmocka_unit_test(reach_body),      cmocka_unit_test(component_entries),
	    cmocka_unit_test(manifest_blobs),  cmocka_unit_test(other_blobs),
	    cmocka_unit_test(incident_body),   cmocka_unit_test(claim_body),
	    cmocka_unit_test(note_body),       cmocka_unit_test(decommission_body),
	    cmocka_unit_test(listing_bodies),  cmocka_unit_test(policy_blobs),
	    cmocka_unit_test(inventory_blobs),
	};
	return cmocka_run_group_tests(tests, load, unload);
}
