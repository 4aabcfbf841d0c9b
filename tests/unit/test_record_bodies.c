/* Bodies: each kind at its maximum has the size that docs/protocol.md section 3 states, comes back as it was,
 * and hostile ones are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mp.h"
#include "record/body.h"

/* Of docs/protocol.md section 3. */
#define MAX_PROFILE_BYTES    815
#define MAX_HEALTH_BYTES     130
#define MAX_COMPONENTS_BYTES 754
#define MAX_CRASHES_BYTES    627
#define MAX_GOODBYE_BYTES    9
#define MAX_ROLLCALL_BYTES   824
#define MAX_REACH_BYTES      385

static void fill_text(char *text, size_t cap)
{
	memset(text, 'x', cap - 1);
	text[cap - 1] = '\0';
}

static struct reading_text text_of(size_t len)
{
	struct reading_text r = {.status = READING_OK};
	memset(r.value, 'y', len);
	return r;
}

static struct reading_u64 number_of(uint64_t value)
{
	return (struct reading_u64){READING_OK, value};
}

static struct profile profile_max(void)
{
	struct profile p = {.tag_count = LIMIT_TAGS,
			    .asset_id_count = 2,
			    .address_count = LIMIT_ADDRESSES,
			    .hardware_hash = {1, 2, 3, 4, 5, 6, 7, 8},
			    .hardware_hash_status = READING_OK,
			    .secure_boot = {READING_OK, 1},
			    .flags = UINT8_MAX};
	p.hostname = p.location = p.os = p.kernel = p.model = text_of(64);
	p.arch = p.virtualization = text_of(16);
	p.boot_mode = text_of(8);
	fill_text(p.site, sizeof(p.site));
	fill_text(p.role, sizeof(p.role));
	fill_text(p.agent, sizeof(p.agent));
	for (size_t i = 0; i < LIMIT_TAGS; i++)
		fill_text(p.tags[i], sizeof(p.tags[i]));
	for (size_t i = 0; i < 2; i++)
		fill_text(p.asset_ids[i], sizeof(p.asset_ids[i]));
	for (size_t i = 0; i < LIMIT_ADDRESSES; i++) {
		p.addresses[i] = (struct address){.ip_len = 16, .port = (uint16_t)(65535 - i)};
		memset(p.addresses[i].ip, (int)i + 1, 16);
	}
	return p;
}

static void test_profile(void **state)
{
	(void)state;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len = 0;
	struct profile p = profile_max(), got;
	memset(&got, 0x55, sizeof(got));
	assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
	assert_int_equal(len, MAX_PROFILE_BYTES);
	assert_int_equal(mp_check(body, len), ERR_OK);
	assert_int_equal(profile_decode(body, len, &got), ERR_OK);
	assert_string_equal(got.hostname.value, p.hostname.value);
	assert_string_equal(got.virtualization.value, p.virtualization.value);
	assert_string_equal(got.site, p.site);
	assert_string_equal(got.tags[7], p.tags[7]);
	assert_string_equal(got.asset_ids[1], p.asset_ids[1]);
	assert_memory_equal(got.hardware_hash, p.hardware_hash, 8);
	assert_int_equal(got.address_count, LIMIT_ADDRESSES);
	assert_true(address_equal(&got.addresses[3], &p.addresses[3]));
	assert_false(address_equal(&got.addresses[3], &p.addresses[2]));
	assert_int_equal(got.secure_boot.value, 1);
	assert_int_equal(got.flags, UINT8_MAX);

	p.secure_boot.value = 2;
	assert_int_equal(profile_encode(&p, body, &len), ERR_RANGE);
	p = profile_max();
	p.tag_count = LIMIT_TAGS + 1;
	assert_int_equal(profile_encode(&p, body, &len), ERR_RANGE);
	p = profile_max();
	p.arch = text_of(17);
	assert_int_equal(profile_encode(&p, body, &len), ERR_RANGE);
	p = profile_max();
	p.addresses[1].ip_len = 0;
	assert_int_equal(profile_encode(&p, body, &len), ERR_RANGE);
}

