/* Pages that stand alone: no script, nothing fetched, readable on paper. */
#ifndef MESH_CLI_HTML_H
#define MESH_CLI_HTML_H

#include <stdio.h>

/* `title` is escaped; `style`: rules of this page, after those of all, or "". */
void html_begin(FILE *f, const char *title, const char *style);
void html_end(FILE *f);
/* Text of others: markup, control characters and what reorders a line are escaped. */
void html_text(FILE *f, const char *text);
/* <TAG>text</TAG>, the text escaped. */
void html_element(FILE *f, const char *tag, const char *text);

#endif
