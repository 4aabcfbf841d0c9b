/* What the files of suspects share. Happy path: suspects_hosts classes the hosts, suspects_sites takes those
 * apart whose site vanished at once, suspects_catalogue numbers the candidates, suspects_count counts each by
 * class, suspects_sets makes bit sets of hosts of those that stand out, suspects_judge finds who is to blame.
 * Private to store/. */
#ifndef MESH_STORE_SUSPECTS_PRIVATE_H
#define MESH_STORE_SUSPECTS_PRIVATE_H

#include "store/query_private.h"
#include "store/suspects.h"

#define SUSPECTS_LN_ALPHA  (-6.907755278982137) /* ln 0.001, of a corrected probability */
#define SUSPECTS_SETS_MAX  768
#define SUSPECTS_LINES_MAX 5
#define SUSPECTS_NONE      UINT32_MAX

/* --- texts by number --- */

struct suspects_texts {
	struct suspects_text {
		uint32_t tag; /* what the text is of: equal texts of different tags are two */
		const char *text;
	} * list;
	size_t count, cap;
	uint32_t *slots;
	size_t slot_count;
};
/* Borrows the text. ERR_NOMEM. */
enum err suspects_text(struct suspects_texts *t, uint32_t tag, const char *text, uint32_t *ret);

/* --- hosts --- */

enum suspects_class { SUSPECTS_SURVIVED, SUSPECTS_FAILED, SUSPECTS_SEPARATE };

struct suspects_host {
	uint32_t number, site, manifest; /* manifest: SUSPECTS_NONE without a list */
	uint32_t attributes[3];          /* model, os, kernel: text; SUSPECTS_NONE: not known */
	uint8_t class;                   /* enum suspects_class */
	bool silent;
	bool last_words; /* it is down since: what it said last is what it had */
	wall_ms at;      /* when it failed, or the moment it is compared at */
};

/* A site whose hosts vanished at once. */
struct suspects_cut {
	uint32_t site;
	wall_ms from, to;
	uint64_t hosts, up; /* that vanished; of that were up before */
};

/* --- candidates: by number, kind after kind --- */

struct suspects_entry {
	uint32_t name;  /* text; SUSPECTS_NONE: the entry is not known */
	uint32_t place; /* of its version; SUSPECTS_NONE: it declares none */
	bool file;      /* stands for itself: others have its name and version */
};

struct suspects_version {
	uint32_t name;
	const char *text;
};

struct suspects_tally {
	uint32_t failed, all;
	uint64_t sign; /* sum of numbers drawn for its hosts: equal sets have equal ones */
};

/* Candidates that the same hosts have. */
struct suspects_set {
	uint32_t first, count; /* in `contenders` */
	uint64_t *bits;        /* by place of the host */
	double ln_p;           /* among all hosts */
};

struct suspects_engine {
	struct query *q;
	const struct suspects_options *options;
	struct suspects *ret;
	uint8_t *wanted; /* --where: bit set by number; NULL: all */
	struct suspects_host *hosts;
	size_t host_count, host_cap;
	struct suspects_cut *cuts;
	size_t cut_count;
	bool only_down;  /* `hosts` has nobody who is up: the sites' counts have them */
	bool any_partly; /* sites cut in part count, however many there are */
	struct suspects_texts names, attributes[3];
	struct suspects_texts version_texts; /* before they are in order */
	struct suspects_entry *entries;
	uint32_t entry_end, manifest_end;
	uint32_t *entry_slots; /* entry number + 1 by id */
	size_t entry_slot_count;
	struct suspects_version *versions; /* by name, then in order */
	uint32_t *version_first;           /* by name: place of its first; one more at the end */
	uint32_t version_count;
	uint8_t *third_party;             /* by name */
	uint32_t base[SUSPECT_KINDS + 1]; /* first candidate of each kind */
	struct suspects_tally *tallies;   /* by candidate */
	uint64_t failed, counted;         /* hosts that candidates are counted over */
	uint32_t *contenders;             /* candidates */
	size_t contender_count;
	struct suspects_set *sets;
	size_t set_count, words;
	uint32_t *set_of; /* by candidate: set + 1; 0: none */
	uint64_t **marks; /* by candidate: bits of its set, of the first of each set only, as the others say
			     the same */
	uint64_t *failed_bits, *all_bits;
};

static inline enum suspect_kind suspects_kind_of(const struct suspects_engine *e, uint32_t candidate)
{
	enum suspect_kind kind = SUSPECT_COMPONENT;
	while (candidate >= e->base[kind + 1])
		kind++;
	return kind;
}

/* Name of the component that the candidate is of; SUSPECTS_NONE for what is none. */
uint32_t suspects_family(const struct suspects_engine *e, uint32_t candidate);

/* `info` is written for a wrong --where. */
enum err suspects_hosts(struct suspects_engine *e, struct err_info *info);
enum err suspects_sites(struct suspects_engine *e);
/* Sets those apart, too, that are down by a power cut or a lost link for all that is known (store/fates.h).
 */
enum err suspects_fates(struct suspects_engine *e);
/* Draws the moments that survivors are compared at. */
enum err suspects_moments(struct suspects_engine *e);
enum err suspects_catalogue(struct suspects_engine *e);

/* Number of the entry of that id, or SUSPECTS_NONE. */
enum err suspects_entry_find(struct suspects_engine *e, uint64_t id, uint32_t *ret);

/* What hosts had at their moments. */
struct suspects_having {
	uint32_t *items; /* candidates, each once; of SUSPECT_FROM only that of the newest version */
	size_t count, cap;
	uint32_t *stamps, stamp; /* by candidate: last one that it was in */
	uint32_t *newest;        /* by name: place; SUSPECTS_NONE: no version */
	uint32_t *places;        /* of hosts that had what their manifest says */
	struct manifest_entries entries;
};
enum err suspects_having_open(struct suspects_engine *e, struct suspects_having *ret);
void suspects_having_close(struct suspects_having *h);
/* Goes through all hosts, those that had the same together. `places` are in e->hosts, which are in the order
 * of manifests. */
typedef void (*suspects_visit)(void *context, const struct suspects_having *h, const uint32_t *places,
			       size_t count);
enum err suspects_walk(struct suspects_engine *e, suspects_visit visit, void *context);
/* Calls with the names that the host changed of late, up to its moment, each once, and the newest time. */
typedef void (*suspects_changed)(void *context, uint32_t name, wall_ms at);
enum err suspects_changes(struct suspects_engine *e, const struct suspects_host *host,
			  suspects_changed changed, void *context);

struct suspects_change {
	uint32_t entry; /* SUSPECTS_NONE: no manifest that is known has it any more */
	wall_ms at;
	uint8_t op; /* CHANGE_ADDED or CHANGE_REMOVED */
};
/* Those of late, newest first, whatever the host's moment. */
enum err suspects_read_changes(struct suspects_engine *e, uint32_t number,
			       struct suspects_change ret[LIMIT_CHANGES], size_t *ret_count);

enum err suspects_count(struct suspects_engine *e);
enum err suspects_sets(struct suspects_engine *e);
enum err suspects_judge(struct suspects_engine *e);

/* Adds a row; `candidate` gives kind, names and counts over all hosts. */
enum err suspects_row(struct suspects_engine *e, uint32_t candidate, enum suspect_verdict verdict,
		      unsigned line, unsigned of, struct suspect **ret);

#endif
