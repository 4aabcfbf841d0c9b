/* What the column blocks hold: groups of columns that change together, so that a change rewrites little and a
 * question reads little. X(symbol, name, type, meaning).
 *
 * Columns are only ever appended: a block that was written before one came has its default there (0, none).
 * A `..._status` column is an enum reading_status; what it speaks of is 0 or none unless it is READING_OK.
 * Groups of hosts are counted by host number, those of the catalogue by entry, chunk and manifest number,
 * rows of policy and inventory by their order. */
#ifndef MESH_STORE_COLUMN_GROUPS_H
#define MESH_STORE_COLUMN_GROUPS_H

/* A row: the host has a certificate. The one that counts is chosen by the rules of store/derive_host.c. */
#define COLUMN_HOST(X)                                                                                       \
	X(ID, "id", ID, "host id")                                                                           \
	X(ISSUER, "issuer", BYTES, "of the certificate, 16 bytes")                                           \
	X(SEQ, "seq", U64, "of the certificate")                                                             \
	X(ENROLLED, "enrolled", U32, "days since 1970")                                                      \
	X(SITE, "site", TEXT, "home site")                                                                   \
	X(GROUPS, "groups", TEXT, "separated by commas; none: the certificate names none")                   \
	X(HARDWARE, "hardware", BYTES, "8 bytes; none: not stated")                                          \
	X(ISSUER_RANK, "issuer_rank", U8, "0, or its grant was found ended (1) or revoked (2)")

/* A row for each of HOST. */
#define COLUMN_STATE(X)                                                                                      \
	X(DECIDED, "decided", U8, "1: there is a row of state; else all but standing is zero")               \
	X(STATUS, "status", U8, "enum host_status")                                                          \
	X(STANDING, "standing", U8, "enum host_standing; STANDING_REVOKED hides the host")                   \
	X(SINCE, "since", U64, "ms since 1970")                                                              \
	X(SEEN, "seen", U64, "ms since 1970")                                                                \
	X(VOTES, "votes", U8, "")                                                                            \
	X(SIGNERS, "signers", U8, "")                                                                        \
	X(WITNESSES, "witnesses", BYTES, "LIMIT_WITNESSES x u64, little-endian; none: all zero")             \
	X(REPLACED_BY, "replaced_by", BYTES, "host id; none: zero")                                          \
	X(GOODBYE_SEQ, "goodbye_seq", U64, "0: no goodbye on record")

/* From here on a row says: the host's record of that kind is there and decodes. */
#define COLUMN_PROFILE(X)                                                                                    \
	X(SEQ, "seq", U64, "of the record")                                                                  \
	X(NAME_STATUS, "name_status", U8, "")                                                                \
	X(NAME, "name", TEXT, "hostname")                                                                    \
	X(CURRENT_SITE, "current_site", TEXT, "none: not said")                                              \
	X(LOCATION_STATUS, "location_status", U8, "")                                                        \
	X(LOCATION, "location", TEXT, "")                                                                    \
	X(TAGS, "tags", TEXT, "separated by commas; empty, never none")                                      \
	X(ROLE, "role", TEXT, "none: not given")                                                             \
	X(OS_STATUS, "os_status", U8, "")                                                                    \
	X(OS, "os", TEXT, "")                                                                                \
	X(KERNEL_STATUS, "kernel_status", U8, "")                                                            \
	X(KERNEL, "kernel", TEXT, "")                                                                        \
	X(ARCH_STATUS, "arch_status", U8, "")                                                                \
	X(ARCH, "arch", TEXT, "")                                                                            \
	X(MODEL_STATUS, "model_status", U8, "")                                                              \
	X(MODEL, "model", TEXT, "")                                                                          \
	X(BOOT_MODE_STATUS, "boot_mode_status", U8, "")                                                      \
	X(BOOT_MODE, "boot_mode", TEXT, "")                                                                  \
	X(SECURE_BOOT_STATUS, "secure_boot_status", U8, "")                                                  \
	X(SECURE_BOOT, "secure_boot", U64, "0 or 1")                                                         \
	X(HARDWARE_HASH_STATUS, "hardware_hash_status", U8, "")                                              \
	X(HARDWARE_HASH, "hardware_hash", BYTES, "8 bytes")                                                  \
	X(ASSET_IDS, "asset_ids", TEXT, "separated by commas; none: not given")                              \
	X(AGENT, "agent", TEXT, "version of meshd; none: not said")                                          \
	X(ADDRESSES, "addresses", TEXT, "address and port, separated by commas; none: not said")             \
	X(VIRTUALIZATION_STATUS, "virtualization_status", U8, "")                                            \
	X(VIRTUALIZATION, "virtualization", TEXT, "")                                                        \
	X(FLAGS, "flags", U32, "PROFILE_...")

