/* Layout of the replica: one ordered key space, whose first key byte is the table (drawn in docs/store.md).
 *
 *   table            key after the table byte      payload after its version byte
 *   meta        0    (empty)                       struct store_meta, see row_encode_meta
 *   records     1    of hosts: kind, number u32    received u64, record
 *                    certificates: 1, number u32, issuer 16
 *                    others: record_key_pack, 41
 *   blobs       2    blob id, 16                   blob
 *   host states 3    number u32                    status u8, standing u8, issuer 16, replaced by 16,
 *                                                  since u64, seen u64, votes u8, signers u8,
 *                                                  3 witnesses u64
 *   site states 4    site id, 16                   status u8, since u64, last roll-call u64, interval u32,
 *                                                  live witnesses u32, name length u8, name
 *   issues      5    kind u8, subject 16           other 16, since u64, last u64, count u64,
 *                                                  detail length u8, detail
 *   proofs      6    kind u8, subject 16, index u8 record
 *   numbers     7    host id, 16                   number u32
 *   blocks      8    group u8, block u32           a column block (store/column.h), with its own checksum
 *   deltas      9    group u8, commit u64          a column block, likewise
 *   operators   10   operator id, 16               roles u8, revoked u8, last day u32, name length u8, name
 *   transitions 11   row number u64                newest u64, noted u64, events of 16 (store/history.h)
 *   site counts 12   site id, 16                   hosts by what answers say of all (store/site_counts.h)
 *   names       13   hash of a hostname u32,       nothing: the host's profile has the name
 *                    number u32
 *
 * A stored row is: checksum u64 over key and payload (version byte included), version u8, payload. Where the
 * stored key has a host's number, the key in the checksum is the one with its id: whoever translated wrongly
 * finds no row.
 *
 * Numbers: each host, entry, chunk and manifest has one, allotted at the first commit that needs it, the
 * lowest that is free, so that the rows of a group stand close together. That of a host is free again when
 * nothing of it is left. Numbers, blocks, deltas, site counts and names are derived from all else, which is
 * the data, in the same transaction, for questions to scan. Transitions log how states changed from commit to
 * commit: rows are numbered without gaps, and the oldest ones go (LIMIT_HISTORY_BYTES, LIMIT_HISTORY_DAYS).
 *
 * At both ends of each range of hosts' rows stands a fence (store/host_key.h).
 *
 * Schema 1 had no issues, and host states (version 1) without standing, issuer and replaced by: they read as
 * good standing. Schemas 1 and 2 had host ids in all keys and none of the tables from 7 on; opening such a
 * file to write converts it (store/lmdb_migrate.c). Schema 3 had neither operators nor a log;
 * opening it makes anew what is derived, and the log begins then. Up to schema 4 blocks and deltas had
 * another checksum, which is read beside the new one: they get that when they are written next. */
#ifndef MESH_STORE_SCHEMA_H
#define MESH_STORE_SCHEMA_H

#include "crypto/record.h"

#define STORE_SCHEMA           5 /* newer ones are refused */
#define STORE_SCHEMA_BLOCKS    3 /* the first one with column blocks */
#define STORE_SCHEMA_LISTS     4 /* the first one with operators and what they list */
#define STORE_ROW_VERSION      1 /* of each payload but that of host states */
#define STORE_HOST_ROW_VERSION 2

enum store_table {
	TABLE_META = 0,
	TABLE_RECORDS = 1,
	TABLE_BLOBS = 2,
	TABLE_HOST_STATES = 3,
	TABLE_SITE_STATES = 4,
	TABLE_ISSUES = 5,
	TABLE_PROOFS = 6,
	TABLE_NUMBERS = 7,
	TABLE_BLOCKS = 8,
	TABLE_DELTAS = 9,
	TABLE_OPERATORS = 10,
	TABLE_TRANSITIONS = 11,
	TABLE_SITE_COUNTS = 12,
	TABLE_NAMES = 13,
	TABLE_COUNT
};

/* What commits make of the rows that were put: made anew when it is damaged, but for the log, which then has
 * a gap. */
static inline bool store_table_is_derived(uint8_t table)
{
	return (table >= TABLE_NUMBERS && table <= TABLE_DELTAS) || table >= TABLE_TRANSITIONS;
}

#define ROW_KEY_BYTES     (1 + RECORD_KEY_BYTES)
#define ROW_HEADER_BYTES  9 /* checksum, version */
#define ROW_PAYLOAD_BYTES (8 + LIMIT_RECORD_BYTES)
#define ROW_BYTES         (ROW_HEADER_BYTES + ROW_PAYLOAD_BYTES)

/* Files in the replica's folder. */
#define STORE_FOLDER    "replica"
#define STORE_DATA_FILE "data.mdb"
#define STORE_LOCK_FILE "writer"

#endif
