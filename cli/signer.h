/* What an operator says: signed with its key, handed to the node on this machine, which spreads it.
 *
 * Order of an operator's words (docs/protocol.md section 3): seq is the time in ms, or one more than the
 * highest that stands here, if that is more. So it never goes back on one machine, and of two machines of one
 * operator that are cut off from each other what was said later counts later. Each record has a random slot,
 * so neither takes the place of the other's. */
#ifndef MESH_CLI_SIGNER_H
#define MESH_CLI_SIGNER_H

#include "base/clock.h"
#include "cli/command.h"
#include "crypto/identity.h"
#include "crypto/record.h"

struct signer {
	char state[LIMIT_PATH_BYTES]; /* of the node */
	struct id estate;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	struct identity *identity;
	uint64_t seq, instance;
	wall_ms now;
};

/* Options of every verb that signs. */
#define SIGNER_OPTIONS                                                                                       \
	{.name = "key",                                                                                      \
	 .value = "FILE",                                                                                    \
	 .words = "@file",                                                                                   \
	 .help = "your key, as mesh operator init made it (default: MESH_KEY)"},                             \
	{                                                                                                    \
		.name = "passphrase-file", .value = "FILE", .words = "@file",                                \
		.help = "first line opens the key (default: ask)"                                            \
	}

/* Asks the node whether it would count what this key says of that kind, before any passphrase. ERR_USAGE (no
 * key named), ERR_NOT_FOUND (no meshd, or the log names no such operator), ERR_REVOKED, ERR_EXPIRED,
 * ERR_UNTRUSTED (not its role). Release with signer_close, also after an error. */
enum err signer_open(const struct command *c, uint8_t kind, struct signer *ret, struct err_info *info);
void signer_close(struct signer *s);
/* Random, never 0. */
uint64_t signer_slot(void);
/* Signs and hands in. What meshd said. */
enum err signer_say(struct signer *s, uint8_t kind, const struct id *subject, uint64_t slot,
		    const uint8_t *body, size_t len, struct err_info *info);
/* A blob that a record said before waits for; lists before what they name. Known already is fine. */
enum err signer_blob(struct signer *s, const uint8_t *bytes, size_t len, struct err_info *info);
/* All said is durable here, and the next question sees it. */
enum err signer_commit(struct signer *s, struct err_info *info);

#endif
