/* A client sends a request, gets its reply, and may send the next. One request is under way per client;
 * whoever breaks the framing, sends too much, or idles is cut off. */
#include "node/control_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/mp.h"
#include "base/text.h"
#include "os/clock.h"

#define IDLE_MS 10000
#define BACKLOG 16
/* sun_path of struct sockaddr_un with its terminator; libuv cuts longer names without a word. */
#define SOCKET_PATH_BYTES 108
#define REPLY_HEAD        640 /* frame, map, error name, text */

struct control_call {
	uv_pipe_t pipe;
	uv_write_t write;
	struct control_server *server; /* NULL when the server is gone */
	struct control_call *next;
	mono_ms deadline;
	bool busy; /* asked and not answered */
	bool writing;
	bool closing;
	uint8_t *reply;
	size_t len;
	/* Of any request that makes sense; a longer one is refused before it is buffered. */
	uint8_t in[CONTROL_FRAME_BYTES + LIMIT_CONTROL_REQUEST_BYTES];
};

struct control_server {
	uv_pipe_t pipe;
	struct control_options options;
	struct control_call *clients;
	size_t client_count;
	bool closing;
};

static void on_client_closed(uv_handle_t *handle)
{
	struct control_call *c = handle->data;
	free(c->reply);
	free(c);
}

static void drop(struct control_call *c)
{
	struct control_server *s = c->server;
	if (c->closing)
		return;
	c->closing = true;
	for (struct control_call **at = &s->clients; *at != NULL; at = &(*at)->next) {
		if (*at == c) {
			*at = c->next;
			break;
		}
	}
	s->client_count--;
	if (c->busy)
		s->options.gone(s->options.context, c);
	uv_close((uv_handle_t *)&c->pipe, on_client_closed);
}

/* Serves the request at the start of the buffer once it is whole. */
static void serve(struct control_call *c)
{
	struct control_request request;
	size_t used = 0;
	if (c->busy || c->closing)
		return;
	enum control_frame frame = control_frame_read(c->in, c->len, &request, &used);
	if (frame == CONTROL_FRAME_TOO_LONG)
		drop(c);
	if (used == 0)
		return;
	c->len -= used;
	memmove(c->in, c->in + used, c->len);
	c->busy = true;
	if (frame == CONTROL_FRAME_REQUEST)
		c->server->options.handle(c->server->options.context, &request, c);
	else
		control_reply(c, ERR_FORMAT, "the request is malformed: are mesh and meshd of one version?",
			      NULL, 0);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct control_call *c = handle->data;
	(void)suggested;
	*ret = uv_buf_init((char *)c->in + c->len, (unsigned)(sizeof(c->in) - c->len));
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *buffer)
{
	struct control_call *c = stream->data;
	(void)buffer;
	if (len < 0) { /* also when the buffer is full: a second request may wait, not a third */
		drop(c);
		return;
	}
	if (len == 0)
		return;
	c->len += (size_t)len;
	c->deadline = os_clock_mono() + IDLE_MS;
	serve(c);
}

static void on_wrote(uv_write_t *write, int status)
{
	struct control_call *c = write->data;
	free(c->reply);
	c->reply = NULL;
	c->writing = false;
	if (c->closing)
		return;
	if (status < 0) {
		drop(c);
		return;
	}
	c->busy = false;
	c->deadline = os_clock_mono() + IDLE_MS;
	serve(c);
}

void control_reply(struct control_call *c, enum err err, const char *text, const void *body, size_t len)
{
	struct mp_writer w;
	CHECK(c->busy && !c->writing);
	c->reply = malloc(REPLY_HEAD + len);
	if (c->reply == NULL) {
		c->busy = false;
		drop(c);
		return;
	}
	char cut[ERR_TEXT_BYTES];
	text_copy(cut, sizeof(cut), text);
	mp_writer_init(&w, c->reply + CONTROL_FRAME_BYTES, REPLY_HEAD - CONTROL_FRAME_BYTES + len);
	mp_put_map(&w, body != NULL ? 3 : 2);
	mp_put_u64(&w, CONTROL_KEY_ERROR);
	mp_put_str(&w, err_name(err));
	mp_put_u64(&w, CONTROL_KEY_TEXT);
	mp_put_str(&w, cut);
	if (body != NULL) {
		mp_put_u64(&w, CONTROL_KEY_BODY);
		mp_put_raw(&w, body, len);
	}
	CHECK(!w.failed);
	struct writer frame = writer_of(c->reply, CONTROL_FRAME_BYTES);
	writer_u32(&frame, (uint32_t)w.len);
	uv_buf_t buffer = uv_buf_init((char *)c->reply, (unsigned)(CONTROL_FRAME_BYTES + w.len));
	c->write.data = c;
	c->writing = true;
	if (uv_write(&c->write, (uv_stream_t *)&c->pipe, &buffer, 1, on_wrote) != 0) {
		c->writing = false;
		c->busy = false;
		drop(c);
	}
}

