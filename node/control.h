/* Local control protocol between `mesh` and `meshd`: verbs and the keys of their replies
 * (docs/protocol.md section 10). The only header of node/ that cli/ includes.
 *
 * Framing: u32 length, then a msgpack map. Request: 1 verb, 2 array of str. Reply: 1 error name, 2 text, 3
 * body. */
#ifndef MESH_NODE_CONTROL_H
#define MESH_NODE_CONTROL_H

#define CONTROL_SOCKET_NAME "meshd.sock"

#define CONTROL_KEY_VERB      1
#define CONTROL_KEY_ARGUMENTS 2
#define CONTROL_KEY_ERROR     1
#define CONTROL_KEY_TEXT      2
#define CONTROL_KEY_BODY      3

/* "status": no arguments. Body: map of CONTROL_STATUS_ keys. */
#define CONTROL_VERB_STATUS "status"
/* X(symbol, key, name in JSON, type: s str, u unsigned, i signed, b bool). LOG_HASH: of the log's head, 16
 * digits. GRANT_: of the issuer that certified this host; its days are below 0 once it has ended, and no
 * number when it is revoked. GRANTS_ENDING: of any issuer, within 30 days or in their grace. STANDING: of
 * this host's own certificate, as in the table hosts. SWEPT: rows that nothing referred to any more, since
 * the start. SENT_: bytes with IP and UDP headers, by class of the budget, hellos with liveness. HELD_BACK:
 * how often the budget made a datagram wait. REPLICA_BYTES: length of its file. READER_: process that reads
 * its oldest state, 0 for none; since when, as far as commits have met it, and how many are newer. SET_ASIDE:
 * the replica was found damaged at this start, or just before it, and a new one was begun. */
