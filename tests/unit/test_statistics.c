/* Against exact values: integers and fractions, by make_statistics.py. */
#include "base/statistics.h"

#include <math.h>

#include "tests/unit/scratch.h"

static const struct {
	struct statistics_table table;
	double fisher, ratio, low, high;
} tables[] = {
    {{1, 1, 0, 1}, -0.6931471805599453, 3, 0.2389047516619825, 37.67191710248513},
    {{3, 4, 1, 4}, -1.415281897993143, 3, 0.5012843093869407, 17.95388331824468},
    {{5, 5, 0, 5}, -5.529429087511423, 11, 0.7657863422428126, 158.0075189714389},
    {{2, 10, 5, 10}, -0.02905583277666290, 0.4, 0.1000390613039626, 1.599375263166952},
    {{10, 12, 3, 40}, -13.77467716154777, 11.11111111111111, 3.634945886304690, 33.96385915636389},
    {{8, 10, 8, 10}, -0.3439303196684169, 1, 0.6451572004277149, 1.550009826034705},
    {{0, 10, 3, 20}, 0, 0.2727272727272727, 0.01543260053216852, 4.819678001398032},
    {{7, 7, 9, 9}, 0, 0.9868421052631579, 0.7852250975304334, 1.240226966487756},
    {{344, 1230, 0, 770}, -189.0625636232817, 431.5345247766044, 26.97714809978251, 6902.955248841559},
    {{97, 100, 3, 1900}, -360.9847393718132, 614.3333333333333, 198.2086749520026, 1904.081365438901},
    {{11690, 12004, 22, 22170}, -20340.54339820685, 981.3671957832238, 646.3092235794891, 1490.125063704865},
    {{900, 30000, 700, 30000}, -15.31926727516621, 1.285714285714286, 1.166311894452339, 1.417340620765956},
    {{40000, 90000, 100, 110000},
     -37595.19252741624,
     488.8888888888889,
     401.8552022865182,
     594.7723068385196},
    {{99, 100000, 99, 100000}, -0.6380344833005053, 1, 0.7569642742457926, 1.321066309234155},
    {{100000, 100000, 0, 100000}, -138623.1072830637, 200001, 12509.91646827173, 3197495.371168224},
};

static const struct {
	struct statistics_table strata[3];
	size_t count;
	double ratio, low, high, test;
} stratified[] = {
    {{{10, 20, 5, 20}, {30, 40, 10, 40}},
     2,
     2.666666666666667,
     1.661055058464355,
     4.281080915936244,
     -12.08725060762710},
    {{{5, 10, 0, 10}, {8, 10, 0, 10}, {0, 0, 4, 9}},
     3,
     14,
     2.010287594403922,
     97.49848755253183,
     -10.36010148652729},
    {{{221, 246, 123, 984}, {0, 34, 0, 736}},
     2,
     7.186991869918699,
     6.059960456654710,
     8.523628579383749,
     -294.0907339692317},
    {{{9000, 10000, 100, 20000}, {500, 1000, 10, 9000}},
     2,
     187.8640776699029,
     155.6659785569287,
     226.7220622382579,
     -14173.50853845173},
};

static const struct {
	uint64_t tries, hits;
	double chance, ln;
} tails[] = {
    {10, 3, 1.0 / 4, -0.7456892626849093},    {19, 19, 1.0 / 1080, -132.7096100822470},
    {300, 20, 1.0 / 16, -0.8774390825262598}, {300, 10, 1.0 / 16, -0.008556067435972173},
    {5, 1, 1.0 / 2, -0.03174869831458030},    {3000, 60, 1.0 / 256, -52.84895351156644},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* A billionth of the value, or of 1. */
static void near(double value, double exact)
{
	double bound = 1e-9 * (fabs(exact) > 1 ? fabs(exact) : 1);
	if (!(fabs(value - exact) <= bound))
		fail_msg("%.17g is not %.17g", value, exact);
}

static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tables); i++) {
		struct statistics_ratio r;
		near(statistics_fisher(&tables[i].table), tables[i].fisher);
		assert_true(statistics_relative_risk(&tables[i].table, &r));
		near(r.ratio, tables[i].ratio);
		near(r.low, tables[i].low);
		near(r.high, tables[i].high);
	}
}

static void test_strata(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(stratified); i++) {
		struct statistics_ratio r;
		assert_true(statistics_common_risk(stratified[i].strata, stratified[i].count, &r));
		near(r.ratio, stratified[i].ratio);
		near(r.low, stratified[i].low);
		near(r.high, stratified[i].high);
		near(statistics_common_test(stratified[i].strata, stratified[i].count), stratified[i].test);
	}
}

static void test_tails(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(tails); i++)
		near(statistics_binomial(tails[i].tries, tails[i].hits, tails[i].chance), tails[i].ln);
	near(statistics_binomial(9, 0, 0.5), 0);
	near(statistics_binomial(9, 3, 1), 0);
	assert_true(statistics_binomial(9, 10, 0.5) < -1e300);
	assert_true(statistics_binomial(9, 1, 0) < -1e300);
}

/* Halves of one estate, each way: both tails and the point between add up. */
static void test_large(void **state)
{
	struct statistics_table t = {2100, 100000, 1900, 100000}, other = {1900, 100000, 2100, 100000};
	(void)state;
	double above = statistics_fisher(&t);
	t.failed_with++;
	t.failed_without--;
	double next = statistics_fisher(&t);
	assert_true(next < above && above < 0);
	/* P(X >= 1900) = 1 - P(X >= 2101), as the halves are alike. */
	near(exp(statistics_fisher(&other)), 1 - exp(next));
	/* Far below the mean: as good as certain, though its own term is less than e^-1000. */
	t = (struct statistics_table){100, 100000, 3900, 100000};
	near(statistics_fisher(&t), 0);
}

static void test_nothing(void **state)
{
	struct statistics_table all = {5, 10, 0, 0}, none = {0, 0, 5, 10};
	struct statistics_ratio r = {1, 2, 3, false};
	(void)state;
	near(statistics_fisher(&all), 0);
	near(statistics_fisher(&none), 0);
	assert_false(statistics_relative_risk(&all, &r));
	assert_false(statistics_common_risk(&none, 1, &r));
	assert_true(r.ratio == 1 && r.high == 3);
	near(statistics_common_test(&all, 1), 0);
}

static void test_correction(void **state)
{
	double p[] = {-20, -10, -9.999, -1};
	(void)state;
	near(statistics_corrected(-20, 1000), -20 + log(1000));
	near(statistics_corrected(-2, 1000), 0);
	statistics_correct_all(p, 4, 100);
	near(p[0], -20 + log(100));
	near(p[1], -10 + log(99));
	near(p[2], -9.999 + log(98) < p[1] ? p[1] : -9.999 + log(98));
	near(p[3], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_tables), cmocka_unit_test(test_strata),  cmocka_unit_test(test_tails),
	    cmocka_unit_test(test_large),  cmocka_unit_test(test_nothing), cmocka_unit_test(test_correction),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
