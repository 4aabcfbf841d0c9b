#include "cli/client.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/command.h"
#include "node/control.h"
#include "os/file.h"
#include "os/local.h"

#define TIMEOUT_MS 10000

static enum err encode(const char *verb, const char *const *arguments, size_t count, uint8_t *ret,
		       size_t *ret_len)
{
	struct mp_writer w;
	mp_writer_init(&w, ret, LIMIT_CONTROL_REQUEST_BYTES);
	mp_put_map(&w, 2);
	mp_put_u64(&w, CONTROL_KEY_VERB);
	mp_put_str(&w, verb);
	mp_put_u64(&w, CONTROL_KEY_ARGUMENTS);
	mp_put_array(&w, count);
	for (size_t i = 0; i < count; i++)
		mp_put_str(&w, arguments[i]);
	*ret_len = w.len;
	return w.failed ? ERR_LIMIT : ERR_OK;
}

static enum err code_of(const char *name)
{
	for (int i = 0; i < ERR_COUNT; i++) {
		if (strcmp(err_name((enum err)i), name) == 0)
			return (enum err)i;
	}
	return ERR_UNSUPPORTED;
}

/* The error that meshd gave, ERR_OK, or ERR_FORMAT. */
static enum err read_reply(const struct mp_doc *doc, const msgpack_object **ret_body, struct err_info *info)
{
	char name[64], text[ERR_TEXT_BYTES], shown[ERR_TEXT_BYTES];
	const msgpack_object *root = mp_root(doc);
	if (!mp_str(mp_get(root, CONTROL_KEY_ERROR), name, sizeof(name)))
		return err_set(info, ERR_FORMAT, "meshd gave a reply that is none; is it of this version?");
	enum err err = code_of(name);
	if (err == ERR_OK) {
		*ret_body = mp_get(root, CONTROL_KEY_BODY);
		return ERR_OK;
	}
	if (!mp_str(mp_get(root, CONTROL_KEY_TEXT), text, sizeof(text)) || text[0] == '\0')
		text_copy(text, sizeof(text), err_text(err));
	text_escape(shown, sizeof(shown), text, strlen(text));
	return err_set(info, err, "%s", shown);
}

enum err client_call(const char *state, const char *verb, const char *const *arguments, size_t count,
		     struct client_reply *ret, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	uint8_t request[LIMIT_CONTROL_REQUEST_BYTES];
	size_t request_len, len = 0;
	struct client_reply r = {0};
	enum err err = os_path_join(path, sizeof(path), state, CONTROL_SOCKET_NAME);
	if (err != ERR_OK)
		return err_set(info, err, "the state folder's path is too long");
	err = encode(verb, arguments, count, request, &request_len);
	if (err != ERR_OK)
		return err_set(info, err, "an argument is longer than %d bytes", LIMIT_CONTROL_REQUEST_BYTES);
	err = os_local_call(path, request, request_len, LIMIT_CONTROL_REPLY_BYTES, TIMEOUT_MS, &r.bytes, &len,
			    info);
	if (err == ERR_NOT_FOUND) {
		char start[COMMAND_START_BYTES];
		command_start_hint(state, start);
		return err_set(
		    info, err,
		    "meshd is not running in \"%s\"; start it (%s), or name the folder with --state", state,
		    start);
	}
	if (err != ERR_OK)
		return err;
	err = mp_open(&r.doc, r.bytes, len);
	if (err != ERR_OK) {
		free(r.bytes);
		return err_set(info, err, "meshd gave a reply that is none: %s", err_text(err));
	}
	err = read_reply(&r.doc, &r.body, info);
	if (err != ERR_OK)
		client_release(&r);
	else
		*ret = r;
	return err;
}

void client_release(struct client_reply *r)
{
	mp_close(&r->doc);
	free(r->bytes);
	*r = (struct client_reply){0};
}

struct query_value client_value(const msgpack_object *map, const struct client_field *field,
				char ret[CLIENT_TEXT_BYTES])
{
	struct query_value v = {.type = QUERY_NULL};
	const msgpack_object *o = mp_get(map, field->key);
	uint64_t number;
	bool flag;
	if (field->type == 's' && mp_str(o, ret, CLIENT_TEXT_BYTES)) {
		v.type = QUERY_TEXT;
		v.text = ret;
		v.text_len = strlen(ret);
	} else if (field->type == 'u' && mp_u64(o, INT64_MAX, &number)) {
		v.type = QUERY_INTEGER;
		v.integer = (int64_t)number;
	} else if (field->type == 'i' && mp_i64(o, &v.integer)) {
		v.type = QUERY_INTEGER;
	} else if (field->type == 'b' && mp_bool(o, &flag)) {
		v.type = QUERY_INTEGER;
		v.integer = flag;
	}
	return v;
}
