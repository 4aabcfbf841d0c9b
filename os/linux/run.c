#include "os/run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "os/clock.h"
#include "os/linux/fail.h"

#define LOOK_MS 20 /* whether it ended, where it closed its output or left that to another */

extern char **environ;

struct pipes {
	int in[2], out[2];
};

static void close_end(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
	*fd = -1;
}

static void close_all(struct pipes *p)
{
	close_end(&p->in[0]);
	close_end(&p->in[1]);
	close_end(&p->out[0]);
	close_end(&p->out[1]);
}

/* The input fits a pipe, so it is there before the program is: nobody has to wait for it to read. */
static enum err open_pipes(struct pipes *p, const char *input, size_t len)
{
	*p = (struct pipes){{-1, -1}, {-1, -1}};
	if (len > OS_RUN_INPUT_BYTES)
		return ERR_LIMIT;
	if (pipe2(p->in, O_CLOEXEC | O_NONBLOCK) != 0 || pipe2(p->out, O_CLOEXEC) != 0)
		return os_fail_code(errno);
	if (len > 0 && write(p->in[1], input, len) != (ssize_t)len)
		return ERR_LIMIT; /* this system's pipes are smaller */
	close_end(&p->in[1]);
	/* The program reads as it is used to. */
	return fcntl(p->in[0], F_SETFL, 0) == 0 ? ERR_OK : os_fail_code(errno);
}

/* errno; 0: started. */
static int start(const char *path, const struct pipes *p, pid_t *ret)
{
	char *argv[] = {(char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	int error = posix_spawn_file_actions_init(&actions);
	if (error != 0)
		return error;
	error = posix_spawnattr_init(&attributes);
	if (error == 0) {
		(void)posix_spawn_file_actions_adddup2(&actions, p->in[0], STDIN_FILENO);
		(void)posix_spawn_file_actions_adddup2(&actions, p->out[1], STDOUT_FILENO);
		error = posix_spawn_file_actions_adddup2(&actions, p->out[1], STDERR_FILENO);
		(void)posix_spawnattr_setpgroup(&attributes, 0);
		(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
		(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
		if (error == 0)
			error = posix_spawn(ret, path, &actions, &attributes, argv, environ);
		(void)posix_spawnattr_destroy(&attributes);
	}
	(void)posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* False once the output has ended. */
static bool read_some(int fd, struct os_run_result *r)
{
	char more[512];
	size_t room = sizeof(r->output) - r->output_len;
	ssize_t n = room > 0 ? read(fd, r->output + r->output_len, room) : read(fd, more, sizeof(more));
	if (n < 0)
		return errno == EINTR;
	r->output_cut = r->output_cut || (room == 0 && n > 0);
	r->output_len += room > 0 ? (size_t)n : 0;
	return n > 0;
}

static bool has_ended(pid_t child, int options, struct os_run_result *r)
{
	int status;
	pid_t found;
	do
		found = waitpid(child, &status, options);
	while (found < 0 && errno == EINTR);
	if (found == 0)
		return false;
	if (found == child && WIFEXITED(status))
		r->code = WEXITSTATUS(status);
	else if (found == child && WIFSIGNALED(status))
		r->signal = WTERMSIG(status);
	return true;
}

static void await(pid_t child, struct pipes *p, uint64_t timeout_ms, struct os_run_result *r)
{
	mono_ms deadline = os_clock_mono() + timeout_ms;
	bool open = true;
	for (;;) {
		struct pollfd wait = {.fd = open ? p->out[0] : -1, .events = POLLIN};
		bool ended = has_ended(child, WNOHANG, r);
		/* What it wrote before it ended is all there. */
		while (open && poll(&wait, 1, ended ? 0 : LOOK_MS) > 0 && os_clock_mono() < deadline)
			open = read_some(p->out[0], r);
		if (ended)
			return;
		if (os_clock_mono() >= deadline)
			break;
		if (!open)
			(void)poll(NULL, 0, LOOK_MS);
	}
	r->timed_out = true;
	(void)kill(-child, SIGKILL);
	(void)has_ended(child, 0, r);
}

enum err os_run(const char *path, const char *input, size_t input_len, uint64_t timeout_ms,
		struct os_run_result *ret, struct err_info *info)
{
	struct os_run_result r = {.code = -1};
	struct pipes p;
	pid_t child;
	enum err err = open_pipes(&p, input, input_len);
	if (err != ERR_OK) {
		close_all(&p);
		return err_set(info, err, "cannot hand %zu bytes to \"%s\": %s", input_len, path,
			       err_text(err));
	}
	int error = start(path, &p, &child);
	if (error != 0) {
		close_all(&p);
		return os_fail(info, error, "run", path);
	}
	close_end(&p.in[0]);
	close_end(&p.out[1]);
	await(child, &p, timeout_ms, &r);
	close_all(&p);
	*ret = r;
	return ERR_OK;
}

void os_run_pause(uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	(void)nanosleep(&t, NULL);
}
