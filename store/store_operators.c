/* Rows of operators: what the authority log says of them, so that questions know whose word counts. */
#include <string.h>

#include "base/text.h"
#include "store/store_private.h"

static struct operator_state state_of(const struct authlog_operator *o)
{
	struct operator_state state = {
	    .id = o->id, .roles = o->roles, .last_day = o->last_day, .revoked = o->revoked};
	text_copy(state.name, sizeof(state.name), o->name);
	return state;
}

static enum err put_operator(struct store *s, const struct operator_state *state)
{
	struct row_key key = row_key_id(TABLE_OPERATORS, &state->id);
	struct row_value row, old;
	enum err err = row_encode_operator(&key, state, &row);
	if (err != ERR_OK)
		return err;
	bool same = store_get_row(s, &key, &old) == ERR_OK && old.len == row.len &&
		    memcmp(old.bytes, row.bytes, row.len) == 0;
	return same ? ERR_OK : store_put_row(s, &key, row.bytes, row.len);
}

struct leaving {
	struct store *store;
	const struct authlog *log;
	enum err err;
};

/* A fork takes what operators stand behind it. */
static bool drop_unnamed(void *context, const struct operator_state *state)
{
	struct leaving *l = context;
	struct row_key key = row_key_id(TABLE_OPERATORS, &state->id);
	if (authlog_find_operator(l->log, &state->id) == NULL)
		l->err = store_put_row(l->store, &key, NULL, 0);
	return l->err == ERR_OK;
}

enum err store_put_operators(struct store *s, const struct authlog *log)
{
	const struct authlog_operator *o;
	struct leaving l = {.store = s, .log = log};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && (o = authlog_operator_at(log, i)) != NULL; i++) {
		struct operator_state state = state_of(o);
		err = put_operator(s, &state);
	}
	if (err == ERR_OK)
		err = store_each_operator(s, drop_unnamed, &l);
	return err == ERR_OK ? l.err : err;
}

struct each_operator {
	bool (*each)(void *context, const struct operator_state *state);
	void *context;
};

static bool visit_operator(void *context, const struct row_key *key, const uint8_t *bytes, size_t len)
{
	struct each_operator *e = context;
	struct operator_state state;
	return row_decode_operator(key, bytes, len, &state) != ERR_OK || e->each(e->context, &state);
}

enum err store_each_operator(struct store *s, bool (*each)(void *context, const struct operator_state *state),
			     void *context)
{
	struct each_operator e = {each, context};
	return store_each_row(s, TABLE_OPERATORS, visit_operator, &e);
}
