/* The protocol core: members, liveness, spread and reconciliation of one node.
 *
 * It does no I/O and reads no clock. The driver (node/ in production, tests/sim/ in the simulator) feeds
 * events to gossip_step and carries out the update it returns. Same events, same seeds: same updates.
 *
 * Order of effects the driver must keep, per update:
 *   1. when reserve_seq_to is not 0: make it durable;   2. append and fsync log entries;
 *   3. queue records, blobs and states for the replica;  4. send datagrams;  5. answer reads with an event.
 * Everything an update points to belongs to the core and is valid until the next step. */
#ifndef MESH_GOSSIP_GOSSIP_H
#define MESH_GOSSIP_GOSSIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/authlog.h"
#include "crypto/hash.h"
#include "crypto/identity.h"
#include "crypto/record.h"
#include "crypto/rng.h"
#include "record/body.h"
#include "record/state.h"

struct gossip;

/* Timers of docs/protocol.md section 9, in ms; tests may shorten them. */
struct gossip_timing {
	uint32_t probe_ms;        /* 1,000 */
	uint32_t probe_idle_ms;   /* 2,000 */
	uint32_t ack_ms;          /* 500 */
	uint32_t rollcall_min_ms; /* 5,000 */
	uint32_t rollcall_max_ms; /* 60,000 */
	uint32_t hello_retry_ms;  /* 1,000 */
	uint32_t edge_retry_ms;   /* 3,000 */
	uint32_t sync_ms;         /* 2,000: least time between walks with one peer */
};
struct gossip_timing gossip_timing_default(void);

/* Everything is copied except `identity` and `log`, which the caller keeps alive and does not touch while the
 * core exists (the core appends to the log). */
struct gossip_options {
	const struct identity *identity;
	const uint8_t *certificate; /* own certificate record */
	size_t certificate_len;
	struct authlog *log;
	const struct estate_keys *keys;
	struct crypto_rng rng; /* nonces and exchange keys */
	uint64_t prng_seed;    /* jitter and peer choice */
	uint64_t instance;     /* random number of this boot */
	uint64_t seq_next;     /* first own seq to use */
	uint64_t seq_reserved; /* durable already: below it may be used */
	const struct address *seeds;
	size_t seed_count;
	mono_ms now;
	wall_ms wall;
	struct gossip_timing timing;
	/* The id of the record being applied, 0 between records, is written here (may be NULL): memory that
	 * outlives a crash tells which one it was. Those in `poison` are not applied, and reported as issues.
	 */
	volatile uint64_t *applying;
	const uint64_t *poison;
	size_t poison_count;
	/* Bits of enum gossip_defence to leave out, to show what each is for. Heeded by test builds only. */
	uint64_t weakened;
};

/* ERR_ARG, ERR_NOMEM, or why the own certificate does not verify; an ended grant is no reason, as others may
 * know of its extension. */
enum err gossip_new(const struct gossip_options *options, struct gossip **ret);
void gossip_free(struct gossip *g);

/* Before the first step: what the replica holds already. Signatures are not checked again. Certificates must
 * be loaded before the records and states of their hosts; ERR_UNTRUSTED otherwise. A record or blob that is
 * none, or has no room: the parser's error, ERR_LIMIT, ERR_NOMEM. Whoever loads leaves it out:
 * others bring it back. */
enum err gossip_load_room(struct gossip *g, size_t records); /* about so many will be: a hint. ERR_NOMEM. */
enum err gossip_load_record(struct gossip *g, const uint8_t *bytes, size_t len, wall_ms received);
enum err gossip_load_blob(struct gossip *g, const struct id *blob);
enum err gossip_load_host_state(struct gossip *g, const struct host_state *state);
enum err gossip_load_site_state(struct gossip *g, const struct site_state *state);
enum err gossip_load_issue(struct gossip *g, const struct issue *issue);
/* Blobs of allow-lists that the log names, before records: they say which certificates stand. Lists before
 * what they name; ERR_NOT_FOUND for one that no list needs. */
enum err gossip_load_allow_list(struct gossip *g, const uint8_t *bytes, size_t len);

enum gossip_event_type {
	GOSSIP_TICK, /* a deadline passed */
	GOSSIP_DATAGRAM,
	GOSSIP_LOCAL,   /* publish a record about this host */
	GOSSIP_BLOB,    /* a blob this host publishes; before the record that names it */
	GOSSIP_ANSWERS, /* to the reads of the update before, and before any other event: otherwise they lapse
			 */
	GOSSIP_LOG,     /* the administrator hands in an entry of the authority log (ERR_EXISTS, ERR_STALE:
			   entries before it are missing, ERR_SIGNATURE; ERR_LIMIT, ERR_UNTRUSTED: not unless a
			   rotation behind it follows), or a blob of an allow-list that the log names, lists
			   before what they name (ERR_EXISTS, ERR_NOT_FOUND: none such is wanted) */
	GOSSIP_SUBMIT,  /* an operator hands in what it signed: a record of its kinds, or a blob that one of its
			   records waits for, lists before what they name. ERR_FORMAT; ERR_ARG: no record of an
			   operator; ERR_UNTRUSTED: the log names no such operator, or without the role;
			   ERR_REVOKED; ERR_EXPIRED: after its last day; ERR_SIGNATURE; ERR_EXISTS; ERR_STALE;
			   ERR_BUSY: beyond its share for now; ERR_NOT_FOUND: no record waits for that blob */
	GOSSIP_DRILL,   /* cut off, or heal, all hosts of a site (by home site): for exercises */
	GOSSIP_LEAVE,   /* say goodbye: the returned update is the last */
};

