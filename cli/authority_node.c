#include "cli/authority_node.h"

#include <string.h>

#include "base/text.h"
#include "cli/client.h"
#include "node/control.h"
#include "os/file.h"

static enum err refuse_stale(const struct authority_node *n, const char *source, struct err_info *info)
{
	return err_set(
	    info, ERR_STALE,
	    "the node in \"%s\" knows entries of the authority's log that \"%s\" lacks: to go on "
	    "would fork the log; bring the authority's folder up to it: mesh authority log --dir DIR "
	    "--take %s/authority.log",
	    n->state, source, n->state);
}

/* Of a node that does not run, or that says too little. */
static enum err compare_files(const struct authority_node *n, const char *source, const struct authlog *log,
			      struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	struct authlog *theirs = NULL;
	enum err err = os_path_join(path, sizeof(path), n->state, "authority.log");
	if (err != ERR_OK || authlog_load(path, &theirs, NULL) != ERR_OK)
		return ERR_OK; /* what cannot be read is told by whoever talks to it */
	if (!id_equal(authlog_estate(theirs), authlog_estate(log)))
		err = err_set(info, ERR_ESTATE, "the node in \"%s\" is of another estate (\"%s\")", n->state,
			      authlog_estate_name(theirs));
	else if (bundle_missing(log, theirs) > 0)
		err = refuse_stale(n, source, info);
	authlog_free(theirs);
	return err;
}

/* A head says little: a rotation of ours may have dropped what it stands for. */
static bool knows_all(const struct authority_node *n, const struct authlog *log)
{
	char path[LIMIT_PATH_BYTES];
	struct authlog *theirs = NULL;
	if (os_path_join(path, sizeof(path), n->state, "authority.log") != ERR_OK ||
	    authlog_load(path, &theirs, NULL) != ERR_OK)
		return false;
	bool all = id_equal(authlog_estate(theirs), authlog_estate(log)) && bundle_missing(log, theirs) == 0;
	authlog_free(theirs);
	return all;
}

static enum err compare_live(const msgpack_object *body, const char *source, const struct authlog *log,
			     bool accept_fork, struct authority_node *n, struct err_info *info)
{
	char estate[ID_HEX_BYTES], ours[ID_HEX_BYTES], hex[17];
	uint8_t hash[8];
	uint64_t index;
	struct authlog_head head = {0};
	id_hex(authlog_estate(log), ours);
	if (!mp_str(mp_get(body, CONTROL_STATUS_ESTATE), estate, sizeof(estate)) ||
	    !mp_u64(mp_get(body, CONTROL_STATUS_LOG_INDEX), UINT32_MAX, &index) ||
	    !mp_str(mp_get(body, CONTROL_STATUS_LOG_HASH), hex, sizeof(hex)) ||
	    !text_unhex(hash, sizeof(hash), hex))
		return err_set(info, ERR_FORMAT, "meshd in \"%s\" is of another version than mesh: update it",
			       n->state);
	if (strcmp(estate, ours) != 0)
		return err_set(info, ERR_ESTATE, "the node in \"%s\" is of another estate", n->state);
	head.index = (uint32_t)index;
	for (size_t i = 0; i < sizeof(hash); i++)
		head.hash = head.hash << 8 | hash[i];
	bool known = authlog_knows_head(log, head);
	if (!accept_fork && !known && !knows_all(n, log))
		return refuse_stale(n, source, info);
	n->condition = NODE_REACHED;
	/* Of a forked log no one can tell from a head where the other stands. */
	n->common = authlog_forked(log) || accept_fork || !known ? 0 : (size_t)index + 1;
	return ERR_OK;
}

enum err authority_node_find(const struct command *c, const char *source, const struct authlog *log,
			     bool accept_fork, struct authority_node *ret, struct err_info *info)
{
	struct authority_node n = {.condition = NODE_NONE};
	struct client_reply reply;
	char socket[LIMIT_PATH_BYTES];
	bool named = options_value(&c->options, "state") != NULL;
	enum err err = command_state(c, n.state, sizeof(n.state), info);
	if (err == ERR_OK && !named &&
	    (os_path_join(socket, sizeof(socket), n.state, CONTROL_SOCKET_NAME) != ERR_OK ||
	     !os_file_exists(socket)))
		n.state[0] = '\0';
	if (err != ERR_OK || n.state[0] == '\0') {
		/* No home, no default folder: no node. */
		*ret = (struct authority_node){.condition = NODE_NONE};
		return named ? err : ERR_OK;
	}
	err = client_call(n.state, CONTROL_VERB_STATUS, NULL, 0, &reply, &n.why);
	if (err == ERR_OK) {
		err = compare_live(reply.body, source, log, accept_fork, &n, info);
		client_release(&reply);
		if (err == ERR_ESTATE && !named) {
			*ret = (struct authority_node){.condition = NODE_NONE};
			return ERR_OK;
		}
	} else {
		n.condition = named ? NODE_NOT_TOLD : NODE_NONE;
		err = accept_fork ? ERR_OK : compare_files(&n, source, log, info);
		if (err == ERR_ESTATE && !named)
			err = ERR_OK;
	}
	if (err == ERR_OK)
		*ret = n;
	return err;
}

/* What is known already is no failure; nor, by itself, is what the node has no room for until the rotation
 * behind it comes. */
static enum err tell(struct authority_node *n, const uint8_t *bytes, size_t len, const char *what,
		     size_t index)
{
	char hex[2 * LIMIT_LOG_ENTRY_BYTES + 1];
	const char *const arguments[] = {hex};
	struct client_reply reply;
	struct err_info why = {0};
	text_hex(hex, bytes, len);
	enum err err = client_call(n->state, CONTROL_VERB_LOG, arguments, 1, &reply, &why);
	if (err == ERR_OK) {
		client_release(&reply);
		n->told++;
	}
	if (err == ERR_OK || err == ERR_EXISTS)
		return ERR_OK;
	return err_set(&n->why, err, "the node in \"%s\" did not take %s %zu: %s", n->state, what, index,
		       why.text);
}

void authority_node_tell(const struct bundle *b, struct authority_node *n)
{
	enum err err = ERR_OK;
	if (n->condition != NODE_REACHED)
		return;
	for (size_t i = n->common; i < authlog_count(b->log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(b->log, i, &len);
		enum err told = tell(n, entry, len, "entry", i);
		bool waits = told == ERR_LIMIT || told == ERR_UNTRUSTED;
		if (told == ERR_OK && entry[2] == LOG_ROTATE)
			err = ERR_OK; /* with all that waited for it */
		else if (told != ERR_OK && err == ERR_OK)
			err = told;
		if (told != ERR_OK && !waits)
			break;
	}
	for (size_t i = 0; err == ERR_OK && i < b->blob_count; i++)
		err = tell(n, b->blobs[i].bytes, b->blobs[i].len, "allow-list blob", i);
	n->condition = err == ERR_OK ? NODE_TOLD : NODE_NOT_TOLD;
}
