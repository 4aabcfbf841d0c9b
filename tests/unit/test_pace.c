/* The disk budget: news within a second, a day's bytes within the budget, and nobody waits
 * beyond half an hour. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/pace.h"

#define MB    1000000ull
#define START 10000ull

static void commit(struct pace *p, mono_ms now, uint64_t bytes)
{
	bool all = pace_takes_all(p, now);
	pace_begin(p, all);
	pace_wrote(p, now, all, bytes, false);
}

static void news_do_not_wait(void **state)
{
	struct pace p;
	(void)state;
	pace_init(&p, 1000 * MB, 5, START);
	assert_true(pace_due(&p) == PACE_NEVER);
	pace_note(&p, START, false);
	commit(&p, pace_due(&p), 500 * MB); /* half a day's budget */
	mono_ms now = p.routine_at + 10;
	pace_note(&p, now, false);
	assert_true(pace_due(&p) > now + 100000);
	pace_note(&p, now, true);
	assert_true(pace_due(&p) == now + PACE_URGENT_MS);
	assert_false(pace_takes_all(&p, now + PACE_URGENT_MS));
	commit(&p, now + PACE_URGENT_MS, 40000);
	/* The others still have their time, and it is not far away. */
	assert_true(pace_due(&p) == p.routine_at + PACE_ROUTINE_MAX_S * CLOCK_SECOND_MS);
	pace_hurry(&p, now + 300);
	assert_true(pace_due(&p) == now + 300 && pace_takes_all(&p, now + 300));
}

static void little_is_written_soon(void **state)
{
	struct pace p;
	(void)state;
	pace_init(&p, 1024 * MB, 5, START);
	pace_note(&p, START + 60000, false);
	assert_true(pace_due(&p) == START + 60000 + PACE_SETTLE_MS);
	commit(&p, pace_due(&p), 32768);
	pace_note(&p, p.routine_at + 1, false);
	assert_true(pace_due(&p) == p.routine_at + 5000);
}

/* Whatever a commit writes, as long as half an hour's budget covers it. */
static void a_day_stays_within_the_budget(void **state)
{
	(void)state;
	for (uint64_t bytes = 10000; bytes <= 20 * MB; bytes = bytes * 3 / 2) {
		struct pace p;
		uint64_t written = 0, commits = 0;
		pace_init(&p, 1000 * MB, 5, START);
		for (mono_ms now = START; now < START + CLOCK_DAY_MS; commits++) {
			pace_note(&p, now, false);
			if (commits % 3 == 0)
				pace_note(&p, now, true);
			now = pace_due(&p);
			uint64_t size = pace_takes_all(&p, now) ? bytes : 30000;
			commit(&p, now, size);
			written += size;
		}
		assert_true(written <= 1001 * MB + 2 * bytes);
		assert_true(bytes < 100000 || written > 500 * MB);
		assert_true(commits >= 48);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(news_do_not_wait),
	    cmocka_unit_test(little_is_written_soon),
	    cmocka_unit_test(a_day_stays_within_the_budget),
	};
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
