/* What `mesh doctor` examines. Private to cli/doctor*.c. */
#ifndef MESH_CLI_DOCTOR_H
#define MESH_CLI_DOCTOR_H

#include "base/mp.h"
#include "cli/answer.h"

/* DOCTOR_NOTE: worth a word, and nothing to do. DOCTOR_UNKNOWN: the check could not be made. */
enum doctor_verdict { DOCTOR_OK, DOCTOR_NOTE, DOCTOR_WARN, DOCTOR_FAIL, DOCTOR_UNKNOWN };

struct doctor {
	struct answer *a;
	const char *state;          /* the node's folder */
	const msgpack_object *body; /* what meshd says; NULL: it does not run, or does not answer */
	uint64_t troubles;          /* worse than a note */
	bool failed;                /* the output */
};

/* One line. `remedy` may be NULL. What other hosts sent has to be escaped in `finding` already. */
void doctor_tell(struct doctor *d, const char *check, enum doctor_verdict verdict, const char *remedy,
		 const char *finding, ...) __attribute__((format(printf, 5, 6)));

/* The checks, in their order: by what meshd says, ... */
void doctor_check_live(struct doctor *d);
/* ... and by what the replica has; the answer's query is open. */
enum err doctor_check_replica(struct doctor *d, struct err_info *info);

#endif
