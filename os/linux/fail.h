/* Errors of the operating system in the project's words. For os/linux only. */
#ifndef MESH_OS_LINUX_FAIL_H
#define MESH_OS_LINUX_FAIL_H

#include "base/err.h"

/* Code of an errno. */
enum err os_fail_code(int error);

/* `cannot <verb> "<path>": <reason>; <remedy>`, with the code of `error`. */
enum err os_fail(struct err_info *info, int error, const char *verb, const char *path);

#endif
