/* Statistics of 2x2 tables: whether those that have something failed more often than those that have not.
 * Probabilities are natural logarithms throughout, so that one in 10^5000 is a number. */
#ifndef MESH_BASE_STATISTICS_H
#define MESH_BASE_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The failed ones are among `with` and `without`; counts below 2^53. */
struct statistics_table {
	uint64_t failed_with, with;
	uint64_t failed_without, without;
};

/* With its 95 % interval. */
struct statistics_ratio {
	double ratio, low, high;
	bool corrected; /* half a host was added to each cell, as one was empty */
};

/* Relative risk, its interval after Katz (normal in the logarithm). Where none failed on a side, or all on
 * both, half a host is added to each of the four cells (Haldane and Anscombe). False, and nothing written,
 * where a side is empty. */
bool statistics_relative_risk(const struct statistics_table *t, struct statistics_ratio *ret);

/* Fisher's exact test, one-sided: ln of the probability of as many failures with it, or more, if it made no
 * difference. 0 where a side is empty. */
double statistics_fisher(const struct statistics_table *t);

/* ln of the probability of `hits` or more in `tries` that each hit with `chance` (0 to 1). */
double statistics_binomial(uint64_t tries, uint64_t hits, double chance);

/* Common relative risk over strata (Mantel and Haenszel, interval after Greenland and Robins). Strata with an
 * empty side say nothing. Where nobody failed on a side, half a host is added to each cell of the others.
 * False where no stratum has both sides. */
bool statistics_common_risk(const struct statistics_table *strata, size_t count,
			    struct statistics_ratio *ret);
/* Cochran, Mantel and Haenszel's test over strata, one-sided, with continuity correction: ln of the
 * probability. 0 where no stratum says anything. */
double statistics_common_test(const struct statistics_table *strata, size_t count);

/* Correction for the number tried. Bonferroni: of one. */
double statistics_corrected(double ln_p, uint64_t tried);
/* Holm: of the smallest `count` of all tried, in ascending order; in place. */
void statistics_correct_all(double *ln_p, size_t count, uint64_t tried);

#endif
