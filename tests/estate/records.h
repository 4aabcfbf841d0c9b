/* What each host says of itself, as records that it signed. Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_RECORDS_H
#define MESH_TESTS_ESTATE_RECORDS_H

#include "tests/estate/world.h"

/* Bodies of one host's records, and when it said them. */
struct sayings {
	struct certificate certificate;
	struct profile profile;
	struct health health;
	struct components components;
	struct crashes crashes;
	struct goodbye goodbye;
	wall_ms at[RECORD_GOODBYE + 1]; /* by kind; 0: never */
};
/* Everything but keys and signatures. */
void records_draw(const struct estate *e, const struct host *h, struct sayings *ret);
/* The last moment at which the host could be heard. */
wall_ms records_until(const struct estate *e, const struct host *h);

struct signed_record {
	struct record_key key;
	wall_ms received;
	size_t len;
	uint8_t bytes[LIMIT_RECORD_BYTES];
};
#define RECORDS_OF_HOST 6
/* In the order of their seq, certificate first; the last seq goes to the host. */
enum err records_sign(struct estate *e, struct host *h, const struct sayings *s,
		      struct signed_record ret[RECORDS_OF_HOST], size_t *ret_count);

#endif
