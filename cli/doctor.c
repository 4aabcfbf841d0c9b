/* What is wrong with this node, and how to mend it: a line a check. Happy path: ask meshd, look at the
 * replica, say what was found; each check stands for itself, so that one that fails hides no other. */
#include "cli/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "cli/client.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "node/control.h"

#define FINDING_BYTES 1024
#define REMEDY_AT     9

static const struct output_column columns[] = {{.name = NULL}};
static const char *const names[] = {"check", "verdict", "finding", "remedy"};
#define COLUMNS (sizeof(names) / sizeof(names[0]))

static struct query_value text_value(const char *text)
{
	if (text == NULL)
		return (struct query_value){.type = QUERY_NULL};
	return (struct query_value){.type = QUERY_TEXT, .text = text, .text_len = strlen(text)};
}

static void put_line(struct doctor *d, const char *check, const char *verdict, const char *finding,
		     const char *remedy)
{
	FILE *f = d->a->output.f;
	fprintf(f, "%-7s  %s: %s\n", verdict, check, finding);
	if (remedy == NULL)
		return;
	fprintf(f, "%*s", REMEDY_AT, "");
	shown_fill(f, remedy, REMEDY_AT, REMEDY_AT);
}

void doctor_tell(struct doctor *d, const char *check, enum doctor_verdict verdict, const char *remedy,
		 const char *finding, ...)
{
	static const char *const verdicts[] = {"ok", "note", "warn", "fail", "unknown"};
	struct query_sink sink = output_sink(&d->a->output);
	char text[FINDING_BYTES];
	va_list arguments;
	va_start(arguments, finding);
	vsnprintf(text, sizeof(text), finding, arguments);
	va_end(arguments);
	d->troubles += verdict > DOCTOR_NOTE;
	if (output_for_people(&d->a->output)) {
		put_line(d, check, verdicts[verdict], text, remedy);
		return;
	}
	const struct query_value values[COLUMNS] = {text_value(check), text_value(verdicts[verdict]),
						    text_value(text), text_value(remedy)};
	d->failed = d->failed || !sink.row(sink.context, values, COLUMNS);
}

/* Whether it runs; `info` is why it gave no answer. */
static void check_meshd(struct doctor *d, enum err err, const struct err_info *info)
{
	char start[COMMAND_START_BYTES], remedy[COMMAND_START_BYTES + 16];
	if (d->body != NULL)
		return;
	if (err != ERR_NOT_FOUND) {
		doctor_tell(d, "meshd", DOCTOR_UNKNOWN, NULL, "%s", info->text);
		return;
	}
	command_start_hint(d->state, start);
	snprintf(remedy, sizeof(remedy), "Start it: %s", start);
	doctor_tell(d, "meshd", DOCTOR_FAIL, remedy,
		    "is not running; what follows is what the replica tells");
}

static void check_replica_there(struct doctor *d)
{
	if (d->a->query == NULL)
		doctor_tell(d, "replica", DOCTOR_FAIL, NULL, "%s", d->a->missing.text);
}

static enum err examine(struct doctor *d, struct err_info *info)
{
	struct client_reply reply = {0};
	struct err_info why = {0};
	struct query_sink sink = output_sink(&d->a->output);
	enum err err = client_call(d->state, CONTROL_VERB_STATUS, NULL, 0, &reply, &why), found = ERR_OK;
	d->body = err == ERR_OK ? reply.body : NULL;
	d->failed = !output_for_people(&d->a->output) && !sink.columns(sink.context, names, COLUMNS);
	check_meshd(d, err, &why);
	if (d->body != NULL)
		doctor_check_live(d);
	check_replica_there(d);
	if (d->a->query != NULL)
		found = doctor_check_replica(d, info);
	if (err == ERR_OK)
		client_release(&reply);
	return found;
}

int verb_doctor(struct command *c)
{
	struct answer a;
	char state[LIMIT_PATH_BYTES];
	struct err_info info = {0};
	int code = answer_open_live(c, columns, &a);
	if (code != MESH_EXIT_COMPLETE)
		return code;
	struct doctor d = {.a = &a, .state = state};
	enum err err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK)
		err = examine(&d, &info);
	if (err != ERR_OK)
		return answer_fail(&a, &info);
	a.partial = d.troubles > 0;
	if (output_for_people(&a.output))
		fprintf(a.output.f, "Worse than a note: %" PRIu64 "\n\n", d.troubles);
	else if (!answer_stands(&a, d.failed ? ERR_NOMEM : output_finish_rows(&a.output), &code))
		return code;
	return answer_close(&a);
}
