/* Subnets and the home sites of hosts in them, from the command line and from a file. */
#ifndef MESH_CLI_TOKEN_SUBNETS_H
#define MESH_CLI_TOKEN_SUBNETS_H

#include "cli/command.h"
#include "crypto/token.h"

#define TOKEN_SUBNET_TEXT 80

/* Adds those of --subnet and --subnets to the token, which owns them. Sites must be within the grant.
 * ERR_USAGE, ERR_FORMAT (names file and line), ERR_UNTRUSTED (a site outside the grant), ERR_LIMIT. */
enum err token_subnets_read(const struct command *c, const struct authlog_grant *grant, struct token *t,
			    struct err_info *info);
/* "10.1.0.0/16" */
void token_subnets_text(const struct token_subnet *s, char ret[TOKEN_SUBNET_TEXT]);

#endif
