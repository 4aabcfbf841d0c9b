/* The table of issues (record/state.h).
 *
 * Happy path: a module raises what it finds; the row goes out with the update of that step, and again when it
 * has ended. What only counts on is told about once a minute, so that a flood does not become disk writes.
 * Issues that follow from log and certificates are found anew at each change of these; events, which nothing
 * takes back, end by themselves some time after they were last seen.
 * Fails: a full table lets its oldest event go; without one, or without memory, what is found is not told. */
#include "gossip/issue.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define REFRESH_MS      60000 /* between two tellings of one row */
#define PER_STEP        256
#define KEEP_EVENT_MS   (7 * CLOCK_DAY_MS)
#define KEEP_LIAR_MS    (10 * CLOCK_MINUTE_MS)
#define EXPIRE_EVERY_MS 10000

struct row {
	struct issue issue;
	uint8_t *proof[ISSUE_PROOFS];
	mono_ms told_at;
	bool told;  /* the driver has it */
	bool news;  /* and lacks something */
	bool found; /* since issue_begin */
};

struct issues {
	struct row **rows;
	size_t count, cap;
	struct issue *out; /* of this step */
	size_t out_count;
	struct row **gone; /* ended in the step before: their memory is still being read */
	size_t gone_count;
	mono_ms expire_at;
};

enum err issue_init(struct gossip *g)
{
	g->issues = calloc(1, sizeof *g->issues);
	return g->issues == NULL ? ERR_NOMEM : ERR_OK;
}

static void row_free(struct row *r)
{
	for (size_t i = 0; i < ISSUE_PROOFS; i++)
		free(r->proof[i]);
	free(r);
}

static void drop_gone(struct issues *all)
{
	for (size_t i = 0; i < all->gone_count; i++)
		row_free(all->gone[i]);
	free(all->gone);
	all->gone = NULL;
	all->gone_count = 0;
}

void issue_free(struct gossip *g)
{
	struct issues *all = g->issues;
	if (all == NULL)
		return;
	for (size_t i = 0; i < all->count; i++)
		row_free(all->rows[i]);
	drop_gone(all);
	free(all->rows);
	free(all->out);
	free(all);
	g->issues = NULL;
}

/* Follows from log and certificates; others are events. */
static bool computed(enum issue_kind kind)
{
	switch (kind) {
	case ISSUE_HOST_REVOKED:
	case ISSUE_ISSUER_REVOKED:
	case ISSUE_OPERATOR_REVOKED:
	case ISSUE_QUARANTINED:
	case ISSUE_OVER_QUOTA:
	case ISSUE_GRANT_IN_GRACE:
	case ISSUE_GRANT_ENDED:
	case ISSUE_ALLOW_LIST_MISSING:
	case ISSUE_LOG_FORKED:
	case ISSUE_DUPLICATE_HARDWARE:
		return true;
	default:
		return false;
	}
}

static size_t find(const struct issues *all, enum issue_kind kind, const struct id *subject)
{
	size_t i = 0;
	while (i < all->count &&
	       (all->rows[i]->issue.kind != kind || !id_equal(&all->rows[i]->issue.subject, subject)))
		i++;
	return i;
}

bool issue_open(const struct gossip *g, enum issue_kind kind, const struct id *subject)
{
	size_t at = find(g->issues, kind, subject);
	return at < g->issues->count && !g->issues->rows[at]->issue.over;
}

static void end(struct gossip *g, struct row *r)
{
	r->issue.over = true;
	r->news = true;
	r->issue.last = g->wall;
	core_deadline(g, g->now);
}

/* Rows of one kind, so that what many hosts can be made to show leaves room for what matters. */
static size_t most(enum issue_kind kind)
{
	switch (kind) {
	case ISSUE_HOST_REVOKED:
		return 512;
	case ISSUE_QUARANTINED:
	case ISSUE_DUPLICATE_HARDWARE:
		return 256;
	default:
		return 64;
	}
}
_Static_assert(512 + 2 * 256 + 14 * 64 <= LIMIT_ISSUES, "each kind has its share");

/* Of events the oldest makes room, with this step's update. */
static bool full(struct issues *all, enum issue_kind kind)
{
	size_t count = 0;
	struct row *oldest = NULL;
	for (size_t i = 0; i < all->count; i++) {
		struct row *r = all->rows[i];
		if (r->issue.kind != kind)
			continue;
		count++;
		if (oldest == NULL || r->issue.last < oldest->issue.last)
			oldest = r;
	}
	if (count < most(kind))
		return false;
	if (!computed(kind) && !oldest->issue.over) {
		oldest->issue.over = true;
		oldest->news = true;
	}
	return true;
}

static struct row *row_add(struct issues *all, enum issue_kind kind)
{
	if (full(all, kind))
		return NULL;
	if (all->count == all->cap) {
		size_t cap = all->cap == 0 ? 8 : all->cap * 2;
		struct row **rows = realloc(all->rows, cap * sizeof(struct row *));
		if (rows == NULL)
			return NULL;
		all->rows = rows;
		all->cap = cap;
	}
	struct row *r = calloc(1, sizeof *r);
	if (r != NULL)
		all->rows[all->count++] = r;
	return r;
}

