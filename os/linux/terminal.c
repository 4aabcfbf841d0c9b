#include "os/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/text.h"
#include "os/linux/fail.h"

#define COLUMNS_MAX 10000

bool os_is_terminal(FILE *stream)
{
	int fd = fileno(stream);
	return fd >= 0 && isatty(fd);
}

int os_terminal_columns(int fallback)
{
	const char *variable = getenv("COLUMNS");
	struct winsize size;
	uint64_t columns;
	if (variable != NULL && text_u64(variable, 1, COLUMNS_MAX, &columns))
		return (int)columns;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return fallback;
}

/* Length without the last UTF-8 character. */
static size_t drop_character(const char *line, size_t len)
{
	while (len > 0 && ((uint8_t)line[--len] & 0xc0) == 0x80)
		;
	return len;
}

/* The terminal hands over each key at once and makes no signals of any, so that Ctrl-C, too, comes back here
 * and the echo is restored. */
static enum err read_keys(int fd, char *ret_line, size_t cap, struct err_info *info)
{
	enum { CTRL_C = 3, CTRL_D = 4, BACKSPACE = 8, CTRL_U = 21, DELETE = 127 };
	size_t len = 0;
	bool cut = false;
	for (;;) {
		char c;
		ssize_t n = read(fd, &c, 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return os_fail(info, errno, "read", "/dev/tty");
		if (n == 0 || c == CTRL_C || (c == CTRL_D && len == 0))
			return err_set(info, ERR_INTERRUPTED, "interrupted; nothing was changed");
		if (c == '\n' || c == '\r' || c == CTRL_D)
			break;
		if (c == CTRL_U) {
			len = 0;
			cut = false;
		} else if (c == BACKSPACE || c == DELETE) {
			len = drop_character(ret_line, len);
		} else if (len + 1 < cap) {
			ret_line[len++] = c;
		} else {
			cut = true;
		}
	}
	if (cut)
		return err_set(info, ERR_LIMIT, "the line is longer than %zu bytes; use a shorter one",
			       cap - 1);
	ret_line[len] = '\0';
	return ERR_OK;
}

static void say(int fd, const char *text)
{
	/* A prompt that does not appear changes nothing about the reading. */
	(void)!write(fd, text, strlen(text));
}

enum err os_terminal_secret(const char *prompt, char *ret_line, size_t cap, struct err_info *info)
{
	struct termios before, silent;
	CHECK(cap >= 1);
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0)
			close(fd);
		return err_set(info, ERR_UNSUPPORTED,
			       "there is no terminal to ask on; run this from a terminal");
	}
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
	silent.c_iflag |= ICRNL;
	silent.c_cc[VMIN] = 1;
	silent.c_cc[VTIME] = 0;
	enum err err;
	if (tcsetattr(fd, TCSAFLUSH, &silent) != 0) {
		err = os_fail(info, errno, "switch off the echo of", "/dev/tty");
	} else {
		say(fd, prompt);
		err = read_keys(fd, ret_line, cap, info);
		say(fd, "\n");
		tcsetattr(fd, TCSAFLUSH, &before);
	}
	close(fd);
	return err;
}

void os_time_text(wall_ms t, char ret[32])
{
	struct tm tm;
	time_t seconds = (time_t)(t / CLOCK_SECOND_MS);
	if (t == 0) {
		text_copy(ret, 32, "unknown");
		return;
	}
	/* Times come from other hosts, too: any number can arrive. */
	if (localtime_r(&seconds, &tm) == NULL || tm.tm_year > 9999 - 1900) {
		text_copy(ret, 32, "after the year 9999");
		return;
	}
	long offset = tm.tm_gmtoff / 60;
	char sign = offset < 0 ? '-' : '+';
	unsigned minutes = (unsigned)labs(offset);
	snprintf(ret, 32, "%04u-%02u-%02u %02u:%02u:%02u %c%02u:%02u", (unsigned)(tm.tm_year + 1900) % 10000,
		 (unsigned)(tm.tm_mon + 1) % 100, (unsigned)tm.tm_mday % 100, (unsigned)tm.tm_hour % 100,
		 (unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100, sign, minutes / 60 % 100,
		 minutes % 60);
}

int32_t os_time_offset_s(wall_ms t)
{
	struct tm tm;
	time_t seconds = (time_t)(t / CLOCK_SECOND_MS);
	return localtime_r(&seconds, &tm) != NULL ? (int32_t)tm.tm_gmtoff : 0;
}

bool os_time_local(wall_day day, uint32_t second, wall_ms *ret)
{
	struct tm tm;
	time_t utc = (time_t)day * 86400;
	if (gmtime_r(&utc, &tm) == NULL)
		return false;
	tm.tm_hour = (int)(second / 3600);
	tm.tm_min = (int)(second / 60 % 60);
	tm.tm_sec = (int)(second % 60);
	tm.tm_isdst = -1;
	time_t t = mktime(&tm);
	if (t < 0)
		return false;
	*ret = (wall_ms)t * CLOCK_SECOND_MS;
	/* mktime may take the second of two such hours. */
	struct tm earlier;
	time_t before = t - 3600;
	if (localtime_r(&before, &earlier) != NULL && earlier.tm_hour == (int)(second / 3600) &&
	    earlier.tm_min == (int)(second / 60 % 60) && earlier.tm_mday == tm.tm_mday)
		*ret = (wall_ms)before * CLOCK_SECOND_MS;
	return true;
}
