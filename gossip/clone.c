/* One key in two places, as others notice it, and clocks that are off.
 *
 * Happy path: a host's records and PINGs name the boot they are of; a boot follows another, and none comes
 * back. Two records of one key and seq are proof by themselves: both are kept in the issue, and the one with
 * the lower id stands. Fails: a boot that comes back after another is a clone (or a machine put back to a
 * snapshot of its memory). The held record of a fork cannot be read: the fork is told without proof.
 * Likewise its exchange keys, which hellos prove. A clock is judged by what was pushed just now; where most
 * of those heard seem off, it is the own one. */
#include "gossip/clone.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "gossip/issue.h"

#define ELSEWHERE    16
#define FORKS        8     /* whose other record is being read */
#define SETTLED_MS   10000 /* what comes from a former boot within it was on its way */
#define CLOCK_OFF_MS (5 * CLOCK_MINUTE_MS)
#define CLOCKS_MIN   3 /* heard, before they are believed more than the own one */
#define SEQ_ODD      (1ull << 62)

struct fork {
	uint8_t *bytes;
	size_t len;
};

/* Where one was last that proved another exchange key than the host that answers. */
struct elsewhere {
	struct id host;
	struct address at;
};

struct clone {
	struct fork forks[FORKS];
	struct elsewhere elsewhere[ELSEWHERE]; /* by the id's first byte: the last of them stays */
	uint32_t next;
	uint64_t proved; /* id of the record at the gate once more */
};

void clone_free(struct gossip *g)
{
	for (size_t i = 0; g->clone != NULL && i < FORKS; i++)
		free(g->clone->forks[i].bytes);
	free(g->clone);
	g->clone = NULL;
}

/* --- two boots at once --- */

static void raise_cloned(struct gossip *g, const struct member *m, uint64_t one, uint64_t other,
			 const struct address *at)
{
	struct issue issue = {.kind = ISSUE_CLONED, .subject = m->id};
	char here[64] = "", there[64] = "";
	if (at != NULL)
		address_text(at, here);
	if (m->address.ip_len != 0)
		address_text(&m->address, there);
	snprintf(issue.detail, sizeof(issue.detail), "%016" PRIx64 "%s%.20s, %016" PRIx64 "%s%.20s", one,
		 here[0] != '\0' ? " at " : "", here, other, there[0] != '\0' ? " at " : "", there);
	issue_raise(g, &issue);
}

static struct clone *clone_of(struct gossip *g)
{
	if (g->clone == NULL)
		g->clone = calloc(1, sizeof *g->clone);
	return g->clone;
}

static struct elsewhere *elsewhere_of(struct gossip *g, const struct member *m)
{
	struct clone *c = clone_of(g);
	return c == NULL ? NULL : &c->elsewhere[m->id.b[0] % ELSEWHERE];
}

static void raise_key(struct gossip *g, const struct member *m, uint32_t key, const struct address *from)
{
	struct issue issue = {.kind = ISSUE_CLONED, .subject = m->id};
	const struct elsewhere *e = elsewhere_of(g, m);
	char here[64], there[64] = "not known where";
	address_text(from, here);
	if (e != NULL && id_equal(&e->host, &m->id) && !address_equal(&e->at, from))
		address_text(&e->at, there);
	else if (m->address.ip_len != 0 && !address_equal(&m->address, from))
		address_text(&m->address, there);
	snprintf(issue.detail, sizeof(issue.detail), "key %08" PRIx32 ": %.47s, another: %.47s", key, here,
		 there);
	issue_raise(g, &issue);
}

void member_instance(struct gossip *g, struct member *m, uint64_t instance, const struct address *from)
{
	if (instance == 0 || instance == m->ping_instance)
		return;
	if (instance == m->ping_before && g->now >= m->ping_changed_at + SETTLED_MS)
		raise_cloned(g, m, instance, m->ping_instance, from);
	m->ping_before = m->ping_instance;
	m->ping_instance = instance;
	m->ping_changed_at = g->now;
}

/* Exchange keys are made at each start and never come back: one that was used after another took its place is
 * of a second machine. Of many copies each hello looks like a restart, so that the one that answers where it
 * is asked is the measure for all others. */
void clone_on_key(struct gossip *g, struct member *m, const uint8_t *key, mono_ms made_after, bool answered,
		  const struct address *from)
{
	struct reader r = reader_of(key, KEY_BYTES);
	uint32_t mark = reader_u32(&r) | 1;
	bool other = mark != m->key, later = made_after > m->key_at;
	struct elsewhere *e;

	if (other ? mark == m->key_before && later : m->key_other_at != 0 && made_after > m->key_other_at)
		raise_key(g, m, mark, from);
	if (other && (answered || m->key == 0)) {
		m->key_before = m->key;
		m->key = mark;
		m->key_at = g->now;
		m->key_other_at = 0;
	} else if (other && later) {
		m->key_other_at = g->now;
		e = elsewhere_of(g, m);
		if (e != NULL)
			*e = (struct elsewhere){m->id, *from};
	}
}