#define CONTROL_STATUS_TABLE(X)                                                                              \
	X(HOST, 1, "host", 's')                                                                              \
	X(ESTATE, 2, "estate", 's')                                                                          \
	X(ESTATE_NAME, 3, "estate_name", 's')                                                                \
	X(SITE, 4, "site", 's')                                                                              \
	X(VERSION, 5, "version", 's')                                                                        \
	X(PID, 6, "pid", 'u')                                                                                \
	X(UPTIME_S, 7, "uptime_s", 'u')                                                                      \
	X(LISTEN, 8, "listen", 's')                                                                          \
	X(HOSTS, 9, "hosts", 'u')                                                                            \
	X(SITES, 10, "sites", 'u')                                                                           \
	X(RECORDS, 11, "records", 'u')                                                                       \
	X(BLOBS_WANTED, 12, "blobs_wanted", 'u')                                                             \
	X(SESSIONS, 13, "sessions", 'u')                                                                     \
	X(WITNESS, 14, "witness", 'b')                                                                       \
	X(BRIDGE, 15, "bridge", 'b')                                                                         \
	X(CLONED, 16, "cloned", 'b')                                                                         \
	X(LOG_INDEX, 17, "log_index", 'u')                                                                   \
	X(ESTATE_ROOT, 18, "estate_root", 's')                                                               \
	X(BYTES_IN, 19, "bytes_in", 'u')                                                                     \
	X(BYTES_OUT, 20, "bytes_out", 'u')                                                                   \
	X(DATAGRAMS_IN, 21, "datagrams_in", 'u')                                                             \
	X(DATAGRAMS_OUT, 22, "datagrams_out", 'u')                                                           \
	X(DROPPED, 23, "dropped", 'u')                                                                       \
	X(BAD_SIGNATURES, 24, "bad_signatures", 'u')                                                         \
	X(LAST_COMMIT_MS, 25, "last_commit_ms", 'u')                                                         \
	X(STORE_ERROR, 26, "store_error", 's')                                                               \
	X(DRILL, 27, "drill", 's')                                                                           \
	X(SEQ_NEXT, 28, "seq_next", 'u')                                                                     \
	X(RSS_KIB, 29, "rss_kib", 'u')                                                                       \
	X(PRIVATE_KIB, 30, "private_kib", 'u')                                                               \
	X(CPU_US, 31, "cpu_us", 'u')                                                                         \
	X(FOREIGN, 32, "foreign", 'u')                                                                       \
	X(LOG_HASH, 33, "log_hash", 's')                                                                     \
	X(GRANT_ISSUER, 35, "grant_issuer", 's')                                                             \
	X(GRANT_DAYS_LEFT, 36, "grant_days_left", 'i')                                                       \
	X(GRANT_GRACE_DAYS, 37, "grant_grace_days", 'u')                                                     \
	X(LOG_FORKED, 38, "log_forked", 'b')                                                                 \
	X(GRANTS_ENDING, 39, "grants_ending", 'u')                                                           \
	X(STANDING, 40, "standing", 's')                                                                     \
	X(SKETCHES_ASKED, 41, "sketches_asked", 'u')                                                         \
	X(SKETCHES_DECODED, 42, "sketches_decoded", 'u')                                                     \
	X(SKETCHES_FAILED, 43, "sketches_failed", 'u')                                                       \
	X(SKETCHES_BEYOND, 44, "sketches_beyond", 'u')                                                       \
	X(SKETCHES_REFUSED, 45, "sketches_refused", 'u')                                                     \
	X(WALKS, 46, "walks", 'u')                                                                           \
	X(SWEPT, 47, "swept", 'u')                                                                           \
	X(SENT_LIVENESS, 48, "sent_liveness", 'u')                                                           \
	X(SENT_LOG, 49, "sent_log", 'u')                                                                     \
	X(SENT_URGENT, 50, "sent_urgent", 'u')                                                               \
	X(SENT_ROUTINE, 51, "sent_routine", 'u')                                                             \
	X(SENT_CATCH_UP, 52, "sent_catch_up", 'u')                                                           \
	X(HELD_BACK, 53, "held_back", 'u')                                                                   \
	X(REPLICA_BYTES, 54, "replica_bytes", 'u')                                                           \
	X(READER_PID, 55, "reader_pid", 'u')                                                                 \
	X(READER_SINCE_MS, 56, "reader_since_ms", 'u')                                                       \
	X(READER_COMMITS, 57, "reader_commits", 'u')                                                         \
	X(REFUSED_SHORT, 58, "refused_short", 'u')                                                           \
	X(REFUSED_LONG, 59, "refused_long", 'u')                                                             \
	X(REFUSED_VERSION, 60, "refused_version", 'u')                                                       \
	X(REFUSED_SOURCE, 61, "refused_source", 'u')                                                         \
	X(REFUSED_SEAL, 62, "refused_seal", 'u')                                                             \
	X(REFUSED_SCHEMA, 63, "refused_schema", 'u')                                                         \
	X(REFUSED_RATE, 64, "refused_rate", 'u')                                                             \
	X(REFUSED_REPLAY, 65, "refused_replay", 'u')                                                         \
	X(RECORDS_UNTRUSTED, 66, "records_untrusted", 'u')                                                   \
	X(RECORDS_FORKED, 67, "records_forked", 'u')                                                         \
	X(BLOBS_REFUSED, 68, "blobs_refused", 'u')                                                           \
	X(BLOBS_GIVEN_UP, 69, "blobs_given_up", 'u')                                                         \
	X(WALKS_GIVEN_UP, 70, "walks_given_up", 'u')                                                         \
	X(DAMAGED, 71, "replica_damaged", 'u')                                                               \
	X(REBUILT, 72, "replica_rebuilt", 'u')                                                               \
	X(NO_ROOM, 73, "replica_no_room", 'u')                                                               \
	X(BLOBS_WRONG, 74, "blobs_wrong", 'u')                                                               \
	X(EXCHANGES_VAIN, 75, "exchanges_vain", 'u')                                                         \
	X(PULLS_GIVEN_UP, 76, "pulls_given_up", 'u')                                                         \
	X(RECORDS_ORPHAN, 77, "records_orphan", 'u')                                                         \
	X(REFUSED_DRILL, 78, "refused_drill", 'u')                                                           \
	X(SET_ASIDE, 79, "replica_set_aside", 'b')

