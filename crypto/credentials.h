/* A node's credentials: the files enrolment makes in a state folder and meshd loads (docs/protocol.md section
 * 5). identity.key, estate.key, certificate, authority.log, seeds. */
#ifndef MESH_CRYPTO_CREDENTIALS_H
#define MESH_CRYPTO_CREDENTIALS_H

#include "crypto/certificate.h"
#include "crypto/token.h"

struct credentials {
	struct identity *identity; /* owned */
	struct authlog *log;       /* owned */
	struct estate_keys *keys;  /* owned, guarded */
	struct certificate certificate;
	uint8_t certificate_bytes[LIMIT_CERTIFICATE_BYTES];
	size_t certificate_len;
	enum err barred; /* what the log says of it: ERR_OK, ERR_REVOKED, ERR_UNTRUSTED (its grant counts no
			    more) */
	char seeds[LIMIT_TOKEN_SEEDS][TOKEN_SEED_BYTES];
	size_t seed_count;
};

#define CREDENTIALS_ADDRESSES 64

/* What enrolment asks of the machine. */
struct credentials_machine {
	struct os_network_address addresses[CREDENTIALS_ADDRESSES];
	size_t address_count;
	uint8_t hardware[HARDWARE_HASH_BYTES]; /* docs/protocol.md section 3 */
	bool has_hardware;
};

/* Looks at this machine; what cannot be found out is left out. `root` as in os_hardware_id. */
void credentials_machine_look(const char *root, struct credentials_machine *ret);

/* Enrol this machine: new identity, certificate signed by the token's issuer, files of mode 0600, the
 * certificate last, so that a folder without one was never enrolled and enrolling again starts over. `site`
 * NULL or empty: what token_site says. `machine` NULL: nothing is known of it, its hardware is not stated.
 * The token is left alone: the caller wipes its file after success. ERR_EXISTS (enrolled already: names the
 * host), ERR_EXPIRED (token's last day or grant ended), ERR_ARG (no site, or two), ERR_UNTRUSTED (issuer not
 * in the log, site outside the grant: lists the sites), ERR_REVOKED, ERR_DENIED (folder not writable),
 * ERR_DISK_FULL. */
enum err credentials_enroll(const char *state, const struct token *token, const char *site,
			    const struct credentials_machine *machine, const struct crypto_rng *rng,
			    wall_ms now, struct certificate *ret, struct err_info *info);

/* ERR_NOT_FOUND (not enrolled: says how), ERR_DENIED (permissions), and what the files' decoders say. The
 * certificate's signature is checked by the log. That the log bars it (`barred`), or that its grant has
 * ended, is no error: the branch that says so may be a thief's, and only a node that runs hears of the
 * rotation. */
enum err credentials_load(const char *state, struct credentials *ret, struct err_info *info);
void credentials_release(struct credentials *c); /* zeroed memory is fine */

#endif
