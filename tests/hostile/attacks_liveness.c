/* What insiders say about who is alive. */
#include "tests/hostile/attacks.h"

const struct attack attacks_liveness[] = {
    {0},
};
