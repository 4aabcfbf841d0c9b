#include "base/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"

bool text_copy(char *ret, size_t cap, const char *from)
{
	CHECK(cap >= 1);
	size_t len = strlen(from);
	bool whole = len < cap;
	if (!whole) {
		len = cap - 1;
		/* Cut in front of a UTF-8 character, not inside it; bytes that are no UTF-8 are cut anywhere.
		 */
		for (size_t back = 0; back < 3 && back < len; back++) {
			if (((uint8_t)from[len - back] & 0xc0) != 0x80) {
				len -= back;
				break;
			}
		}
	}
	memmove(ret, from, len);
	ret[len] = '\0';
	return whole;
}

size_t text_utf8(const char *text, size_t len, uint32_t *ret)
{
	const uint8_t *s = (const uint8_t *)text;
	if (len == 0)
		return 0;
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n = s[0] < 0x80   ? 1
		   : s[0] < 0xc2 ? 0
		   : s[0] < 0xe0 ? 2
		   : s[0] < 0xf0 ? 3
		   : s[0] < 0xf5 ? 4
				 : 0;
	if (n == 0 || n > len)
		return 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fu);
	}
	if (c < smallest[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret = c;
	return n;
}

bool text_is_unsafe(uint32_t c)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
	    {0x0000, 0x001f},   {0x007f, 0x009f}, {0x00ad, 0x00ad}, /* controls; soft hyphen */
	    {0x061c, 0x061c},   {0x180e, 0x180e}, {0x200b, 0x200f}, /* marks and joiners without width */
	    {0x2028, 0x202e},   {0x2060, 0x206f},                   /* line ends, directions, invisible */
	    {0xfeff, 0xfeff},   {0xfff9, 0xfffb},                   /* byte order mark, annotations */
	    {0xe0000, 0xe0fff},                                     /* tags */
	};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

size_t text_escape(char *ret, size_t cap, const char *from, size_t len)
{
	CHECK(cap >= 1);
	const uint8_t *s = (const uint8_t *)from;
	size_t out = 0;
	for (size_t i = 0; i < len;) {
		/* Nearly all text is plain, and answers have a lot of it. */
		if (s[i] >= 0x20 && s[i] < 0x7f) {
			if (cap - out <= 1)
				break;
			ret[out++] = from[i++];
			continue;
		}
		char unit[16];
		uint32_t c = 0;
		size_t taken = text_utf8(from + i, len - i, &c);
		int n;
		if (taken == 0) {
			taken = 1;
			n = snprintf(unit, sizeof(unit), "\\x%02x", s[i]);
		} else if (text_is_unsafe(c) && c < 0x80) {
			n = snprintf(unit, sizeof(unit), "\\x%02x", (unsigned)c);
		} else if (text_is_unsafe(c)) {
			n = snprintf(unit, sizeof(unit), "\\u{%04x}", (unsigned)c);
		} else {
			n = snprintf(unit, sizeof(unit), "%.*s", (int)taken, from + i);
		}
		/* Whole units only: half an escape would mean something else. */
		if ((size_t)n >= cap - out)
			break;
		memcpy(ret + out, unit, (size_t)n);
		out += (size_t)n;
		i += taken;
	}
	ret[out] = '\0';
	return out;
}

void text_hex(char *ret, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < len; i++) {
		ret[2 * i] = digits[bytes[i] >> 4];
		ret[2 * i + 1] = digits[bytes[i] & 15];
	}
	ret[2 * len] = '\0';
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool text_unhex(uint8_t *ret, size_t len, const char *text)
{
	for (size_t i = 0; i < 2 * len; i++) {
		if (hex_digit(text[i]) < 0)
			return false;
	}
	if (text[2 * len] != '\0')
		return false;
	for (size_t i = 0; i < len; i++)
		ret[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return true;
}

#define DISTANCE_BYTES 63

static unsigned smaller(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

unsigned text_distance(const char *a, const char *b)
{
	/* The rows of the usual table for i-2, i-1 and i bytes of `a`. */
	unsigned rows[3][DISTANCE_BYTES + 1];
	size_t a_len = strnlen(a, DISTANCE_BYTES + 1);
	size_t b_len = strnlen(b, DISTANCE_BYTES + 1);
	if (a_len > DISTANCE_BYTES || b_len > DISTANCE_BYTES)
		return UINT_MAX;
	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= a_len; i++) {
		unsigned *now = rows[i % 3], *above = rows[(i + 2) % 3], *twice = rows[(i + 1) % 3];
		now[0] = (unsigned)i;
		for (size_t j = 1; j <= b_len; j++) {
			unsigned change = a[i - 1] != b[j - 1];
			now[j] = smaller(above[j] + 1, smaller(now[j - 1] + 1, above[j - 1] + change));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = smaller(now[j], twice[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

bool text_u64(const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	if (*text == '\0')
		return false;
	for (const char *c = text; *c != '\0'; c++) {
		if (*c < '0' || *c > '9')
			return false;
		uint64_t digit = (uint64_t)(*c - '0');
		if (v > (UINT64_MAX - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	if (v < min || v > max)
		return false;
	*ret = v;
	return true;
}
