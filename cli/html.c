#include "cli/html.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

void html_text(FILE *f, const char *text)
{
	size_t len = strlen(text), cap = 4 * len + 1;
	char *shown = malloc(cap);
	if (shown == NULL)
		return;
	text_escape(shown, cap, text, len);
	for (const char *at = shown; *at != '\0'; at++) {
		switch (*at) {
		case '&':
			fputs("&amp;", f);
			break;
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*at, f);
		}
	}
	free(shown);
}

void html_element(FILE *f, const char *tag, const char *text)
{
	fprintf(f, "<%s>", tag);
	html_text(f, text);
	fprintf(f, "</%s>", tag);
}

void html_begin(FILE *f, const char *title, const char *style)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
	      "'unsafe-inline'\">\n",
	      f);
	html_element(f, "title", title);
	fputs("\n<style>body{font:11pt sans-serif;margin:2em "
	      "auto;max-width:48em}h1{font-size:16pt}h2{font-size:12pt}"
	      "table{border-collapse:collapse}td,th{border:1px solid #999;padding:.15em .6em;text-align:left}"
	      "td.n,th.n{text-align:right}pre{font-size:9pt}@media "
	      "print{body{margin:0}}",
	      f);
	fprintf(f, "%s</style></head><body>\n", style);
}

void html_end(FILE *f)
{
	fputs("</body></html>\n", f);
}
