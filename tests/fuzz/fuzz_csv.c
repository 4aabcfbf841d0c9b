/* Files that operators hand in: an inventory, a policy. The rows of a file without a fault are ones that can
 * be signed, come back as they were, and hold nothing that a terminal chokes on; each fault names a line that
 * there is; a mark of byte order in front changes nothing. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "cli/inventory_csv.h"
#include "cli/policy_csv.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutate.h"

#define BOM       "\xef\xbb\xbf"
#define BOM_BYTES 3

typedef enum err (*parser)(const uint8_t *text, size_t len, struct csv_table *ret);
typedef void (*row_check)(const struct csv_table *t, size_t i);

static void check_clean(const char *text)
{
	uint32_t character;
	for (size_t n, left = strlen(text); left > 0; text += n, left -= n) {
		n = text_utf8(text, left, &character);
		CHECK(n > 0 && !text_is_unsafe(character));
	}
}

static void check_inventory_row(const struct csv_table *t, size_t i)
{
	const struct inventory_row *row = (const struct inventory_row *)t->rows + i;
	struct inventory_row back;
	uint8_t once[INVENTORY_ROW_BYTES], again[INVENTORY_ROW_BYTES];
	size_t len, len_again;
	const char *const texts[] = {row->hostname, row->site,    row->role,         row->address,
				     row->hours,    row->contact, row->recovery_key, row->remark};
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
		check_clean(texts[k]);
	for (size_t k = 0; k < row->asset_id_count; k++)
		check_clean(row->asset_ids[k]);
	CHECK(inventory_row_encode(row, once, &len) == ERR_OK);
	CHECK(inventory_row_decode(once, len, &back) == ERR_OK);
	CHECK(inventory_row_encode(&back, again, &len_again) == ERR_OK);
	CHECK(len == len_again && memcmp(once, again, len) == 0);
}

static void check_policy_row(const struct csv_table *t, size_t i)
{
	const struct policy_row *row = (const struct policy_row *)t->rows + i;
	struct policy_row back;
	uint8_t once[POLICY_ROW_BYTES], again[POLICY_ROW_BYTES];
	size_t len, len_again;
	const char *const texts[] = {row->name, row->version, row->source, row->vendor, row->remark};
	for (size_t k = 0; k < sizeof(texts) / sizeof(texts[0]); k++)
		check_clean(texts[k]);
	CHECK(policy_row_encode(row, once, &len) == ERR_OK);
	CHECK(policy_row_decode(once, len, &back) == ERR_OK);
	CHECK(policy_row_encode(&back, again, &len_again) == ERR_OK);
	CHECK(len == len_again && memcmp(once, again, len) == 0);
}

/* Of a file, the empty line behind the last newline, too. */
static size_t count_lines(const uint8_t *text, size_t len)
{
	size_t lines = 1;
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static void check_table(const struct csv_table *t, size_t lines, row_check check)
{
	/* That there is no row is said of the line where it would stand, and alone. */
	size_t last = t->count == 0 && t->fault_count == 1 ? lines + 1 : lines;
	for (size_t i = 0; i < t->fault_count && i < CSV_FAULTS_SHOWN; i++) {
		const struct csv_fault *f = &t->faults[i];
		CHECK(f->line >= 1 && f->line <= last);
		CHECK(memchr(f->text, '\0', sizeof(f->text)) != NULL && f->text[0] != '\0');
		CHECK(memchr(f->column, '\0', sizeof(f->column)) != NULL);
	}
	for (size_t i = 0; i < t->count; i++)
		CHECK(t->lines[i] > (i > 0 ? t->lines[i - 1] : 1) && t->lines[i] <= lines);
	CHECK(t->count > 0 || t->fault_count > 0);
	for (size_t i = 0; t->fault_count == 0 && i < t->count; i++)
		check(t, i);
}

static void check_marked(parser parse, const uint8_t *text, size_t len, const struct csv_table *t)
{
	struct csv_table marked;
	uint8_t *copy = malloc(BOM_BYTES + len);
	CHECK(copy != NULL);
	memcpy(copy, BOM, BOM_BYTES);
	memcpy(copy + BOM_BYTES, text, len);
	CHECK(parse(copy, BOM_BYTES + len, &marked) == ERR_OK);
	CHECK(marked.count == t->count && marked.fault_count == t->fault_count);
	CHECK(t->count == 0 || memcmp(marked.lines, t->lines, t->count * sizeof(*t->lines)) == 0);
	csv_release(&marked);
	free(copy);
}

size_t fuzz_body_at(const uint8_t *data, size_t len)
{
	(void)data;
	return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct csv_table t;
	if (len < 1 || len > FUZZ_INPUT_BYTES)
		return 0;
	bool policy = data[0] % 2 == FUZZ_POLICY;
	parser parse = policy ? policy_csv_parse : inventory_csv_parse;
	const uint8_t *text = data + 1;
	size_t text_len = len - 1;
	CHECK(parse(text, text_len, &t) == ERR_OK);
	check_table(&t, count_lines(text, text_len), policy ? check_policy_row : check_inventory_row);
	/* Of nothing at all, and of one that has its mark, the second would be text. */
	if (text_len > 0 && (text_len < BOM_BYTES || memcmp(text, BOM, BOM_BYTES) != 0))
		check_marked(parse, text, text_len, &t);
	csv_release(&t);
	return 0;
}
