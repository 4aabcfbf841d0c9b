#include <string.h>

#include "base/version.h"
#include "tests/unit/scratch.h"

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

/* Each before the next. */
static void ordered(void **state)
{
	static const char *const list[] = {
	    "~~",
	    "~~a",
	    "~",
	    "",
	    "0.9",
	    "1.0~rc1",
	    "1.0~rc2",
	    "1.0",
	    "1.0a",
	    "1.0b",
	    "1.0+1",
	    "1.0-1",
	    "1.0.1",
	    "1.2",
	    "1.10",
	    "1.10.0-29-amd64",
	    "1.10.0-30-amd64",
	    "1.9999999999999999999999",
	    "1.10000000000000000000000",
	    "2",
	    "7.11.18110",
	    "7.11.18111",
	    "10",
	    "a",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		for (size_t k = 0; k < sizeof(list) / sizeof(*list); k++) {
			int expected = (i > k) - (i < k);
			if (sign(version_compare(list[i], list[k])) != expected)
				fail_msg("\"%s\" against \"%s\" is not %d", list[i], list[k], expected);
		}
	}
}

static void equal(void **state)
{
	(void)state;
	assert_int_equal(version_compare("1.02", "1.2"), 0);
	assert_int_equal(version_compare("01", "1"), 0);
	assert_int_equal(version_compare("1.0", "1."), 0);
	assert_int_equal(version_compare("", "0"), 0);
	assert_int_equal(version_compare("\xff\xfe", "\xff\xfe"), 0);
	assert_int_not_equal(version_compare("\xff\xfe", "\xfe\xff"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(ordered), cmocka_unit_test(equal)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
