#include <string.h>

#include "cli/hours.h"
#include "os/terminal.h"
#include "tests/unit/scratch.h"

/* Monday 2026-11-23 10:30:00 UTC, in Berlin 11:30. */
#define NOW (1795429800ull * CLOCK_SECOND_MS)

static void opens(void **state)
{
	static const struct {
		const char *text, *shown;
	} cases[] = {
	    {"24/7", "2026-11-23 11:30:00 +01:00"},
	    {"Mo-Sa 08:00-20:00", "2026-11-23 11:30:00 +01:00"},
	    {"Mo-Sa 12:00-20:00", "2026-11-23 12:00:00 +01:00"},
	    {"Tu-Sa 08:00-20:00", "2026-11-24 08:00:00 +01:00"},
	    {"08:00-11:30", "2026-11-24 08:00:00 +01:00"},
	    {"Su 10-16", "2026-11-29 10:00:00 +01:00"},
	    {"Mo 08:00-11:00", "2026-11-30 08:00:00 +01:00"},
	    {"Monday 08:00-11:00, 13.30-17", "2026-11-23 13:30:00 +01:00"},
	    {"Mo,We 09:00-11:00", "2026-11-25 09:00:00 +01:00"},
	    {"sat-mon 11:00-12:00; We closed", "2026-11-23 11:30:00 +01:00"},
	    {"Su 22:00-12:00", "2026-11-23 11:30:00 +01:00"}, /* over midnight */
	    {"Mo 08:00-09:00, Tu 10:00-11:00", "2026-11-24 10:00:00 +01:00"},
	    {"closed", "unknown"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hours h;
		char shown[32];
		if (!hours_parse(cases[i].text, &h))
			fail_msg("not understood: %s", cases[i].text);
		os_time_text(hours_open(&h, NOW), shown);
		if (strcmp(shown, cases[i].shown) != 0)
			fail_msg("%s opens %s, not %s", cases[i].text, shown, cases[i].shown);
	}
}

static void refused(void **state)
{
	static const char *const texts[] = {
	    "",         "by appointment",  "Mo-Sa",  "Mo-Xx 08:00-20:00", "25-26",
	    "08:60-09", "08:00-20:00 ask", "Mo 8-8", "24/7 and",          "1-2,3-4,5-6,7-8,9-10"};
	struct hours h, before;
	(void)state;
	memset(&h, 0x5a, sizeof(h));
	before = h;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (hours_parse(texts[i], &h))
			fail_msg("understood: %s", texts[i]);
		assert_memory_equal(&h, &before, sizeof(h));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(opens, scratch_in_berlin),
	    cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
