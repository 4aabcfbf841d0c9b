/* Every maximum of the project, with its unit in the name. docs/protocol.md derives those of the wire. */
#ifndef MESH_BASE_LIMITS_H
#define MESH_BASE_LIMITS_H

/* Wire (docs/protocol.md sections 2 and 6). */
#define LIMIT_DATAGRAM_BYTES    1200
#define LIMIT_RECORD_BYTES      1024
#define LIMIT_RECORD_BODY_BYTES 883 /* record less its 141-byte envelope */
#define LIMIT_CERTIFICATE_BYTES 640
#define LIMIT_BLOB_BYTES        1024
#define LIMIT_LOG_ENTRY_BYTES   1024
#define LIMIT_MSGPACK_DEPTH     8

/* Names and lists inside records. */
#define LIMIT_HOSTNAME_BYTES   64
#define LIMIT_SITE_NAME_BYTES  32
#define LIMIT_TAG_BYTES        24
#define LIMIT_TAGS             8
#define LIMIT_GROUP_BYTES      24
#define LIMIT_GROUPS           8
#define LIMIT_ADDRESSES        4
#define LIMIT_SHORT_TEXT_BYTES 64   /* kernel, OS, model, role, location, component name and version */
#define LIMIT_COMPONENTS       3072 /* a host's manifest: the loaded set has a bit each */
#define LIMIT_CHANGES          16
#define LIMIT_CRASH_EVENTS     16
#define LIMIT_CRASH_DAYS       14
#define LIMIT_PENDING          4  /* components in force from the next boot on */
#define LIMIT_LABEL_BYTES      24 /* role, asset id, source of a crash */
#define LIMIT_ASSET_IDS        2
#define LIMIT_AGENT_BYTES      16
#define LIMIT_NOTE_BYTES       320 /* text of an incident or a note */
#define LIMIT_REASON_BYTES     128 /* of a claim or a decommission */
#define LIMIT_TERMS            8   /* of an incident: what matches, what is good … */
#define LIMIT_MATCH_BYTES      240 /* … and their sizes, encoded */
#define LIMIT_GOOD_BYTES       160
#define LIMIT_REPLACES         8 /* earlier records that a policy or inventory replaces */
#define LIMIT_POSTAL_BYTES     128
#define LIMIT_CONTACT_BYTES    96
#define LIMIT_REFUTATIONS      3
#define LIMIT_BLOB_LIST        63
#define LIMIT_ROLLCALL_HOSTS   1000
#define LIMIT_ROLLCALL_SINCE   16 /* hosts whose "no answer since" is told */
#define LIMIT_ROLLCALL_BEACONS 8
#define LIMIT_ROLLCALL_GUESTS  4
#define LIMIT_REACH_EDGES      22
#define LIMIT_WITNESSES        3 /* of a site, whose roll-calls count */
#define LIMIT_ROLLCALL_PARTS   (LIMIT_SITE_MEMBERS / LIMIT_ROLLCALL_HOSTS)

/* Authority log and tokens. */
#define LIMIT_LOG_ENTRIES  4096  /* over all branches */
#define LIMIT_LOG_BRANCHES 4     /* of a forked log: beyond, entries are refused */
#define LIMIT_ALLOW_HOSTS  65536 /* that an allow-list may name */
#define LIMIT_OVER_QUOTA   64    /* certificates kept beyond an issuer's quota, in quarantine */
#define LIMIT_GRANT_SITES  16
#define LIMIT_TOKEN_BYTES  (1024 * 1024)
#define LIMIT_TOKEN_SEEDS  8
#define LIMIT_SUBNETS      256

/* Tables of a node. */
#define LIMIT_HOSTS            65536
#define LIMIT_SITES            1024
#define LIMIT_RECORDS          (LIMIT_HOSTS * 10)
#define LIMIT_SITE_MEMBERS     10000
#define LIMIT_OPERATOR_RECORDS 2000 /* of each operator, the newest */
#define LIMIT_SESSIONS         2048 /* peers whose exchange keys are cached */
#define LIMIT_PENDING_HELLOS   64
#define LIMIT_SPREAD_QUEUE     4096 /* records being spread */
#define LIMIT_PULLS            1024 /* records asked for and not yet received */
#define LIMIT_SKETCH_BLOCKS    40   /* of a node's sketch: 50 KiB, for about 1,400 changed records */
#define LIMIT_SKETCHES         4    /* of others, being put together */
#define LIMIT_UPDATE_DATAGRAMS 512
#define LIMIT_UPDATE_RECORDS   512
#define LIMIT_EDGES_PER_SITE   6

/* What a node sends, with IP and UDP headers: so much a second and so much at once, beyond that catching up
 * (its own and others') likewise (docs/protocol.md section 9). */
#define LIMIT_BUDGET_RATE_BYTES    21000
#define LIMIT_BUDGET_BURST_BYTES   491520
#define LIMIT_CATCH_UP_RATE_BYTES  (2 * 1024 * 1024)
#define LIMIT_CATCH_UP_BURST_BYTES (512 * 1024)

/* What is wrong with the data. */
#define LIMIT_ISSUES             2048
#define LIMIT_ISSUE_DETAIL_BYTES 120

/* Local surfaces. */
#define LIMIT_CONTROL_REQUEST_BYTES 4096
#define LIMIT_CONTROL_REPLY_BYTES   (4 * 1024 * 1024)
#define LIMIT_CONTROL_CLIENTS       16
#define LIMIT_CONFIG_FILE_BYTES     65536
#define LIMIT_SQL_BYTES             65536
#define LIMIT_SQL_STEPS             50000000 /* SQLite virtual machine steps a question may take */
#define LIMIT_SQL_MEMORY_BYTES      (256 * 1024 * 1024)
#define LIMIT_COLLECT_FILE_BYTES    65536
#define LIMIT_PATH_BYTES            4096

/* Replica. */
#define LIMIT_REPLICA_MAP_BYTES (1024ull * 1024 * 1024)
#define LIMIT_BATCH_ROWS        16384
#define LIMIT_HISTORY_BYTES     (32 * 1024 * 1024) /* of the log of transitions: about two million */
#define LIMIT_HISTORY_DAYS      400
#define LIMIT_HOST_NUMBERS      (4 * LIMIT_HOSTS)
#define LIMIT_ENTRIES           262144 /* distinct component entries that questions know */
#define LIMIT_CHUNKS            262144 /* of manifests, likewise */
#define LIMIT_LIST_ROWS         (2 * LIMIT_HOSTS) /* of policy, and of inventory, that questions know */
#define LIMIT_MANIFESTS         (2 * LIMIT_HOSTS)
#define LIMIT_BLOCK_BYTES       (4 * 1024 * 1024) /* a column block: 256 manifests of the most chunks fit */

#endif
