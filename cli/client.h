/* One call over meshd's control socket (node/control.h). */
#ifndef MESH_CLI_CLIENT_H
#define MESH_CLI_CLIENT_H

#include "base/err.h"
#include "base/mp.h"
#include "store/query.h"

struct client_reply {
	uint8_t *bytes;
	struct mp_doc doc;
	const msgpack_object *body; /* into doc; NULL when the reply has none */
};

/* `state` is the node's folder. ERR_NOT_FOUND (meshd is not running), ERR_DENIED, ERR_TIMEOUT, ERR_FORMAT, or
 * the error that meshd gave, with its text. Release the reply after ERR_OK only. */
enum err client_call(const char *state, const char *verb, const char *const *arguments, size_t count,
		     struct client_reply *ret, struct err_info *info);
void client_release(struct client_reply *r);

/* A value of a reply, by the tables of node/control.h: CONTROL_STATUS_TABLE(CLIENT_FIELD). */
struct client_field {
	uint64_t key;
	const char *name;
	char type; /* s text, u unsigned number, i signed number, b yes or no */
};
#define CLIENT_FIELD(symbol, key, name, type) {key, name, type},
#define CLIENT_TEXT_BYTES                     256

/* As a cell of an answer; NULL where `map` lacks the field or has another type. A text is put into `ret`,
 * which the value points to. */
struct query_value client_value(const msgpack_object *map, const struct client_field *field,
				char ret[CLIENT_TEXT_BYTES]);

#endif
