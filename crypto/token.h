/* Enrolment token: everything a machine needs to make its own certificate (docs/protocol.md section 5). */
#ifndef MESH_CRYPTO_TOKEN_H
#define MESH_CRYPTO_TOKEN_H

#include "crypto/authlog.h"
#include "crypto/guarded.h"
#include "os/network.h"

struct token_subnet {
	uint8_t address[16];
	uint8_t address_len; /* 4 or 16 */
	uint8_t prefix_bits;
	char site[LIMIT_SITE_NAME_BYTES + 1];
};

/* Seeds as text "address:port" ("[v6]:port"). */
#define TOKEN_SEED_BYTES 64

struct token {
	uint8_t estate_secret[KEY_BYTES];
	uint8_t issuer_seed[KEY_BYTES];
	char site[LIMIT_SITE_NAME_BYTES + 1]; /* may be empty */
	struct token_subnet *subnets;         /* owned */
	size_t subnet_count;
	char seeds[LIMIT_TOKEN_SEEDS][TOKEN_SEED_BYTES];
	size_t seed_count;
	struct authlog *log; /* owned */
	wall_day last_day;
};

/* Text form, terminated, in guarded memory: free it with crypto_guarded_free of `*ret_len`. */
enum err token_encode(const struct token *t, char **ret_text, size_t *ret_len);
/* ERR_USED for the used-up marker, ERR_FORMAT, ERR_CHECKSUM, ERR_VERSION. info (may be NULL) names value and
 * remedy. `ret` is in guarded memory (token_new). Release with token_release. */
enum err token_decode(const char *text, size_t len, struct token *ret, struct err_info *info);
/* Site of a machine with these addresses: of the most specific of the token's subnets that holds one of them,
 * else the token's default, which may be empty. ERR_ARG: two sites have as good a claim, by subnets of one
 * prefix length or of two families. */
enum err token_site(const struct token *t, const struct os_network_address *addresses, size_t count,
		    char ret[LIMIT_SITE_NAME_BYTES + 1], struct err_info *info);
/* Wipes the secrets and frees what is owned. */
void token_release(struct token *t);
/* An empty one in guarded memory, NULL when there is none; and its end, which releases it. NULL is fine. */
struct token *token_new(void);
void token_free(struct token *t);
/* The token in a file, read and judged through that file. Errors of os_secret_read and token_decode. */
enum err token_read(struct os_secret *file, struct token *ret, struct err_info *info);
/* Leaves the used-up marker in the file, and nothing else (os_secret_wipe). Its name is the caller's to
 * remove.
 */
enum err token_wipe(struct os_secret *file, struct err_info *info);

#endif
