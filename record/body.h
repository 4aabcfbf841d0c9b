/* Bodies of the host and site records: plain structs, encoders and decoders (docs/protocol.md section 3).
 * Encoders write canonical msgpack into a buffer of LIMIT_RECORD_BODY_BYTES and return its length; decoders
 * take what record_parse found. Decoders return ERR_FORMAT for a field of a wrong type and ERR_RANGE beyond a
 * limit; fields they do not know are skipped. */
#ifndef MESH_RECORD_BODY_H
#define MESH_RECORD_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reading.h"
#include "crypto/id.h"

struct address {
	uint8_t ip[16];
	uint8_t ip_len; /* 4 or 16; 0: none */
	uint16_t port;
};

bool address_equal(const struct address *a, const struct address *b);
/* "127.0.0.1:7946", "[::1]:7946"; needs 64 bytes. */
void address_text(const struct address *a, char ret[64]);
/* ERR_FORMAT. Numeric addresses only: the protocol never resolves names. */
enum err address_parse(const char *text, struct address *ret);

struct profile {
	struct reading_text hostname;
	char site[LIMIT_SITE_NAME_BYTES + 1]; /* current site; empty: not known */
	struct reading_text location;
	char tags[LIMIT_TAGS][LIMIT_TAG_BYTES + 1];
	size_t tag_count;
	char role[LIMIT_LABEL_BYTES + 1];
	struct reading_text os;
	struct reading_text kernel;
	struct reading_text arch;
	struct reading_text model;
	struct reading_text boot_mode;
	struct reading_u64 secure_boot;
	uint8_t hardware_hash[8];
	enum reading_status hardware_hash_status;
	char asset_ids[LIMIT_ASSET_IDS][LIMIT_LABEL_BYTES + 1];
	size_t asset_id_count;
	char agent[LIMIT_AGENT_BYTES + 1];
	struct address addresses[LIMIT_ADDRESSES];
	size_t address_count;
	struct reading_text virtualization;
	uint32_t flags; /* PROFILE_... */
};
#define PROFILE_ONLY_GETS_OUT 1u

enum health_level { HEALTH_OK = 0, HEALTH_WARNING = 1, HEALTH_CRITICAL = 2 };
#define HEALTH_REASON_MEMORY       (1u << 0)
#define HEALTH_REASON_DISK         (1u << 1)
#define HEALTH_REASON_PRESSURE     (1u << 2)
#define HEALTH_REASON_OOPS         (1u << 3)
#define HEALTH_REASON_OOM          (1u << 4)
#define HEALTH_REASON_UNCLEAN_BOOT (1u << 5)
#define HEALTH_REASON_CLOCK        (1u << 6)
#define HEALTH_REASON_TAINT        (1u << 7)

struct refutation {
	uint64_t signer; /* first 8 of the witness's id */
	uint64_t seq;
};

struct health {
	uint64_t boot; /* boot id hash, 0: not known */
	struct reading_u64 boot_time_s;
	struct reading_u64 last_boot_clean; /* 0 or 1 */
	enum health_level level;
	uint32_t reasons; /* HEALTH_REASON_... */
	struct reading_u64 stall_cpu_percent;
	struct reading_u64 stall_memory_percent;
	struct reading_u64 stall_io_percent;
	struct reading_u64 memory_percent;
	struct reading_u64 disk_percent;
	struct reading_u64 oom_kills;
	struct reading_u64 oopses;
	struct reading_u64 warnings;
	struct reading_u64 taint;
	struct refutation refutations[LIMIT_REFUTATIONS];
	size_t refutation_count;
	bool clock_off;
};

enum change_op { CHANGE_ADDED = 1, CHANGE_REMOVED = 2, CHANGE_LOADED = 3, CHANGE_UNLOADED = 4 };
const char *change_op_name(enum change_op op);

struct component_change {
	uint64_t entry; /* entry id */
	uint64_t time_s;
	enum change_op op;
};

#define COMPONENTS_LOADED_BYTES (LIMIT_COMPONENTS / 8)

struct components {
	struct id manifest; /* blob id of the root; zero: none published */
	uint32_t entry_count;
	enum reading_status module_support; /* OK, UNSUPPORTED, DENIED, FAILED */
	struct reading_u64 taint;
	uint8_t loaded[COMPONENTS_LOADED_BYTES]; /* bit i, most significant first */
	uint64_t pending[LIMIT_PENDING];
	size_t pending_count;
	struct component_change changes[LIMIT_CHANGES]; /* newest first */
	size_t change_count;
	struct reading_u64 ebpf_programs;
	uint64_t changes_total;
};
bool components_loaded(const struct components *c, size_t index);
void components_set_loaded(struct components *c, size_t index);