enum gossip_urgency { GOSSIP_ROUTINE, GOSSIP_URGENT };

struct gossip_answer {
	const uint8_t *bytes; /* NULL: not there any more */
	size_t len;
};

struct gossip_event {
	enum gossip_event_type type;
	mono_ms now; /* never goes back */
	wall_ms wall;
	union {
		struct {
			struct address from;
			const uint8_t *bytes;
			size_t len;
		} datagram;
		struct {
			uint8_t kind; /* RECORD_PROFILE … RECORD_CRASHES */
			enum gossip_urgency urgency;
			const uint8_t *body;
			size_t len;
		} local;
		struct {
			const uint8_t *bytes;
			size_t len;
		} blob;
		struct {
			const uint8_t *bytes; /* begins with 97: an entry; with 01: a blob */
			size_t len;
		} log;
		struct {
			const uint8_t *bytes; /* begins with 9a: a record; with 01: a blob */
			size_t len;
		} submit;
		struct {
			const struct gossip_answer *answers; /* one per read, same order */
			size_t count;
		} answers;
		struct {
			char site[LIMIT_SITE_NAME_BYTES + 1];
			bool cut;
		} drill;
		struct {
			enum goodbye_reason reason;
		} leave;
	};
};

struct gossip_datagram {
	struct address to;
	uint16_t len;
	const uint8_t *bytes;
};

struct gossip_persist {
	const uint8_t *bytes;
	size_t len;
	struct record_key key;
	wall_ms received;
	enum gossip_urgency urgency;
};

struct gossip_blob {
	struct id id;
	const uint8_t *bytes;
	size_t len;
};

enum gossip_read_type { GOSSIP_READ_RECORD, GOSSIP_READ_BLOB };
struct gossip_read {
	enum gossip_read_type type;
	struct record_key key; /* record */
	struct id blob;
};

/* News to the log that gossip_init was given. A rotation takes others in with it and drops some: whoever
 * keeps the log keeps the whole of it. */
struct gossip_log_entry {
	const uint8_t *bytes;
	size_t len;
};

struct gossip_update {
	uint64_t reserve_seq_to; /* 0: nothing */
	const struct gossip_log_entry *log_entries;
	size_t log_entry_count;
	const struct gossip_persist *records;
	size_t record_count;
	const struct record_key *forgotten; /* no longer kept; after `records`, which may name them */
	size_t forgotten_count;
	const struct gossip_blob *blobs;
	size_t blob_count;
	const struct host_state *hosts; /* states that changed, or whose `seen` should be refreshed */
	size_t host_count;
	const struct site_state *sites;
	size_t site_count;
	const struct issue *issues; /* new, changed or over */
	size_t issue_count;
	bool urgent; /* a state changed that a person waits for: commit within a second */
	const struct gossip_datagram *datagrams;
	size_t datagram_count;
	const struct gossip_read *reads;
	size_t read_count;
	mono_ms deadline; /* step with GOSSIP_TICK not later than this */
};

/* Hostile datagrams are counted and dropped, never an error. ERR_NOMEM; ERR_LIMIT or ERR_FORMAT for a local
 * record or blob that is none. On an error nothing was changed and the update is empty. */
enum err gossip_step(struct gossip *g, const struct gossip_event *event, struct gossip_update *ret_update);

/* Whether a datagram is worth a step: one that nobody of the estate made is counted here and costs no more.
 */
bool gossip_admits(struct gossip *g, const uint8_t *bytes, size_t len);

/* Between two steps: blobs that the replica is about to drop, as no record refers to them. Those that are
 * waited for (parts of a manifest on its way) stay. Those that are forgotten come first in `blobs`, in any
 * order; returns how many. Whatever names one from now on makes it wanted again. */
size_t gossip_forget_blobs(struct gossip *g, struct id *blobs, size_t count);

/* What this node sends is of one of these classes, each with its own share of the budget. */
enum gossip_class {
	GOSSIP_CLASS_PROBE,  /* questions of liveness */
	GOSSIP_CLASS_ANSWER, /* and answers */
	GOSSIP_CLASS_HELLO,
	GOSSIP_CLASS_LOG,
	GOSSIP_CLASS_URGENT,   /* pushes; asking for roll-calls, and handing them over */
	GOSSIP_CLASS_NEWS,     /* announcements */
	GOSSIP_CLASS_ROUTINE,  /* pulls, and records for those who pull */
	GOSSIP_CLASS_CATCH_UP, /* reconciliation, what walks found, and blobs */
	GOSSIP_CLASS_COUNT,
};