#define COLUMN_HEALTH(X)                                                                                     \
	X(SEQ, "seq", U64, "of the record")                                                                  \
	X(BOOT, "boot", U64, "hash of the boot id; 0: not known")                                            \
	X(BOOT_TIME_STATUS, "boot_time_status", U8, "")                                                      \
	X(BOOT_TIME, "boot_time", U64, "s since 1970")                                                       \
	X(BOOT_CLEAN_STATUS, "boot_clean_status", U8, "")                                                    \
	X(BOOT_CLEAN, "boot_clean", U64, "0 or 1")                                                           \
	X(LEVEL, "level", U8, "enum health_level")                                                           \
	X(REASONS, "reasons", U32, "HEALTH_REASON_...")                                                      \
	X(STALL_CPU_STATUS, "stall_cpu_status", U8, "")                                                      \
	X(STALL_CPU, "stall_cpu", U64, "percent")                                                            \
	X(STALL_MEMORY_STATUS, "stall_memory_status", U8, "")                                                \
	X(STALL_MEMORY, "stall_memory", U64, "percent")                                                      \
	X(STALL_IO_STATUS, "stall_io_status", U8, "")                                                        \
	X(STALL_IO, "stall_io", U64, "percent")                                                              \
	X(MEMORY_STATUS, "memory_status", U8, "")                                                            \
	X(MEMORY, "memory", U64, "percent")                                                                  \
	X(DISK_STATUS, "disk_status", U8, "")                                                                \
	X(DISK, "disk", U64, "percent")                                                                      \
	X(OOM_KILLS_STATUS, "oom_kills_status", U8, "")                                                      \
	X(OOM_KILLS, "oom_kills", U64, "")                                                                   \
	X(OOPSES_STATUS, "oopses_status", U8, "")                                                            \
	X(OOPSES, "oopses", U64, "")                                                                         \
	X(WARNINGS_STATUS, "warnings_status", U8, "")                                                        \
	X(WARNINGS, "warnings", U64, "")                                                                     \
	X(TAINT_STATUS, "taint_status", U8, "")                                                              \
	X(TAINT, "taint", U64, "")                                                                           \
	X(CLOCK_OFF, "clock_off", U8, "0 or 1")

#define COLUMN_COMPONENTS(X)                                                                                 \
	X(SEQ, "seq", U64, "of the record")                                                                  \
	X(MANIFEST, "manifest", U32, "its number + 1; 0: none published")                                    \
	X(ENTRY_COUNT, "entry_count", U32, "as the host says")                                               \
	X(MODULE_SUPPORT, "module_support", U8, "enum reading_status")                                       \
	X(TAINT_STATUS, "taint_status", U8, "")                                                              \
	X(TAINT, "taint", U64, "")                                                                           \
	X(LOADED, "loaded", BYTES, "bit i, most significant first; zero bytes at the end left out")          \
	X(PENDING, "pending", BYTES, "entry ids, u64 little-endian")                                         \
	X(EBPF_STATUS, "ebpf_status", U8, "")                                                                \
	X(EBPF, "ebpf", U64, "programs")                                                                     \
	X(CHANGES_TOTAL, "changes_total", U64, "")

/* Of the same record; apart, as few questions read it. */
#define COLUMN_CHANGES(X)                                                                                    \
	X(EVENTS, "events", BYTES, "newest first, COLUMN_CHANGE_BYTES each; none: no changes")
#define COLUMN_CHANGE_BYTES 17 /* entry id u64, time s u64, op u8; little-endian */

#define COLUMN_CRASHES(X)                                                                                    \
	X(SEQ, "seq", U64, "of the record")                                                                  \
	X(SOURCE_1, "source_unclean_boot", U8, "enum reading_status; in the order of enum crash_kind")       \
	X(TOTAL_1, "total_unclean_boot", U64, "")                                                            \
	X(SOURCE_2, "source_oops", U8, "")                                                                   \
	X(TOTAL_2, "total_oops", U64, "")                                                                    \
	X(SOURCE_3, "source_warning", U8, "")                                                                \
	X(TOTAL_3, "total_warning", U64, "")                                                                 \
	X(SOURCE_4, "source_panic", U8, "")                                                                  \
	X(TOTAL_4, "total_panic", U64, "")                                                                   \
	X(SOURCE_5, "source_oom_kill", U8, "")                                                               \
	X(TOTAL_5, "total_oom_kill", U64, "")                                                                \
	X(SOURCE_6, "source_core_dump", U8, "")                                                              \
	X(TOTAL_6, "total_core_dump", U64, "")                                                               \
	X(SOURCE_7, "source_blue_screen", U8, "")                                                            \
	X(TOTAL_7, "total_blue_screen", U64, "")                                                             \
	X(FIRST_DAY, "first_day", U32, "days since 1970")                                                    \
	X(PER_DAY, "per_day", BYTES, "u16 little-endian a day; none: not said")                              \
	X(EVENT_COUNT, "event_count", U8, "")                                                                \
	X(EVENTS, "events", BYTES, "newest first: time s u64 little-endian, kind u8, length u8, detail")

