/* Whoever asks without pause: the share of the loop's time that answering takes, and who gets which answer.
 */
#include <string.h>

#include "node/turn.h"
#include "tests/unit/scratch.h"

/* The queue only hands its callers back. */
static struct control_call *caller(size_t i)
{
	static char callers[LIMIT_CONTROL_CLIENTS + 1];
	return (struct control_call *)&callers[i];
}

static size_t take_all(struct turn *t)
{
	size_t n = 0;
	while (turn_take(t) != NULL)
		n++;
	return n;
}

/* Virtual time: as many clients as there can be, each asking again in the millisecond it was answered. */
static mono_ms busy_with(mono_ms cost, mono_ms until, unsigned *ret_answers)
{
	struct turn t = {.count = 0};
	mono_ms now = 10000, busy = 0;
	*ret_answers = 0;
	for (;;) {
		while (t.count < LIMIT_CONTROL_CLIENTS)
			assert_true(turn_wait(&t, caller(t.count)));
		mono_ms due = turn_due(&t);
		now = due > now ? due : now;
		if (now >= 10000 + until)
			return busy;
		assert_int_equal(take_all(&t), LIMIT_CONTROL_CLIENTS);
		turn_made(&t, now, now + cost);
		now += cost;
		busy += cost;
		(*ret_answers)++;
	}
}

static void asking_without_pause_takes_a_twentieth(void **state)
{
	unsigned answers;
	(void)state;
	for (mono_ms cost = 1; cost <= 250; cost += 3) {
		mono_ms busy = busy_with(cost, 100000, &answers);
		/* One answer more, because the first is given at once. */
		assert_true(busy <= 100000 / TURN_SHARE + cost);
		assert_true(answers >= 100000 / TURN_SHARE / cost);
	}
	/* A machine that stood still is no reason to be deaf for long. */
	busy_with(60000, 1000000, &answers);
	assert_true(answers >= 15);
}

static void the_first_waits_for_nothing(void **state)
{
	struct turn t = {.count = 0};
	(void)state;
	assert_true(turn_due(&t) == UINT64_MAX);
	assert_null(turn_take(&t));
	assert_true(turn_wait(&t, caller(0)));
	assert_int_equal(turn_due(&t), 0);
	assert_ptr_equal(turn_take(&t), caller(0));
	turn_made(&t, 5000, 5010);
	assert_true(turn_due(&t) == UINT64_MAX);
	assert_true(turn_wait(&t, caller(1)));
	assert_int_equal(turn_due(&t), 5010 + 10 * (TURN_SHARE - 1));
}

static void who_went_away_is_forgotten(void **state)
{
	struct turn t = {.count = 0};
	(void)state;
	for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i++)
		assert_true(turn_wait(&t, caller(i)));
	assert_false(turn_wait(&t, caller(LIMIT_CONTROL_CLIENTS)));
	for (size_t i = 0; i < LIMIT_CONTROL_CLIENTS; i += 2)
		turn_forget(&t, caller(i));
	turn_forget(&t, caller(LIMIT_CONTROL_CLIENTS));
	assert_int_equal(t.count, LIMIT_CONTROL_CLIENTS / 2);
	for (struct control_call *each; (each = turn_take(&t)) != NULL;)
		assert_int_equal(((char *)each - (char *)caller(0)) % 2, 1);
	assert_true(turn_due(&t) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(asking_without_pause_takes_a_twentieth),
	    cmocka_unit_test(the_first_waits_for_nothing),
	    cmocka_unit_test(who_went_away_is_forgotten),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
