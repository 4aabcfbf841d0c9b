#include "cli/replica.h"

enum err replica_open(const struct command *c, wall_ms now, struct query **ret, struct err_info *info)
{
	char state[LIMIT_PATH_BYTES];
	enum err err = command_state(c, state, sizeof(state), info);
	if (err != ERR_OK)
		return err;
	return query_open(state, now, ret, info);
}
