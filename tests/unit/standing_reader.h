/* A process that has begun to read a replica and goes no further, until it is killed. */
#ifndef MESH_TESTS_UNIT_STANDING_READER_H
#define MESH_TESTS_UNIT_STANDING_READER_H

#include <sys/types.h>

/* Its snapshot is open when this returns. It ends with the process that began it. */
pid_t standing_reader(const char *folder);

#endif
