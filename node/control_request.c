#include "node/control_request.h"

#include <string.h>

#include "base/cursor.h"
#include "base/mp.h"

static bool decode(const uint8_t *data, size_t len, struct control_request *ret)
{
	struct control_request r = {.argument_count = 0};
	struct mp_doc doc;
	if (mp_open(&doc, data, len) != ERR_OK)
		return false;
	const msgpack_object *arguments = mp_get(mp_root(&doc), CONTROL_KEY_ARGUMENTS);
	bool good = mp_str(mp_get(mp_root(&doc), CONTROL_KEY_VERB), r.verb, sizeof(r.verb));
	r.argument_count = mp_count(arguments);
	good = good && r.argument_count <= CONTROL_ARGUMENTS;
	for (size_t i = 0; good && i < r.argument_count; i++)
		good = mp_str(mp_at(arguments, i), r.arguments[i], sizeof(r.arguments[i]));
	mp_close(&doc);
	if (good)
		*ret = r;
	return good;
}

enum control_frame control_frame_read(const uint8_t *data, size_t len, struct control_request *ret,
				      size_t *ret_used)
{
	struct reader r = reader_of(data, len);
	if (len < CONTROL_FRAME_BYTES)
		return CONTROL_FRAME_PART;
	size_t body = reader_u32(&r);
	if (body > LIMIT_CONTROL_REQUEST_BYTES)
		return CONTROL_FRAME_TOO_LONG;
	if (len < CONTROL_FRAME_BYTES + body)
		return CONTROL_FRAME_PART;
	*ret_used = CONTROL_FRAME_BYTES + body;
	return decode(data + CONTROL_FRAME_BYTES, body, ret) ? CONTROL_FRAME_REQUEST
							     : CONTROL_FRAME_MALFORMED;
}
