/* Who is in the estate, and what they have, found in the records themselves: slow, and by other code than
 * what derives the columns, so that the two can be compared. */
#ifndef MESH_TESTS_UNIT_ORACLE_H
#define MESH_TESTS_UNIT_ORACLE_H

#include "crypto/certificate.h"
#include "record/manifest.h"
#include "record/state.h"
#include "store/snapshot.h"

#define ORACLE_ENTRIES_MAX   262144
#define ORACLE_MANIFESTS_MAX LIMIT_HOSTS
#define ORACLE_REFS_MAX      (8 * 1024 * 1024)

struct oracle_host {
	struct id id;
	uint64_t seq; /* of its certificate */
	struct id issuer;
	wall_day enrolled;
	uint32_t site; /* home, index */
	bool decided;  /* it has a row of state; else that is all zero */
	struct host_state state;
};

struct oracle_site {
	struct site_state state; /* id and name always; the rest zero when it was never heard of */
	uint64_t by_status[HOST_REPLACED + 1];
};

/* Whoever was revoked stands apart, so that no table and no count has to think of it. */
struct oracle_roster {
	struct oracle_host *hosts;
	size_t host_count;
	struct oracle_host *hidden; /* revoked, by ascending id */
	size_t hidden_count;
	struct oracle_site *sites; /* behind site_count: those that only hidden hosts speak of */
	size_t site_count, site_total;
};

enum err oracle_roster_load(struct snapshot *r, struct oracle_roster *ret, struct err_info *info);
void oracle_roster_free(struct oracle_roster *roster);
bool oracle_revoked(const struct oracle_host *host);
/* NULL when unknown or hidden. */
const struct oracle_host *oracle_find(const struct oracle_roster *roster, const struct id *host);
/* The hidden ones included. */
const struct oracle_host *oracle_find_any(const struct oracle_roster *roster, const struct id *host);

struct oracle_entry {
	uint64_t id;
	uint8_t kind;
	uint8_t version_status, source_status, vendor_status, size_status;
	uint32_t flags;
	uint64_t size_bytes;
	uint32_t name, version, source, vendor;  /* offsets of texts */
	uint32_t hosts, up, dark, other, loaded; /* with it; valid once counted */
};

struct oracle_catalogue;
struct oracle_manifest {
	const uint32_t *chunks;
	size_t chunk_count;
	size_t entry_count;
	bool complete; /* false: a blob is missing, the entries after it are not known */
	bool left_out; /* some of it: there are more entries than a question may hold */
};

enum err oracle_catalogue_new(struct snapshot *r, size_t entry_max, struct oracle_catalogue **ret);
void oracle_catalogue_free(struct oracle_catalogue *c);
/* Decoded once. ERR_NOT_FOUND when nothing of it is there. */
enum err oracle_manifest(struct oracle_catalogue *c, const struct id *root, struct oracle_manifest *ret);
/* How many chunks of it are not decoded yet. */
enum err oracle_catalogue_news(struct oracle_catalogue *c, const struct id *root, size_t *ret);
/* Indices of the chunk's entries. */
const uint32_t *oracle_chunk(const struct oracle_catalogue *c, uint32_t chunk, size_t *ret_count);
size_t oracle_count(const struct oracle_catalogue *c);
struct oracle_entry *oracle_at(struct oracle_catalogue *c, size_t index);
/* NULL when unknown. */
const struct oracle_entry *oracle_find_entry(const struct oracle_catalogue *c, uint64_t entry_id);
const char *oracle_text(const struct oracle_catalogue *c, uint32_t offset);

#endif