static void on_refused(uv_handle_t *handle)
{
	free(handle);
}

static void on_client(uv_stream_t *stream, int status)
{
	struct control_server *s = stream->data;
	struct control_call *c = status == 0 ? calloc(1, sizeof(*c)) : NULL;
	if (c == NULL)
		return;
	uv_pipe_init(s->options.loop, &c->pipe, 0);
	c->pipe.data = c;
	c->server = s;
	if (uv_accept(stream, (uv_stream_t *)&c->pipe) != 0 || s->client_count >= LIMIT_CONTROL_CLIENTS) {
		/* `pipe` is the first member, so the handle is the allocation. */
		uv_close((uv_handle_t *)&c->pipe, on_refused);
		return;
	}
	c->deadline = os_clock_mono() + IDLE_MS;
	c->next = s->clients;
	s->clients = c;
	s->client_count++;
	uv_read_start((uv_stream_t *)&c->pipe, on_allocate, on_read);
}

/* A socket file of a dead process is in the way of bind(2); anything else there is not ours to remove. */
static enum err clear_path(const struct control_options *o, struct err_info *info)
{
	uv_fs_t request;
	if (strlen(o->path) >= SOCKET_PATH_BYTES)
		return err_set(info, ERR_LIMIT,
			       "control socket \"%s\": the path is longer than %d bytes; choose a shorter "
			       "state folder",
			       o->path, SOCKET_PATH_BYTES - 1);
	int error = uv_fs_lstat(o->loop, &request, o->path, NULL);
	bool is_socket = error == 0 && (request.statbuf.st_mode & S_IFMT) == S_IFSOCK;
	uv_fs_req_cleanup(&request);
	if (error == UV_ENOENT)
		return ERR_OK;
	if (error == 0 && !is_socket)
		return err_set(info, ERR_EXISTS, "\"%s\" is in the way of the control socket: move it away",
			       o->path);
	error = uv_fs_unlink(o->loop, &request, o->path, NULL);
	uv_fs_req_cleanup(&request);
	if (error != 0)
		return err_set(info, ERR_DENIED, "cannot replace the control socket \"%s\": %s", o->path,
			       uv_strerror(error));
	return ERR_OK;
}

static void on_server_closed(uv_handle_t *handle)
{
	free(handle->data);
}

enum err control_open(const struct control_options *options, struct control_server **ret,
		      struct err_info *info)
{
	uv_fs_t request;
	enum err err = clear_path(options, info);
	if (err != ERR_OK)
		return err;
	struct control_server *s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_set(info, ERR_NOMEM, "out of memory");
	s->options = *options;
	uv_pipe_init(options->loop, &s->pipe, 0);
	s->pipe.data = s;
	int error = uv_pipe_bind(&s->pipe, options->path);
	/* Before listen(2), so that nobody connects under the mode the umask left. */
	if (error == 0) {
		error = uv_fs_chmod(options->loop, &request, options->path, 0660, NULL);
		uv_fs_req_cleanup(&request);
	}
	if (error == 0)
		error = uv_listen((uv_stream_t *)&s->pipe, BACKLOG, on_client);
	if (error != 0) {
		uv_close((uv_handle_t *)&s->pipe, on_server_closed);
		return err_set(info, error == UV_EACCES ? ERR_DENIED : ERR_IO,
			       "cannot open the control socket \"%s\": %s", options->path,
			       uv_strerror(error));
	}
	*ret = s;
	return ERR_OK;
}

void control_close(struct control_server *s)
{
	if (s == NULL)
		return;
	while (s->clients != NULL)
		drop(s->clients);
	/* Closing a bound pipe unlinks it. */
	uv_close((uv_handle_t *)&s->pipe, on_server_closed);
}

mono_ms control_due(const struct control_server *s)
{
	mono_ms due = UINT64_MAX;
	for (const struct control_call *c = s->clients; c != NULL; c = c->next)
		if (c->deadline < due)
			due = c->deadline;
	return due;
}

void control_run(struct control_server *s, mono_ms now)
{
	for (struct control_call *c = s->clients, *next; c != NULL; c = next) {
		next = c->next;
		if (now >= c->deadline)
			drop(c);
	}
}
