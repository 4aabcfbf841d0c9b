/* Which host a person means, and what is said of one that is hidden. */
#ifndef MESH_CLI_SHOW_FIND_H
#define MESH_CLI_SHOW_FIND_H

#include "cli/answer.h"
#include "crypto/id.h"

/* A whole name, an id, or the beginning of an id. Of hosts with one name those that were replaced or left are
 * put aside where one is left over. An exit code; the answer is closed when it is not 0, as it is when
 * several are meant (they are listed) or none. Hidden hosts are looked for last. */
int show_find(struct answer *a, const char *typed, char ret_host[ID_HEX_BYTES], bool *ret_hidden);
/* Why and since when it is hidden, nothing that it says. */
enum err show_find_hidden(struct answer *a, const char *host, struct err_info *info);

#endif
