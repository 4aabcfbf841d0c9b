#!/usr/bin/env python3
"""The exact values in test_statistics.c: integers and fractions, logarithms to 60 digits.

Usage: tests/unit/make_statistics.py      prints the tables of the test
"""
from decimal import Decimal, getcontext
from fractions import Fraction
from math import comb

getcontext().prec = 60
Z = Decimal("1.959963984540054")


def decimal(f):
    return Decimal(f.numerator) / Decimal(f.denominator)


def ln(f):
    return Decimal(f.numerator).ln() - Decimal(f.denominator).ln()


def fisher(a, n, c, m):
    failed = a + c
    hits = sum(comb(n, k) * comb(m, failed - k) for k in range(a, min(n, failed) + 1) if failed - k <= m)
    return ln(Fraction(hits, comb(n + m, failed)))


def binomial(n, k, chance):
    p = Fraction(chance)
    return ln(sum(comb(n, i) * p**i * (1 - p) ** (n - i) for i in range(k, n + 1)))


def spread(ratio, variance):
    reach = Z * decimal(variance).sqrt()
    r = decimal(ratio)
    return r, r * (-reach).exp(), r * reach.exp()


def katz(a, n, c, m):
    a, n, c, m = map(Fraction, (a, n, c, m))
    if a == 0 or c == 0 or (a == n and c == m):
        a, c, n, m = a + Fraction(1, 2), c + Fraction(1, 2), n + 1, m + 1
    return spread((a / n) / (c / m), 1 / a - 1 / n + 1 / c - 1 / m)


def common_risk(strata):
    def sums(more):
        over = under = variance = Fraction(0)
        for a, n, c, m in strata:
            if n == 0 or m == 0:
                continue
            a, c, n, m = a + more, c + more, n + 2 * more, m + 2 * more
            over += Fraction(a * m) / (n + m)
            under += Fraction(c * n) / (n + m)
            variance += Fraction(n * m * (a + c) - a * c * (n + m)) / (n + m) ** 2
        return over, under, variance

    over, under, variance = sums(Fraction(0))
    if over == 0 or under == 0:
        over, under, variance = sums(Fraction(1, 2))
    return spread(over / under, variance / (over * under))


def normal_tail(z):
    """Upper tail by the continued fraction of Laplace, for z > 2."""
    fraction = Decimal(0)
    for k in range(4000, 0, -1):
        fraction = Decimal(k) / (z + fraction)
    pi = Decimal("3.14159265358979323846264338327950288419716939937510582097494459")
    return (-z * z / 2).exp() / ((2 * pi).sqrt() * (z + fraction))


def common_test(strata):
    excess = variance = Fraction(0)
    for a, n, c, m in strata:
        if n == 0 or m == 0:
            continue
        failed, total = a + c, n + m
        excess += a - Fraction(failed * n, total)
        variance += Fraction(n * m * failed * (total - failed), total * total * (total - 1))
    z = decimal(excess - Fraction(1, 2)) / decimal(variance).sqrt()
    return normal_tail(z).ln()


TABLES = [(1, 1, 0, 1), (3, 4, 1, 4), (5, 5, 0, 5), (2, 10, 5, 10), (10, 12, 3, 40), (8, 10, 8, 10), (0, 10, 3, 20),
          (7, 7, 9, 9), (344, 1230, 0, 770), (97, 100, 3, 1900), (11690, 12004, 22, 22170),
          (900, 30000, 700, 30000), (40000, 90000, 100, 110000), (99, 100000, 99, 100000),
          (100000, 100000, 0, 100000)]
STRATA = [[(10, 20, 5, 20), (30, 40, 10, 40)], [(5, 10, 0, 10), (8, 10, 0, 10), (0, 0, 4, 9)],
          [(221, 246, 123, 984), (0, 34, 0, 736)], [(9000, 10000, 100, 20000), (500, 1000, 10, 9000)]]
TAILS = [(10, 3, "1/4"), (19, 19, "1/1080"), (300, 20, "1/16"), (300, 10, "1/16"), (5, 1, "1/2"), (3000, 60, "1/256")]

if __name__ == "__main__":
    for t in TABLES:
        r, low, high = katz(*t)
        print("    {{%d, %d, %d, %d}, " % t + f"{fisher(*t):.16g}, {r:.16g}, {low:.16g}, {high:.16g}}},")
    for s in STRATA:
        r, low, high = common_risk(s)
        cells = ", ".join("{%d, %d, %d, %d}" % t for t in s)
        print(f"    {{{{{cells}}}, {len(s)}, {r:.16g}, {low:.16g}, {high:.16g}, {common_test(s):.16g}}},")
    for n, k, chance in TAILS:
        print(f"    {{{n}, {k}, {chance.replace('/', '.0 / ')}, {binomial(n, k, chance):.16g}}},")