static void record_instance(struct gossip *g, struct member *m, const struct record *r)
{
	if (r->seq > SEQ_ODD) {
		struct issue issue = {.kind = ISSUE_CLONED, .subject = m->id};
		snprintf(issue.detail, sizeof(issue.detail), "its counter stands at %" PRIu64, r->seq);
		issue_raise(g, &issue);
	}
	if (r->seq <= m->seq_max || r->instance == m->instance)
		return;
	/* Seqs rise, so none of this was late on its way. */
	if (m->instance_before != 0 && r->instance == m->instance_before)
		raise_cloned(g, m, r->instance, m->instance, NULL);
	m->instance_before = m->instance;
}

/* --- clocks --- */

static void raise_clock(struct gossip *g, const struct member *m)
{
	struct issue issue = {.kind = ISSUE_CLOCK_OFF, .subject = m->id, .count = 1};
	if (m == g->self)
		snprintf(issue.detail, sizeof(issue.detail), "most hosts heard are off against it");
	else
		snprintf(issue.detail, sizeof(issue.detail), "%" PRId64 " s", m->clock_gap_s);
	issue_raise(g, &issue);
}

static void judge_clocks(struct gossip *g)
{
	size_t fine = 0, off = 0;
	for (size_t i = 0; i < g->members.count; i++) {
		fine += g->members.hosts[i]->clock == CORE_CLOCK_FINE;
		off += g->members.hosts[i]->clock == CORE_CLOCK_OFF;
	}
	bool own = off > fine && off + fine >= CLOCKS_MIN;
	for (size_t i = 0; i < g->members.count; i++) {
		const struct member *m = g->members.hosts[i];
		bool wrong = m == g->self ? own : m->clock == CORE_CLOCK_OFF && !own;
		if (wrong && !issue_open(g, ISSUE_CLOCK_OFF, &m->id))
			raise_clock(g, m);
		else if (!wrong && (m == g->self || m->clock != CORE_CLOCK_UNKNOWN))
			issue_end(g, ISSUE_CLOCK_OFF, &m->id);
	}
}

static void record_clock(struct gossip *g, struct member *m, const struct record *r)
{
	int64_t gap = (int64_t)(r->time < INT64_MAX / 2 ? r->time : INT64_MAX / 2) - (int64_t)g->wall;
	bool off = gap > (int64_t)CLOCK_OFF_MS || gap < -(int64_t)CLOCK_OFF_MS;
	enum core_clock clock = off ? CORE_CLOCK_OFF : CORE_CLOCK_FINE;
	m->clock_gap_s = gap / (int64_t)CLOCK_SECOND_MS;
	enum core_clock before = m->clock;
	m->clock = clock;
	/* One more that is right takes back what is said of the own clock, or nothing: most hosts are met
	 * like this. */
	bool right = before == CORE_CLOCK_UNKNOWN && !off && !issue_open(g, ISSUE_CLOCK_OFF, &g->self->id);
	if (before != clock && !right)
		judge_clocks(g);
}

void clone_on_record(struct gossip *g, struct member *m, const struct record *r, bool fresh)
{
	record_instance(g, m, r);
	if (fresh && m != g->self)
		record_clock(g, m, r);
}

/* --- two records of one order --- */

static void raise_fork(struct gossip *g, const struct record *r, const uint8_t *held, size_t len)
{
	struct issue issue = {.kind = ISSUE_EQUIVOCATION,
			      .subject = r->key.writer,
			      .proof = {held, r->bytes},
			      .proof_len = {len, r->len}};
	snprintf(issue.detail, sizeof(issue.detail), "kind %u, counter %" PRIu64, r->key.kind, r->seq);
	issue_raise(g, &issue);
	if (!id_equal(&r->key.writer, &g->self->id))
		return;
	/* One of the two is its own. */
	g->cloned = true;
	issue.kind = ISSUE_CLONED;
	issue.proof_len[0] = issue.proof_len[1] = 0;
	issue_raise(g, &issue);
}

static void on_read(struct gossip *g, const struct core_read *read, const uint8_t *bytes, size_t len)
{
	struct fork f = g->clone->forks[read->note];
	struct record r;
	if (f.bytes == NULL)
		return;
	g->clone->forks[read->note].bytes = NULL;
	if (record_parse(f.bytes, f.len, &r) == ERR_OK) {
		raise_fork(g, &r, bytes, bytes == NULL ? 0 : len);
		g->clone->proved = record_id(g->keys.set_key, f.bytes, f.len);
		(void)core_accept_record(g, f.bytes, f.len, NULL, CORE_HOPS_PULLED);
		g->clone->proved = 0;
	}
	free(f.bytes);
}

bool clone_unproved(const struct gossip *g, const struct record *r, uint64_t id)
{
	return (g->clone == NULL || g->clone->proved != id) &&
	       !issue_open(g, ISSUE_EQUIVOCATION, &r->key.writer);
}

bool clone_forked(struct gossip *g, const struct record *r, uint64_t id)
{
	if (!clone_unproved(g, r, id))
		return false;
	uint8_t *copy = clone_of(g) == NULL ? NULL : malloc(r->len);
	if (copy == NULL)
		return true; /* it comes again */
	uint32_t at = g->clone->next++ % FORKS;
	struct core_read read = {.type = GOSSIP_READ_RECORD, .key = r->key, .done = on_read, .note = at};
	if (!core_read(g, &read)) {
		free(copy);
		return true; /* it comes again */
	}
	memcpy(copy, r->bytes, r->len);
	free(g->clone->forks[at].bytes);
	g->clone->forks[at] = (struct fork){copy, r->len};
	return true;
}
