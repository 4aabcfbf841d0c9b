/* Token: its msgpack form in base64 lines (docs/protocol.md section 5).
 *
 * Happy path: token_encode writes the array with its checksum, then the text; token_decode goes back the same
 * way and checks the log it carries. Failure: one layout is accepted, line width included, so that a token is
 * either whole or refused; the text of the error says what to do. What has secrets in it is guarded memory.
 */
#include "crypto/token.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/cursor.h"
#include "base/mp.h"
#include "base/text.h"
#include "crypto/authlog_private.h"
#include "crypto/guarded.h"
#include "crypto/secret.h"

#define LINE_PREFIX     "mesh-token-"
#define LINE_FIRST      LINE_PREFIX "1\n"
#define LINE_USED       LINE_PREFIX "used"
#define LINE_BYTES      76
#define LINE_DATA_BYTES (LINE_BYTES / 4 * 3)
#define TOKEN_VERSION   1
#define ELEMENTS        9
#define CHECKSUM_BYTES  8
#define VARIANT         sodium_base64_VARIANT_ORIGINAL

/* Upper bound of the encoded token. */
static size_t size_bound(const struct token *t)
{
	size_t size =
	    256 + t->subnet_count * (LIMIT_SITE_NAME_BYTES + 24) + t->seed_count * (TOKEN_SEED_BYTES + 2);
	for (size_t i = 0; i < authlog_count(t->log); i++) {
		size_t len;
		authlog_entry(t->log, i, &len);
		size += len + 3;
	}
	return size;
}

static void put_subnets(struct mp_writer *w, const struct token *t)
{
	mp_put_array(w, t->subnet_count);
	for (size_t i = 0; i < t->subnet_count; i++) {
		const struct token_subnet *s = &t->subnets[i];
		uint8_t bytes[sizeof(s->address) + 1];
		memcpy(bytes, s->address, s->address_len);
		bytes[s->address_len] = s->prefix_bits;
		mp_put_array(w, 2);
		mp_put_bin(w, bytes, s->address_len + 1u);
		mp_put_str(w, s->site);
	}
}

static void put_token(struct mp_writer *w, const struct token *t)
{
	mp_put_array(w, ELEMENTS);
	mp_put_u64(w, TOKEN_VERSION);
	mp_put_bin(w, t->estate_secret, KEY_BYTES);
	mp_put_bin(w, t->issuer_seed, KEY_BYTES);
	mp_put_str(w, t->site);
	put_subnets(w, t);
	mp_put_array(w, t->seed_count);
	for (size_t i = 0; i < t->seed_count; i++)
		mp_put_str(w, t->seeds[i]);
	mp_put_array(w, authlog_count(t->log));
	for (size_t i = 0; i < authlog_count(t->log); i++) {
		size_t len;
		const uint8_t *entry = authlog_entry(t->log, i, &len);
		mp_put_bin(w, entry, len);
	}
	mp_put_u64(w, t->last_day);
	uint8_t checksum[16];
	hash_bytes(checksum, sizeof(checksum), "mesh.token", w->data, w->len);
	mp_put_bin(w, checksum, CHECKSUM_BYTES);
}

static bool subnet_fits(const struct token_subnet *s)
{
	return (s->address_len == 4 || s->address_len == 16) && s->prefix_bits <= s->address_len * 8;
}

static bool token_fits(const struct token *t)
{
	if (t->log == NULL || t->subnet_count > LIMIT_SUBNETS || t->seed_count > LIMIT_TOKEN_SEEDS)
		return false;
	for (size_t i = 0; i < t->subnet_count; i++) {
		if (!subnet_fits(&t->subnets[i]))
			return false;
	}
	return true;
}

/* First line, then base64 in lines. */
static enum err text_of(const uint8_t *data, size_t len, char **ret_text, size_t *ret_len)
{
	size_t first = sizeof(LINE_FIRST) - 1, coded = sodium_base64_encoded_len(len, VARIANT) - 1;
	size_t size = first + coded + (coded + LINE_BYTES - 1) / LINE_BYTES;
	if (size >= LIMIT_TOKEN_BYTES)
		return ERR_LIMIT;
	char *text = crypto_guarded_new(size + 1);
	if (text == NULL)
		return ERR_NOMEM;
	memcpy(text, LINE_FIRST, first);
	char *at = text + first;
	for (size_t i = 0; i < len; i += LINE_DATA_BYTES) {
		size_t part = len - i < LINE_DATA_BYTES ? len - i : LINE_DATA_BYTES;
		size_t coded_size = sodium_base64_encoded_len(part, VARIANT);
		sodium_bin2base64(at, coded_size, data + i, part, VARIANT);
		/* In the terminator's place. */
		at += coded_size;
		at[-1] = '\n';
	}
	CHECK(at == text + size);
	*ret_len = size;
	*ret_text = text;
	return ERR_OK;
}

