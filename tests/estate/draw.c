/* Chance, with the shapes that estates have. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#include "tests/estate/world.h"

uint64_t draw_mix(uint64_t a, uint64_t b)
{
	uint64_t x = a * 0x9e3779b97f4a7c15u ^ (b + 0x2545f4914f6cdd1du) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

struct prng draw_stream(const struct estate *e, enum stream stream, uint64_t number)
{
	struct prng p;
	prng_seed(&p, draw_mix(draw_mix(e->o->seed, (uint64_t)stream), number));
	return p;
}

size_t draw_zipf(struct prng *p, size_t count)
{
	double sum = 0, at;
	for (size_t i = 0; i < count; i++)
		sum += 1.0 / (double)(i + 1);
	at = prng_unit(p) * sum;
	for (size_t i = 0; i + 1 < count; i++) {
		at -= 1.0 / (double)(i + 1);
		if (at < 0)
			return i;
	}
	return count - 1;
}

double draw_normal(struct prng *p)
{
	double sum = -6;
	for (int i = 0; i < 12; i++)
		sum += prng_unit(p);
	return sum;
}

uint64_t draw_span(struct prng *p, uint64_t from, uint64_t to)
{
	return (uint64_t)((double)from * pow((double)to / (double)from, prng_unit(p)));
}

uint64_t draw_wait(struct prng *p, double mean)
{
	return (uint64_t)(-log(1 - prng_unit(p)) * mean);
}

struct reading_text draw_known(const char *format, ...)
{
	struct reading_text r = {.status = READING_OK};
	va_list args;
	va_start(args, format);
	vsnprintf(r.value, sizeof(r.value), format, args);
	va_end(args);
	return r;
}
