/* Hands a log and its allow-lists to the node on this machine. */
#include <string.h>

#include "cli/authority_node.h"
#include "cli/fields.h"
#include "cli/shown.h"
#include "cli/verb.h"

static enum err load(const struct command *c, struct bundle *ret, const char **ret_source,
		     struct err_info *info)
{
	const char *file = options_value(&c->options, "log"), *dir = options_value(&c->options, "dir");
	struct authority_dir d;
	struct authlog *log = NULL;
	if ((file == NULL) == (dir == NULL))
		return err_set(
		    info, ERR_USAGE,
		    "say what to publish: --dir, an authority's folder, or --log, a file of its log");
	*ret_source = file != NULL ? file : dir;
	if (file != NULL)
		return bundle_read(file, ret, info);
	enum err err = authority_dir_name(c, &d, info);
	if (err == ERR_OK)
		err = authority_dir_load_log(&d, &log, info);
	if (err == ERR_OK)
		err = bundle_gather(&d, log, ret, info);
	authlog_free(log);
	return err;
}

static int report(struct command *c, const struct bundle *b, const struct authority_node *n)
{
	char text[LIMIT_PATH_BYTES + 256];
	struct fields f = {0};
	fields_text(&f, "state", n->state);
	fields_number(&f, "entries", (int64_t)authlog_count(b->log));
	fields_number(&f, "blobs", (int64_t)b->blob_count);
	fields_number(&f, "news", (int64_t)n->told);
	snprintf(
	    text, sizeof(text),
	    "The node in \"%s\" has the whole log: %zu entries, %zu blob%s of allow-lists; %zu w%s news to "
	    "it.\n",
	    n->state, authlog_count(b->log), b->blob_count, shown_plural(b->blob_count), n->told,
	    n->told == 1 ? "as" : "ere");
	return fields_answer(c, &f, text, false);
}

int verb_authority_publish(struct command *c)
{
	struct bundle b = {0};
	struct authority_node n = {0};
	struct err_info info = {0};
	const char *source = "";
	bool accept_fork = options_has(&c->options, "accept-fork");
	enum err err = load(c, &b, &source, &info);
	if (err == ERR_OK)
		err = authority_node_find(c, source, b.log, accept_fork, &n, &info);
	if (err == ERR_OK && n.condition == NODE_NONE)
		err =
		    err_set(&info, ERR_NOT_FOUND,
			    "no node of this estate runs here; name its state folder with --state, or carry "
			    "the log to one: mesh authority log --dir DIR --out FILE");
	if (err == ERR_OK)
		authority_node_tell(&b, &n);
	if (err == ERR_OK && n.condition != NODE_TOLD) {
		err = n.why.code;
		info = n.why;
	}
	int code = err == ERR_OK ? report(c, &b, &n) : command_report(c, &info);
	bundle_release(&b);
	return code;
}