enum err token_encode(const struct token *t, char **ret_text, size_t *ret_len)
{
	if (!token_fits(t))
		return ERR_ARG;
	size_t bound = size_bound(t);
	uint8_t *data = crypto_guarded_new(bound);
	if (data == NULL)
		return ERR_NOMEM;
	struct mp_writer w;
	mp_writer_init(&w, data, bound);
	put_token(&w, t);
	enum err err = w.failed ? ERR_LIMIT : text_of(data, w.len, ret_text, ret_len);
	crypto_guarded_free(data, bound);
	secret_scrub();
	return err;
}

/* Full lines but the last, of graphic ASCII alone: libsodium 1.0.18 takes the bytes 0xab and 0xaf for '+' and
 * '/', and what it is told to skip (the line ends) it skips anywhere. A missing last line end is forgiven. */
static enum err check_lines(const char *text, size_t len)
{
	if (len == 0)
		return ERR_FORMAT;
	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end != NULL ? (size_t)(end - text) : len;
		size_t taken = end != NULL ? line + 1 : line;
		/* Files that passed through Windows. */
		if (end != NULL && line > 0 && text[line - 1] == '\r')
			line--;
		if (line == 0 || line > LINE_BYTES || (taken < len && line != LINE_BYTES))
			return ERR_FORMAT;
		for (size_t i = 0; i < line; i++) {
			if (text[i] <= ' ' || text[i] > '~')
				return ERR_FORMAT;
		}
		text += taken;
		len -= taken;
	}
	return ERR_OK;
}

/* Binary of the base64 lines, in guarded memory of `*ret_size` bytes. */
static enum err unbase64(const char *text, size_t len, uint8_t **ret_data, size_t *ret_size, size_t *ret_len)
{
	size_t size = len / 4 * 3 + 3;
	enum err err = check_lines(text, len);
	if (err != ERR_OK)
		return err;
	uint8_t *data = crypto_guarded_new(size);
	if (data == NULL)
		return ERR_NOMEM;
	if (sodium_base642bin(data, size, text, len, "\r\n", ret_len, NULL, VARIANT) != 0) {
		crypto_guarded_free(data, size);
		return ERR_FORMAT;
	}
	*ret_data = data;
	*ret_size = size;
	return ERR_OK;
}

static enum err read_subnets(const msgpack_object *o, struct token *ret)
{
	size_t count = mp_count(o);
	if (o->type != MSGPACK_OBJECT_ARRAY || count > LIMIT_SUBNETS)
		return ERR_FORMAT;
	if (count == 0)
		return ERR_OK;
	ret->subnets = calloc(count, sizeof(*ret->subnets));
	if (ret->subnets == NULL)
		return ERR_NOMEM;
	ret->subnet_count = count;
	for (size_t i = 0; i < count; i++) {
		struct token_subnet *s = &ret->subnets[i];
		const msgpack_object *row = mp_at(o, i);
		const uint8_t *bytes;
		size_t len;
		if (mp_count(row) != 2 || !mp_bin_ref(mp_at(row, 0), &bytes, &len) ||
		    (len != 4 + 1 && len != 16 + 1) || !mp_str(mp_at(row, 1), s->site, sizeof(s->site)))
			return ERR_FORMAT;
		s->address_len = (uint8_t)(len - 1);
		memcpy(s->address, bytes, s->address_len);
		s->prefix_bits = bytes[len - 1];
		if (!subnet_fits(s))
			return ERR_FORMAT;
	}
	return ERR_OK;
}

static enum err read_seeds(const msgpack_object *o, struct token *ret)
{
	if (o->type != MSGPACK_OBJECT_ARRAY || mp_count(o) > LIMIT_TOKEN_SEEDS)
		return ERR_FORMAT;
	ret->seed_count = mp_count(o);
	for (size_t i = 0; i < ret->seed_count; i++) {
		if (!mp_str(mp_at(o, i), ret->seeds[i], sizeof(ret->seeds[i])) || ret->seeds[i][0] == '\0')
			return ERR_FORMAT;
	}
	return ERR_OK;
}