enum crash_kind {
	CRASH_UNCLEAN_BOOT = 1,
	CRASH_OOPS = 2,
	CRASH_WARNING = 3,
	CRASH_PANIC = 4,
	CRASH_OOM_KILL = 5,
	CRASH_CORE_DUMP = 6,
	CRASH_BLUE_SCREEN = 7,
};
#define CRASH_KINDS 8 /* array bound; index 0 unused */
const char *crash_kind_name(enum crash_kind kind);
/* An unclean boot bears the time at which the host last noted that it ran, which it does so often: it crashed
 * after that. */
#define CRASH_NOTED_MS (10 * CLOCK_MINUTE_MS)

struct crash_event {
	uint64_t time_s;
	enum crash_kind kind;
	char detail[LIMIT_LABEL_BYTES + 1];
};

struct crashes {
	uint64_t totals[CRASH_KINDS];
	enum reading_status sources[CRASH_KINDS];
	wall_day first_day;
	uint16_t per_day[LIMIT_CRASH_DAYS];
	size_t day_count;
	struct crash_event events[LIMIT_CRASH_EVENTS]; /* newest first */
	size_t event_count;
};

enum goodbye_reason { GOODBYE_STOPPED = 1, GOODBYE_ASLEEP = 2, GOODBYE_RESTARTING = 3 };
struct goodbye {
	enum goodbye_reason reason;
	uint64_t back_s; /* 0: not said */
};

enum rollcall_state {
	ROLLCALL_UNKNOWN = 0,
	ROLLCALL_ANSWERS = 1,
	ROLLCALL_NO_ANSWER = 2,
	ROLLCALL_STOPPED = 3,
	ROLLCALL_ASLEEP = 4,
	ROLLCALL_BOOT_LOOP = 5,
	ROLLCALL_AWAY = 6,
	ROLLCALL_LEFT = 7,
};
#define ROLLCALL_TRIE_CHILDREN 16

struct rollcall {
	uint32_t parts;
	uint64_t roster_hash;
	uint8_t states[LIMIT_ROLLCALL_HOSTS]; /* enum rollcall_state per host of this part, roster order */
	/* Decoded, the last of several parts may seem to have up to two hosts more, whose state is 0: the
	 * body does not say which part it is. */
	size_t state_count;
	uint64_t trie[ROLLCALL_TRIE_CHILDREN];
	struct {
		uint32_t index;
		uint64_t since_s;
	} no_answer[LIMIT_ROLLCALL_SINCE];
	size_t no_answer_count;
	struct {
		uint32_t index;
		uint32_t boots;
		uint64_t last_s;
	} beacons[LIMIT_ROLLCALL_BEACONS];
	size_t beacon_count;
	uint32_t interval_s;
	uint32_t live_witnesses;
	uint64_t guests[LIMIT_ROLLCALL_GUESTS];
	size_t guest_count;
	uint32_t roster_count;
};

struct reach {
	struct {
		uint64_t site; /* short site id */
		bool reached;
		uint64_t since_s;
	} edges[LIMIT_REACH_EDGES];
	size_t edge_count;
	uint64_t sent_bytes;
};

enum err profile_encode(const struct profile *p, uint8_t *ret, size_t *ret_len);
enum err profile_decode(const uint8_t *body, size_t len, struct profile *ret);
enum err health_encode(const struct health *h, uint8_t *ret, size_t *ret_len);
enum err health_decode(const uint8_t *body, size_t len, struct health *ret);
enum err components_encode(const struct components *c, uint8_t *ret, size_t *ret_len);
enum err components_decode(const uint8_t *body, size_t len, struct components *ret);
enum err crashes_encode(const struct crashes *c, uint8_t *ret, size_t *ret_len);
enum err crashes_decode(const uint8_t *body, size_t len, struct crashes *ret);
enum err goodbye_encode(const struct goodbye *g, uint8_t *ret, size_t *ret_len);
enum err goodbye_decode(const uint8_t *body, size_t len, struct goodbye *ret);
enum err rollcall_encode(const struct rollcall *r, uint8_t *ret, size_t *ret_len);
enum err rollcall_decode(const uint8_t *body, size_t len, struct rollcall *ret);
enum err reach_encode(const struct reach *r, uint8_t *ret, size_t *ret_len);
enum err reach_decode(const uint8_t *body, size_t len, struct reach *ret);

#endif
