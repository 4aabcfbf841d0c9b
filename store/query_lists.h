/* What operators say, as questions see it: incidents, claims, notes, lists, and the machines that should
 * exist. Private to store/. Only what counts by docs/protocol.md section 3: of operators in force, within
 * their roles.
 */
#ifndef MESH_STORE_QUERY_LISTS_H
#define MESH_STORE_QUERY_LISTS_H

#include "record/listing.h"
#include "store/machine_list.h"
#include "store/query_private.h"

/* --- operator_list.c --- */

/* Who signed, and what it stands under. */
struct saying {
	struct id signer, subject;
	uint64_t slot, seq;
	wall_ms time;
};

struct incident_row {
	struct saying by;
	struct incident body;
	const struct incident_row *closed_by; /* NULL: open */
};

struct claim_row {
	struct saying by;
	struct claim body;
	bool stands; /* of this operator, about this subject, the last */
};

struct note_row {
	struct saying by;
	struct note body;
};

/* A policy or inventory. */
struct list_row {
	struct saying by;
	uint8_t kind; /* RECORD_POLICY or RECORD_INVENTORY */
	struct listing body;
	bool here;                          /* its root: what is not here counts for nothing */
	const struct list_row *replaced_by; /* that replaces it, the earliest; NULL: none */
};

struct operator_list {
	struct operator_state *operators; /* by id, revoked ones too */
	size_t operator_count, operator_cap;
	struct incident_row *incidents; /* that open one */
	size_t incident_count, incident_cap;
	struct incident_row *closings;
	size_t closing_count, closing_cap;
	struct claim_row *claims;
	size_t claim_count, claim_cap;
	struct note_row *notes;
	size_t note_count, note_cap;
	struct list_row *lists;
	size_t list_count, list_cap;
};

/* Loaded once. */
enum err operator_list_load(struct query *q, const struct operator_list **ret);
void operator_list_free(struct operator_list *list); /* NULL is fine */
/* NULL when the log names none of that id. */
const struct operator_state *operator_list_find(const struct operator_list *list, const struct id *id);
/* The operator's name; NULL where it has none. */
void operator_list_name_cell(const struct operator_list *list, const struct id *id, sqlite3_context *context);

/* --- machines --- */

/* Loaded once. */
enum err query_machines(struct query *q, const struct machine_list **ret);

#endif
