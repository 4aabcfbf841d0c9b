/* bench-watch PID SIGNAL HOST STATUS SECONDS STATE...: sends the signal to a daemon, then looks into the
 * replicas of others, from outside their processes, until each gives HOST (an id) that status. Prints a line
 * for each: ms from the signal on, or "never" after so many seconds. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"
#include "record/state.h"
#include "store/snapshot.h"

#define PAUSE_NS (2 * 1000 * 1000)

struct watched {
	const char *state;
	uint64_t since_ms; /* the signal's, once it is told; 0: not yet */
};

/* A replica that cannot be read at the moment does not tell it yet. */
static bool tells(const char *state, const struct id *host, const char *status)
{
	struct snapshot *r;
	struct err_info info = {0};
	struct row_key key = row_key_id(TABLE_HOST_STATES, host);
	struct row_value row;
	struct host_state found;
	if (snapshot_open(state, &r, &info) != ERR_OK)
		return false;
	bool told = snapshot_get(r, &key, &row) == ERR_OK &&
		    row_decode_host(&key, row.bytes, row.len, &found) == ERR_OK &&
		    strcmp(host_status_name(found.status), status) == 0;
	snapshot_close(r);
	return told;
}

static void watch(struct watched *all, size_t count, const struct id *host, const char *status,
		  uint64_t seconds)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	mono_ms since = os_clock_mono();
	size_t left = count;
	while (left > 0 && os_clock_mono() - since < seconds * 1000) {
		for (size_t i = 0; i < count; i++) {
			if (all[i].since_ms != 0 || !tells(all[i].state, host, status))
				continue;
			all[i].since_ms = os_clock_mono() - since + 1; /* at most that */
			left--;
		}
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	struct id host;
	if (argc < 7 || !id_unhex(&host, argv[3])) {
		fputs("usage: bench-watch PID SIGNAL HOST STATUS SECONDS STATE... (HOST: an id of 32 "
		      "hexadecimal "
		      "digits)\n",
		      stderr);
		return 2;
	}
	size_t count = (size_t)argc - 6;
	struct watched *all = calloc(count, sizeof(*all));
	if (all == NULL || kill((pid_t)strtol(argv[1], NULL, 10), (int)strtol(argv[2], NULL, 10)) != 0) {
		fprintf(stderr, "bench-watch: no signal was sent to process %s: %s\n", argv[1],
			strerror(errno));
		free(all);
		return 1;
	}
	for (size_t i = 0; i < count; i++)
		all[i].state = argv[6 + i];
	watch(all, count, &host, argv[4], strtoull(argv[5], NULL, 10));
	for (size_t i = 0; i < count; i++) {
		if (all[i].since_ms != 0)
			printf("%" PRIu64 "\n", all[i].since_ms);
		else
			puts("never");
	}
	free(all);
	return 0;
}
