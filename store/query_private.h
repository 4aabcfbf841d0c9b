/* What the files of the questions share: the roster, one host's records, the catalogue of components, and the
 * description of a table. Private to store/. */
#ifndef MESH_STORE_QUERY_PRIVATE_H
#define MESH_STORE_QUERY_PRIVATE_H

#include <sqlite3.h>

#include "crypto/certificate.h"
#include "record/body.h"
#include "record/manifest.h"
#include "store/query.h"
#include "store/snapshot.h"

/* Bounds of what one question keeps in memory. */
#define QUERY_ENTRIES_MAX   262144            /* distinct component entries */
#define QUERY_MANIFESTS_MAX LIMIT_HOSTS       /* distinct manifests */
#define QUERY_REFS_MAX      (8 * 1024 * 1024) /* entries of all distinct chunks, chunks of all manifests */

/* --- roster: every certified host with its state, by ascending host id; every site by name --- */

struct roster_host {
	struct id id;
	uint64_t seq; /* of its certificate */
	struct id issuer;
	wall_day enrolled;
	uint32_t site; /* home, index */
	bool decided;  /* it has a row of state; else that is all zero */
	struct host_state state;
};

struct roster_site {
	struct site_state state; /* id and name always; the rest zero when it was never heard of */
	uint64_t by_status[HOST_REPLACED + 1];
};

/* Whoever was revoked stands apart, so that no table and no count has to think of it. */
struct roster {
	struct roster_host *hosts;
	size_t host_count;
	struct roster_host *hidden; /* revoked, by ascending id */
	size_t hidden_count;
	struct roster_site *sites; /* behind site_count: those that only hidden hosts speak of */
	size_t site_count, site_total;
};

enum err roster_load(struct snapshot *r, struct roster *ret, struct err_info *info);
void roster_free(struct roster *roster);
/* From here on the hidden hosts are among the others too; they count for nothing all the same. ERR_NOMEM. */
enum err roster_reveal(struct roster *roster);
bool roster_revoked(const struct roster_host *host);
/* NULL when unknown or hidden. */
const struct roster_host *roster_find(const struct roster *roster, const struct id *host);
/* The hidden ones included. */
const struct roster_host *roster_find_any(const struct roster *roster, const struct id *host);

/* --- one host's records, read when asked for --- */

struct host_view {
	struct query *q;
	const struct roster_host *host;
	const struct roster_site *site; /* home */
	enum err err;                   /* sticky: the replica failed */
	unsigned tried, have;           /* bit per record kind */
	uint64_t seq;                   /* highest of the records read so far */
	struct certificate certificate;
	struct profile profile;
	struct health health;
	struct components components;
	struct crashes crashes;
};

void host_view_start(struct host_view *v, struct query *q, const struct roster_host *host);
/* NULL when the host never published it. */
const struct certificate *host_certificate(struct host_view *v);
const struct profile *host_profile(struct host_view *v);
const struct health *host_health(struct host_view *v);
const struct components *host_components(struct host_view *v);
const struct crashes *host_crashes(struct host_view *v);
/* Highest seq of all its records. */
uint64_t host_seq(struct host_view *v);
/* Hosts whose profile says that name, as indices into the roster; the caller frees them. */
enum err host_by_name(struct query *q, const char *name, size_t **ret_indices, size_t *ret_count);

/* When the host was last vouched for: its own sign of life, or a roll-call that does not say otherwise. */
wall_ms host_attested(const struct roster *roster, const struct roster_host *host);

/* --- issues: what is wrong with the data --- */

struct issue_proof {
	enum issue_kind kind;
	struct id subject;
	unsigned index;
	struct record_key key;
	uint64_t seq, instance;
	wall_ms time;
	uint64_t hash; /* of the whole record: tells the two apart */
	size_t len;
};

/* By kind, then subject. */
struct issue_list {
	bool loaded;
	struct issue *issues; /* without proofs */
	size_t count, cap;
	struct issue_proof *proofs;
	size_t proof_count, proof_cap;
};

enum issue_severity { ISSUE_INFO, ISSUE_WARNING, ISSUE_CRITICAL };

/* What a person is told of each kind. */
struct issue_facts {
	enum issue_severity severity;
	const char *subject; /* host, issuer, operator or estate */
	const char *count;   /* what it counts */
	const char *explanation, *remedy;
};
/* NULL for a kind that is none. */
const struct issue_facts *issue_facts_of(enum issue_kind kind);

/* Loaded once. */
enum err query_issues(struct query *q, const struct issue_list **ret);
void issue_list_free(struct issue_list *list);
/* NULL when there is none. */
const struct issue *issue_list_find(const struct issue_list *list, enum issue_kind kind,
				    const struct id *subject);

/* --- catalogue: component entries, manifests --- */

