/* The columns that say what a component is, the same in components and host_components. */
#ifndef MESH_STORE_TABLE_ENTRY_H
#define MESH_STORE_TABLE_ENTRY_H

#include "store/table.h"

#define ENTRY_COLUMNS(X)                                                                                     \
	X(VERSION, "version", "TEXT", "", "NULL: see version_status")                                        \
	X(VERSION_STATUS, "version_status", "TEXT", "", "ok, absent (it declares none), or why NULL")        \
	X(SOURCE, "source", "TEXT", "", "source version, or hash of the file; NULL: see source_status")      \
	X(SOURCE_STATUS, "source_status", "TEXT", "", "ok, absent (it declares none), or why NULL")          \
	X(VENDOR, "vendor", "TEXT", "", "vendor or signer; NULL: see vendor_status")                         \
	X(VENDOR_STATUS, "vendor_status", "TEXT", "", "ok, absent (it names none), or why NULL")             \
	X(SIZE, "size_bytes", "INTEGER", "bytes", "NULL: unknown")                                           \
	X(BOOT_START, "boot_start", "INTEGER", "0 or 1", "starts before repair can get in")                  \
	X(OUT_OF_TREE, "out_of_tree", "INTEGER", "0 or 1", "")                                               \
	X(UNSIGNED, "unsigned", "INTEGER", "0 or 1", "")                                                     \
	X(PROPRIETARY, "proprietary", "INTEGER", "0 or 1", "")                                               \
	X(THIRD_PARTY, "third_party", "INTEGER", "0 or 1", "")                                               \
	X(ENTRY, "entry", "TEXT", "", "id of kind, name, version, source, vendor, size and flags together")

enum entry_column {
#define ENTRY_SYMBOL(symbol, name, type, unit, meaning) ENTRY_COLUMN_##symbol,
	ENTRY_COLUMNS(ENTRY_SYMBOL)
#undef ENTRY_SYMBOL
};

void table_entry_column(struct column_row entry, enum entry_column column, sqlite3_context *context);
const char *table_entry_kind(struct column_row entry);

#endif
