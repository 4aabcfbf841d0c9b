/* Layout of LMDB 0.9 with 64-bit pages, in the machine's order. Page: number 8, pad 2, flags 2, end of the
 * offsets 2, start of the nodes 2 (overflow pages: count 4), offsets 2 each, free space, nodes. Node: 8 bytes
 * of head and the key; in a leaf the head is size low 2, size high 2, flags 2, key length 2, in a branch the
 * first three are the child's number. Nodes start at even offsets and leave no gaps. */
#include "store/lmdb_pages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

#define PAGE_MAX       65536
#define PAGE_HEAD      16
#define NODE_HEAD      8
#define FLAG_BRANCH    1
#define FLAG_LEAF      2
#define FLAG_OVERFLOW  4
#define NODE_BIG       1 /* the value is on overflow pages; the leaf has their number */
#define META_PAGE_SIZE 40
#define META_TABLES    40 /* two of 48 */
#define TABLE_BYTES    48
#define TABLE_DEPTH    6
#define TABLE_ROOT     40
#define META_LAST      136
#define META_TURN      144
#define META_BYTES     152
#define NO_PAGE        UINT64_MAX
#define DEPTH_MAX      16 /* a tree of four nodes a page would hold more than the largest file */

struct pages {
	const char *path;
	struct os_reader *file;
	struct err_info *info;
	uint32_t page_bytes;
	uint64_t last;
	uint8_t *used; /* a bit a page */
	uint32_t
	    *tiles; /* of the page at hand, for every second byte: length of the node there; all 0 between */
	uint8_t *buffer; /* a page for each level */
	uint8_t *big;    /* a value of the table of free pages */
	size_t big_bytes;
};

