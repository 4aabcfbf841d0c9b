/* Bodies of the vectors' records, written field by field from the tables of docs/protocol.md section 3 and
 * not with record/'s encoders, which are checked against them. */
#ifndef MESH_TESTS_VECTORS_BODIES_H
#define MESH_TESTS_VECTORS_BODIES_H

#include "tests/unit/crypto_fixture.h"

struct sample {
	uint8_t kind;
	const char *name;
	void (*put)(struct mp_writer *w, const struct fixture *f);
};

/* All kinds but the certificate, which certificate_issue makes. */
extern const struct sample samples[];
extern const size_t sample_count;

#define SAMPLE_SLOT  0x0102030405060708u /* of operator kinds, which are random */
#define SAMPLE_SITE  "leeds"
#define SAMPLE_BLOB  "manifest of the vectors"
#define SAMPLE_FIRST 1721347200u /* 2024-07-19 00:00 UTC, in s */

void put_key_u64(struct mp_writer *w, uint64_t key, uint64_t value);
void put_key_str(struct mp_writer *w, uint64_t key, const char *value);
void put_key_bin(struct mp_writer *w, uint64_t key, const void *value, size_t len);

#endif