static void test_every_status_survives(void **state)
{
	(void)state;
	for (int s = READING_UNKNOWN; s <= READING_FAILED; s++) {
		enum reading_status status = (enum reading_status)s;
		uint8_t body[LIMIT_RECORD_BODY_BYTES];
		size_t len;
		struct profile p = {.hardware_hash_status = status}, got_p;
		p.hostname.status = p.location.status = p.os.status = p.kernel.status = status;
		p.arch.status = p.model.status = p.boot_mode.status = p.secure_boot.status = status;
		p.virtualization.status = status;
		assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
		assert_int_equal(profile_decode(body, len, &got_p), ERR_OK);
		assert_memory_equal(&got_p, &p, sizeof(p));

		struct health h = {.boot = 1}, got_h;
		h.boot_time_s.status = h.last_boot_clean.status = h.stall_cpu_percent.status = status;
		h.stall_memory_percent.status = h.stall_io_percent.status = status;
		h.memory_percent.status = h.disk_percent.status = h.oom_kills.status = status;
		h.oopses.status = h.warnings.status = h.taint.status = status;
		assert_int_equal(health_encode(&h, body, &len), ERR_OK);
		assert_int_equal(health_decode(body, len, &got_h), ERR_OK);
		assert_memory_equal(&got_h, &h, sizeof(h));

		struct components c = {.module_support = status}, got_c;
		c.taint.status = c.ebpf_programs.status = status;
		assert_int_equal(components_encode(&c, body, &len), ERR_OK);
		assert_int_equal(components_decode(body, len, &got_c), ERR_OK);
		assert_memory_equal(&got_c, &c, sizeof(c));

		struct crashes k = {.day_count = 0}, got_k;
		for (size_t i = 1; i < CRASH_KINDS; i++)
			k.sources[i] = status;
		assert_int_equal(crashes_encode(&k, body, &len), ERR_OK);
		assert_int_equal(crashes_decode(body, len, &got_k), ERR_OK);
		assert_memory_equal(&got_k, &k, sizeof(k));
	}
}

static void test_health(void **state)
{
	(void)state;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct health got;
	struct health h = {.boot = UINT64_MAX,
			   .level = HEALTH_CRITICAL,
			   .reasons = UINT16_MAX,
			   .refutation_count = LIMIT_REFUTATIONS,
			   .clock_off = true};
	h.boot_time_s = h.oom_kills = h.oopses = h.warnings = number_of(UINT32_MAX);
	h.last_boot_clean = number_of(1);
	h.stall_cpu_percent = h.stall_memory_percent = h.stall_io_percent = number_of(100);
	h.memory_percent = h.disk_percent = number_of(100);
	h.taint = number_of(UINT64_MAX);
	for (size_t i = 0; i < LIMIT_REFUTATIONS; i++)
		h.refutations[i] = (struct refutation){UINT64_MAX - i, UINT64_MAX - 7 * i};
	assert_int_equal(health_encode(&h, body, &len), ERR_OK);
	assert_int_equal(len, MAX_HEALTH_BYTES);
	assert_int_equal(health_decode(body, len, &got), ERR_OK);
	assert_memory_equal(&got, &h, sizeof(h));
	h.memory_percent.value = 101;
	assert_int_equal(health_encode(&h, body, &len), ERR_RANGE);
}

