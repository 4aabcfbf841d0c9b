#include "tests/vectors/world.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/text.h"
#include "os/file.h"

void out_begin(struct world *w, const char *file, const char *title)
{
	char path[LIMIT_PATH_BYTES];
	CHECK(os_path_join(path, sizeof(path), w->folder, file) == ERR_OK);
	w->out = fopen(path, "w");
	CHECK(w->out != NULL);
	fprintf(w->out, "# %s\n# Written by make_vectors.c; see docs/protocol.md section 12.\n", title);
}

void out_end(struct world *w)
{
	CHECK(fclose(w->out) == 0);
}

void out_comment(struct world *w, const char *text)
{
	fprintf(w->out, "\n# %s\n", text);
}

void out_bytes(struct world *w, const void *data, size_t len, const char *name, ...)
{
	char *hex = malloc(2 * len + 1);
	va_list args;
	CHECK(hex != NULL);
	text_hex(hex, data, len);
	va_start(args, name);
	vfprintf(w->out, name, args);
	va_end(args);
	fprintf(w->out, " = %s\n", hex);
	free(hex);
}

void out_number(struct world *w, uint64_t v, size_t bytes, const char *name, ...)
{
	char text[64];
	uint8_t data[8];
	va_list args;
	struct writer writer = writer_of(data, sizeof(data));
	writer_u64(&writer, v);
	va_start(args, name);
	CHECK((size_t)vsnprintf(text, sizeof(text), name, args) < sizeof(text));
	va_end(args);
	out_bytes(w, data + sizeof(data) - bytes, bytes, "%s", text);
}
