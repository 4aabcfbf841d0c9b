#include "cli/command.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "cli/verb.h"
#include "os/file.h"

/* The state folder of the service that packaging/ installs. */
#define SERVICE_STATE "/var/lib/mesh"

int command_fail(struct command *c, int code, const char *format, ...)
{
	va_list arguments;
	fflush(c->out);
	fputs("mesh: ", c->err);
	va_start(arguments, format);
	vfprintf(c->err, format, arguments);
	va_end(arguments);
	fputc('\n', c->err);
	if (code == MESH_EXIT_USAGE && c->verb != NULL)
		fprintf(c->err, "Usage: mesh %s [OPTION]...%s%s; more with: mesh %s --help\n", c->verb->name,
			c->verb->operands[0] != '\0' ? " " : "", c->verb->operands, c->verb->name);
	return code;
}

int command_report(struct command *c, const struct err_info *info)
{
	int code = info->code == ERR_USAGE ? MESH_EXIT_USAGE : MESH_EXIT_ERROR;
	return command_fail(c, code, "%s", info->text[0] != '\0' ? info->text : err_text(info->code));
}

enum err command_state(const struct command *c, char *ret, size_t cap, struct err_info *info)
{
	const char *state = options_value(&c->options, "state");
	if (state == NULL)
		return os_path_default_state(ret, cap, info);
	if (state[0] == '\0')
		return err_set(info, ERR_USAGE, "--state is empty; name a folder");
	if (!text_copy(ret, cap, state))
		return err_set(info, ERR_USAGE, "the path of --state is longer than %zu bytes", cap - 1);
	return ERR_OK;
}

void command_start_hint(const char *state, char ret[COMMAND_START_BYTES])
{
	if (strcmp(state, SERVICE_STATE) == 0)
		snprintf(ret, COMMAND_START_BYTES, "systemctl start meshd");
	else
		snprintf(ret, COMMAND_START_BYTES, "meshd --state %s", state);
}

enum err command_number(const struct command *c, const char *name, unsigned min, unsigned max,
			unsigned fallback, unsigned *ret, struct err_info *info)
{
	const char *text = options_value(&c->options, name);
	uint64_t v = fallback;
	if (text != NULL && !text_u64(text, min, max, &v)) {
		char shown[64];
		text_escape(shown, sizeof(shown), text, strlen(text));
		return err_set(info, ERR_USAGE, "--%s %s: a number from %u to %u is needed", name, shown, min,
			       max);
	}
	*ret = (unsigned)v;
	return ERR_OK;
}
