#include "tests/vectors/vectors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/text.h"
#include "os/file.h"

#define FILE_BYTES (1024 * 1024)
#define NAME_BYTES 64
#define MAX_VALUES 512

struct value {
	char name[NAME_BYTES];
	uint8_t *bytes;
	size_t len;
};

struct vectors {
	struct value values[MAX_VALUES];
	size_t count;
};

static void read_line(struct vectors *v, char *line)
{
	char *equals = strstr(line, " = ");
	if (line[0] == '#' || line[0] == '\0')
		return;
	CHECK(equals != NULL && v->count < MAX_VALUES);
	*equals = '\0';
	const char *hex = equals + 3;
	struct value *value = &v->values[v->count++];
	CHECK(text_copy(value->name, sizeof(value->name), line));
	value->len = strlen(hex) / 2;
	value->bytes = malloc(value->len + 1);
	CHECK(value->bytes != NULL && text_unhex(value->bytes, value->len, hex));
}

struct vectors *vectors_load(const char *file)
{
	char path[LIMIT_PATH_BYTES];
	uint8_t *data;
	size_t len;
	struct err_info info;
	struct vectors *v = calloc(1, sizeof(*v));
	CHECK(v != NULL && os_path_join(path, sizeof(path), MESH_VECTORS, file) == ERR_OK);
	if (os_file_read(path, FILE_BYTES, &data, &len, &info) != ERR_OK) {
		fprintf(stderr, "%s\n", info.text);
		exit(1);
	}
	for (char *line = (char *)data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		read_line(v, line);
	}
	free(data);
	CHECK(v->count > 0);
	return v;
}

void vectors_free(struct vectors *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->count; i++)
		free(v->values[i].bytes);
	free(v);
}

const uint8_t *vectors_get(const struct vectors *v, const char *name, size_t *ret_len)
{
	for (size_t i = 0; i < v->count; i++) {
		if (strcmp(v->values[i].name, name) == 0) {
			*ret_len = v->values[i].len;
			return v->values[i].bytes;
		}
	}
	fprintf(stderr, "no vector \"%s\"\n", name);
	exit(1);
}

__attribute__((format(printf, 3, 0))) static const uint8_t *
get_formatted(const struct vectors *v, size_t *ret_len, const char *format, va_list args)
{
	char name[NAME_BYTES];
	CHECK((size_t)vsnprintf(name, sizeof(name), format, args) < sizeof(name));
	return vectors_get(v, name, ret_len);
}

const uint8_t *vectors_sized(const struct vectors *v, size_t len, const char *format, ...)
{
	va_list args;
	size_t got;
	va_start(args, format);
	const uint8_t *bytes = get_formatted(v, &got, format, args);
	va_end(args);
	CHECK(got == len);
	return bytes;
}

uint64_t vectors_u64(const struct vectors *v, const char *format, ...)
{
	va_list args;
	size_t len;
	uint64_t number = 0;
	va_start(args, format);
	const uint8_t *bytes = get_formatted(v, &len, format, args);
	va_end(args);
	CHECK(len >= 1 && len <= sizeof(number));
	for (size_t i = 0; i < len; i++)
		number = number << 8 | bytes[i];
	return number;
}

static void fill_scripted(void *context, void *ret, size_t len)
{
	struct scripted_rng *state = context;
	CHECK(len <= state->left);
	memcpy(ret, state->bytes, len);
	state->bytes += len;
	state->left -= len;
}

struct crypto_rng scripted_rng(struct scripted_rng *state)
{
	return (struct crypto_rng){.fill = fill_scripted, .context = state};
}
