/* Server of the local control socket: framing, bounds and time limits. What the verbs do is in
 * control_verbs.c. */
#ifndef MESH_NODE_CONTROL_SERVER_H
#define MESH_NODE_CONTROL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "node/control_request.h"

struct control_server;
struct control_call;

/* Answers now or later with control_reply, exactly once per call unless `gone` was called for it. */
typedef void (*control_handle)(void *context, const struct control_request *request,
			       struct control_call *call);
/* The client of an unanswered call went away: the call must not be used any more. */
typedef void (*control_gone)(void *context, struct control_call *call);

struct control_options {
	uv_loop_t *loop;
	const char
	    *path; /* a socket left by a dead process is replaced: the caller holds the folder's lock */
	control_handle handle;
	control_gone gone;
	void *context;
};

/* ERR_LIMIT (path too long for a socket), ERR_EXISTS (something else is there), ERR_DENIED, ERR_IO. */
enum err control_open(const struct control_options *options, struct control_server **ret,
		      struct err_info *info);
/* Removes the socket; frees it once the loop has run. NULL is fine. */
void control_close(struct control_server *s);

/* `body` is a msgpack map (NULL: none), copied. */
void control_reply(struct control_call *call, enum err err, const char *text, const void *body, size_t len);

/* Clients that neither ask nor read are cut off after a while. */
mono_ms control_due(const struct control_server *s);
void control_run(struct control_server *s, mono_ms now);

#endif
