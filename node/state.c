#include "node/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define LOCK_NAME "lock"

static enum err in_use(const char *folder, const char *lock_path, struct err_info *info)
{
	uint8_t *text;
	size_t len;
	uint64_t pid = 0;
	if (os_file_read(lock_path, 64, &text, &len, NULL) == ERR_OK) {
		text[strcspn((char *)text, "\n")] = '\0';
		if (!text_u64((char *)text, 1, INT32_MAX, &pid))
			pid = 0;
		free(text);
	}
	if (pid != 0)
		return err_set(info, ERR_BUSY,
			       "state folder %s is in use by process %llu: stop it, or choose another folder "
			       "with --state",
			       folder, (unsigned long long)pid);
	return err_set(
	    info, ERR_BUSY,
	    "state folder %s is in use by another process: stop it, or choose another folder with --state",
	    folder);
}

static enum err open_folder(struct state *state, struct err_info *info)
{
	char lock_path[LIMIT_PATH_BYTES];
	if (!os_file_exists(state->folder))
		return err_set(info, ERR_NOT_FOUND,
			       "state folder %s does not exist: enrol this host first (mesh enroll --token "
			       "FILE --state %s), or name another folder with --state",
			       state->folder, state->folder);
	enum err err = os_dir_check_writable(state->folder, info);
	if (err == ERR_OK)
		err = state_path(state, LOCK_NAME, lock_path, info);
	if (err == ERR_OK)
		err = os_lock_take(lock_path, &state->lock, info);
	if (err == ERR_BUSY)
		return in_use(state->folder, lock_path, info);
	return err;
}

enum err state_open(const char *folder, struct state *ret, struct err_info *info)
{
	struct state state = {.lock = NULL};
	enum err err = ERR_OK;
	if (*folder == '\0')
		err = os_path_default_state(state.folder, sizeof(state.folder), info);
	else if (!text_copy(state.folder, sizeof(state.folder), folder))
		err = err_set(info, ERR_LIMIT, "the state folder's path is longer than %d bytes",
			      LIMIT_PATH_BYTES - 1);
	if (err == ERR_OK)
		err = open_folder(&state, info);
	if (err == ERR_OK)
		err = credentials_load(state.folder, &state.credentials, info);
	if (err != ERR_OK) {
		os_lock_release(state.lock);
		return err;
	}
	*ret = state;
	return ERR_OK;
}

void state_close(struct state *state)
{
	credentials_release(&state->credentials);
	os_lock_release(state->lock);
	memset(state, 0, sizeof(*state));
}

enum err state_path(const struct state *state, const char *name, char ret[LIMIT_PATH_BYTES],
		    struct err_info *info)
{
	if (os_path_join(ret, LIMIT_PATH_BYTES, state->folder, name) == ERR_OK)
		return ERR_OK;
	return err_set(info, ERR_LIMIT, "the path of \"%s\" in the state folder is longer than %d bytes",
		       name, LIMIT_PATH_BYTES - 1);
}