static void keep_proofs(struct row *r, const struct issue *found)
{
	for (size_t i = 0; i < ISSUE_PROOFS; i++) {
		if (found->proof_len[i] == 0 || r->proof[i] != NULL)
			continue;
		r->proof[i] = malloc(found->proof_len[i]);
		if (r->proof[i] == NULL)
			continue;
		memcpy(r->proof[i], found->proof[i], found->proof_len[i]);
		r->issue.proof[i] = r->proof[i];
		r->issue.proof_len[i] = found->proof_len[i];
	}
}

void issue_raise(struct gossip *g, const struct issue *found)
{
	struct issues *all = g->issues;
	size_t at = find(all, found->kind, &found->subject);
	struct row *r = at < all->count ? all->rows[at] : row_add(all, found->kind);
	if (r == NULL)
		return;
	struct issue *i = &r->issue;
	bool begins = at == all->count - 1 && i->kind == 0;
	uint64_t count = computed(found->kind) || found->count != 0 ? found->count : i->count + 1;
	r->found = true;
	if (begins || i->over) {
		i->kind = found->kind;
		i->subject = found->subject;
		i->since = g->wall;
		i->over = false;
		r->told = false;
	} else if (computed(i->kind) && i->count == count && id_equal(&i->other, &found->other) &&
		   strcmp(i->detail, found->detail) == 0) {
		return; /* as it was */
	}
	i->other = found->other;
	i->count = count;
	i->last = g->wall;
	text_copy(i->detail, sizeof(i->detail), found->detail);
	keep_proofs(r, found);
	r->news = true;
	core_deadline(g, r->told ? r->told_at + REFRESH_MS : g->now);
}

void issue_end(struct gossip *g, enum issue_kind kind, const struct id *subject)
{
	size_t at = find(g->issues, kind, subject);
	if (at < g->issues->count && !g->issues->rows[at]->issue.over)
		end(g, g->issues->rows[at]);
}

void issue_begin(struct gossip *g)
{
	for (size_t i = 0; i < g->issues->count; i++)
		g->issues->rows[i]->found = false;
}

void issue_settle(struct gossip *g)
{
	for (size_t i = 0; i < g->issues->count; i++) {
		struct row *r = g->issues->rows[i];
		if (computed(r->issue.kind) && !r->found && !r->issue.over)
			end(g, r);
	}
}

void issue_tick(struct gossip *g)
{
	struct issues *all = g->issues;
	if (all->count == 0)
		return;
	core_deadline(g, all->expire_at);
	if (g->now < all->expire_at)
		return;
	all->expire_at = g->now + EXPIRE_EVERY_MS;
	for (size_t i = 0; i < all->count; i++) {
		struct row *r = all->rows[i];
		wall_ms keep = r->issue.kind == ISSUE_BAD_SIGNATURES ? KEEP_LIAR_MS : KEEP_EVENT_MS;
		if (!computed(r->issue.kind) && !r->issue.over && g->wall > r->issue.last + keep)
			end(g, r);
	}
}

static bool due(const struct gossip *g, const struct row *r)
{
	return r->news && (!r->told || r->issue.over || g->now >= r->told_at + REFRESH_MS);
}

static void gone_add(struct issues *all, struct row *r)
{
	struct row **gone = realloc(all->gone, (all->gone_count + 1) * sizeof(struct row *));
	if (gone == NULL) {
		row_free(r);
		return;
	}
	all->gone = gone;
	all->gone[all->gone_count++] = r;
}

void issue_take(struct gossip *g, const struct issue **ret, size_t *ret_count)
{
	struct issues *all = g->issues;
	drop_gone(all);
	free(all->out);
	all->out = NULL;
	all->out_count = 0;
	mono_ms next = UINT64_MAX;
	for (size_t i = 0; i < all->count;) {
		struct row *r = all->rows[i];
		if (!due(g, r)) {
			if (r->news && r->told_at + REFRESH_MS < next)
				next = r->told_at + REFRESH_MS;
			i++;
			continue;
		}
		if (all->out == NULL)
			all->out = malloc(PER_STEP * sizeof *all->out);
		if (all->out == NULL || all->out_count == PER_STEP) {
			next = g->now;
			break;
		}
		bool over = r->issue.over;
		all->out[all->out_count++] = r->issue;
		r->told = true;
		r->told_at = g->now;
		r->news = false;
		if (over) {
			all->rows[i] = all->rows[--all->count];
			gone_add(all, r);
		} else {
			i++;
		}
	}
	if (next != UINT64_MAX)
		core_deadline(g, next);
	*ret = all->out;
	*ret_count = all->out_count;
}

enum err gossip_load_issue(struct gossip *g, const struct issue *issue)
{
	struct issues *all = g->issues;
	if (issue_kind_name(issue->kind) == NULL || issue->over)
		return ERR_FORMAT;
	if (find(all, issue->kind, &issue->subject) < all->count)
		return ERR_EXISTS;
	struct row *r = row_add(all, issue->kind);
	if (r == NULL)
		return ERR_LIMIT;
	r->issue = *issue;
	for (size_t i = 0; i < ISSUE_PROOFS; i++)
		r->issue.proof_len[i] = 0;
	keep_proofs(r, issue);
	r->told = true;
	r->told_at = g->now;
	return ERR_OK;
}