struct catalogue_entry {
	uint64_t id;
	uint8_t kind;
	uint8_t version_status, source_status, vendor_status, size_status;
	uint32_t flags;
	uint64_t size_bytes;
	uint32_t name, version, source, vendor;  /* offsets of texts */
	uint32_t hosts, up, dark, other, loaded; /* with it; valid once counted */
};

struct catalogue;
struct manifest_view {
	const uint32_t *chunks;
	size_t chunk_count;
	size_t entry_count;
	bool complete; /* false: a blob is missing, the entries after it are not known */
	bool left_out; /* some of it: there are more entries than a question may hold */
};

enum err catalogue_new(struct snapshot *r, size_t entry_max, struct catalogue **ret);
void catalogue_free(struct catalogue *c);
/* Decoded once. ERR_NOT_FOUND when nothing of it is there. */
enum err catalogue_manifest(struct catalogue *c, const struct id *root, struct manifest_view *ret);
/* How many chunks of it are not decoded yet. */
enum err catalogue_news(struct catalogue *c, const struct id *root, size_t *ret);
/* Indices of the chunk's entries. */
const uint32_t *catalogue_chunk(const struct catalogue *c, uint32_t chunk, size_t *ret_count);
size_t catalogue_count(const struct catalogue *c);
struct catalogue_entry *catalogue_at(struct catalogue *c, size_t index);
/* NULL when unknown. */
const struct catalogue_entry *catalogue_find(const struct catalogue *c, uint64_t entry_id);
const char *catalogue_text(const struct catalogue *c, uint32_t offset);

/* --- the question itself --- */

struct query {
	struct snapshot *snapshot;
	sqlite3 *db;
	wall_ms now;
	struct roster roster;
	struct catalogue *catalogue;
	struct issue_list issues;
	bool declaring; /* a table's columns, inside SQLite's own parser */
	bool manifests_loaded, components_counted;
	uint64_t left_out; /* hosts some of whose components there was no room for */
	enum err failure;  /* of a table during a statement */
	struct err_info failure_info;
	char denied[160];
	uint64_t steps, steps_left;
	uint32_t timeout_ms;
	uint64_t deadline;        /* mono_ms, 0: none */
	bool out_of_budget, late; /* late: because of the deadline */
};

/* Notes why a table failed and returns `err`. */
enum err query_fail(struct query *q, enum err err);
/* Every manifest that a host names, so that an entry id can be looked up, and so that what there is no room
 * for is what fewest share. */
enum err query_load_manifests(struct query *q);
/* Hosts per entry. */
enum err query_count_components(struct query *q);

/* --- tables --- */

struct table_cursor {
	sqlite3_vtab_cursor base; /* must be first */
	struct query *q;
	const struct table *table;
	struct host_view *view; /* by_host: the current host; needs_view: the table's to start */
	size_t *only;           /* hosts to visit; NULL: all */
	size_t host, hosts;     /* position and end, in `only` or in the roster */
	size_t row, rows;       /* within the current host, or in the table */
	int64_t number;
	uint32_t *entries; /* host_components: of the current host's manifest */
	size_t entry_count;
};

struct table {
	struct query_table info;
	bool by_host;    /* rows belong to hosts and are visited host by host */
	bool needs_view; /* not by host, but its cells read hosts' records */
	int host_column; /* host id, for equality; -1: none */
	int name_column; /* hostname, likewise */
	/* Rows of the current host, or of the whole table. */
	enum err (*count)(struct table_cursor *c, size_t *ret_rows);
	void (*column)(struct table_cursor *c, int column, sqlite3_context *context);
};

extern const struct table table_hosts, table_components, table_host_components, table_changes, table_health,
    table_crashes, table_crash_counts, table_sites, table_hidden_hosts, table_issues, table_issue_proofs;

size_t table_list(const struct table *const **ret);
/* One module for all tables. */
int table_register(struct query *q, const struct table *table);

/* What a column's function calls once; not calling any leaves NULL. */
void cell_text(sqlite3_context *context, const char *text);       /* as it is */
void cell_known_text(sqlite3_context *context, const char *text); /* NULL for an empty one */
void cell_u64(sqlite3_context *context, uint64_t v);
void cell_time(sqlite3_context *context, uint64_t v); /* NULL for 0 */
void cell_hex64(sqlite3_context *context, uint64_t v);
void cell_id(sqlite3_context *context, const struct id *id);
void cell_status(sqlite3_context *context, enum reading_status status);
void cell_reading(sqlite3_context *context, const struct reading_u64 *r);
void cell_reading_text(sqlite3_context *context, const struct reading_text *r);
void cell_flag(sqlite3_context *context, bool v);

/* Expand X(symbol, name, type, unit, meaning) lists. */
#define TABLE_COLUMN(symbol, name, type, unit, meaning) {name, type, unit, meaning},
#define TABLE_SYMBOL(symbol, name, type, unit, meaning) symbol,
#define TABLE_INFO(name, meaning, columns)                                                                   \
	{                                                                                                    \
		name, meaning, columns, sizeof(columns) / sizeof(*(columns))                                 \
	}

#endif
