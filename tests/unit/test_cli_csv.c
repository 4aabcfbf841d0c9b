/* Files that operators hand in: what is meant, what is refused and how it is named, and files that nobody
 * means well with. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/inventory_csv.h"
#include "cli/policy_csv.h"
#include "tests/unit/scratch.h"

typedef enum err (*parser)(const uint8_t *text, size_t len, struct csv_table *ret);

static struct csv_table parse(parser with, const char *text, size_t len)
{
	struct csv_table t;
	/* A copy of its exact size, so that a byte read too many is seen. */
	uint8_t *copy = malloc(len + (len == 0));
	assert_non_null(copy);
	memcpy(copy, text, len);
	assert_int_equal(with(copy, len, &t), ERR_OK);
	free(copy);
	return t;
}

static void print_faults(const struct csv_table *t, char *ret, size_t cap)
{
	size_t len = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < t->fault_count && i < CSV_FAULTS_SHOWN && len < cap; i++)
		len += (size_t)snprintf(ret + len, cap - len, "%zu %s: %s\n", t->faults[i].line,
					t->faults[i].column, t->faults[i].text);
}

static void expect_faults(const char *text, const char *want)
{
	char got[4096];
	struct csv_table t = parse(policy_csv_parse, text, strlen(text));
	print_faults(&t, got, sizeof(got));
	assert_string_equal(got, want);
	csv_release(&t);
}

static void rows_are_read(void **state)
{
	static const char text[] =
	    "\xef\xbb\xbf"
	    "name;version_op;verdict;version;vendor;kind;remark;name_op;record\r\n"
	    "falcon;>=;;7.11;;driver;\"tested; \"\"all\"\" of it\";;ffffffffffffffff\r\n"
	    "\r\n"
	    "  edr_ ;;refused;;;;;begins with;\r\n"
	    ";;approved;;Example Guard;;;;\r\n"
	    "'-odd;'=;refused;'=1;;;;'=;";
	struct csv_table t = parse(policy_csv_parse, text, sizeof(text) - 1);
	const struct policy_row *r = t.rows;
	(void)state;
	assert_int_equal(t.fault_count, 0);
	assert_int_equal(t.count, 4);
	assert_string_equal(r[0].name, "falcon");
	assert_int_equal(r[0].version_op, TERM_MORE_EQUAL);
	assert_string_equal(r[0].version, "7.11");
	assert_int_equal(r[0].kind, COMPONENT_DRIVER);
	assert_string_equal(r[0].remark, "tested; \"all\" of it");
	assert_false(r[0].refused);
	assert_int_equal(t.lines[0], 2);
	assert_string_equal(r[1].name, "edr_");
	assert_int_equal(r[1].name_op, TERM_PREFIX);
	assert_int_equal(r[1].kind, 0);
	assert_true(r[1].refused);
	assert_int_equal(t.lines[1], 4);
	assert_string_equal(r[2].vendor, "Example Guard");
	assert_int_equal(r[2].version_op, TERM_EQUAL);
	assert_string_equal(r[3].name, "-odd");
	assert_string_equal(r[3].version, "=1");
	csv_release(&t);
}

static void faults_are_named(void **state)
{
	char text[1024], long_name[66], too_long[CSV_FIELD_BYTES + 1];
	(void)state;
	expect_faults("", "1 : the file is empty: the first line names the columns\n");
	expect_faults("name\n", "2 : there is no row below the header\n");
	expect_faults("name,colour,name\nx,y,z\n",
		      "1 : the header has \"colour\", which is no column (mesh policy set --help)\n"
		      "1 name: this column is there twice\n");
	expect_faults("verdict,kind,name_op,version_op,name,version\n"
		      "yes,tool,<,~,n,1\n"
		      "approved,,=,>,,\n"
		      "approved,,,,,7\n"
		      "approved,\n",
		      "2 verdict: \"yes\" is none of approved, refused\n"
		      "2 kind: \"tool\" is none of module, builtin, driver, filter, ebpf, extension, "
		      "content-file, kernel\n"
		      "2 name_op: \"<\" is none of =, begins with\n"
		      "2 version_op: \"~\" is none of =, !=, <, <=, >, >=, begins with\n"
		      "3 name_op: stands without a name\n"
		      "3 version_op: stands without a version\n"
		      "4 : a row needs a name, a vendor, a source or a kind\n"
		      "5 : 2 fields, where the header has 6\n");
	expect_faults("name,verdict\na,\nb,refused\na,approved\nb,approved\n",
		      "4 : line 2 says the same\n5 : line 3 says the opposite\n");
	expect_faults("name\n\"a\" b\n\xff\na\x1b[2J\n\"open\nend",
		      "2 name: a quote that is not closed, or something behind the closing one\n"
		      "3 name: no UTF-8, or a control character\n"
		      "4 name: no UTF-8, or a control character\n"
		      "5 name: a quote that is not closed, or something behind the closing one\n");
	memset(long_name, 'n', 65);
	long_name[65] = '\0';
	memset(too_long, 'n', CSV_FIELD_BYTES);
	too_long[CSV_FIELD_BYTES] = '\0';
	snprintf(text, sizeof(text), "name\n%s\n%s\n", long_name, too_long);
	expect_faults(text, "2 name: 65 bytes, more than 64\n3 name: longer than 511 bytes\n");
}