static void test_components(void **state)
{
	(void)state;
	static struct components c, got;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	memset(&c.manifest, 0xab, sizeof(c.manifest));
	c.entry_count = LIMIT_COMPONENTS;
	c.module_support = READING_OK;
	c.taint = number_of(UINT64_MAX);
	c.ebpf_programs = number_of(UINT32_MAX);
	c.changes_total = UINT32_MAX;
	c.pending_count = LIMIT_PENDING;
	c.change_count = LIMIT_CHANGES;
	for (size_t i = 0; i < LIMIT_PENDING; i++)
		c.pending[i] = UINT64_MAX - i;
	for (size_t i = 0; i < LIMIT_CHANGES; i++)
		c.changes[i] = (struct component_change){i, UINT32_MAX - i, CHANGE_ADDED + i % 4};
	components_set_loaded(&c, 0);
	components_set_loaded(&c, 9);
	components_set_loaded(&c, LIMIT_COMPONENTS - 1);
	assert_int_equal(components_encode(&c, body, &len), ERR_OK);
	assert_int_equal(len, MAX_COMPONENTS_BYTES);
	assert_int_equal(components_decode(body, len, &got), ERR_OK);
	assert_memory_equal(&got, &c, sizeof(c));
	assert_int_equal(got.loaded[0], 0x80);
	assert_true(components_loaded(&got, 9));
	assert_false(components_loaded(&got, 10));
	assert_false(components_loaded(&got, LIMIT_COMPONENTS));

	c.changes[3].op = (enum change_op)5;
	assert_int_equal(components_encode(&c, body, &len), ERR_RANGE);
	c.changes[3].op = CHANGE_ADDED;
	c.entry_count = LIMIT_COMPONENTS + 1;
	assert_int_equal(components_encode(&c, body, &len), ERR_RANGE);
}

static void test_crashes(void **state)
{
	(void)state;
	struct crashes c = {.first_day = UINT32_MAX,
			    .day_count = LIMIT_CRASH_DAYS,
			    .event_count = LIMIT_CRASH_EVENTS},
		       got;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	for (size_t i = 1; i < CRASH_KINDS; i++) {
		c.totals[i] = UINT32_MAX - i;
		c.sources[i] = READING_DENIED;
	}
	for (size_t i = 0; i < LIMIT_CRASH_DAYS; i++)
		c.per_day[i] = (uint16_t)(UINT16_MAX - i);
	for (size_t i = 0; i < LIMIT_CRASH_EVENTS; i++) {
		c.events[i].time_s = UINT32_MAX - i;
		c.events[i].kind = (enum crash_kind)(1 + i % 7);
		fill_text(c.events[i].detail, sizeof(c.events[i].detail));
	}
	assert_int_equal(crashes_encode(&c, body, &len), ERR_OK);
	assert_int_equal(len, MAX_CRASHES_BYTES);
	assert_int_equal(crashes_decode(body, len, &got), ERR_OK);
	assert_memory_equal(&got, &c, sizeof(c));
	c.totals[2] = (uint64_t)UINT32_MAX + 1;
	assert_int_equal(crashes_encode(&c, body, &len), ERR_RANGE);
}

static void test_goodbye(void **state)
{
	(void)state;
	struct goodbye g = {GOODBYE_RESTARTING, UINT32_MAX}, got = {GOODBYE_STOPPED, 7};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(goodbye_encode(&g, body, &len), ERR_OK);
	assert_int_equal(len, MAX_GOODBYE_BYTES);
	assert_int_equal(goodbye_decode(body, len, &got), ERR_OK);
	assert_int_equal(got.reason, GOODBYE_RESTARTING);
	assert_int_equal(got.back_s, UINT32_MAX);
	/* Without a reason, and with none that exists: nothing is changed. */
	assert_int_equal(goodbye_decode((const uint8_t *)"\x80", 1, &got), ERR_FORMAT);
	assert_int_equal(goodbye_decode((const uint8_t *)"\x81\x01\x00", 3, &got), ERR_RANGE);
	assert_int_equal(goodbye_decode((const uint8_t *)"\x81\x01\x04", 3, &got), ERR_RANGE);
	assert_int_equal(got.reason, GOODBYE_RESTARTING);
}

