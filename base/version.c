#include "base/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Not isdigit and isalpha: those depend on the locale. */
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The end and digits end a run of other characters, and count alike. */
static int rank(char c)
{
	if (c == '~')
		return -1;
	if (c == '\0' || is_digit(c))
		return 0;
	bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	return (unsigned char)c + (letter ? 0 : 256);
}

static int compare_others(const char **a, const char **b)
{
	while ((**a != '\0' && !is_digit(**a)) || (**b != '\0' && !is_digit(**b))) {
		int x = rank(**a), y = rank(**b);
		if (x != y)
			return x - y;
		(*a)++;
		(*b)++;
	}
	return 0;
}

/* By length first, so that no value is too large. */
static int compare_digits(const char **a, const char **b)
{
	size_t x = 0, y = 0;
	while (**a == '0')
		(*a)++;
	while (**b == '0')
		(*b)++;
	while (is_digit((*a)[x]))
		x++;
	while (is_digit((*b)[y]))
		y++;
	if (x != y)
		return x < y ? -1 : 1;
	int order = memcmp(*a, *b, x);
	*a += x;
	*b += y;
	return order;
}

int version_compare(const char *a, const char *b)
{
	int order = 0;
	while (order == 0 && (*a != '\0' || *b != '\0')) {
		order = compare_others(&a, &b);
		if (order == 0)
			order = compare_digits(&a, &b);
	}
	return order;
}