/* A row: at least one chunk names the entry. */
#define COLUMN_ENTRY(X)                                                                                      \
	X(ID, "id", U64, "entry id")                                                                         \
	X(KIND, "kind", U8, "enum component_kind, or one of a newer version")                                \
	X(NAME, "name", TEXT, "")                                                                            \
	X(VERSION_STATUS, "version_status", U8, "")                                                          \
	X(VERSION, "version", TEXT, "")                                                                      \
	X(SOURCE_STATUS, "source_status", U8, "")                                                            \
	X(SOURCE, "source", TEXT, "")                                                                        \
	X(VENDOR_STATUS, "vendor_status", U8, "")                                                            \
	X(VENDOR, "vendor", TEXT, "")                                                                        \
	X(SIZE_STATUS, "size_status", U8, "")                                                                \
	X(SIZE, "size", U64, "bytes")                                                                        \
	X(FLAGS, "flags", U32, "COMPONENT_...")

#define COLUMN_CHUNK(X)                                                                                      \
	X(ID, "id", ID, "blob id")                                                                           \
	X(ENTRIES, "entries", BYTES, "entry numbers, u32 little-endian, in the manifest's order")            \
	X(COMPLETE, "complete", U8, "0: entries behind these could not be read or were left out")

#define COLUMN_MANIFEST(X)                                                                                   \
	X(ID, "id", ID, "blob id of its root")                                                               \
	X(CHUNKS, "chunks", BYTES, "chunk numbers, u32 little-endian, in the manifest's order")              \
	X(ENTRIES, "entries", U32, "of those chunks together")                                               \
	X(COMPLETE, "complete", U8, "0: a blob behind these chunks is not here, or no manifest's")           \
	X(LEFT_OUT, "left_out", U8, "1: not complete because there was no room for it (base/limits.h)")

/* Rows of the operators' policies in force, in the order of (operator, slot), then as they stand. */
#define COLUMN_POLICY(X)                                                                                     \
	X(OPERATOR, "operator", BYTES, "id of who signed it")                                                \
	X(SLOT, "slot", U64, "of the record")                                                                \
	X(KIND, "kind", U8, "enum component_kind, or one of a newer version; 0: any")                        \
	X(NAME, "name", TEXT, "none: any")                                                                   \
	X(NAME_OP, "name_op", U8, "enum term_operator")                                                      \
	X(VERSION_OP, "version_op", U8, "enum term_operator")                                                \
	X(VERSION, "version", TEXT, "none: any")                                                             \
	X(SOURCE, "source", TEXT, "none: any")                                                               \
	X(VENDOR, "vendor", TEXT, "none: any")                                                               \
	X(REFUSED, "refused", U8, "0: approved")                                                             \
	X(REMARK, "remark", TEXT, "none: not given")

/* Likewise of inventories. Texts that were not given are none. */
#define COLUMN_INVENTORY(X)                                                                                  \
	X(OPERATOR, "operator", BYTES, "id of who signed it")                                                \
	X(SLOT, "slot", U64, "of the record")                                                                \
	X(NAME, "name", TEXT, "hostname")                                                                    \
	X(ASSET_1, "asset_1", TEXT, "")                                                                      \
	X(ASSET_2, "asset_2", TEXT, "")                                                                      \
	X(SITE, "site", TEXT, "never none")                                                                  \
	X(ROLE, "role", TEXT, "")                                                                            \
	X(CRITICALITY, "criticality", U8, "enum criticality; 0: not given")                                  \
	X(ADDRESS, "address", TEXT, "postal")                                                                \
	X(HOURS, "hours", TEXT, "")                                                                          \
	X(CONTACT, "contact", TEXT, "")                                                                      \
	X(RECOVERY_KEY, "recovery_key", TEXT, "where it is kept")                                            \
	X(NEEDED_STATUS, "needed_status", U8, "")                                                            \
	X(NEEDED, "needed", U32, "machines")                                                                 \
	X(REMARK, "remark", TEXT, "")

