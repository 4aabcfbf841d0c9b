#include "cli/question.h"

#include <stdio.h>
#include <string.h>

#include "base/check.h"

void question_add(struct question *q, const char *text)
{
	size_t len = strlen(text);
	if (q->failed || len >= sizeof(q->sql) - q->len) {
		q->failed = true;
		return;
	}
	memcpy(q->sql + q->len, text, len + 1);
	q->len += len;
}

void question_bind(struct question *q, const char *before, const char *value, const char *after)
{
	char number[8];
	CHECK(q->parameter_count < sizeof(q->parameters) / sizeof(q->parameters[0]));
	q->parameters[q->parameter_count++] = value;
	snprintf(number, sizeof(number), "?%zu", q->parameter_count % 100);
	question_add(q, before);
	question_add(q, number);
	question_add(q, after);
}

void question_hosts(struct question *q, const struct command *c)
{
	question_add(q, "SELECT host FROM hosts WHERE (");
	question_add(q, options_value(&c->options, "where"));
	/* On a line of its own, out of reach of a comment at the end of the condition. */
	question_add(q, "\n)");
}

void question_where(struct question *q, const struct command *c)
{
	if (!options_has(&c->options, "where"))
		return;
	question_add(q, " AND host IN (");
	question_hosts(q, c);
	question_add(q, ")");
}