static struct rollcall rollcall_max(void)
{
	struct rollcall r = {.parts = UINT16_MAX,
			     .roster_hash = UINT64_MAX - 1,
			     .state_count = LIMIT_ROLLCALL_HOSTS,
			     .no_answer_count = 16,
			     .beacon_count = 8,
			     .interval_s = UINT16_MAX,
			     .live_witnesses = 127,
			     .guest_count = 4,
			     .roster_count = UINT16_MAX};
	for (size_t i = 0; i < LIMIT_ROLLCALL_HOSTS; i++)
		r.states[i] = (uint8_t)(i * 5 % 8);
	for (size_t i = 0; i < ROLLCALL_TRIE_CHILDREN; i++)
		r.trie[i] = 0x0123456789abcdef * (i + 1);
	for (uint32_t i = 0; i < 16; i++) {
		r.no_answer[i].index = 65535 - i;
		r.no_answer[i].since_s = UINT32_MAX - i;
	}
	for (uint32_t i = 0; i < 8; i++) {
		r.beacons[i].index = 65535 - i;
		r.beacons[i].boots = 65535;
		r.beacons[i].last_s = UINT32_MAX - i;
	}
	for (size_t i = 0; i < 4; i++)
		r.guests[i] = i;
	return r;
}

static void test_rollcall(void **state)
{
	(void)state;
	struct rollcall r = rollcall_max(), got;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(rollcall_encode(&r, body, &len), ERR_OK);
	assert_int_equal(len, MAX_ROLLCALL_BYTES);
	memset(&got, 0x55, sizeof(got));
	assert_int_equal(rollcall_decode(body, len, &got), ERR_OK);
	assert_int_equal(got.state_count, LIMIT_ROLLCALL_HOSTS);
	assert_memory_equal(got.states, r.states, sizeof(r.states));
	assert_memory_equal(got.trie, r.trie, sizeof(r.trie));
	assert_memory_equal(got.guests, r.guests, sizeof(r.guests));
	assert_int_equal(got.roster_hash, r.roster_hash);
	assert_int_equal(got.parts, r.parts);
	assert_int_equal(got.interval_s, r.interval_s);
	assert_int_equal(got.live_witnesses, r.live_witnesses);
	for (size_t i = 0; i < 8; i++) {
		assert_int_equal(got.beacons[i].boots, r.beacons[i].boots);
		assert_int_equal(got.beacons[i].last_s, r.beacons[i].last_s);
		assert_int_equal(got.no_answer[i].index, r.no_answer[i].index);
	}
	/* Any small site has exactly as many states as hosts, however many bits its last byte has left. */
	for (uint32_t hosts = 1; hosts <= 20; hosts++) {
		r = rollcall_max();
		r.parts = 1;
		r.roster_count = hosts;
		r.state_count = hosts;
		assert_int_equal(rollcall_encode(&r, body, &len), ERR_OK);
		assert_int_equal(rollcall_decode(body, len, &got), ERR_OK);
		assert_int_equal(got.state_count, hosts);
		assert_memory_equal(got.states, r.states, hosts);
		for (size_t i = hosts; i < LIMIT_ROLLCALL_HOSTS; i++)
			assert_int_equal(got.states[i], 0);
	}
	r.states[0] = 8;
	assert_int_equal(rollcall_encode(&r, body, &len), ERR_RANGE);
	r = rollcall_max();
	r.guest_count = 5;
	assert_int_equal(rollcall_encode(&r, body, &len), ERR_RANGE);
	r = rollcall_max();
	r.state_count++;
	assert_int_equal(rollcall_encode(&r, body, &len), ERR_RANGE);
	/* A roll-call that leaves out whom it is about says nothing. */
	assert_int_equal(rollcall_decode((const uint8_t *)"\x80", 1, &got), ERR_FORMAT);
}

