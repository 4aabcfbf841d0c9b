/* What hosts that went down have in common, and what of it can be to blame (docs/outage.md).
 *
 * The unit is the host: failed, survived, or not counted. Each is taken with what it had when it mattered:
 * one that failed as it was then, by its last words where it is down; one that survived as it was at a moment
 * drawn from those at which others failed, so that what was rolled out or mended later blames nothing. */
#ifndef MESH_STORE_SUSPECTS_H
#define MESH_STORE_SUSPECTS_H

#include "base/statistics.h"
#include "store/query.h"

enum suspect_kind {
	SUSPECT_COMPONENT, /* in any version */
	SUSPECT_VERSION,
	SUSPECT_FROM,   /* that version or a later one */
	SUSPECT_FILE,   /* one content of it */
	SUSPECT_CHANGE, /* added, removed or replaced of late */
	SUSPECT_SITE,
	SUSPECT_MODEL,
	SUSPECT_OS,
	SUSPECT_KERNEL,
	SUSPECT_KINDS
};
const char *suspects_kind_name(enum suspect_kind kind);

enum suspect_verdict {
	SUSPECT_STRONG,
	SUSPECT_LIKELY,
	SUSPECT_PART, /* the component of line `of` in all its versions: some failed without the one named */
	SUSPECT_TOGETHER,      /* cannot be told apart from line `of` */
	SUSPECT_SEPARATE,      /* a site whose hosts vanished all at once: power or link */
	SUSPECT_ONLY_WITH,     /* raises what line `of` does, and does nothing without it */
	SUSPECT_EXPLAINED,     /* makes no difference once line `of` is known */
	SUSPECT_MAYBE,         /* cannot tell: goes with failing, but of so many tried chance does as much */
	SUSPECT_EVERYWHERE,    /* cannot tell: (nearly) every host has it */
	SUSPECT_NO_DIFFERENCE, /* changed of late on many hosts, and did no harm */
	SUSPECT_VERDICTS
};
const char *suspects_verdict_name(enum suspect_verdict verdict);

/* Of lines of components, when asked for: how far it is. Hosts that are counted, as of `until`. */
struct suspect_spread {
	wall_ms first_failed, last_failed;
	uint64_t adopted; /* told of late that they took it */
	wall_ms first_adopted, last_adopted;
	uint64_t adopters_up;
	uint64_t others_up;   /* have the component, and not what is named */
	uint64_t died_untold; /* failed with the component, and did not tell that they took it */
	/* Against hosts of the same model (Mantel and Haenszel); false: no model has both. */
	bool compared;
	struct statistics_ratio risk;
	double ln_p;
};

struct suspect {
	unsigned line; /* number of it */
	unsigned of;   /* 0: of itself */
	enum suspect_kind kind;
	enum suspect_verdict verdict;
	/* NULL where there is none; hostile, and good until the query is closed. */
	const char *component_kind, *name, *version, *source;
	struct statistics_table hosts;
	bool compared; /* risk is known: there are hosts with it, and others */
	struct statistics_ratio risk;
	double ln_p, ln_corrected; /* Fisher's test, and corrected for the number tried */
	/* Components of lines of their own: how hosts fared that changed it of late, and those that did not.
	 */
	uint64_t changed, changed_failed, changed_soon; /* soon: within SUSPECTS_SOON_MS of the change */
	uint64_t unchanged, unchanged_failed;
	uint64_t unreported; /* failed with the component, and not with what is named: died before they could
				say so, or had another version */
	struct suspect_spread spread;
};
#define SUSPECTS_SOON_MS (10 * CLOCK_MINUTE_MS)

enum suspects_outcome {
	SUSPECTS_NAMED,    /* there is a line to blame */
	SUSPECTS_QUIET,    /* nobody failed, separate ones aside */
	SUSPECTS_TOO_FEW,  /* cannot tell: fewer than SUSPECTS_FAILED_MIN */
	SUSPECTS_TOO_MANY, /* cannot tell: next to nobody survived to compare with */
	SUSPECTS_NOTHING,  /* cannot tell: nothing goes with it beyond chance */
};
const char *suspects_outcome_name(enum suspects_outcome outcome);
#define SUSPECTS_FAILED_MIN 5

struct suspects {
	struct suspect *rows;
	size_t count;
	enum suspects_outcome outcome;
	wall_ms since, until;
	uint64_t failed, recovered; /* recovered: of the failed, up again */
	uint64_t survived;
	uint64_t separate_hosts, separate_sites; /* vanished with their site, not among the failed */
	uint64_t down_before, away, unlisted;    /* not counted: down already; asleep, stopped, never heard;
						    their list of components cannot be read */
	uint64_t tried;                          /* candidates */
	uint64_t everywhere;                     /* components that (nearly) every host has */
};

struct suspects_options {
	wall_ms since, until;
	const char *where; /* condition over the table hosts; NULL: all */
	/* For early warning: a line must hold among hosts of one hardware model as well, and lines of
	 * components have suspect.spread. */
	bool spread;
};

/* ERR_SQL for a wrong condition; ERR_NOMEM; those of the replica. Free with suspects_free. */
enum err suspects_find(struct query *q, const struct suspects_options *options, struct suspects *ret,
		       struct err_info *info);
void suspects_free(struct suspects *s);

#endif
