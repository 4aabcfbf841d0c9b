/* What the files of the questions share: columns, the roster, one host's rows, the catalogue of components.
 * Private to store/; tables: store/table.h.
 *
 * Nothing here decodes a record: questions read column blocks, each group when it is first asked for. Texts
 * point into the blocks, which stay until the question is closed. */
#ifndef MESH_STORE_QUERY_PRIVATE_H
#define MESH_STORE_QUERY_PRIVATE_H

#include <sqlite3.h>

#include "record/body.h"
#include "record/manifest.h"
#include "store/column_table.h"
#include "store/query.h"
#include "store/site_counts.h"
#include "store/snapshot.h"

struct query;
struct operator_list;
struct machine_list;
struct fates;

/* --- columns: groups of one snapshot, opened when first asked for --- */

struct columns {
	struct snapshot *snapshot;
	struct column_table *tables[COLUMN_GROUP_LAST + 1];
};

void columns_close(struct columns *c);
enum err columns_table(struct columns *c, enum column_group group, struct column_table **ret);
/* End of the group's numbers. Does nothing once *err is an error. */
uint32_t columns_end(struct columns *c, enum column_group group, enum err *err);
/* ret->block is NULL where there is no such row. */
static inline enum err columns_row(struct columns *c, enum column_group group, uint32_t number,
				   struct column_row *ret)
{
	struct column_table *t = c->tables[group];
	enum err err = t != NULL ? ERR_OK : columns_table(c, group, &t);
	return err == ERR_OK ? column_table_row(t, number, ret) : err;
}

/* --- roster: every certified host with its state, by number; every site by name --- */

struct roster_host {
	uint32_t number;
	uint32_t site;    /* home, index */
	uint8_t status;   /* enum host_status */
	uint8_t standing; /* enum host_standing */
	bool decided;     /* it has a state; else status is unknown */
	bool certified;   /* false: there is no such host, and all else is zero */
};

struct roster_site {
	struct site_state state; /* id and name always; the rest zero when it was never heard of */
	struct site_counts counts;
};

/* Whoever was revoked is hidden, so that no table and no count has to think of it. Hosts are read block by
 * block when they are first asked for, sites all at once. */
struct roster {
	struct roster_host *hosts; /* by number; NULL until the first is asked for */
	bool *there;               /* by block: its hosts have been read */
	uint32_t end;              /* of the numbers */
	bool whole;                /* all blocks have been read */
	bool revealed;
	uint32_t *hidden; /* numbers; valid with `whole` */
	size_t hidden_count;
	struct roster_site *sites; /* behind site_count: those that only hidden hosts speak of */
	size_t site_count, site_total, site_cap;
	bool sites_there;
	uint32_t *slots; /* site index + 1 by name, open addressing, at most half full */
	size_t slot_count;
};

/* Nothing is read yet. ERR_VERSION, ERR_NOMEM. */
enum err roster_open(struct query *q);
void roster_free(struct roster *roster);
/* From here on the hidden hosts are among the others too; they count for nothing all the same. */
void roster_reveal(struct roster *roster);
bool roster_revoked(const struct roster_host *host);
/* One host, for which little is read: NULL when the number is no host's, or a hidden one's and not `any`. */
enum err roster_host(struct query *q, uint32_t number, bool any, const struct roster_host **ret);
/* All hosts, for those who go through them:
 *
 *    err = roster_load(q);
 *    for (uint32_t n = 0; n < q->roster.end; n++) {
 *            const struct roster_host *host = roster_at(&q->roster, n);
 *            if (host != NULL) ... */
enum err roster_load(struct query *q);
/* After roster_load; NULL when the number is no host's, or a hidden one's. */
static inline const struct roster_host *roster_at(const struct roster *r, uint32_t number)
{
	const struct roster_host *host = &r->hosts[number];
	return host->certified && (r->revealed || host->standing != STANDING_REVOKED) ? host : NULL;
}
/* Sites with their counts; before anything is asked of them. From here on they stay where they are. */
enum err roster_sites(struct query *q);
/* Index of the site of that name; site_total when there is none. After roster_sites. */
size_t roster_site_find(const struct roster *roster, const char *name);

/* --- one host's rows, read when asked for --- */

struct host_view {
	struct query *q;
	const struct roster_host *host;
	const struct roster_site *site; /* home */
	enum err err;                   /* sticky: the replica failed */
	unsigned tried;                 /* bit per group */
	struct column_row rows[GROUP_CRASHES + 1];
};