static void test_reach(void **state)
{
	(void)state;
	struct reach r = {.edge_count = LIMIT_REACH_EDGES, .sent_bytes = UINT32_MAX}, got;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	for (size_t i = 0; i < LIMIT_REACH_EDGES; i++) {
		r.edges[i].site = UINT64_MAX - i;
		r.edges[i].reached = i % 2 == 0;
		r.edges[i].since_s = UINT32_MAX - i;
	}
	assert_int_equal(reach_encode(&r, body, &len), ERR_OK);
	assert_int_equal(len, MAX_REACH_BYTES);
	assert_int_equal(reach_decode(body, len, &got), ERR_OK);
	assert_int_equal(got.edge_count, LIMIT_REACH_EDGES);
	for (size_t i = 0; i < LIMIT_REACH_EDGES; i++) {
		assert_int_equal(got.edges[i].site, r.edges[i].site);
		assert_int_equal(got.edges[i].reached, r.edges[i].reached);
		assert_int_equal(got.edges[i].since_s, r.edges[i].since_s);
	}
	r.edge_count++;
	assert_int_equal(reach_encode(&r, body, &len), ERR_RANGE);
}

/* A body with one field. */
static size_t one_field(uint8_t *ret, uint64_t key, const char *value, size_t value_len)
{
	struct mp_writer w;
	mp_writer_init(&w, ret, LIMIT_RECORD_BODY_BYTES);
	mp_put_map(&w, 1);
	mp_put_u64(&w, key);
	mp_put_raw(&w, value, value_len);
	assert_false(w.failed);
	return w.len;
}
#define ONE_FIELD(body, key, value) one_field(body, key, value, sizeof(value) - 1)

static void test_hostile_fields(void **state)
{
	(void)state;
	uint8_t body[LIMIT_RECORD_BODY_BYTES + 1] = {0};
	struct profile p = {.flags = 77};
	struct health h;
	struct crashes c;
	struct reach r;
	size_t len;
	/* Unknown keys are skipped. */
	len = ONE_FIELD(body, 99, "\x93\x01\xa1z\x80");
	assert_int_equal(reach_decode(body, len, &r), ERR_OK);
	assert_int_equal(r.edge_count, 0);
	/* What is missing is unknown, save the level: none must not read as "ok". */
	len = ONE_FIELD(body, 4, "\x01");
	assert_int_equal(health_decode(body, len, &h), ERR_OK);
	assert_int_equal(h.level, HEALTH_WARNING);
	assert_int_equal(h.disk_percent.status, READING_UNKNOWN);
	len = ONE_FIELD(body, 10, "\x07");
	assert_int_equal(health_decode(body, len, &h), ERR_FORMAT);
	/* Wrong types. */
	len = ONE_FIELD(body, 1, "\x05"); /* hostname: a number */
	assert_int_equal(profile_decode(body, len, &p), ERR_FORMAT);
	len = ONE_FIELD(body, 1, "\xa3y\0x"); /* a zero byte in a text */
	assert_int_equal(profile_decode(body, len, &p), ERR_FORMAT);
	len = ONE_FIELD(body, 4, "\xa1x"); /* tags: a text */
	assert_int_equal(profile_decode(body, len, &p), ERR_FORMAT);
	len = ONE_FIELD(body, 4, "\x91\x01"); /* a tag that is a number */
	assert_int_equal(profile_decode(body, len, &p), ERR_FORMAT);
	len = ONE_FIELD(body, 15, "\x91\xc0"); /* an address that is nil */
	assert_int_equal(profile_decode(body, len, &p), ERR_FORMAT);
	len = ONE_FIELD(body, 9, "\xa1x"); /* percent: a text */
	assert_int_equal(health_decode(body, len, &h), ERR_FORMAT);
	len = ONE_FIELD(body, 15, "\x91\x91\x01"); /* an accusation of one element */
	assert_int_equal(health_decode(body, len, &h), ERR_FORMAT);
	len = ONE_FIELD(body, 1, "\x91\x01"); /* totals: an array */
	assert_int_equal(crashes_decode(body, len, &c), ERR_FORMAT);
	assert_int_equal(reach_decode((const uint8_t *)"\x90", 1, &r), ERR_FORMAT);
	/* Beyond a limit. */
	len = ONE_FIELD(body, 9, "\x65"); /* 101 percent */
	assert_int_equal(health_decode(body, len, &h), ERR_RANGE);
	len = ONE_FIELD(body, 4, "\x03"); /* a level above critical */
	assert_int_equal(health_decode(body, len, &h), ERR_RANGE);
	len = ONE_FIELD(body, 9, "\xfa"); /* reason -6 */
	assert_int_equal(health_decode(body, len, &h), ERR_RANGE);
	len = ONE_FIELD(body, 9, "\xff"); /* reason -1 */
	assert_int_equal(health_decode(body, len, &h), ERR_RANGE);
	len = ONE_FIELD(body, 8, "\xb1xxxxxxxxxxxxxxxxx"); /* architecture of 17 bytes */
	assert_int_equal(profile_decode(body, len, &p), ERR_RANGE);
	len = ONE_FIELD(body, 4, "\x99\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0\xa0"); /* nine tags */
	assert_int_equal(profile_decode(body, len, &p), ERR_RANGE);
	len = ONE_FIELD(body, 15, "\x91\xc4\x05zzzzz"); /* an address of 5 bytes */
	assert_int_equal(profile_decode(body, len, &p), ERR_RANGE);
	len = ONE_FIELD(body, 4, "\x91\x93\x01\x09\xa0"); /* an event of kind 9 */
	assert_int_equal(crashes_decode(body, len, &c), ERR_RANGE);
	assert_int_equal(health_decode(body, sizeof(body), &h), ERR_RANGE);
	/* Not msgpack, and cut short. */
	assert_int_equal(health_decode((const uint8_t *)"\xdd\xff\x00\x00\x00", 5, &h), ERR_SHORT);
	assert_int_equal(health_decode(body, 0, &h), ERR_SHORT);
	assert_int_equal(p.flags, 77);
}