static enum err read_log(const msgpack_object *o, struct token *ret)
{
	size_t count = mp_count(o);
	if (count == 0)
		return ERR_FORMAT;
	struct authlog_run run = {0};
	enum err err = authlog_new(&ret->log);
	for (size_t i = 0; err == ERR_OK && i < count; i++) {
		const uint8_t *entry;
		size_t len;
		err = mp_bin_ref(mp_at(o, i), &entry, &len) ? authlog_offer(ret->log, &run, entry, len)
							    : ERR_FORMAT;
		if (err == ERR_UNTRUSTED)
			err = ERR_OK; /* unless a rotation further on stands on it, the run is not empty */
	}
	if (err == ERR_OK && run.count > 0)
		err = ERR_FORMAT;
	authlog_run_clear(&run);
	return err == ERR_OK || err == ERR_NOMEM ? err : ERR_FORMAT;
}

static enum err read_token(const msgpack_object *array, struct token *ret)
{
	uint64_t last_day;
	if (!mp_bin(mp_at(array, 1), ret->estate_secret, KEY_BYTES) ||
	    !mp_bin(mp_at(array, 2), ret->issuer_seed, KEY_BYTES) ||
	    !mp_str(mp_at(array, 3), ret->site, sizeof(ret->site)) ||
	    !mp_u64(mp_at(array, 7), UINT32_MAX, &last_day))
		return ERR_FORMAT;
	ret->last_day = (wall_day)last_day;
	enum err err = read_subnets(mp_at(array, 4), ret);
	if (err == ERR_OK)
		err = read_seeds(mp_at(array, 5), ret);
	if (err == ERR_OK)
		err = read_log(mp_at(array, 6), ret);
	return err;
}

/* The checksum is the last element: what stands before it is covered. */
static enum err check_sum(const uint8_t *data, size_t len, const msgpack_object *array)
{
	uint8_t stored[CHECKSUM_BYTES], expected[16];
	if (!mp_bin(mp_at(array, ELEMENTS - 1), stored, sizeof(stored)))
		return ERR_FORMAT;
	hash_bytes(expected, sizeof(expected), "mesh.token", data, len - 2 - CHECKSUM_BYTES);
	return memcmp(stored, expected, sizeof(stored)) == 0 ? ERR_OK : ERR_CHECKSUM;
}

static enum err decode_binary(const uint8_t *data, size_t len, struct token *ret)
{
	struct mp_doc doc;
	uint64_t version;
	enum err err = mp_open(&doc, data, len);
	if (err != ERR_OK)
		return err == ERR_NOMEM ? err : ERR_FORMAT;
	const msgpack_object *array = mp_root(&doc);
	struct token *t = token_new();
	if (t == NULL)
		err = ERR_NOMEM;
	else if (!mp_u64(mp_at(array, 0), UINT64_MAX, &version))
		err = ERR_FORMAT;
	else if (version != TOKEN_VERSION)
		err = ERR_VERSION;
	else if (mp_count(array) != ELEMENTS)
		err = ERR_FORMAT;
	if (err == ERR_OK)
		err = check_sum(data, len, array);
	if (err == ERR_OK)
		err = read_token(array, t);
	mp_close(&doc);
	if (err == ERR_OK) {
		memcpy(ret, t, sizeof(*ret));
		crypto_guarded_free(t, sizeof(*t));
	} else {
		token_free(t);
	}
	return err;
}

static enum err tell(struct err_info *info, enum err err)
{
	switch (err) {
	case ERR_USED:
		return err_set(info, err, "the token was used already; make a new one for this machine");
	case ERR_VERSION:
		return err_set(info, err,
			       "the token is of a version that this program does not know; use a newer "
			       "program or make the token with this one");
	case ERR_CHECKSUM:
		return err_set(info, err, "the token is damaged (its checksum fails); copy it again");
	case ERR_NOMEM:
		return err_set(info, err, "out of memory; free some and try again");
	case ERR_LIMIT:
		return err_set(info, err,
			       "the token is longer than %d bytes; check that it is the right file",
			       LIMIT_TOKEN_BYTES);
	default:
		return err_set(info, err,
			       "the token is incomplete or no token at all; copy the whole file again, "
			       "from its line \"mesh-token-1\" on");
	}
}

/* Length of the first line with its end; 0 when it is not a token's. */
static enum err read_first_line(const char *text, size_t len, size_t *ret_len)
{
	const char *end = memchr(text, '\n', len);
	size_t line = end != NULL ? (size_t)(end - text) : len;
	size_t taken = end != NULL ? line + 1 : line;
	if (line > 0 && text[line - 1] == '\r')
		line--;
	if (line == sizeof(LINE_USED) - 1 && memcmp(text, LINE_USED, line) == 0)
		return ERR_USED;
	if (line < sizeof(LINE_PREFIX) || memcmp(text, LINE_PREFIX, sizeof(LINE_PREFIX) - 1) != 0)
		return ERR_FORMAT;
	if (line != sizeof(LINE_PREFIX) || text[line - 1] != '0' + TOKEN_VERSION)
		return ERR_VERSION;
	*ret_len = taken;
	return ERR_OK;
}

