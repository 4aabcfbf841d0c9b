#include "cli/watch.h"

#include "base/clock.h"
#include "cli/verb.h"
#include "os/clock.h"
#include "os/terminal.h"

#define SECONDS_MAX 86400
#define HOME        "\033[H\033[J" /* to the first line, and all below it cleared */

int watch_run(struct command *c)
{
	/* What one run writes reaches the terminal at once, so that it does not flicker. */
	static const size_t buffer_bytes = 1u << 18;
	struct err_info info = {0};
	unsigned seconds;
	bool screen = os_is_terminal(c->out);
	if (command_number(c, "watch", 1, SECONDS_MAX, 1, &seconds, &info) != ERR_OK)
		return command_report(c, &info);
	(void)setvbuf(c->out, NULL, _IOFBF, buffer_bytes);
	for (bool first = true;; first = false) {
		mono_ms begun = os_clock_mono();
		if (screen)
			fputs(HOME, c->out);
		int code = c->verb->run(c);
		bool failed = code == MESH_EXIT_ERROR || code == MESH_EXIT_USAGE;
		if (fflush(c->out) != 0 || ferror(c->out) || (first && failed))
			return code;
		mono_ms spent = os_clock_mono() - begun;
		if (spent < seconds * CLOCK_SECOND_MS)
			os_clock_rest(seconds * CLOCK_SECOND_MS - spent);
	}
}