void host_view_start(struct host_view *v, struct query *q, const struct roster_host *host);
static inline struct column_row host_row(struct host_view *v, enum column_group group);
/* Highest seq of all its records. */
uint64_t host_seq(struct host_view *v);
/* When the host was last vouched for: its own sign of life, or a roll-call that does not say otherwise. */
wall_ms host_attested(struct host_view *v);
struct host_list {
	uint32_t *numbers; /* freed by whoever has the list */
	size_t count, cap;
};
enum err host_list_add(struct host_list *list, uint32_t number);
/* Adds all that may have the name, and seldom one more. */
enum err host_list_named(struct query *q, const char *name, struct host_list *list);
/* By id, or NULL; hidden ones only with `any`. */
enum err host_by_id(struct query *q, const struct id *id, bool any, const struct roster_host **ret);

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

/* --- catalogue: which entries a manifest has, and which hosts an entry --- */

/* Numbers in a list of u32, little-endian. */
struct number_list {
	const uint8_t *bytes;
	size_t count;
};

static inline struct number_list number_list(struct column_row row, unsigned column)
{
	struct number_list l = {.count = 0};
	size_t len;
	l.bytes = row.block != NULL ? column_row_bytes(row, column, &len) : NULL;
	if (l.bytes != NULL)
		l.count = len / 4;
	return l;
}

static inline uint32_t number_list_at(struct number_list l, size_t index)
{
	return (uint32_t)column_le(l.bytes + 4 * index, 4);
}

/* Of a chunk, in 16 bits, as each is part of many manifests and walks come by them at random. */
#define CHUNK_LOOKED_UP 0x8000u
#define CHUNK_WHOLE     0x4000u /* else the places of what follows it are not known */
#define CHUNK_ENTRIES   0x3fffu /* how many: a column has UINT16_MAX bytes at most */

/* ERR_OK with no chunks where the manifest is not known. `ret_left_out`: there was no room for some of it. */
enum err catalogue_manifest(struct query *q, uint32_t manifest, struct number_list *ret_chunks,
			    bool *ret_left_out);
/* Makes room for the chunks; catalogue_manifest does so, too. */
enum err catalogue_begin(struct query *q);
/* After catalogue_begin; `chunk` is below catalogue.chunk_end. */
enum err catalogue_look_up(struct query *q, uint32_t chunk);

/* Entry numbers of one manifest, in its order. */
struct manifest_entries {
	uint32_t manifest; /* number */
	bool loaded;
	uint32_t *entries;
	size_t count, cap;
};

struct entry_counts {
	uint32_t hosts, up, dark, other, loaded;
	bool named; /* by a host that is not hidden */
};

/* What the policies in force say of an entry. */
enum approval { APPROVAL_NONE, APPROVAL_APPROVED, APPROVAL_REFUSED };

/* Hosts that gained or lost it within seven days, as they told. */
struct entry_trend {
	uint32_t gained, lost;
};

struct catalogue {
	struct entry_counts *counts; /* by entry number */
	bool counted, loaded_counted;
	struct query_modules modules; /* valid once counted */
	uint8_t *only;                /* bit by number of the hosts that are counted; NULL: all */
	uint32_t *slots;              /* entry number + 1 by entry id, open addressing, at most half full */
	size_t slot_count;
	uint16_t *chunks; /* CHUNK_..., by number; NULL before catalogue_begin */
	uint32_t chunk_end;
	const uint8_t **chunk_entries; /* by number, once looked up: as in a number_list */
	uint8_t *approvals;            /* enum approval by entry number; NULL until asked for */
	uint64_t rules;                /* rows of policies, once `approvals` are there */
	struct entry_trend *trends;    /* by entry number; NULL until asked for */
};

void catalogue_free(struct catalogue *c);
/* Number of the host's manifest; false: none published. */
bool catalogue_manifest_of(struct column_row components, uint32_t *ret);
/* Kept when it is the same manifest again. */
enum err catalogue_entries(struct query *q, uint32_t manifest, struct manifest_entries *ret);
/* Of one entry id; block NULL: no manifest that is known has it. */
enum err catalogue_find(struct query *q, uint64_t entry, struct column_row *ret);
/* Likewise its number; UINT32_MAX. */
enum err catalogue_number(struct query *q, uint64_t entry, uint32_t *ret);
/* Fills catalogue.trends, once. */
enum err catalogue_trends(struct query *q);
/* By entry number, good until the query is closed; `ret_any`: there is a policy at all. */
enum err query_approvals(struct query *q, const uint8_t **ret, bool *ret_any);
/* Hosts per entry; which of them have it loaded is counted only when wanted. */
enum err catalogue_count(struct query *q, bool loaded);

static inline bool catalogue_has(const uint8_t *bits, uint32_t number)
{
	return (bits[number / 8] >> (number % 8) & 1) != 0;
}

/* --- choice: the entries that one cursor is asked for --- */

struct chosen_entry {
	uint32_t place; /* in the manifest, or in a chunk */
	uint32_t entry; /* number; UINT32_MAX ends those of one */
};
struct chosen_list {
	struct chosen_entry *list;
	size_t count, cap;
};

