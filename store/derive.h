/* Rows of column groups out of records and states: pure functions. Private to store/. */
#ifndef MESH_STORE_DERIVE_H
#define MESH_STORE_DERIVE_H

#include "crypto/certificate.h"
#include "record/body.h"
#include "record/listing.h"
#include "record/state.h"
#include "store/column.h"

/* What is known of a host's place in the estate. */
struct derive_host {
	bool certified;
	struct certificate certificate; /* the one that counts so far */
	uint8_t rank;                   /* of its issuer: 0, its grant is 1 ended, 2 revoked */
	bool decided;
	struct host_state state; /* when decided */
	bool revoked;            /* by the authority, itself */
	uint64_t goodbye_seq;    /* 0: none */
};

/* Set `decided` and `state` before. Of several certificates the one that the state names counts; where it
 * names none of them, that of the lowest issuer id among those that nothing is said against. */
void derive_certificate(struct derive_host *h, const struct certificate *c, uint8_t rank);
/* Leaves the rows absent without a certificate. */
void derive_host_row(const struct derive_host *h, struct column_draft *d, unsigned row);
void derive_state_row(const struct derive_host *h, struct column_draft *d, unsigned row);
/* A host in good standing that is in the estate: what it names comes before what others name. */
bool derive_counts(const struct host_state *state);

/* Of host records; the row stays absent when the body does not decode, as if it were not there. */
void derive_profile(const struct record *r, struct column_draft *d, unsigned row);
void derive_health(const struct record *r, struct column_draft *d, unsigned row);
void derive_components(const struct record *r, const struct components *c, uint32_t manifest,
		       struct column_draft *d, unsigned row);
void derive_changes(const struct components *c, struct column_draft *d, unsigned row);
void derive_crashes(const struct record *r, struct column_draft *d, unsigned row);
/* Of an operator's list; `slot` is of the record that names it. */
void derive_policy(const struct id *signer, uint64_t slot, const struct policy_row *p, struct column_draft *d,
		   unsigned row);
void derive_inventory(const struct id *signer, uint64_t slot, const struct inventory_row *i,
		      struct column_draft *d, unsigned row);
void derive_entry(uint64_t id, const struct component *c, struct column_draft *d, unsigned row);

#endif
