#include "os/local.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cursor.h"
#include "os/clock.h"
#include "tests/unit/scratch.h"

enum manner { ECHO_IT, HANG_UP_AT_ONCE, HANG_UP_HALF_WAY, SAY_NOTHING, ANNOUNCE_TOO_MUCH };

/* A listener that serves one client, in a thread of its own. */
struct server {
	int listener;
	enum manner manner;
	pthread_t thread;
};

static bool get(int fd, void *data, size_t len)
{
	return len == 0 || recv(fd, data, len, MSG_WAITALL) == (ssize_t)len;
}

static void echo(int fd)
{
	uint8_t head[4];
	if (!get(fd, head, sizeof(head)))
		return;
	struct reader r = reader_of(head, sizeof(head));
	size_t len = reader_u32(&r);
	uint8_t *body = malloc(len + 1);
	if (body != NULL && get(fd, body, len) && send(fd, head, 2, MSG_NOSIGNAL) == 2) {
		/* In pieces, with a pause inside the length. */
		usleep(10000);
		(void)!send(fd, head + 2, 2, MSG_NOSIGNAL);
		for (size_t sent = 0; sent < len;) {
			ssize_t n = send(fd, body + sent, len - sent, MSG_NOSIGNAL);
			if (n <= 0)
				break;
			sent += (size_t)n;
		}
	}
	free(body);
}

static void *serve(void *context)
{
	const struct server *s = context;
	uint8_t byte;
	int fd = accept(s->listener, NULL, NULL);
	switch (s->manner) {
	case ECHO_IT:
		echo(fd);
		break;
	case HANG_UP_AT_ONCE:
		break;
	case HANG_UP_HALF_WAY:
		get(fd, &byte, 1);
		(void)!send(fd, "\0\0\0\5abc", 7, MSG_NOSIGNAL);
		break;
	case SAY_NOTHING:
		/* Until the client gives up. */
		while (recv(fd, &byte, 1, 0) > 0)
			;
		break;
	case ANNOUNCE_TOO_MUCH:
		(void)!send(fd, "\xff\xff\xff\xff", 4, MSG_NOSIGNAL);
		while (recv(fd, &byte, 1, 0) > 0)
			;
		break;
	}
	close(fd);
	return NULL;
}

static int listen_on(const char *path)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

static void server_start(struct server *s, const char *path, enum manner manner)
{
	unlink(path);
	s->listener = listen_on(path);
	s->manner = manner;
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s)
{
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	close(s->listener);
}

static void calls_are_answered(void **state)
{
	static const size_t lengths[] = {0, 1, 5, 4096, 1000000};
	const char *path = scratch_path(*state, "control");
	static uint8_t request[1000000];
	memset(request, 'q', sizeof(request));
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct server s;
		uint8_t *reply;
		size_t len;
		struct err_info info = {0};
		server_start(&s, path, ECHO_IT);
		enum err err =
		    os_local_call(path, request, lengths[i], sizeof(request), 10000, &reply, &len, &info);
		server_stop(&s);
		assert_int_equal(err, ERR_OK);
		assert_int_equal(len, lengths[i]);
		assert_memory_equal(reply, request, len);
		free(reply);
	}
}

static enum err call_once(const char *path, enum manner manner, unsigned timeout_ms, struct err_info *info)
{
	struct server s;
	uint8_t *reply = NULL;
	size_t len = 7;
	server_start(&s, path, manner);
	enum err err = os_local_call(path, "question", 8, 1000, timeout_ms, &reply, &len, info);
	server_stop(&s);
	assert_true(reply == NULL && len == 7);
	assert_non_null(strstr(info->text, path));
	return err;
}

static void failures_are_told_apart(void **state)
{
	const char *path = scratch_path(*state, "control");
	uint8_t *reply;
	size_t len;
	struct err_info info;
	assert_int_equal(os_local_call(path, "q", 1, 10, 1000, &reply, &len, &info), ERR_NOT_FOUND);
	assert_int_equal(call_once(path, HANG_UP_AT_ONCE, 10000, &info), ERR_IO);
	assert_int_equal(call_once(path, HANG_UP_HALF_WAY, 10000, &info), ERR_IO);
	assert_int_equal(call_once(path, ANNOUNCE_TOO_MUCH, 10000, &info), ERR_LIMIT);
	mono_ms before = os_clock_mono();
	assert_int_equal(call_once(path, SAY_NOTHING, 100, &info), ERR_TIMEOUT);
	assert_in_range(os_clock_mono() - before, 100, 5000);
	/* The listener is gone, its socket is still there. */
	assert_int_equal(os_local_call(path, "q", 1, 10, 1000, &reply, &len, &info), ERR_NOT_FOUND);
	assert_non_null(strstr(info.text, "is meshd running"));
	char long_path[200];
	memset(long_path, 'p', sizeof(long_path));
	long_path[199] = '\0';
	assert_int_equal(os_local_call(long_path, "q", 1, 10, 1000, &reply, &len, &info), ERR_LIMIT);
}

static void full_backlog_is_busy(void **state)
{
	const char *path = scratch_path(*state, "control");
	uint8_t *reply;
	size_t len;
	struct err_info info;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int fds[8], listener = listen_on(path);
	snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
	for (int i = 0; i < 8; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(fds[i], (const struct sockaddr *)&to, sizeof(to));
	}
	assert_int_equal(os_local_call(path, "q", 1, 10, 50, &reply, &len, &info), ERR_BUSY);
	for (int i = 0; i < 8; i++)
		close(fds[i]);
	close(listener);
}

static int call_without_rights(void *context)
{
	uint8_t *reply;
	size_t len;
	if (!scratch_drop_root())
		return 1;
	return os_local_call(context, "q", 1, 10, 1000, &reply, &len, NULL) == ERR_DENIED ? 0 : 2;
}

static void rights_are_told(void **state)
{
	const char *path = scratch_path(*state, "control");
	int listener = listen_on(path);
	scratch_need_other_user();
	assert_int_equal(chmod(((struct scratch *)*state)->folder, 0711), 0);
	assert_int_equal(chmod(path, 0400), 0);
	assert_int_equal(scratch_in_child(call_without_rights, (void *)(uintptr_t)path), 0);
	close(listener);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_FOLDER(calls_are_answered),
	    IN_FOLDER(failures_are_told_apart),
	    IN_FOLDER(full_backlog_is_busy),
	    IN_FOLDER(rights_are_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
