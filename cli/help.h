/* What the verb table says, in three forms. */
#ifndef MESH_CLI_HELP_H
#define MESH_CLI_HELP_H

#include "cli/verb.h"

void help_overview(FILE *f);
/* The verbs of two words that begin with `first`; false, and nothing written, when there is none. */
bool help_group(FILE *f, const char *first);
void help_verb(FILE *f, const struct verb *v);
/* roff; `v` NULL: the page of mesh itself. */
void help_man(FILE *f, const struct verb *v);
void help_completion(FILE *f);

#endif
