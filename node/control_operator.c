/* What operators hand in proves itself, as it is signed: whoever may use the socket may bring it. */
#include "node/control_operator.h"

#include <string.h>

#include "base/check.h"
#include "base/mp.h"
#include "base/text.h"

#define BODY_BYTES                              256
#define OPERATOR_COUNT(symbol, key, name, type) +1

static void put_u(struct mp_writer *w, uint64_t key, uint64_t value)
{
	mp_put_u64(w, key);
	mp_put_u64(w, value);
}

static void put_s(struct mp_writer *w, uint64_t key, const char *value)
{
	mp_put_u64(w, key);
	mp_put_str(w, value);
}

void control_operator(struct meshd *m, const struct control_request *r, struct control_call *call)
{
	struct id id;
	char estate[ID_HEX_BYTES];
	uint8_t body[BODY_BYTES];
	struct mp_writer w;
	struct gossip_status s;
	if (r->argument_count != 1 || !id_unhex(&id, r->arguments[0])) {
		control_reply(call, ERR_FORMAT, "this verb takes an operator's id in hexadecimal", NULL, 0);
		return;
	}
	const struct authlog_operator *op = authlog_find_operator(m->state.credentials.log, &id);
	if (op == NULL) {
		control_reply(
		    call, ERR_NOT_FOUND,
		    "the authority log of this node names no such operator: the authority adds it (mesh "
		    "authority operator) and publishes the log",
		    NULL, 0);
		return;
	}
	gossip_status(driver_gossip(m->driver), &s);
	id_hex(&s.estate, estate);
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 0 CONTROL_OPERATOR_TABLE(OPERATOR_COUNT));
	put_s(&w, CONTROL_OPERATOR_ESTATE, estate);
	put_s(&w, CONTROL_OPERATOR_NAME, op->name);
	put_u(&w, CONTROL_OPERATOR_ROLES, op->roles);
	put_u(&w, CONTROL_OPERATOR_LAST_DAY, op->last_day);
	mp_put_u64(&w, CONTROL_OPERATOR_REVOKED);
	mp_put_bool(&w, op->revoked);
	put_u(&w, CONTROL_OPERATOR_SEQ, gossip_operator_seq(driver_gossip(m->driver), &id));
	CHECK(!w.failed);
	control_reply(call, ERR_OK, "", body, w.len);
}

static const char *refusal(enum err err)
{
	switch (err) {
	case ERR_ARG:
		return "it is no record of an operator";
	case ERR_UNTRUSTED:
		return "the authority log does not give this operator that role: mesh authority operator "
		       "does";
	case ERR_REVOKED:
		return "the authority has revoked this operator's key";
	case ERR_EXPIRED:
		return "this operator's last day is over: the authority gives another (mesh authority "
		       "operator)";
	case ERR_SIGNATURE:
		return "the signature does not fit: is it of another estate, or damaged?";
	case ERR_EXISTS:
		return "known already";
	case ERR_STALE:
		return "this operator has said 2,000 newer things, and only so many stand";
	case ERR_BUSY:
		return "this operator said too much for now, or meshd is stopping: try again in a while";
	case ERR_NOT_FOUND:
		return "no record here waits for this blob";
	default:
		return err_text(err);
	}
}

void control_submit(struct meshd *m, const struct control_request *r, struct control_call *call)
{
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t digits = r->argument_count == 1 ? strlen(r->arguments[0]) : 0;
	_Static_assert(2 * LIMIT_RECORD_BYTES < CONTROL_ARGUMENT_BYTES, "the largest one fits an argument");
	if (digits == 0 || digits % 2 != 0 || digits / 2 > sizeof(bytes) ||
	    !text_unhex(bytes, digits / 2, r->arguments[0])) {
		control_reply(call, ERR_FORMAT, "this verb takes a record or a blob in hexadecimal", NULL, 0);
		return;
	}
	enum err err = driver_submit(m->driver, bytes, digits / 2);
	if (err != ERR_OK && err != ERR_EXISTS)
		log_line(&m->log, LOG_WARN, "what an operator handed in over the control socket: %s",
			 refusal(err));
	control_reply(call, err, err == ERR_OK ? "" : refusal(err), NULL, 0);
}