enum err token_decode(const char *text, size_t len, struct token *ret, struct err_info *info)
{
	size_t first;
	uint8_t *data;
	size_t size, data_len;
	if (len > LIMIT_TOKEN_BYTES)
		return tell(info, ERR_LIMIT);
	enum err err = read_first_line(text, len, &first);
	if (err == ERR_OK)
		err = unbase64(text + first, len - first, &data, &size, &data_len);
	if (err == ERR_OK) {
		err = decode_binary(data, data_len, ret);
		crypto_guarded_free(data, size);
		secret_scrub();
	}
	return err == ERR_OK ? ERR_OK : tell(info, err);
}

/* Whether the subnet holds the address. */
static bool holds(const struct token_subnet *s, const struct os_network_address *a)
{
	unsigned whole = s->prefix_bits / 8, rest = s->prefix_bits % 8;
	if (s->address_len != a->len || memcmp(s->address, a->bytes, whole) != 0)
		return false;
	return rest == 0 || ((s->address[whole] ^ a->bytes[whole]) >> (8 - rest)) == 0;
}

static bool holds_one(const struct token_subnet *s, const struct os_network_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (holds(s, &addresses[i]))
			return true;
	}
	return false;
}

struct choice {
	const struct token_subnet *best, *rival; /* rival: as good, and of another site */
};

static struct choice choose(const struct token *t, const struct os_network_address *addresses, size_t count,
			    uint8_t address_len)
{
	struct choice c = {NULL, NULL};
	for (size_t i = 0; i < t->subnet_count; i++) {
		const struct token_subnet *s = &t->subnets[i];
		if (s->address_len != address_len || !holds_one(s, addresses, count))
			continue;
		if (c.best == NULL || s->prefix_bits > c.best->prefix_bits)
			c = (struct choice){s, NULL};
		else if (s->prefix_bits == c.best->prefix_bits && strcmp(s->site, c.best->site) != 0)
			c.rival = s;
	}
	return c;
}

enum err token_site(const struct token *t, const struct os_network_address *addresses, size_t count,
		    char ret[LIMIT_SITE_NAME_BYTES + 1], struct err_info *info)
{
	struct choice c = choose(t, addresses, count, 4), v6 = choose(t, addresses, count, 16);
	/* Prefixes of the two families do not compare. */
	if (c.best == NULL)
		c = v6;
	else if (c.rival == NULL && v6.rival != NULL)
		c.rival = strcmp(v6.rival->site, c.best->site) != 0 ? v6.rival : v6.best;
	else if (c.rival == NULL && v6.best != NULL && strcmp(v6.best->site, c.best->site) != 0)
		c.rival = v6.best;
	if (c.rival != NULL) {
		char one[4 * LIMIT_SITE_NAME_BYTES + 1], two[4 * LIMIT_SITE_NAME_BYTES + 1];
		text_escape(one, sizeof(one), c.best->site, strlen(c.best->site));
		text_escape(two, sizeof(two), c.rival->site, strlen(c.rival->site));
		return err_set(
		    info, ERR_ARG,
		    "this machine has addresses in subnets of two sites, \"%s\" and \"%s\"; name the "
		    "right one with --site",
		    one, two);
	}
	text_copy(ret, LIMIT_SITE_NAME_BYTES + 1, c.best != NULL ? c.best->site : t->site);
	return ERR_OK;
}

void token_release(struct token *t)
{
	if (t == NULL)
		return;
	authlog_free(t->log);
	free(t->subnets);
	crypto_wipe(t, sizeof(*t));
}

enum err token_read(struct os_secret *file, struct token *ret, struct err_info *info)
{
	uint8_t *text;
	size_t len;
	enum err err = crypto_guarded_read_open(file, LIMIT_TOKEN_BYTES, &text, &len, info);
	if (err != ERR_OK)
		return err;
	err = token_decode((const char *)text, len, ret, info);
	crypto_guarded_free(text, len);
	return err;
}

enum err token_wipe(struct os_secret *file, struct err_info *info)
{
	static const char marker[] = LINE_USED "\n";
	return os_secret_wipe(file, marker, sizeof(marker) - 1, info);
}

struct token *token_new(void)
{
	return crypto_guarded_new(sizeof(struct token));
}

void token_free(struct token *t)
{
	if (t == NULL)
		return;
	token_release(t);
	crypto_guarded_free(t, sizeof(*t));
}
