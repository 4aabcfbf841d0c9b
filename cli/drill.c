#include <string.h>

#include "base/text.h"
#include "cli/answer.h"
#include "cli/client.h"
#include "cli/verb.h"
#include "node/control.h"
#include "os/clock.h"

/* Without a replica there is no telling. */
static enum err check_site(const char *state, const char *site, struct err_info *info)
{
	struct query *q;
	struct err_info why = {0};
	if (query_open(state, os_clock_wall(), &q, NULL) != ERR_OK)
		return ERR_OK;
	enum err err = answer_check_site(q, site, &why);
	query_close(q);
	return err == ERR_NOT_FOUND ? err_set(info, err, "%s", why.text) : ERR_OK;
}

int verb_drill(struct command *c)
{
	const char *op = c->options.operands[0], *site = c->options.operands[1];
	char state[LIMIT_PATH_BYTES], shown[4 * LIMIT_SITE_NAME_BYTES + 1];
	struct client_reply reply;
	struct err_info info = {0};
	text_escape(shown, sizeof(shown), site, strlen(site));
	if (strcmp(op, "cut") != 0 && strcmp(op, "heal") != 0)
		return command_fail(c, MESH_EXIT_USAGE, "the first argument is cut or heal");
	if (site[0] == '\0' || strlen(site) > LIMIT_SITE_NAME_BYTES)
		return command_fail(c, MESH_EXIT_USAGE, "\"%s\" is no site name: it has 1 to %d bytes", shown,
				    LIMIT_SITE_NAME_BYTES);
	enum err err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK && strcmp(op, "cut") == 0)
		err = check_site(state, site, &info);
	if (err == ERR_OK)
		err = client_call(state, CONTROL_VERB_DRILL, c->options.operands, 2, &reply, &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	client_release(&reply);
	if (strcmp(op, "cut") == 0)
		fprintf(c->out, "This node drops all traffic with site %s. To end it: mesh drill heal %s\n",
			shown, shown);
	else
		fprintf(c->out, "This node talks to site %s again.\n", shown);
	return MESH_EXIT_COMPLETE;
}
