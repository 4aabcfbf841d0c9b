/* Host certificate: the record of kind 1, issued by an issuer about a host (docs/protocol.md sections 3, 5).
 */
#ifndef MESH_CRYPTO_CERTIFICATE_H
#define MESH_CRYPTO_CERTIFICATE_H

#include "crypto/authlog.h"
#include "crypto/record.h"

#define HARDWARE_HASH_BYTES 8

struct certificate {
	struct id host;
	struct id issuer;
	uint8_t public_key[KEY_BYTES];
	char site[LIMIT_SITE_NAME_BYTES + 1];
	char groups[LIMIT_GROUPS][LIMIT_GROUP_BYTES + 1];
	size_t group_count;
	wall_day enrolled;
	uint64_t seq;
	wall_ms time;                          /* when it was issued, by the issuer's clock */
	uint8_t hardware[HARDWARE_HASH_BYTES]; /* who enrols says what machine it is; see os/hardware.h */
	bool has_hardware;
	uint8_t consent[SIGNATURE_BYTES]; /* by the host */
};

/* The host agrees to what the issuer will say of its home: sets public_key and consent. Call when all other
 * fields are set. Without it whoever holds an issuer's key could move hosts that he never saw. */
void certificate_consent(struct certificate *c, const struct identity *host, const struct id *issuer,
			 const struct id *estate);

/* `ret` holds LIMIT_CERTIFICATE_BYTES; host and issuer ids are derived from the keys, the time is `now`. */
enum err certificate_issue(const struct certificate *c, const struct identity *issuer,
			   const struct id *estate, uint64_t instance, wall_ms now, uint8_t *ret,
			   size_t *ret_len);

/* Decode without trust. ERR_FORMAT also when host id and key do not belong together. */
enum err certificate_decode(const struct record *r, struct certificate *ret);

/* Signature, consent of the host, grant, site of the grant, revocation. `today` is floored by the log's
 * newest entry inside. ERR_UNTRUSTED (issuer not in the log: pull the log first; or site outside the grant),
 * ERR_SIGNATURE, ERR_REVOKED (the host, or its issuer and it is not on the allow-list, see authlog_stands),
 * ERR_EXPIRED (grant ended, grace included). */
enum err certificate_verify(const struct record *r, const struct authlog *log, wall_day today,
			    struct certificate *ret);

#endif
