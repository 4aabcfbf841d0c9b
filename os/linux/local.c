#include "os/local.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/cursor.h"
#include "os/clock.h"
#include "os/linux/fail.h"

/* Pause between attempts while the listener's backlog is full, in milliseconds. */
#define RETRY_MS 10

struct call {
	int fd;
	const char *path;
	mono_ms deadline;
	struct err_info *info;
};

static enum err late(const struct call *c)
{
	return err_set(c->info, ERR_TIMEOUT,
		       "no answer on \"%s\" in time; look whether meshd is hung or overloaded", c->path);
}

/* Wait until the socket is ready for `events`. */
static enum err await(const struct call *c, short events)
{
	for (;;) {
		mono_ms now = os_clock_mono();
		if (now >= c->deadline)
			return late(c);
		struct pollfd p = {.fd = c->fd, .events = events};
		/* One more, because the clock cuts to whole milliseconds. */
		int n =
		    poll(&p, 1, c->deadline - now > INT32_MAX - 1 ? INT32_MAX : (int)(c->deadline - now) + 1);
		if (n > 0)
			return ERR_OK;
		if (n < 0 && errno != EINTR)
			return os_fail(c->info, errno, "wait for", c->path);
	}
}

static enum err nobody(const struct call *c, int error)
{
	if (error == EAGAIN)
		return err_set(c->info, ERR_BUSY, "meshd on \"%s\" is busy with other clients; try again",
			       c->path);
	if (error == ENOENT || error == ECONNREFUSED)
		return err_set(c->info, ERR_NOT_FOUND, "nobody listens on \"%s\"; is meshd running?",
			       c->path);
	return os_fail(c->info, error, "connect to", c->path);
}

static enum err call_connect(struct call *c)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(c->path);
	if (len >= sizeof(to.sun_path))
		return err_set(c->info, ERR_LIMIT,
			       "socket path \"%s\" is longer than %zu bytes; choose a shorter one", c->path,
			       sizeof(to.sun_path) - 1);
	memcpy(to.sun_path, c->path, len + 1);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		return os_fail(c->info, errno, "connect to", c->path);
	while (connect(c->fd, (const struct sockaddr *)&to, sizeof(to)) != 0) {
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN || os_clock_mono() >= c->deadline)
			return nobody(c, errno);
		nanosleep(&(struct timespec){.tv_nsec = RETRY_MS * 1000000}, NULL);
	}
	return ERR_OK;
}

static enum err call_send(const struct call *c, const void *data, size_t len)
{
	const uint8_t *at = data;
	while (len > 0) {
		ssize_t n = send(c->fd, at, len, MSG_NOSIGNAL);
		if (n >= 0) {
			at += n;
			len -= (size_t)n;
		} else if (errno == EAGAIN) {
			enum err err = await(c, POLLOUT);
			if (err != ERR_OK)
				return err;
		} else if (errno != EINTR) {
			return os_fail(c->info, errno, "send to", c->path);
		}
	}
	return ERR_OK;
}

static enum err call_receive(const struct call *c, void *ret, size_t len)
{
	uint8_t *at = ret;
	while (len > 0) {
		ssize_t n = recv(c->fd, at, len, 0);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		} else if (n == 0) {
			return err_set(c->info, ERR_IO,
				       "meshd on \"%s\" hung up before it had answered; see its log",
				       c->path);
		} else if (errno == EAGAIN) {
			enum err err = await(c, POLLIN);
			if (err != ERR_OK)
				return err;
		} else if (errno != EINTR) {
			return os_fail(c->info, errno, "receive from", c->path);
		}
	}
	return ERR_OK;
}

static enum err call_run(struct call *c, const void *request, size_t len, size_t max_reply_bytes,
			 uint8_t **ret_reply, size_t *ret_len)
{
	uint8_t head[4];
	struct writer w = writer_of(head, sizeof(head));
	writer_u32(&w, (uint32_t)len);
	enum err err = call_connect(c);
	if (err == ERR_OK)
		err = call_send(c, head, sizeof(head));
	if (err == ERR_OK)
		err = call_send(c, request, len);
	if (err == ERR_OK)
		err = call_receive(c, head, sizeof(head));
	if (err != ERR_OK)
		return err;
	struct reader r = reader_of(head, sizeof(head));
	size_t reply_len = reader_u32(&r);
	if (reply_len > max_reply_bytes)
		return err_set(c->info, ERR_LIMIT,
			       "the answer on \"%s\" has %zu bytes, more than the %zu allowed; ask for less",
			       c->path, reply_len, max_reply_bytes);
	/* One more, so that an empty answer has an address too. */
	uint8_t *reply = malloc(reply_len + 1);
	if (reply == NULL)
		return os_fail(c->info, ENOMEM, "receive from", c->path);
	err = call_receive(c, reply, reply_len);
	if (err != ERR_OK) {
		free(reply);
		return err;
	}
	*ret_reply = reply;
	*ret_len = reply_len;
	return ERR_OK;
}

enum err os_local_call(const char *path, const void *request, size_t len, size_t max_reply_bytes,
		       unsigned timeout_ms, uint8_t **ret_reply, size_t *ret_len, struct err_info *info)
{
	struct call c = {.fd = -1, .path = path, .deadline = os_clock_mono() + timeout_ms, .info = info};
	if (len > UINT32_MAX)
		return err_set(info, ERR_LIMIT, "a request of %zu bytes is too long; shorten it", len);
	enum err err = call_run(&c, request, len, max_reply_bytes, ret_reply, ret_len);
	if (c.fd >= 0)
		close(c.fd);
	return err;
}
