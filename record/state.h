/* States of hosts and sites, with the evidence they rest on. Decided by gossip/, kept by store/, shown by
 * cli/. */
#ifndef MESH_RECORD_STATE_H
#define MESH_RECORD_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/limits.h"
#include "crypto/id.h"

/* Ascending precedence is documented in docs/protocol.md section 9; values are stored, so never renumber. */
enum host_status {
	HOST_UNKNOWN = 0, /* certified, but nothing vouches for it yet */
	HOST_UP = 1,
	HOST_SILENT = 2, /* its whole site is silent */
	HOST_DARK = 3,
	HOST_STOPPED = 4,
	HOST_ASLEEP = 5,
	HOST_LEFT = 6,
	HOST_REPLACED = 7,
};
const char *host_status_name(enum host_status status);

/* What a host's certificate is worth now. Stored: never renumber. */
enum host_standing {
	STANDING_GOOD = 0,
	STANDING_GRACE = 1,       /* its issuer's grant has ended and runs on for its grace */
	STANDING_QUARANTINED = 2, /* beyond its issuer's quota: shown, marked, without a say */
	STANDING_ENDED = 3,       /* the grant and its grace are over: not talked to */
	STANDING_REVOKED = 4,     /* it, or its issuer without it on the allow-list: hidden from answers */
};
const char *host_standing_name(enum host_standing standing);

struct host_state {
	struct id host;
	enum host_status status;
	enum host_standing standing;
	struct id issuer;      /* of its certificates, the one that says its home site, groups, day */
	struct id replaced_by; /* HOST_REPLACED: the later host on the same hardware; else zero */
	wall_ms since;         /* when it became so, by this node's clock or the evidence's */
	wall_ms seen;    /* last sign of life: own record, direct answer or roll-call that says "answers" */
	uint8_t votes;   /* dark: witnesses that say so */
	uint8_t signers; /* dark: current signers other than the accused */
	uint64_t witnesses[LIMIT_WITNESSES]; /* dark: first 8 of the ids of those who say so, 0 where none */
};

/* Who may say what for the estate, as the authority log has it. */
struct operator_state {
	struct id id;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	uint8_t roles;     /* LOG_ROLE_... */
	wall_day last_day; /* what is said later does not count */
	bool revoked;      /* nothing counts that it ever said */
};
/* Whether a record of this kind and time counts that the operator signed. */
bool state_operator_may(const struct operator_state *state, uint8_t record_kind, wall_ms time);

enum site_status { SITE_UNKNOWN = 0, SITE_REPORTING = 1, SITE_SILENT = 2 };
const char *site_status_name(enum site_status status);

struct site_state {
	struct id site;
	char name[LIMIT_SITE_NAME_BYTES + 1];
	enum site_status status;
	wall_ms since;         /* silent: when the last roll-call came in */
	wall_ms last_rollcall; /* receipt, 0: none yet */
	uint32_t interval_s;
	uint32_t live_witnesses; /* as the newest roll-call counts them */
};

/* What is wrong with the data itself: found by gossip/ and node/, kept by store/, shown by the table
 * `issues`. One of a kind and subject. Stored: never renumber. */
#define ISSUE_TABLE(X)                                                                                       \
	X(HOST_REVOKED, 1, "host-revoked")              /* host; its data is hidden */                       \
	X(ISSUER_REVOKED, 2, "issuer-revoked")          /* issuer; count: hosts hidden */                    \
	X(OPERATOR_REVOKED, 3, "operator-revoked")      /* operator */                                       \
	X(QUARANTINED, 4, "quarantined")                /* host beyond the quota; other: issuer */           \
	X(OVER_QUOTA, 5, "over-quota")                  /* issuer; count: certificates beyond the quota */   \
	X(GRANT_IN_GRACE, 6, "grant-in-grace")          /* issuer; count: its hosts */                       \
	X(GRANT_ENDED, 7, "grant-ended")                /* issuer; count: its hosts */                       \
	X(ALLOW_LIST_MISSING, 8, "allow-list-missing")  /* issuer; other: the blob */                        \
	X(LOG_FORKED, 9, "log-forked")                  /* estate; count: branches */                        \
	X(CLONED, 10, "cloned")                         /* host: two nodes use its key; detail: both */      \
	X(RESTORED, 11, "restored")                     /* host: came back with an old counter, went past */ \
	X(EQUIVOCATION, 12, "equivocation")             /* host signed two records of one order: proof */    \
	X(DUPLICATE_HARDWARE, 13, "duplicate-hardware") /* host; other: as live, same hardware */            \
	X(CLOCK_OFF, 14, "clock-off")                   /* host */                                           \
	X(BAD_SIGNATURES, 15, "bad-signatures")         /* host handed on forgeries: not listened to */      \
	X(POISON_RECORD, 16, "poison-record") /* host whose record was being applied in 2 crashes */         \
	X(OUT_OF_ROLE, 17, "out-of-role")     /* operator said what its role does not cover */

enum issue_kind {
#define ISSUE_ENUM(symbol, value, name) ISSUE_##symbol = value,
	ISSUE_TABLE(ISSUE_ENUM)
#undef ISSUE_ENUM
};
/* NULL for a kind that is none. */
const char *issue_kind_name(enum issue_kind kind);

#define ISSUE_PROOFS 2

struct issue {
	enum issue_kind kind;
	struct id subject;
	struct id other;                           /* zero: none */
	wall_ms since, last;                       /* first and newest time it was found */
	uint64_t count;                            /* of what the kind says, or how often it was found */
	char detail[LIMIT_ISSUE_DETAIL_BYTES + 1]; /* hostile, like all text */
	bool over;                                 /* it has ended: its row goes */
	/* Equivocation: the two records, borrowed as the struct that carries them says. */
	const uint8_t *proof[ISSUE_PROOFS];
	size_t proof_len[ISSUE_PROOFS]; /* 0: none */
};

#endif
