/* Terms of an incident (docs/protocol.md section 3) as people write them, and as conditions of a question. */
#ifndef MESH_CLI_TERMS_H
#define MESH_CLI_TERMS_H

#include "cli/question.h"
#include "record/operator.h"

struct terms {
	struct term list[LIMIT_TERMS];
	size_t count;
	/* Numbers and texts that a question binds. */
	char values[LIMIT_TERMS][LIMIT_SHORT_TEXT_BYTES + 1];
};

#define TERMS_FORMS                                                                                          \
	"terms \"FIELD OPERATOR VALUE\", joined by \"and\"; operators =, !=, <, <=, >, >=, and ^= (begins "  \
	"with)"

/* Appends the terms of `text`; also what terms_text writes. ERR_USAGE names what is wrong. */
enum err terms_parse(const char *text, struct terms *ret, struct err_info *info);
/* Those that hold of a host before and after it was mended: what kind of component, whose and under which
 * name; who and where the host is. */
void terms_durable(const struct terms *t, struct terms *ret);
/* Whether any is on a component. */
bool terms_of_component(const struct terms *t);

/* SQL of three truths (NULL: cannot be told), over a row of `components`, over one of `host_components h`,
 * over one of `hosts`; "1" where no term applies. `t` outlives the question. */
void terms_entry_sql(const struct terms *t, struct question *q);
void terms_installed_sql(const struct terms *t, struct question *q);
void terms_host_sql(const struct terms *t, struct question *q);

#endif
