#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/listing_say.h"

#define LIST_TYPE    1 /* docs/protocol.md section 4 */
#define HEADER_BYTES 2
#define DEPTH_MAX    3

struct blob {
	struct id id;
	uint8_t *bytes;
	size_t len;
};

struct blobs {
	struct blob *list;
	size_t count, cap;
};

static enum err on_blob(void *context, const struct id *id, const uint8_t *bytes, size_t len)
{
	struct blobs *b = context;
	if (b->count == b->cap) {
		size_t cap = b->cap == 0 ? 64 : 2 * b->cap;
		struct blob *list = realloc(b->list, cap * sizeof(*list));
		if (list == NULL)
			return ERR_NOMEM;
		b->list = list;
		b->cap = cap;
	}
	uint8_t *copy = malloc(len);
	if (copy == NULL)
		return ERR_NOMEM;
	memcpy(copy, bytes, len);
	b->list[b->count++] = (struct blob){*id, copy, len};
	return ERR_OK;
}

static void release(struct blobs *b)
{
	for (size_t i = 0; i < b->count; i++)
		free(b->list[i].bytes);
	free(b->list);
	*b = (struct blobs){0};
}

static int by_id(const void *a, const void *b)
{
	return id_compare(&((const struct blob *)a)->id, &((const struct blob *)b)->id);
}

/* Depth first, so that few wait at a time: a node has room for so many of one operator. */
static enum err hand_in(struct signer *s, const struct blobs *b, const struct id *id, unsigned depth,
			struct err_info *info)
{
	const struct blob key = {.id = *id};
	const struct blob *found = bsearch(&key, b->list, b->count, sizeof(*b->list), by_id);
	if (found == NULL || depth > DEPTH_MAX)
		return err_set(info, ERR_CORRUPT, "the rows were cut wrongly");
	enum err err = signer_blob(s, found->bytes, found->len, info);
	if (found->bytes[1] != LIST_TYPE)
		return err;
	for (size_t at = HEADER_BYTES; err == ERR_OK && at < found->len; at += ID_BYTES) {
		struct id child;
		memcpy(child.b, found->bytes + at, ID_BYTES);
		err = hand_in(s, b, &child, depth + 1, info);
	}
	return err;
}

static enum err say_part(struct signer *s, uint8_t kind, struct blobs *b, const struct listing *listing,
			 struct err_info *info)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	enum err err = listing_encode(listing, body, &len);
	if (err != ERR_OK)
		return err_set(info, err, "the list cannot be signed: %s", err_text(err));
	qsort(b->list, b->count, sizeof(*b->list), by_id);
	err = signer_say(s, kind, &s->estate, signer_slot(), body, len, info);
	return err == ERR_OK ? hand_in(s, b, &listing->root, 0, info) : err;
}

static enum err build_rows(const struct listing_rows *rows, size_t from, size_t count, struct blobs *b,
			   struct id *ret_root, size_t *ret_unique)
{
	if (rows->kind == RECORD_POLICY)
		return policy_build((const struct policy_row *)rows->list + from, count, on_blob, b, ret_root,
				    ret_unique);
	return inventory_build((const struct inventory_row *)rows->list + from, count, on_blob, b, ret_root,
			       ret_unique);
}

/* As many of `count` rows as fit one root. */
static enum err build(const struct listing_rows *rows, size_t from, size_t *count, struct blobs *b,
		      struct listing *listing, struct err_info *info)
{
	size_t unique = 0;
	for (;;) {
		enum err err = build_rows(rows, from, *count, b, &listing->root, &unique);
		if (err == ERR_OK) {
			listing->rows = (uint32_t)unique;
			return ERR_OK;
		}
		release(b);
		if (err != ERR_LIMIT || *count < 2)
			return err_set(info, err, "the rows cannot be packed: %s", err_text(err));
		*count /= 2;
	}
}

enum err listing_say(struct signer *s, const struct listing_rows *rows, const char *title,
		     const uint64_t *replaces, size_t replace_count, size_t *ret_records,
		     struct err_info *info)
{
	enum err err = ERR_OK;
	size_t records = 0, from = 0;
	while (err == ERR_OK && (from < rows->count || replace_count > 0)) {
		struct blobs b = {0};
		struct listing listing = {.rows = 0};
		size_t part = rows->count - from;
		text_copy(listing.title, sizeof(listing.title), title);
		err = build(rows, from, &part, &b, &listing, info);
		from += part;
		/* Behind the last rows what is replaced, on roots without rows where one has no room. */
		for (; err == ERR_OK && from == rows->count && replace_count > 0 &&
		       listing.replace_count < LIMIT_REPLACES;
		     replace_count--)
			listing.replaces[listing.replace_count++] = *replaces++;
		if (err == ERR_OK)
			err = say_part(s, rows->kind, &b, &listing, info);
		release(&b);
		records += err == ERR_OK;
	}
	*ret_records = records;
	return err;
}
