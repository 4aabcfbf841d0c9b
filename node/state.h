/* A node's state folder: locked, with its credentials loaded. */
#ifndef MESH_NODE_STATE_H
#define MESH_NODE_STATE_H

#include "base/err.h"
#include "base/limits.h"
#include "crypto/credentials.h"
#include "os/file.h"

struct state {
	char folder[LIMIT_PATH_BYTES];
	struct os_lock *lock;
	struct credentials credentials;
};

/* `folder` empty: the default one. ERR_NOT_FOUND (not enrolled), ERR_BUSY (names the process that uses it),
 * ERR_DENIED (not writable), and what credentials_load says. */
enum err state_open(const char *folder, struct state *ret, struct err_info *info);
void state_close(struct state *state); /* zeroed memory is fine */

/* Path of a file in the folder. ERR_LIMIT. */
enum err state_path(const struct state *state, const char *name, char ret[LIMIT_PATH_BYTES],
		    struct err_info *info);

#endif
