#include "cli/signer.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/passphrase.h"
#include "cli/shown.h"
#include "crypto/authlog.h"
#include "node/control.h"
#include "os/clock.h"

static const char *role_name(uint8_t role)
{
	switch (role) {
	case LOG_ROLE_INCIDENTS:
		return "incidents";
	case LOG_ROLE_INVENTORY:
		return "inventory";
	case LOG_ROLE_POLICY:
		return "policy";
	default:
		return "decommission";
	}
}

static enum err key_path(const struct command *c, const char **ret, struct err_info *info)
{
	const char *path = options_value(&c->options, "key"), *set = getenv("MESH_KEY");
	if (path == NULL && set != NULL && set[0] != '\0')
		path = set;
	if (path == NULL)
		return err_set(info, ERR_USAGE,
			       "name your key with --key or in MESH_KEY; mesh operator init makes one");
	*ret = path;
	return ERR_OK;
}

struct standing {
	uint64_t roles, last_day;
	bool revoked;
};

static enum err read_standing(const struct client_reply *reply, struct signer *s, struct standing *ret,
			      struct err_info *info)
{
	char estate[ID_HEX_BYTES];
	const msgpack_object *b = reply->body;
	if (!mp_str(mp_get(b, CONTROL_OPERATOR_ESTATE), estate, sizeof(estate)) ||
	    !id_unhex(&s->estate, estate) ||
	    !mp_str(mp_get(b, CONTROL_OPERATOR_NAME), s->name, sizeof(s->name)) ||
	    !mp_u64(mp_get(b, CONTROL_OPERATOR_ROLES), UINT8_MAX, &ret->roles) ||
	    !mp_u64(mp_get(b, CONTROL_OPERATOR_LAST_DAY), UINT32_MAX, &ret->last_day) ||
	    !mp_bool(mp_get(b, CONTROL_OPERATOR_REVOKED), &ret->revoked) ||
	    !mp_u64(mp_get(b, CONTROL_OPERATOR_SEQ), INT64_MAX, &s->seq))
		return err_set(info, ERR_FORMAT, "meshd gave a reply that is none; is it of this version?");
	return ERR_OK;
}

static enum err judge(const struct signer *s, const struct standing *is, uint8_t kind, struct err_info *info)
{
	char name[4 * sizeof(s->name)], day[SHOWN_BYTES];
	uint8_t role = authlog_role_of(kind);
	text_escape(name, sizeof(name), s->name, strlen(s->name));
	if (is->revoked)
		return err_set(
		    info, ERR_REVOKED,
		    "the authority has revoked this key (operator \"%s\"): nothing that it signs counts",
		    name);
	if ((is->roles & role) == 0)
		return err_set(
		    info, ERR_UNTRUSTED,
		    "operator \"%s\" has not the role \"%s\"; whoever holds the authority gives it: mesh "
		    "authority operator",
		    name, role_name(role));
	shown_day(is->last_day, day);
	if (clock_day(s->now) > is->last_day)
		return err_set(info, ERR_EXPIRED,
			       "the last day of operator \"%s\" was %s; whoever holds the "
			       "authority extends it: mesh authority operator",
			       name, day);
	if (s->seq >= INT64_MAX - 1)
		return err_set(info, ERR_LIMIT,
			       "this key has signed the highest counter there is: make another");
	return ERR_OK;
}

static enum err ask_node(struct signer *s, const struct id *id, uint8_t kind, struct err_info *info)
{
	char hex[ID_HEX_BYTES];
	const char *const arguments[] = {hex};
	struct client_reply reply;
	struct standing is = {0};
	id_hex(id, hex);
	enum err err = client_call(s->state, CONTROL_VERB_OPERATOR, arguments, 1, &reply, info);
	if (err != ERR_OK)
		return err;
	err = read_standing(&reply, s, &is, info);
	client_release(&reply);
	return err == ERR_OK ? judge(s, &is, kind, info) : err;
}

uint64_t signer_slot(void)
{
	struct crypto_rng rng = crypto_rng_system();
	uint64_t slot = 0;
	while (slot == 0)
		rng.fill(rng.context, &slot, sizeof(slot));
	return slot;
}

enum err signer_open(const struct command *c, uint8_t kind, struct signer *ret, struct err_info *info)
{
	const char *path = NULL;
	struct key_file_facts facts;
	*ret = (struct signer){.now = os_clock_wall(), .instance = signer_slot()};
	enum err err = key_path(c, &path, info);
	if (err == ERR_OK)
		err = key_file_inspect(path, &facts, info);
	if (err == ERR_OK && facts.purpose != KEY_OPERATOR)
		err = err_set(info, ERR_ARG, "\"%s\" holds the key of %s %s, not of an operator", path,
			      facts.purpose == KEY_HOST ? "a" : "an", key_file_purpose_name(facts.purpose));
	if (err == ERR_OK)
		err = command_state(c, ret->state, sizeof(ret->state), info);
	if (err != ERR_OK)
		return err;
	struct id id = id_of_key(facts.public_key);
	err = ask_node(ret, &id, kind, info);
	return err == ERR_OK ? passphrase_load_key(c, path, KEY_OPERATOR, "passphrase-file",
						   "Passphrase of your key: ", NULL, &ret->identity, info)
			     : err;
}

void signer_close(struct signer *s)
{
	identity_free(s->identity);
	s->identity = NULL;
}

static enum err hand_in(struct signer *s, const uint8_t *bytes, size_t len, struct err_info *info)
{
	char hex[2 * LIMIT_RECORD_BYTES + 1];
	const char *const arguments[] = {hex};
	struct client_reply reply;
	text_hex(hex, bytes, len);
	enum err err = client_call(s->state, CONTROL_VERB_SUBMIT, arguments, 1, &reply, info);
	if (err == ERR_OK)
		client_release(&reply);
	return err;
}

enum err signer_say(struct signer *s, uint8_t kind, const struct id *subject, uint64_t slot,
		    const uint8_t *body, size_t len, struct err_info *info)
{
	struct record_key key = {
	    .kind = kind, .writer = *identity_id(s->identity), .subject = *subject, .slot = slot};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t bytes_len;
	s->seq = s->now > s->seq ? s->now : s->seq + 1;
	enum err err = record_sign(&key, s->seq, s->instance, s->now, body, len, &s->estate, s->identity,
				   bytes, &bytes_len);
	if (err != ERR_OK)
		return err_set(info, err, "what you say cannot be signed: %s", err_text(err));
	return hand_in(s, bytes, bytes_len, info);
}

enum err signer_blob(struct signer *s, const uint8_t *bytes, size_t len, struct err_info *info)
{
	enum err err = hand_in(s, bytes, len, info);
	return err == ERR_EXISTS ? ERR_OK : err;
}

enum err signer_commit(struct signer *s, struct err_info *info)
{
	struct client_reply reply;
	struct err_info why;
	enum err err = client_call(s->state, CONTROL_VERB_COMMIT, NULL, 0, &reply, &why);
	if (err != ERR_OK)
		return err_set(info, err,
			       "it is said, and spreads, but is not on this machine's disk yet: %s",
			       why.text);
	client_release(&reply);
	return ERR_OK;
}
