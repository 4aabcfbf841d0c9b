/* Three kinds of check. Hostile input is none of them: it returns an error.
 *
 * CHECK        our own invariant; always on; prints and aborts.
 * CHECK_DEBUG  the same, too costly for release builds; off with NDEBUG.
 * CHECK_SOFT   our own invariant whose breach can be survived: evaluates to the condition, and in builds
 *              with MESH_STRICT aborts, so that tests see it. */
#ifndef MESH_BASE_CHECK_H
#define MESH_BASE_CHECK_H

#include <stdbool.h>

_Noreturn void check_failed(const char *condition, const char *file, int line);

/* Returns false; aborts in MESH_STRICT builds. */
bool check_soft_failed(const char *condition, const char *file, int line);

#define CHECK(condition) ((condition) ? (void)0 : check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define CHECK_DEBUG(condition) ((void)sizeof(condition))
#else
#define CHECK_DEBUG(condition) CHECK(condition)
#endif

#define CHECK_SOFT(condition) ((condition) ? true : check_soft_failed(#condition, __FILE__, __LINE__))

#endif