/* Counters since start; monotonic. */
struct gossip_counters {
	uint64_t datagrams_in, datagrams_out, bytes_in, bytes_out;
	/* By class: bytes with IP and UDP headers; how often the budget did not allow a datagram. */
	uint64_t sent[GOSSIP_CLASS_COUNT], held_back[GOSSIP_CLASS_COUNT];
	uint64_t dropped_short, dropped_version, dropped_mac, dropped_source, dropped_seal, dropped_schema,
	    dropped_rate, dropped_drill, dropped_replay;
	uint64_t records_accepted, records_stale, records_duplicate, records_untrusted, records_bad_signature,
	    records_orphan, records_forked;
	uint64_t verifications, signatures;
	uint64_t pushes_out, announced_ids_out, pulls_out, payloads_in, payload_bytes_in;
	uint64_t far_payloads_in; /* of these, from hosts of other sites */
	uint64_t walks_started, walk_messages_out;
	/* Of the own questions for sketches; those that came out, that no honest set has or that did not come
	 * out when they should, that showed too large a difference. */
	uint64_t sketches_asked, sketches_decoded, sketches_failed, sketches_beyond;
	uint64_t sketch_cells; /* written to while taking them apart */
	uint64_t sketch_blocks_in, sketch_blocks_out,
	    sketches_refused; /* refused: beyond the asker's share */
	uint64_t probes_out, acks_in, indirect_out, suspicions;
	uint64_t hellos_out, hellos_in, sessions;
	uint64_t rollcalls_signed, refutations;
	uint64_t blobs_in, blob_pulls_out;
	/* That nobody asked the sender for; in answer to a question and not what it asked for, malformed, or
	 * of a manifest that names more than its record says; that nobody who named them sent in the end. */
	uint64_t blobs_refused, blobs_wrong, blobs_given_up;
	/* Begun with a peer whose set always differs while none before brought anything: a trie or sketch
	 * that lies. Walks whose peer stopped answering. Ids that were named and asked for, and never handed
	 * over: by a peer that stopped, or lied; a superseded record's, too. */
	uint64_t exchanges_vain, walks_given_up, pulls_given_up;
};

struct gossip_status {
	struct id host, estate;
	char site[LIMIT_SITE_NAME_BYTES + 1];
	uint64_t instance, seq_next;
	size_t hosts, sites, records, blobs, blobs_wanted, sessions;
	uint64_t estate_root; /* docs/protocol.md section 8 */
	struct authlog_head log_head;
	bool witness; /* among the live best three of its site */
	bool bridge;
	bool cloned; /* its key is in use elsewhere */
	struct gossip_counters counters;
};
void gossip_status(const struct gossip *g, struct gossip_status *ret);
/* The same counters alone; for as long as the core exists. */
const struct gossip_counters *gossip_counted(const struct gossip *g);
/* What its own certificate is worth, by the log it has. */
enum host_standing gossip_standing(const struct gossip *g);

struct gossip_peer {
	struct id host;
	char site[LIMIT_SITE_NAME_BYTES + 1];
	struct address address;
	enum host_status status;
	bool session; /* exchange keys are known */
	bool direct;  /* answered a probe of this node within the last 10 s */
	bool suspected;
	bool witness;
	bool edge;          /* far end of an edge this node carries */
	uint32_t rtt_ms;    /* 0: not measured */
	mono_ms last_heard; /* 0: never */
};
/* Known hosts other than this one, by ascending host id. Costs one pass over the hosts. */
void gossip_each_peer(const struct gossip *g, void (*each)(void *context, const struct gossip_peer *peer),
		      void *context);

/* What the set holds, for the simulator's invariants and tests. False when out of range. */
struct gossip_entry {
	struct record_key key;
	uint64_t seq;
	uint64_t id;
};
bool gossip_entry_at(const struct gossip *g, size_t index, struct gossip_entry *ret);
/* Whether the sketch that others are sent is that of the set; builds it anew. */
bool gossip_sketch_sound(const struct gossip *g);
/* When a sealed datagram came in last, of anybody; until then, when this run began. */
mono_ms gossip_heard(const struct gossip *g);
/* Whether any other host is thought to be up, or silent: then somebody should be heard. */
bool gossip_expects(const struct gossip *g);
/* The highest seq of what stands of that operator; 0: nothing. */
uint64_t gossip_operator_seq(const struct gossip *g, const struct id *op);
bool gossip_host_state(const struct gossip *g, const struct id *host, struct host_state *ret);
bool gossip_site_state(const struct gossip *g, const char *site, struct site_state *ret);

#endif
