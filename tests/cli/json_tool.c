/* json_tool [--lines]: reads standard input, exits with 0 when it is exactly one JSON value (one on each line
 * with
 * --lines, and at least one), else says where it is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/json_check.h"

#define INPUT_MAX (64 * 1024 * 1024)

static int check(const char *text, size_t len)
{
	long n = json_check(text, len);
	if (n >= 0 && (size_t)n == len)
		return 0;
	fprintf(stderr, "no JSON at byte %ld of: %.*s\n", n < 0 ? -1 - n : n, len < 200 ? (int)len : 200,
		text);
	return 1;
}

int main(int argc, char **argv)
{
	char *text = malloc(INPUT_MAX);
	int code = 0, values = 0;
	if (text == NULL)
		return 2;
	size_t len = fread(text, 1, INPUT_MAX, stdin);
	if (argc < 2 || strcmp(argv[1], "--lines") != 0) {
		code = check(text, len);
	} else {
		for (size_t at = 0; at < len && code == 0; values++) {
			const char *end = memchr(text + at, '\n', len - at);
			size_t n = end != NULL ? (size_t)(end - text) - at : len - at;
			code = check(text + at, n);
			at += n + 1;
		}
		code = values > 0 ? code : 1;
	}
	free(text);
	return code;
}
