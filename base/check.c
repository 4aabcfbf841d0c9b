#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
	fprintf(stderr, "%s:%d: check failed: %s\n", file, line, condition);
	abort();
}

bool check_soft_failed(const char *condition, const char *file, int line)
{
#ifdef MESH_STRICT
	check_failed(condition, file, line);
#else
	(void)condition;
	(void)file;
	(void)line;
	return false;
#endif
}