/* A name that ends in the middle is another name. */
static void a_zero_byte_ends_nothing(void **state)
{
	static const char header[] = "name\0x\nfalcon\n", row[] = "name\nfal\0con\n";
	struct csv_table t = parse(policy_csv_parse, header, sizeof(header) - 1);
	(void)state;
	assert_int_equal(t.fault_count, 1);
	assert_int_equal(t.count, 0);
	csv_release(&t);
	t = parse(policy_csv_parse, row, sizeof(row) - 1);
	assert_int_equal(t.fault_count, 1);
	assert_int_equal(t.count, 0);
	csv_release(&t);
}

static void too_many_are_refused(void **state)
{
	size_t rows = LIMIT_LIST_ROWS + 1, len = 5;
	char *text = malloc(len + 16 * rows);
	(void)state;
	assert_non_null(text);
	memcpy(text, "name\n", 5);
	for (size_t i = 0; i < rows; i++)
		len += (size_t)snprintf(text + len, 16, "n%zu\n", i);
	struct csv_table t = parse(policy_csv_parse, text, len);
	assert_int_equal(t.fault_count, 1);
	assert_int_equal(t.faults[0].line, rows + 1);
	csv_release(&t);
	/* As many columns as fit. */
	memset(text, ',', len);
	t = parse(policy_csv_parse, text, len);
	assert_true(t.fault_count > CSV_FAULTS_SHOWN);
	assert_int_equal(t.count, 0);
	csv_release(&t);
	free(text);
}

/* Whatever it is: read or refused, and what is read can be signed and read by others. */
static size_t check_any(const char *text, size_t len)
{
	struct csv_table t = parse(policy_csv_parse, text, len);
	size_t good = 0;
	assert_true(t.fault_count > 0 || t.count > 0);
	for (size_t i = 0; i < t.count && t.fault_count == 0; i++) {
		uint8_t bytes[POLICY_ROW_BYTES];
		size_t bytes_len;
		struct policy_row back;
		const struct policy_row *row = (const struct policy_row *)t.rows + i;
		assert_int_equal(policy_row_encode(row, bytes, &bytes_len), ERR_OK);
		assert_int_equal(policy_row_decode(bytes, bytes_len, &back), ERR_OK);
		assert_string_equal(back.name, row->name);
		assert_int_equal(back.refused, row->refused);
		good++;
	}
	csv_release(&t);
	t = parse(inventory_csv_parse, text, len);
	assert_true(t.fault_count > 0 || t.count > 0);
	csv_release(&t);
	return good;
}

static void hostile_files_do_no_harm(void **state)
{
	static const char policy[] = "verdict,kind,name,name_op,version,version_op,source,vendor,remark\n"
				     "approved,driver,falcon,=,7.11,>=,,CrowdStrike,\"a \"\"b\"\", c\"\n"
				     "refused,,edr_,begins with,,,,,\n";
	static const char inventory[] =
	    "name,asset_ids,site,criticality,needed\nt-1,\"A1,B2\",leeds,vital,3\n";
	static const char bytes[] = {'\0', '"', ',', ';', '\n', '\r', '\'', ' ', '\x80', '\xff', '=', 'x'};
	const char *const files[] = {policy, inventory};
	uint64_t seed = 0x9e3779b97f4a7c15u;
	size_t good = 0;
	(void)state;
	for (size_t f = 0; f < 2; f++) {
		size_t len = strlen(files[f]);
		char text[256];
		assert_true(len < sizeof(text));
		for (size_t cut = 0; cut <= len; cut++)
			good += check_any(files[f], cut);
		for (size_t at = 0; at < len; at++) {
			for (size_t b = 0; b < sizeof(bytes); b++) {
				memcpy(text, files[f], len);
				text[at] = bytes[b];
				good += check_any(text, len);
			}
		}
		for (unsigned run = 0; run < 2000; run++) {
			memcpy(text, files[f], len);
			for (unsigned k = 0; k < 4; k++) {
				seed = seed * 6364136223846793005u + 1442695040888963407u;
				text[(seed >> 33) % len] = bytes[(seed >> 20) % sizeof(bytes)];
			}
			good += check_any(text, len);
		}
	}
	/* Not all of them are broken, or nothing was tried behind the header. */
	assert_true(good > 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(rows_are_read),
	    cmocka_unit_test(faults_are_named),
	    cmocka_unit_test(a_zero_byte_ends_nothing),
	    cmocka_unit_test(too_many_are_refused),
	    cmocka_unit_test(hostile_files_do_no_harm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
