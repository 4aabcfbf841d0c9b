/* The two clocks. Only drivers read them; the protocol core is handed their values. */
#ifndef MESH_OS_CLOCK_H
#define MESH_OS_CLOCK_H

#include "base/clock.h"

mono_ms os_clock_mono(void);
wall_ms os_clock_wall(void);
/* Stands still for so long, or until a signal comes: for programs that serve nobody meanwhile. */
void os_clock_rest(mono_ms ms);

#endif
