#include "base/statistics.h"

#include <math.h>

#define NORMAL_95 1.959963984540054 /* two-sided */
#define LN_2PI    1.8378770664093453
#define ENOUGH    1e-17 /* terms below this share of their sum change nothing */

/* Not lgamma(), which keeps a sign in a global. */
static double ln_factorial(double n)
{
	int sign;
	return lgamma_r(n + 1, &sign);
}

static double ln_choose(double n, double k)
{
	return ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
}

/* ln(1 - e^x) for x < 0. */
static double ln_rest(double x)
{
	if (x >= 0)
		return -INFINITY;
	return x > -0.6931471805599453 ? log(-expm1(x)) : log1p(-exp(x));
}

/* --- relative risk --- */

static struct statistics_ratio interval(double ratio, double variance, bool corrected)
{
	double reach = NORMAL_95 * sqrt(variance > 0 ? variance : 0);
	return (struct statistics_ratio){ratio, ratio * exp(-reach), ratio * exp(reach), corrected};
}

bool statistics_relative_risk(const struct statistics_table *t, struct statistics_ratio *ret)
{
	double a = (double)t->failed_with, n = (double)t->with;
	double c = (double)t->failed_without, m = (double)t->without;
	if (t->with == 0 || t->without == 0)
		return false;
	bool corrected = a == 0 || c == 0 || (a == n && c == m);
	if (corrected) {
		a += 0.5;
		c += 0.5;
		n += 1;
		m += 1;
	}
	*ret = interval((a / n) / (c / m), 1 / a - 1 / n + 1 / c - 1 / m, corrected);
	return true;
}

/* --- tails: the first term by gamma functions, the others by the ratio of neighbours --- */

struct hypergeometric {
	double with, without, failed;
};

static double hypergeometric_ln(const struct hypergeometric *h, double k)
{
	return ln_choose(h->with, k) + ln_choose(h->without, h->failed - k) -
	       ln_choose(h->with + h->without, h->failed);
}

/* Of the term behind k to that of k. */
static double hypergeometric_step(const void *context, double k)
{
	const struct hypergeometric *h = context;
	return (h->with - k) * (h->failed - k) / ((k + 1) * (h->without - h->failed + k + 1));
}

struct binomial {
	double tries, odds;
};

static double binomial_step(const void *context, double k)
{
	const struct binomial *b = context;
	return (b->tries - k) / (k + 1) * b->odds;
}

/* Sum of the terms from k to `last` over the term of k; they fall. */
static double sum_up(double (*step)(const void *, double), const void *context, double k, double last)
{
	double sum = 1, term = 1;
	for (; k < last && term > ENOUGH * sum; k++) {
		term *= step(context, k);
		sum += term;
	}
	return sum;
}

static double sum_down(double (*step)(const void *, double), const void *context, double k, double first)
{
	double sum = 1, term = 1;
	for (; k > first && term > ENOUGH * sum; k--) {
		term /= step(context, k - 1);
		sum += term;
	}
	return sum;
}

double statistics_fisher(const struct statistics_table *t)
{
	struct hypergeometric h = {(double)t->with, (double)t->without,
				   (double)t->failed_with + (double)t->failed_without};
	double k = (double)t->failed_with;
	double first = h.failed > h.without ? h.failed - h.without : 0;
	double last = h.failed < h.with ? h.failed : h.with;
	if (k <= first || t->with == 0 || t->without == 0)
		return 0;
	/* Towards the mean terms grow, so from below it the other tail is summed. */
	if (k * (h.with + h.without) > h.failed * h.with)
		return hypergeometric_ln(&h, k) + log(sum_up(hypergeometric_step, &h, k, last));
	return ln_rest(hypergeometric_ln(&h, k - 1) + log(sum_down(hypergeometric_step, &h, k - 1, first)));
}

double statistics_binomial(uint64_t tries, uint64_t hits, double chance)
{
	double n = (double)tries, k = (double)hits;
	struct binomial b = {n, chance / (1 - chance)};
	if (hits == 0 || chance >= 1)
		return 0;
	if (hits > tries || chance <= 0)
		return -INFINITY;
	bool above = k > n * chance;
	double at = above ? k : k - 1;
	double ln = ln_choose(n, at) + at * log(chance) + (n - at) * log1p(-chance);
	return above ? ln + log(sum_up(binomial_step, &b, k, n))
		     : ln_rest(ln + log(sum_down(binomial_step, &b, k - 1, 0)));
}

/* --- strata --- */

static bool speaks(const struct statistics_table *t)
{
	return t->with > 0 && t->without > 0;
}

struct sums {
	double over, under, spread;
	size_t strata;
};

static struct sums sum_strata(const struct statistics_table *strata, size_t count, double more)
{
	struct sums s = {0, 0, 0, 0};
	for (size_t i = 0; i < count; i++) {
		if (!speaks(&strata[i]))
			continue;
		double a = (double)strata[i].failed_with + more, n = (double)strata[i].with + 2 * more;
		double c = (double)strata[i].failed_without + more, m = (double)strata[i].without + 2 * more;
		double all = n + m;
		s.over += a * m / all;
		s.under += c * n / all;
		s.spread += (n * m * (a + c) - a * c * all) / (all * all);
		s.strata++;
	}
	return s;
}

bool statistics_common_risk(const struct statistics_table *strata, size_t count, struct statistics_ratio *ret)
{
	struct sums s = sum_strata(strata, count, 0);
	bool corrected = s.over == 0 || s.under == 0;
	if (s.strata == 0)
		return false;
	if (corrected)
		s = sum_strata(strata, count, 0.5);
	*ret = interval(s.over / s.under, s.spread / (s.over * s.under), corrected);
	return true;
}

/* ln of the upper tail of the normal distribution. */
static double ln_normal_tail(double z)
{
	if (z < 30)
		return log(erfc(z / 1.4142135623730951) / 2);
	double r = 1 / (z * z); /* erfc is zero soon; its asymptotic series is exact here */
	return -z * z / 2 - LN_2PI / 2 - log(z) + log1p(-r * (1 - 3 * r * (1 - 5 * r)));
}

double statistics_common_test(const struct statistics_table *strata, size_t count)
{
	double excess = 0, variance = 0;
	for (size_t i = 0; i < count; i++) {
		double n = (double)strata[i].with, m = (double)strata[i].without, all = n + m;
		double failed = (double)strata[i].failed_with + (double)strata[i].failed_without;
		if (!speaks(&strata[i]))
			continue;
		excess += (double)strata[i].failed_with - failed * n / all;
		variance += n * m * failed * (all - failed) / (all * all * (all - 1));
	}
	return variance > 0 ? ln_normal_tail((excess - 0.5) / sqrt(variance)) : 0;
}

/* --- how many were tried --- */

double statistics_corrected(double ln_p, uint64_t tried)
{
	double ln = tried > 0 ? ln_p + log((double)tried) : ln_p;
	return ln < 0 ? ln : 0;
}

void statistics_correct_all(double *ln_p, size_t count, uint64_t tried)
{
	for (size_t i = 0; i < count; i++) {
		ln_p[i] = statistics_corrected(ln_p[i], tried > i ? tried - i : 1);
		if (i > 0 && ln_p[i] < ln_p[i - 1])
			ln_p[i] = ln_p[i - 1];
	}
}
