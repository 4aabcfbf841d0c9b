/* Order of version texts as vendors write them: "7.11.18110", "5.10.0-30-amd64", "1.0~rc1". */
#ifndef MESH_BASE_VERSION_H
#define MESH_BASE_VERSION_H

/* Below, equal to or above 0 as `a` is before, equal to or after `b`. Runs of digits count by value, whatever
 * their length; between them letters come before other characters, and "~" before everything, the end
 * included (Debian Policy 5.6.12, one part, no epoch). Texts may be anything. */
int version_compare(const char *a, const char *b);

#endif