enum control_status_key {
#define CONTROL_STATUS_ENUM(symbol, key, name, type) CONTROL_STATUS_##symbol = key,
	CONTROL_STATUS_TABLE(CONTROL_STATUS_ENUM)
#undef CONTROL_STATUS_ENUM
};

/* "peers": body: map {1: array of maps with CONTROL_PEER_ keys}. The reply may come up to 5 s later. */
#define CONTROL_VERB_PEERS "peers"
#define CONTROL_PEER_TABLE(X)                                                                                \
	X(HOST, 1, "host", 's')                                                                              \
	X(SITE, 2, "site", 's')                                                                              \
	X(ADDRESS, 3, "address", 's')                                                                        \
	X(STATUS, 4, "status", 's')                                                                          \
	X(SESSION, 5, "session", 'b')                                                                        \
	X(DIRECT, 6, "direct", 'b')                                                                          \
	X(SUSPECTED, 7, "suspected", 'b')                                                                    \
	X(WITNESS, 8, "witness", 'b')                                                                        \
	X(EDGE, 9, "edge", 'b')                                                                              \
	X(RTT_MS, 10, "rtt_ms", 'u')                                                                         \
	X(HEARD_MS_AGO, 11, "heard_ms_ago", 'u')

enum control_peer_key {
#define CONTROL_PEER_ENUM(symbol, key, name, type) CONTROL_PEER_##symbol = key,
	CONTROL_PEER_TABLE(CONTROL_PEER_ENUM)
#undef CONTROL_PEER_ENUM
};

/* "drill": arguments "cut" SITE or "heal" SITE. An exercise: this node drops all traffic with hosts of that
 * site. Only when the configuration says `enabled = yes` in [drill]; ERR_DENIED otherwise. No body. */
#define CONTROL_VERB_DRILL "drill"
/* "log": argument 0 is an entry of the authority log, or a blob of an allow-list that the log names, in
 * hexadecimal. No body. ERR_EXISTS: known already. ERR_STALE: entries before it are missing. ERR_SIGNATURE,
 * ERR_FORMAT, ERR_LIMIT. ERR_NOT_FOUND: the log names no such blob. ERR_IO: it counts here, and is not yet on
 * the disk. */
#define CONTROL_VERB_LOG "log"
/* "operator": argument 0 is an operator's id, 32 digits: what it may say, and after what. Body: map of
 * CONTROL_OPERATOR_ keys. ERR_NOT_FOUND: the log names none such. ROLES: bits of docs/protocol.md section 5.
 * SEQ: the highest of what stands of it here, 0: nothing. LAST_DAY: days since 1970. */
#define CONTROL_VERB_OPERATOR "operator"
#define CONTROL_OPERATOR_TABLE(X)                                                                            \
	X(ESTATE, 1, "estate", 's')                                                                          \
	X(NAME, 2, "name", 's')                                                                              \
	X(ROLES, 3, "roles", 'u')                                                                            \
	X(LAST_DAY, 4, "last_day", 'u')                                                                      \
	X(REVOKED, 5, "revoked", 'b')                                                                        \
	X(SEQ, 6, "seq", 'u')

enum control_operator_key {
#define CONTROL_OPERATOR_ENUM(symbol, key, name, type) CONTROL_OPERATOR_##symbol = key,
	CONTROL_OPERATOR_TABLE(CONTROL_OPERATOR_ENUM)
#undef CONTROL_OPERATOR_ENUM
};

/* "submit": argument 0 is a record that an operator signed, or a blob that one of its records waits for
 * (lists before what they name), in hexadecimal. No body. ERR_FORMAT; ERR_ARG: no record of an operator;
 * ERR_UNTRUSTED: without the role; ERR_REVOKED; ERR_EXPIRED; ERR_SIGNATURE; ERR_EXISTS: known already;
 * ERR_STALE: below 2,000 newer ones of it; ERR_BUSY: too many for now; ERR_NOT_FOUND: no record waits for
 * that blob. It counts at once; "commit" makes it durable. */
#define CONTROL_VERB_SUBMIT "submit"
/* "commit": write the filling batch now and answer when it is durable. Body empty. */
#define CONTROL_VERB_COMMIT "commit"

#endif
