/* What most likely became of each host that is down, and by what that is told (docs/outage.md, "Why is it
 * down"). Made of states, last words and of who else vanished when; nothing else is asked. Private to store/.
 *
 * Happy path: fates_load once a question, fates_of for each host. */
#ifndef MESH_STORE_FATES_H
#define MESH_STORE_FATES_H

#include "store/query_private.h"

#define FATE_TABLE(X)                                                                                        \
	X(UNKNOWN, "unknown")                                                                                \
	X(UP, "up")                                                                                          \
	X(CRASH, "crash")                                                                                    \
	X(POWER, "power-or-link")                                                                            \
	X(STOPPED, "stopped")                                                                                \
	X(ASLEEP, "asleep")                                                                                  \
	X(LEFT, "left")                                                                                      \
	X(REPLACED, "replaced")
enum host_fate {
#define FATE_ENUM(symbol, name) HOST_FATE_##symbol,
	FATE_TABLE(FATE_ENUM)
#undef FATE_ENUM
};
const char *fates_name(enum host_fate fate);

enum fate_reason {
	FATE_NO_REASON,
	FATE_AT_ONCE,   /* `others` of its site vanished in the same seconds */
	FATE_WITH_SITE, /* its whole site fell silent while most of its hosts were up */
	FATE_SHRUNK,    /* its site fell silent after `others` of it had vanished one by one */
	FATE_TOLD,      /* it told of `others` crashes within the day before */
	FATE_CHANGE,    /* `others` vanished minutes after the same change */
	FATE_WAVE,      /* far more than usual vanished one by one around that time: `others` */
};

struct fate {
	uint32_t number; /* of the host */
	uint8_t fate;    /* enum host_fate */
	uint8_t reason;  /* enum fate_reason */
	uint32_t others;
	uint32_t site;
	bool silent;
	wall_ms since;
	/* The newest change within two hours before; 0: none. The one that `reason` speaks of, if it does. */
	wall_ms changed;
	uint64_t entry; /* that it is of */
};

struct fates {
	struct fate *list; /* of hosts that are dark or silent and have a say, by number */
	size_t count;
};

/* Once a question. ERR_NOMEM, and what columns_row says. */
enum err fates_load(struct query *q, const struct fates **ret);
void fates_free(struct fates *f); /* NULL is fine */
/* NULL for a host that is neither dark nor silent, or has no say; of no fates for any. */
const struct fate *fates_find(const struct fates *f, uint32_t number);
/* Of any host; `f` may be NULL for one that is neither dark nor silent. */
enum host_fate fates_of(const struct fates *f, const struct roster_host *host);
/* Of what is not reporting of a site: that of most of its silent hosts. NULL where none is silent. */
const struct fate *fates_site(const struct fates *f, uint32_t site);
/* "likely crash, one of 209 ..."; what speaks for it. */
void fates_verdict(const struct fate *fate, char *text, size_t size);

#endif