static void test_every_cut_is_refused(void **state)
{
	(void)state;
	struct profile p = profile_max(), got_p;
	struct rollcall r = rollcall_max(), got_r;
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	assert_int_equal(profile_encode(&p, body, &len), ERR_OK);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(profile_decode(body, cut, &got_p), ERR_OK);
	assert_int_equal(rollcall_encode(&r, body, &len), ERR_OK);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(rollcall_decode(body, cut, &got_r), ERR_OK);
	/* Bits may flip into other values; they must never be read beyond the body (sanitizers watch). */
	for (size_t i = 0; i < len * 8; i++) {
		body[i / 8] = (uint8_t)(body[i / 8] ^ 1u << i % 8);
		(void)rollcall_decode(body, len, &got_r);
		body[i / 8] = (uint8_t)(body[i / 8] ^ 1u << i % 8);
	}
}

static void test_addresses(void **state)
{
	(void)state;
	static const char *const good[] = {"127.0.0.1:7946", "[::1]:7946", "[fe80::1:2]:1", "10.1.2.3:65535"};
	static const char *const bad[] = {
	    "",           "127.0.0.1",   "127.0.0.1:",     "127.0.0.1:0", "127.0.0.1:65536",
	    "::1:7946",   "[::1]7946",   "[::1]:",         "[::1:7946",   "host:7946",
	    "1.2.3:7946", "[1.2.3.4]:1", "127.0.0.1:7946x"};
	struct address a = {.port = 9}, b;
	char text[64];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(address_parse(bad[i], &a), ERR_FORMAT);
	assert_int_equal(a.port, 9);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(address_parse(good[i], &a), ERR_OK);
		address_text(&a, text);
		assert_string_equal(text, good[i]);
		assert_int_equal(address_parse(text, &b), ERR_OK);
		assert_true(address_equal(&a, &b));
	}
	address_text(&(struct address){.ip_len = 0}, text);
	assert_string_equal(text, "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_profile),        cmocka_unit_test(test_every_status_survives),
	    cmocka_unit_test(test_health),         cmocka_unit_test(test_components),
	    cmocka_unit_test(test_crashes),        cmocka_unit_test(test_goodbye),
	    cmocka_unit_test(test_rollcall),       cmocka_unit_test(test_reach),
	    cmocka_unit_test(test_hostile_fields), cmocka_unit_test(test_every_cut_is_refused),
	    cmocka_unit_test(test_addresses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