static uint16_t u16(const uint8_t *p)
{
	uint16_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint32_t u32(const uint8_t *p)
{
	uint32_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static uint64_t u64(const uint8_t *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof(v));
	return v;
}

static enum err bad(const struct pages *c, uint64_t page, const char *what)
{
	return err_set(c->info, ERR_CORRUPT, "\"%s\" is damaged: page %llu %s", c->path,
		       (unsigned long long)page, what);
}

static enum err read_at(const struct pages *c, uint64_t page, void *ret, size_t bytes)
{
	size_t len;
	enum err err = os_reader_read(c->file, page * c->page_bytes, ret, bytes, &len, c->info);
	if (err != ERR_OK)
		return err;
	return len == bytes ? ERR_OK : bad(c, page, "is beyond the end");
}

/* Takes `count` pages for one place in one tree. */
static enum err claim(struct pages *c, uint64_t page, uint64_t count)
{
	if (page < 2 || page > c->last || count == 0 || count > c->last - page + 1)
		return bad(c, page, "is beyond the last");
	for (uint64_t i = page; i < page + count; i++) {
		uint8_t bit = (uint8_t)(1u << i % 8);
		if ((c->used[i / 8] & bit) != 0)
			return bad(c, i, "is in two places");
		c->used[i / 8] |= bit;
	}
	return ERR_OK;
}

static size_t even(size_t n)
{
	return n + (n & 1);
}

/* Nodes of a page tile the space from its `upper` to its end. */
static enum err check_tiles(struct pages *c, uint64_t number, const uint8_t *page, uint16_t kind)
{
	size_t lower = u16(page + 12), upper = u16(page + 14), at;
	if (u64(page) != number || u16(page + 10) != kind)
		return bad(c, number, "is another than its place needs");
	if (lower < PAGE_HEAD + 2 || lower % 2 != 0 || upper % 2 != 0 || lower > upper ||
	    upper > c->page_bytes)
		return bad(c, number, "has impossible bounds");
	for (size_t i = PAGE_HEAD; i < lower; i += 2) {
		at = u16(page + i);
		if (at < upper || at % 2 != 0 || at + NODE_HEAD > c->page_bytes)
			return bad(c, number, "has a node out of bounds");
		const uint8_t *node = page + at;
		size_t value = 0;
		if (kind == FLAG_LEAF)
			value = (u16(node + 4) & NODE_BIG) != 0 ? 8 : u32(node);
		/* Compared before it is added: a length can be four billion. */
		if (value > c->page_bytes || u16(node + 6) > c->page_bytes)
			return bad(c, number, "has a node out of bounds");
		size_t bytes = even(NODE_HEAD + u16(node + 6) + value);
		if (at + bytes > c->page_bytes || c->tiles[at / 2] != 0)
			return bad(c, number, "has nodes that overlap");
		c->tiles[at / 2] = (uint32_t)bytes;
	}
	/* From one to the next, so that all of them are met if they neither overlap nor leave a gap. */
	size_t met = 0;
	for (at = upper; at < c->page_bytes && c->tiles[at / 2] != 0; met++) {
		uint32_t bytes = c->tiles[at / 2];
		c->tiles[at / 2] = 0;
		at += bytes;
	}
	return at == c->page_bytes && met == (lower - PAGE_HEAD) / 2
		   ? ERR_OK
		   : bad(c, number, "has nodes that overlap, or a gap between them");
}

static enum err claim_overflow(struct pages *c, uint64_t page, uint64_t value_bytes)
{
	uint8_t head[PAGE_HEAD];
	uint64_t count = (PAGE_HEAD - 1 + value_bytes) / c->page_bytes + 1;
	enum err err = claim(c, page, count);
	if (err == ERR_OK)
		err = read_at(c, page, head, sizeof(head));
	if (err != ERR_OK)
		return err;
	bool good = u64(head) == page && u16(head + 10) == FLAG_OVERFLOW && u32(head + 12) == count;
	return good ? ERR_OK : bad(c, page, "is another than its place needs");
}

/* A value of the table of free pages: a count, then so many page numbers, descending. */
static enum err check_free_list(struct pages *c, uint64_t page, const uint8_t *value, size_t bytes)
{
	if (bytes < 8 || u64(value) > bytes / 8 - 1)
		return bad(c, page, "has an impossible list of free pages");
	uint64_t before = c->last + 1;
	for (uint64_t i = 1; i <= u64(value); i++) {
		uint64_t free_page = u64(value + i * 8);
		if (free_page >= before)
			return bad(c, page, "has an impossible list of free pages");
		enum err err = claim(c, free_page, 1);
		if (err != ERR_OK)
			return err;
		before = free_page;
	}
	return ERR_OK;
}

static enum err read_big(struct pages *c, uint64_t page, size_t bytes)
{
	if (bytes > c->big_bytes) {
		uint8_t *grown = realloc(c->big, bytes);
		if (grown == NULL)
			return err_set(c->info, ERR_NOMEM, "out of memory");
		c->big = grown;
		c->big_bytes = bytes;
	}
	size_t len;
	enum err err =
	    os_reader_read(c->file, page * c->page_bytes + PAGE_HEAD, c->big, bytes, &len, c->info);
	if (err != ERR_OK)
		return err;
	return len == bytes ? ERR_OK : bad(c, page, "is beyond the end");
}

static enum err check_leaf(struct pages *c, uint64_t number, const uint8_t *page, bool free_table)
{
	size_t lower = u16(page + 12);
	for (size_t i = PAGE_HEAD; i < lower; i += 2) {
		const uint8_t *node = page + u16(page + i);
		size_t key = u16(node + 6), bytes = u32(node);
		const uint8_t *value = node + NODE_HEAD + key;
		bool is_big = u16(node + 4) == NODE_BIG;
		/* Neither table has tables or lists in it. */
		if ((!is_big && u16(node + 4) != 0) || (free_table && key != 8))
			return bad(c, number, "has a node of a kind that is never written");
		enum err err = is_big ? claim_overflow(c, u64(value), bytes) : ERR_OK;
		if (err == ERR_OK && free_table && is_big)
			err = read_big(c, u64(value), bytes);
		if (err == ERR_OK && free_table)
			err = check_free_list(c, number, is_big ? c->big : value, bytes);
		if (err != ERR_OK)
			return err;
	}
	return ERR_OK;
}

static enum err walk(struct pages *c, uint64_t number, unsigned level, unsigned depth, bool free_table)
{
	uint8_t *page = c->buffer + (size_t)level * c->page_bytes;
	bool leaf = level + 1 == depth;
	enum err err = claim(c, number, 1);
	if (err == ERR_OK)
		err = read_at(c, number, page, c->page_bytes);
	if (err == ERR_OK)
		err = check_tiles(c, number, page, leaf ? FLAG_LEAF : FLAG_BRANCH);
	if (err == ERR_OK && leaf)
		return check_leaf(c, number, page, free_table);
	size_t lower = err == ERR_OK ? u16(page + 12) : 0;
	for (size_t i = PAGE_HEAD; i < lower && err == ERR_OK; i += 2) {
		const uint8_t *node = page + u16(page + i);
		uint64_t child = u16(node) | (uint64_t)u16(node + 2) << 16 | (uint64_t)u16(node + 4) << 32;
		err = walk(c, child, level + 1, depth, free_table);
	}
	return err;
}

static enum err check_table(struct pages *c, const uint8_t *table, bool free_table)
{
	uint64_t root = u64(table + TABLE_ROOT);
	unsigned depth = u16(table + TABLE_DEPTH);
	if (root == NO_PAGE && depth == 0)
		return ERR_OK;
	if (depth == 0 || depth > DEPTH_MAX)
		return bad(c, root, "is the root of a tree of impossible depth");
	return walk(c, root, 0, depth, free_table);
}

static enum err check_file(struct pages *c, uint64_t size)
{
	uint8_t meta[2][META_BYTES];
	enum err err = read_at(c, 0, meta[0], META_BYTES);
	if (err != ERR_OK)
		return err;
	c->page_bytes = u32(meta[0] + META_PAGE_SIZE);
	err = read_at(c, 1, meta[1], META_BYTES);
	if (err != ERR_OK)
		return err;
	const uint8_t *m = meta[u64(meta[1] + META_TURN) > u64(meta[0] + META_TURN)];
	c->last = u64(m + META_LAST);
	if (c->page_bytes > PAGE_MAX || c->last >= size / c->page_bytes)
		return bad(c, c->last, "is beyond the end");
	c->used = calloc(1, (size_t)(c->last / 8 + 1));
	c->tiles = calloc(c->page_bytes / 2, sizeof(*c->tiles));
	c->buffer = malloc((size_t)c->page_bytes * DEPTH_MAX);
	if (c->used == NULL || c->tiles == NULL || c->buffer == NULL)
		return err_set(c->info, ERR_NOMEM, "out of memory");
	/* Rows first: a list that names one of their pages as free is what shows then. */
	err = check_table(c, m + META_TABLES + TABLE_BYTES, false);
	return err == ERR_OK ? check_table(c, m + META_TABLES, true) : err;
}

enum err lmdb_check_pages(const char *path, uint64_t size, struct err_info *info)
{
	/* Any page size will do to read the first page. */
	struct pages c = {.path = path, .info = info, .page_bytes = 4096};
	enum err err = os_reader_open(path, &c.file, info);
	if (err == ERR_OK)
		err = check_file(&c, size);
	os_reader_close(c.file);
	free(c.used);
	free(c.tiles);
	free(c.buffer);
	free(c.big);
	return err;
}
