#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/verb.h"
#include "node/control.h"

static const struct output_column columns[] = {
    {.name = "host", .style = OUTPUT_ID},
    {.name = "name"},
    {.name = "site"},
    {.name = "address"},
    {.name = "status", .style = OUTPUT_FIXED},
    {.name = "session", .style = OUTPUT_YESNO},
    {.name = "direct", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "suspected", .style = OUTPUT_YESNO, .only_wide = true},
    {.name = "witness", .style = OUTPUT_YESNO},
    {.name = "edge", .style = OUTPUT_YESNO},
    {.name = "heard_ms_ago", .heading = "HEARD MS AGO", .only_wide = true},
    {.name = NULL},
};

static const struct client_field fields[] = {CONTROL_PEER_TABLE(CLIENT_FIELD)};
#define FIELDS    (sizeof(fields) / sizeof(fields[0]))
#define NAME_CELL 1 /* the name, from the replica, comes second */

/* Names by host id, sorted; a replica that cannot tell leaves them out. */
static void fetch_names(struct answer *a, struct rows *ret)
{
	*ret = (struct rows){0};
	if (a->query != NULL)
		rows_fetch(a->query, "SELECT host, name FROM hosts ORDER BY host", NULL, 0, ret, NULL);
}

static struct query_value name_of(const struct rows *names, const char *host)
{
	size_t first = 0, last = names->count;
	while (first < last) {
		size_t middle = first + (last - first) / 2;
		int order = strcmp(host, rows_text(names, middle, "host"));
		if (order == 0)
			return *rows_find(names, middle, "name");
		if (order < 0)
			last = middle;
		else
			first = middle + 1;
	}
	return (struct query_value){.type = QUERY_NULL};
}

struct peer {
	const msgpack_object *map;
	char host[CLIENT_TEXT_BYTES], site[CLIENT_TEXT_BYTES];
	struct query_value name;
};

static int by_site_and_name(const void *a, const void *b)
{
	const struct peer *one = a, *other = b;
	int order = strcmp(one->site, other->site);
	if (order == 0 && one->name.type == QUERY_TEXT && other->name.type == QUERY_TEXT)
		order = strcmp(one->name.text, other->name.text);
	else if (order == 0)
		/* Those without a name come last. */
		order = (one->name.type != QUERY_TEXT) - (other->name.type != QUERY_TEXT);
	return order != 0 ? order : strcmp(one->host, other->host);
}

/* In the order of mesh hosts. NULL when out of memory. */
static struct peer *sort_peers(const msgpack_object *peers, const struct rows *names)
{
	size_t count = mp_count(peers);
	struct peer *all = calloc(count + 1, sizeof(*all));
	for (size_t i = 0; all != NULL && i < count; i++) {
		all[i].map = mp_at(peers, i);
		(void)mp_str(mp_get(all[i].map, CONTROL_PEER_HOST), all[i].host, sizeof(all[i].host));
		(void)mp_str(mp_get(all[i].map, CONTROL_PEER_SITE), all[i].site, sizeof(all[i].site));
		all[i].name = name_of(names, all[i].host);
	}
	if (all != NULL)
		qsort(all, count, sizeof(*all), by_site_and_name);
	return all;
}

static enum err put_peers(struct answer *a, const msgpack_object *peers, const struct rows *names)
{
	const char *heads[FIELDS + 1];
	struct query_value values[FIELDS + 1];
	char text[FIELDS][CLIENT_TEXT_BYTES];
	struct query_sink sink = output_sink(&a->output);
	for (size_t i = 0; i < FIELDS; i++)
		heads[i + (i >= NAME_CELL)] = fields[i].name;
	heads[NAME_CELL] = "name";
	struct peer *sorted = sort_peers(peers, names);
	if (sorted == NULL)
		return ERR_NOMEM;
	bool more = sink.columns(sink.context, heads, FIELDS + 1);
	for (size_t i = 0; more && i < mp_count(peers); i++) {
		for (size_t k = 0; k < FIELDS; k++)
			values[k + (k >= NAME_CELL)] = client_value(sorted[i].map, &fields[k], text[k]);
		values[NAME_CELL] = sorted[i].name;
		more = sink.row(sink.context, values, FIELDS + 1);
	}
	free(sorted);
	return output_finish_rows(&a->output);
}

int verb_peers(struct command *c)
{
	struct answer a;
	char state[LIMIT_PATH_BYTES];
	struct client_reply reply;
	struct err_info info = {0};
	struct rows names;
	int code = answer_open_live(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	enum err err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK)
		err = client_call(state, CONTROL_VERB_PEERS, NULL, 0, &reply, &info);
	if (err != ERR_OK)
		return answer_fail(&a, &info);
	fetch_names(&a, &names);
	err = put_peers(&a, mp_get(reply.body, 1), &names);
	rows_release(&names);
	client_release(&reply);
	if (err != ERR_OK) {
		err_set(&info, err, "%s", err_text(err));
		return answer_fail(&a, &info);
	}
	return answer_close(&a);
}