/* X(symbol, value, name, columns). Values are stored: never renumber. */
#define COLUMN_GROUPS(X)                                                                                     \
	X(HOST, 1, "host", COLUMN_HOST)                                                                      \
	X(STATE, 2, "state", COLUMN_STATE)                                                                   \
	X(PROFILE, 3, "profile", COLUMN_PROFILE)                                                             \
	X(HEALTH, 4, "health", COLUMN_HEALTH)                                                                \
	X(COMPONENTS, 5, "components", COLUMN_COMPONENTS)                                                    \
	X(CHANGES, 6, "changes", COLUMN_CHANGES)                                                             \
	X(CRASHES, 7, "crashes", COLUMN_CRASHES)                                                             \
	X(ENTRY, 8, "entry", COLUMN_ENTRY)                                                                   \
	X(CHUNK, 9, "chunk", COLUMN_CHUNK)                                                                   \
	X(MANIFEST, 10, "manifest", COLUMN_MANIFEST)                                                         \
	X(POLICY, 11, "policy", COLUMN_POLICY)                                                               \
	X(INVENTORY, 12, "inventory", COLUMN_INVENTORY)

enum column_group {
#define COLUMN_GROUP_ENUM(symbol, value, name, columns) GROUP_##symbol = value,
	COLUMN_GROUPS(COLUMN_GROUP_ENUM)
#undef COLUMN_GROUP_ENUM
};
#define COLUMN_GROUP_FIRST GROUP_HOST
#define COLUMN_GROUP_LAST  GROUP_INVENTORY

/* HOST_ID, PROFILE_OS ...: the place of a column in its group, as C_HOST_ID, C_PROFILE_OS. */
#define COLUMN_SYMBOL_HOST(symbol, name, type, meaning)       C_HOST_##symbol,
#define COLUMN_SYMBOL_STATE(symbol, name, type, meaning)      C_STATE_##symbol,
#define COLUMN_SYMBOL_PROFILE(symbol, name, type, meaning)    C_PROFILE_##symbol,
#define COLUMN_SYMBOL_HEALTH(symbol, name, type, meaning)     C_HEALTH_##symbol,
#define COLUMN_SYMBOL_COMPONENTS(symbol, name, type, meaning) C_COMPONENTS_##symbol,
#define COLUMN_SYMBOL_CHANGES(symbol, name, type, meaning)    C_CHANGES_##symbol,
#define COLUMN_SYMBOL_CRASHES(symbol, name, type, meaning)    C_CRASHES_##symbol,
#define COLUMN_SYMBOL_ENTRY(symbol, name, type, meaning)      C_ENTRY_##symbol,
#define COLUMN_SYMBOL_CHUNK(symbol, name, type, meaning)      C_CHUNK_##symbol,
#define COLUMN_SYMBOL_MANIFEST(symbol, name, type, meaning)   C_MANIFEST_##symbol,
#define COLUMN_SYMBOL_POLICY(symbol, name, type, meaning)     C_POLICY_##symbol,
#define COLUMN_SYMBOL_INVENTORY(symbol, name, type, meaning)  C_INVENTORY_##symbol,
enum column_host { COLUMN_HOST(COLUMN_SYMBOL_HOST) };
enum column_state { COLUMN_STATE(COLUMN_SYMBOL_STATE) };
enum column_profile { COLUMN_PROFILE(COLUMN_SYMBOL_PROFILE) };
enum column_health { COLUMN_HEALTH(COLUMN_SYMBOL_HEALTH) };
enum column_components { COLUMN_COMPONENTS(COLUMN_SYMBOL_COMPONENTS) };
enum column_changes { COLUMN_CHANGES(COLUMN_SYMBOL_CHANGES) };
enum column_crashes { COLUMN_CRASHES(COLUMN_SYMBOL_CRASHES) };
enum column_entry { COLUMN_ENTRY(COLUMN_SYMBOL_ENTRY) };
enum column_chunk { COLUMN_CHUNK(COLUMN_SYMBOL_CHUNK) };
enum column_manifest { COLUMN_MANIFEST(COLUMN_SYMBOL_MANIFEST) };
enum column_policy { COLUMN_POLICY(COLUMN_SYMBOL_POLICY) };
enum column_inventory { COLUMN_INVENTORY(COLUMN_SYMBOL_INVENTORY) };

enum column_type { COLUMN_U8, COLUMN_U16, COLUMN_U32, COLUMN_U64, COLUMN_ID, COLUMN_TEXT, COLUMN_BYTES };

struct column_info {
	const char *name;
	enum column_type type;
	const char *meaning;
};
/* NULL for a group that is none. */
const struct column_info *column_group_columns(unsigned group, unsigned *ret_count);

#endif
