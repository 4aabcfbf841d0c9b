#include "tests/unit/standing_reader.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "store/snapshot.h"
#include "tests/unit/scratch.h"

pid_t standing_reader(const char *folder)
{
	int ends[2];
	char byte;
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct snapshot *snapshot;
		struct err_info info;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (snapshot_open(folder, &snapshot, &info) != ERR_OK || write(ends[1], "a", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return pid;
}
