/* Roll-calls: what the witnesses of each site signed last, by turns, and the site's state. */
#include <stdlib.h>

#include "crypto/hash.h"
#include "gossip/set.h"
#include "tests/estate/write.h"

static enum rollcall_state state_of(const struct host *h, wall_ms at)
{
	if (h->fate == FATE_NEVER_HEARD || h->enrolled > at)
		return ROLLCALL_UNKNOWN;
	if (host_alive(h, at))
		return ROLLCALL_ANSWERS;
	if (h->fate == FATE_ASLEEP)
		return ROLLCALL_ASLEEP;
	if (h->fate == FATE_STOPPED)
		return ROLLCALL_STOPPED;
	/* Not missed yet. */
	return host_alive(h, at - WITNESS_DETECT_MS) ? ROLLCALL_ANSWERS : ROLLCALL_NO_ANSWER;
}

static void fill(const struct estate *e, const struct site *s, size_t part, wall_ms at, struct rollcall *r)
{
	size_t first = part * LIMIT_ROLLCALL_HOSTS, left = s->count - first;
	r->state_count = left < LIMIT_ROLLCALL_HOSTS ? left : LIMIT_ROLLCALL_HOSTS;
	for (size_t i = 0; i < r->state_count; i++) {
		const struct host *h = &e->hosts[s->members[first + i]];
		r->states[i] = (uint8_t)state_of(h, at);
		if (r->states[i] != ROLLCALL_NO_ANSWER || r->no_answer_count == LIMIT_ROLLCALL_SINCE)
			continue;
		wall_ms since = h->died_again != 0 && h->died_again < at ? h->died_again : h->died;
		r->no_answer[r->no_answer_count].index = (uint32_t)(first + i);
		r->no_answer[r->no_answer_count++].since_s = since / CLOCK_SECOND_MS + 2;
	}
}

static enum err sign(struct estate *e, struct site *s, struct host *signer, wall_ms at, struct rollcall *r)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	enum err err = ERR_OK;
	for (size_t part = 0; part < r->parts && err == ERR_OK; part++) {
		struct signed_record record = {.received = at,
					       .key = {.kind = RECORD_ROLLCALL,
						       .writer = signer->id,
						       .subject = s->state.site,
						       .slot = part}};
		r->no_answer_count = 0;
		fill(e, s, part, at, r);
		err = rollcall_encode(r, body, &len);
		if (err == ERR_OK)
			err =
			    record_sign(&record.key, ++signer->seq, draw_mix(signer->booted, signer->number),
					at, body, len, &e->id, signer->identity, record.bytes, &record.len);
		if (err == ERR_OK)
			err = write_record(e, &record, SET_PARTITION_SITE);
	}
	return err;
}

static enum err roster_hash(const struct estate *e, const struct site *s, uint64_t *ret)
{
	struct id *ids = malloc((s->count + 1) * sizeof(*ids));
	if (ids == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->count; i++)
		ids[i] = e->hosts[s->members[i]].id;
	*ret = hash_u64("mesh.roster", ids, s->count * sizeof(*ids));
	free(ids);
	return ERR_OK;
}

static enum err sign_all(struct estate *e, struct site *s)
{
	size_t live[LIMIT_WITNESSES], count = witness_live(e, s, s->state.last_rollcall, live);
	uint64_t roster;
	enum err err = roster_hash(e, s, &roster);
	if (err != ERR_OK)
		return err;
	struct rollcall r = {.parts =
				 (uint32_t)((s->count + LIMIT_ROLLCALL_HOSTS - 1) / LIMIT_ROLLCALL_HOSTS),
			     .roster_hash = roster,
			     .roster_count = (uint32_t)s->count,
			     .live_witnesses = (uint32_t)count,
			     .interval_s = s->state.interval_s};
	set_children(e->set, id_short(&s->state.site), r.trie);
	for (size_t i = 0; i < count && err == ERR_OK; i++) {
		wall_ms at = s->state.last_rollcall - i * witness_interval_ms(e, s);
		/* In quiet times they take turns; what changed each of them tells at once. */
		err = sign(e, s, &e->hosts[live[i]], at < s->changed ? s->changed : at, &r);
	}
	return err;
}

static enum err put_first(struct estate *e, const struct site *s)
{
	struct site_state first = history_first_site(e, s);
	return store_put_site_state(e->store, &first);
}

enum err rollcall_write(struct estate *e)
{
	enum err err = ERR_OK;
	for (size_t i = 0; i < e->o->sites && err == ERR_OK; i++) {
		err = sign_all(e, &e->sites[i]);
		if (err == ERR_OK)
			err = write_room(e);
		if (err == ERR_OK)
			err = put_first(e, &e->sites[i]);
	}
	return err;
}
