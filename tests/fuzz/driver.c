/* Runs a target without libFuzzer: `fuzz_NAME [--save FILE] RUNS SEED CORPUS`. Each file of the corpus first,
 * then RUNS mutations of them, the same for the same SEED. With --save each input is written before it runs,
 * so that the one that crashed is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/limits.h"
#include "base/prng.h"
#include "base/text.h"
#include "os/file.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#define MAX_FILES     256
#define MAX_MUTATIONS 6

struct corpus {
	const char *folder;
	uint8_t *data[MAX_FILES];
	size_t len[MAX_FILES];
	size_t count;
	bool failed;
};

static bool load_one(void *context, const char *name)
{
	struct corpus *c = context;
	char path[LIMIT_PATH_BYTES];
	struct err_info info;
	enum err err = os_path_join(path, sizeof(path), c->folder, name);
	if (err != ERR_OK || c->count == MAX_FILES) {
		c->failed = true;
		return false;
	}
	err = os_file_read(path, FUZZ_INPUT_BYTES, &c->data[c->count], &c->len[c->count], &info);
	if (err != ERR_OK) {
		fprintf(stderr, "%s\n", info.text);
		c->failed = true;
		return false;
	}
	c->count++;
	return true;
}

static void run(const uint8_t *data, size_t len, const char *save)
{
	/* Of its very length, so that a sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	CHECK(copy != NULL);
	memcpy(copy, data, len);
	if (save != NULL)
		CHECK(os_file_replace(save, data, len, 0600, NULL) == ERR_OK);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void mutate_byte(struct prng *p, uint8_t *data, size_t len)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xc0,
					  0xc4, 0xcc, 0xcf, 0xd9, 0xdc, 0xdd, 0xde, 0xdf, 0xff};
	size_t at = prng_below(p, len);
	switch (prng_below(p, 3)) {
	case 0:
		data[at] = (uint8_t)(data[at] ^ 1u << prng_below(p, 8));
		break;
	case 1:
		data[at] = telling[prng_below(p, sizeof(telling))];
		break;
	default:
		data[at] = (uint8_t)prng_u64(p);
		break;
	}
}

/* One change of `data`, which has room for FUZZ_INPUT_BYTES; returns the new length. */
static size_t mutate(struct prng *p, const struct corpus *c, uint8_t *data, size_t len)
{
	if (len == 0) {
		data[0] = (uint8_t)prng_u64(p);
		return 1;
	}
	size_t at = prng_below(p, len), n = 1 + prng_below(p, 16);
	size_t other = prng_below(p, c->count);
	size_t body = fuzz_body_at(data, len);
	if (body < len && prng_below(p, 2) == 0)
		return body + mutate_msgpack(p, data + body, len - body, FUZZ_INPUT_BYTES - body);
	switch (prng_below(p, 8)) {
	case 0: /* cut out */
		n = n < len - at ? n : len - at;
		memmove(data + at, data + at + n, len - at - n);
		return len - n;
	case 1: /* repeat a part */
		n = n < len - at ? n : len - at;
		if (len + n > FUZZ_INPUT_BYTES)
			return len;
		memmove(data + at + n, data + at, len - at);
		return len + n;
	case 2: /* the end of another */
		if (c->len[other] <= at)
			return len;
		memcpy(data + at, c->data[other] + at, c->len[other] - at);
		return c->len[other];
	case 3: /* truncate */
		return at;
	default:
		mutate_byte(p, data, len);
		return len;
	}
}

static int usage(void)
{
	fprintf(stderr, "usage: [--save FILE] RUNS SEED CORPUS\n");
	return 2;
}

int main(int argc, char **argv)
{
	static struct corpus c;
	static uint8_t data[FUZZ_INPUT_BYTES];
	struct err_info info;
	struct prng p;
	uint64_t runs, seed;
	const char *save = NULL;
	if (argc == 6 && strcmp(argv[1], "--save") == 0) {
		save = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc != 4 || !text_u64(argv[1], 0, UINT32_MAX, &runs) || !text_u64(argv[2], 0, UINT64_MAX, &seed))
		return usage();
	c.folder = argv[3];
	if (os_dir_list(c.folder, load_one, &c, &info) != ERR_OK || c.failed || c.count == 0) {
		fprintf(stderr, "no corpus in \"%s\"\n", c.folder);
		return 1;
	}
	for (size_t i = 0; i < c.count; i++)
		run(c.data[i], c.len[i], save);
	prng_seed(&p, seed);
	for (uint64_t i = 0; i < runs; i++) {
		size_t from = prng_below(&p, c.count), len = c.len[from];
		memcpy(data, c.data[from], len);
		for (uint64_t n = 1 + prng_below(&p, MAX_MUTATIONS); n > 0; n--)
			len = mutate(&p, &c, data, len);
		run(data, len, save);
	}
	printf("%zu files, %llu mutations\n", c.count, (unsigned long long)runs);
	for (size_t i = 0; i < c.count; i++)
		free(c.data[i]);
	return 0;
}