/* Each with a zero byte behind it; ids in hexadecimal. `bytes` NULL: any. */
struct choice_texts {
	char *bytes;
	size_t len;
};

/* Of a manifest: where in `found`. */
struct chosen_of {
	uint32_t first;
	uint32_t known; /* how many, + 1; 0: not looked for yet */
};

struct choice {
	struct choice_texts component, entry; /* what `entries` were chosen by */
	bool set;
	uint8_t *entries;  /* bit set by number */
	uint16_t *weights; /* by number of chunk: how many entries, and what is to be noted of it */
	uint32_t *chunks;  /* by number of chunk: where its own are in `in_chunks`, + 1; 0: it has none */
	struct chosen_list in_chunks;
	uint32_t entry_end, manifest_end;
	struct chosen_of *of; /* by manifest */
	struct chosen_list found;
};

void choice_free(struct choice *c);
/* The entries of one of those names and ids; kept when they are the same again. Takes over the texts. */
enum err choice_make(struct query *q, struct choice_texts component, struct choice_texts entry,
		     struct choice *c);
/* All manifests in the order they stand in: quicker where most are asked for. */
enum err choice_all(struct query *q, struct choice *c);
/* Those that the manifest has, in its order, good until the next call. */
enum err choice_of(struct query *q, struct choice *c, uint32_t manifest, const struct chosen_entry **ret,
		   size_t *ret_count);

/* --- the question itself --- */

struct query {
	struct snapshot *snapshot;
	sqlite3 *db;
	wall_ms now;
	struct columns columns;
	struct roster roster;
	struct catalogue catalogue;
	struct issue_list issues;
	struct operator_list *operators; /* NULL until asked for, as the next */
	struct machine_list *machines;
	struct fates *fates;
	bool declaring;    /* a table's columns, inside SQLite's own parser */
	uint32_t told;     /* number + 1 of the host whose id a cell had last: joins ask for it next */
	uint64_t left_out; /* hosts some of whose components there was no room for */
	char *row_texts;   /* of the row at hand that stood in the map */
	size_t row_texts_cap;
	enum err failure; /* of a table during a statement */
	struct err_info failure_info;
	char denied[160];
	uint64_t steps, steps_left;
	uint32_t timeout_ms;
	uint64_t deadline;        /* mono_ms, 0: none */
	bool out_of_budget, late; /* late: because of the deadline */
};

/* Its row of a group of hosts; block is NULL when the host never published what it is derived from. */
static inline struct column_row host_row(struct host_view *v, enum column_group group)
{
	if ((v->tried & 1u << group) == 0) {
		struct column_row row = {.block = NULL};
		enum err err = columns_row(&v->q->columns, group, v->host->number, &row);
		if (err != ERR_OK)
			v->err = err;
		v->rows[group] = row;
		v->tried |= 1u << group;
	}
	return v->rows[group];
}

/* --- going through the chunks of manifests, which some questions do half a million times --- */

/* Entry numbers of a chunk below catalogue.chunk_end; none where it is not known. */
static inline enum err catalogue_chunk(struct query *q, uint32_t chunk, struct number_list *ret)
{
	const struct catalogue *c = &q->catalogue;
	enum err err = c->chunks[chunk] != 0 ? ERR_OK : catalogue_look_up(q, chunk);
	*ret = (struct number_list){c->chunk_entries[chunk], c->chunks[chunk] & CHUNK_ENTRIES};
	return err;
}

/* As far as the places of entries are known. */
struct chunk_walk {
	struct number_list chunks; /* of the manifest */
	size_t next;
	bool ended;
	/* Of the chunk at hand: its number, below catalogue.chunk_end, and the places of its entries. */
	uint32_t chunk, first, end;
};

/* False behind the last chunk, and when *err became an error. */
static inline bool chunk_walk_next(struct query *q, struct chunk_walk *w, enum err *err)
{
	if (w->ended || w->next == w->chunks.count || w->end > LIMIT_COMPONENTS)
		return false;
	uint32_t number = number_list_at(w->chunks, w->next++);
	if (number >= q->catalogue.chunk_end)
		return false;
	const uint16_t *chunk = &q->catalogue.chunks[number];
	if (*chunk == 0 && (*err = catalogue_look_up(q, number)) != ERR_OK)
		return false;
	w->chunk = number;
	w->first = w->end;
	w->end += *chunk & CHUNK_ENTRIES;
	w->ended = (*chunk & CHUNK_WHOLE) == 0;
	return true;
}

/* Notes why a table failed and returns `err`. */
enum err query_fail(struct query *q, enum err err);
/* Long passes are inside one step of SQLite's, so its own budget does not see them. */
bool query_too_late(struct query *q);

/* --- functions (query_functions.c) --- */

bool query_function_allowed(const char *name);
/* Our own. SQLite's code. */
int query_functions_register(sqlite3 *db);

#endif
