/* States of hosts and sites, with the evidence they rest on. Decided by gossip/, kept by store/, shown by
 * cli/. */
#ifndef MESH_RECORD_STATE_H
#define MESH_RECORD_STATE_H

#include <stdbool.h>
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

struct host_state {
	struct id host;
	enum host_status status;
	wall_ms since;   /* when it became so, by this node's clock or the evidence's */
	wall_ms seen;    /* last sign of life: own record, direct answer or roll-call that says "answers" */
	uint8_t votes;   /* dark: witnesses that say so */
	uint8_t signers; /* dark: current signers other than the accused */
	uint64_t witnesses[LIMIT_WITNESSES]; /* dark: first 8 of the ids of those who say so, 0 where none */
};

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

#endif
