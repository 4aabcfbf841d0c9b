/* One event in, one update out, carried out to its end before the next event. Reads are answered at once from
 * the replica (the filling batch included), which may bring further updates.
 *
 * When the seq file cannot be written (disk full) nothing is sent until it can: a number that is not reserved
 * must not be seen by others, or a crash could use it twice. Others see a node that lost its network. */
#include "node/driver.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "node/driver_load.h"
#include "node/seq.h"
#include "node/watch.h"
#include "os/clock.h"
#include "os/entropy.h"

#define SEQ_BLOCK        256
#define RESERVE_RETRY_MS 1000
#define ISSUES_HURRY_MS  10000
#define STAMPS_STATE     10 /* of so many, one brings the own state */
/* An answer can only bring further reads; a core that never ends is our own bug. */
#define ANSWER_ROUNDS 1000

struct driver {
	struct driver_options options;
	struct gossip *gossip;
	mono_ms deadline;
	mono_ms now;         /* of the event being carried out; never goes back */
	uint64_t reserve_to; /* not durable yet; 0: nothing */
	mono_ms reserve_retry;
	mono_ms issues_hurry_at; /* before it, news of issues are routine */
	struct watch watch;
	bool left;
	bool log_unsaved;            /* the file lacks entries that the core has */
	enum host_standing standing; /* as it was last told */
	uint64_t dropped_rows;
	uint64_t stamps;
	struct driver_load load;
	char error[ERR_TEXT_BYTES];
	/* Answers to the reads of one update, allocated when first needed. */
	uint8_t (*read_bytes)[LIMIT_RECORD_BYTES];
	size_t read_cap;
};

static mono_ms clock_now(struct driver *d)
{
	mono_ms now = os_clock_mono();
	if (now > d->now)
		d->now = now;
	return d->now;
}

/* 1. Reserve seq numbers. False while that is impossible. */
static bool carry_reserve(struct driver *d, uint64_t to)
{
	struct err_info info;
	if (to > d->reserve_to)
		d->reserve_to = to;
	if (d->reserve_to == 0)
		return true;
	if (to == 0 && d->now < d->reserve_retry)
		return false;
	if (seq_save(d->options.seq_path, d->reserve_to, &info) == ERR_OK) {
		if (d->error[0] != '\0')
			log_line(d->options.log, LOG_INFO, "seq numbers reserved again: sending goes on");
		d->reserve_to = 0;
		d->error[0] = '\0';
		return true;
	}
	if (strcmp(d->error, info.text) != 0)
		log_line(d->options.log, LOG_ERROR, "seq numbers not reserved, so nothing is sent: %s",
			 info.text);
	text_copy(d->error, sizeof(d->error), info.text);
	d->reserve_retry = d->now + RESERVE_RETRY_MS;
	return false;
}

/* 2. The core has appended to its log already; make it durable. */
static void carry_log(struct driver *d, size_t count)
{
	struct err_info info;
	if (count == 0)
		return;
	log_line(d->options.log, LOG_INFO, "authority log: %zu new entr%s", count, count == 1 ? "y" : "ies");
	d->log_unsaved =
	    authlog_save(d->options.credentials->log, d->options.authority_log_path, &info) != ERR_OK;
	if (d->log_unsaved)
		log_line(d->options.log, LOG_ERROR, "authority log not saved, will be pulled again: %s",
			 info.text);
}

static enum err put_record(struct driver *d, const void *row)
{
	const struct gossip_persist *p = row;
	return store_put_record(d->options.store, &p->key, p->bytes, p->len, p->received);
}

static enum err drop_record(struct driver *d, const void *row)
{
	return store_drop_record(d->options.store, row);
}

static enum err put_blob(struct driver *d, const void *row)
{
	const struct gossip_blob *b = row;
	return store_put_blob(d->options.store, &b->id, b->bytes, b->len);
}

static enum err put_host(struct driver *d, const void *row)
{
	return store_put_host_state(d->options.store, row);
}

static enum err put_site(struct driver *d, const void *row)
{
	return store_put_site_state(d->options.store, row);
}

static enum err put_operators(struct driver *d, const void *log)
{
	return store_put_operators(d->options.store, log);
}

static enum err put_issue(struct driver *d, const void *row)
{
	return store_put_issue(d->options.store, row);
}

/* A full batch is committed and the row tried once more. */
static void put(struct driver *d, bool urgent, enum err (*put_row)(struct driver *, const void *),
		const void *row)
{
	store_hurry(d->options.store, urgent);
	enum err err = put_row(d, row);
	if (err == ERR_LIMIT && committer_make_room(d->options.committer, d->now) == ERR_OK)
		err = put_row(d, row);
	if (err == ERR_OK)
		return;
	if (d->dropped_rows++ == 0)
		log_line(d->options.log, LOG_ERROR,
			 "row not kept in the replica, others will have to send it again: %s", err_text(err));
}

/* For the log of transitions, before what is learned next. */
static void mark(struct driver *d, enum store_mark what, wall_ms until)
{
	store_hurry(d->options.store, true);
	if (store_put_mark(d->options.store, what, until) == ERR_LIMIT &&
	    committer_make_room(d->options.committer, d->now) == ERR_OK)
		(void)store_put_mark(d->options.store, what, until);
	committer_note(d->options.committer, d->now, true);
}

/* Whether the update's issues are worth an urgent commit: what begins or ends is, but not every few seconds,
 * or whoever makes issues come and go makes disk writes of them. */
static bool hurry_issues(struct driver *d, const struct gossip_update *u)
{
	bool news = false;
	for (size_t i = 0; i < u->issue_count; i++)
		news = news || u->issues[i].over || u->issues[i].since == u->issues[i].last;
	if (!news || d->now < d->issues_hurry_at)
		return false;
	d->issues_hurry_at = d->now + ISSUES_HURRY_MS;
	return true;
}

/* Whose word counts must not lag behind what they say. */
static void carry_operators(struct driver *d)
{
	size_t pending = store_pending(d->options.store);
	put(d, true, put_operators, d->options.credentials->log);
	if (store_pending(d->options.store) != pending)
		committer_note(d->options.committer, d->now, true);
}

/* 3. Queue what the replica keeps. */
static void carry_rows(struct driver *d, const struct gossip_update *u)
{
	bool urgent = u->urgent, issues = hurry_issues(d, u);
	/* Blobs first: a record should not be found before what it names. */
	for (size_t i = 0; i < u->blob_count; i++)
		put(d, urgent, put_blob, &u->blobs[i]);
	for (size_t i = 0; i < u->record_count; i++) {
		bool own = u->records[i].urgency == GOSSIP_URGENT;
		put(d, urgent || own, put_record, &u->records[i]);
		if (own)
			committer_note(d->options.committer, d->now, true);
	}
	for (size_t i = 0; i < u->forgotten_count; i++)
		put(d, urgent, drop_record, &u->forgotten[i]);
	for (size_t i = 0; i < u->host_count; i++)
		put(d, urgent, put_host, &u->hosts[i]);
	for (size_t i = 0; i < u->site_count; i++)
		put(d, urgent, put_site, &u->sites[i]);
	for (size_t i = 0; i < u->issue_count; i++)
		put(d, issues, put_issue, &u->issues[i]);
	if (u->record_count + u->blob_count + u->host_count + u->site_count + u->issue_count > 0)
		committer_note(d->options.committer, d->now, urgent || issues);
}

/* 5. Answers to reads, in place in d->read_bytes. */
static enum err read_answers(struct driver *d, const struct gossip_update *u, struct gossip_answer *ret)
{
	if (u->read_count > d->read_cap) {
		void *grown = realloc(d->read_bytes, u->read_count * sizeof(d->read_bytes[0]));
		if (grown == NULL)
			return ERR_NOMEM;
		d->read_bytes = grown;
		d->read_cap = u->read_count;
	}
	for (size_t i = 0; i < u->read_count; i++) {
		const struct gossip_read *r = &u->reads[i];
		size_t len = 0;
		wall_ms received;
		enum err err =
		    r->type == GOSSIP_READ_RECORD
			? store_get_record(d->options.store, &r->key, d->read_bytes[i], &len, &received)
			: store_get_blob(d->options.store, &r->blob, d->read_bytes[i], &len);
		ret[i] = (struct gossip_answer){err == ERR_OK ? d->read_bytes[i] : NULL, len};
	}
	return ERR_OK;
}

/* Nobody talks to a host that may not take part, so nobody else will ever tell. */
static void tell_standing(struct driver *d)
{
	static const char *const lines[] = {
	    [STANDING_GOOD] = "this host takes part again",
	    [STANDING_GRACE] =
		"the grant of the issuer that enrolled this host has ended, its grace runs: extend "
		"it (mesh authority extend)",
	    [STANDING_QUARANTINED] =
		"this host was enrolled beyond its issuer's quota: it is shown, and has no "
		"say (mesh issues)",
	    [STANDING_ENDED] =
		"the grant of the issuer that enrolled this host and its grace have ended: no other "
		"node talks to it; extend the grant (mesh authority extend)",
	    [STANDING_REVOKED] =
		"the authority has revoked this host, or who enrolled it: no other node talks to "
		"it; if the machine is yours, enrol it anew in an empty folder (mesh enroll)",
	};
	enum host_standing now = gossip_standing(d->gossip);
	if (now == d->standing)
		return;
	d->standing = now;
	log_line(d->options.log,
		 now == STANDING_GOOD                               ? LOG_INFO
		 : now == STANDING_REVOKED || now == STANDING_ENDED ? LOG_ERROR
								    : LOG_WARN,
		 "%s", lines[now]);
}

static void carry_out(struct driver *d, const struct gossip_update *u)
{
	bool may_send = carry_reserve(d, u->reserve_seq_to);
	carry_log(d, u->log_entry_count);
	if (u->log_entry_count > 0)
		carry_operators(d);
	carry_rows(d, u);
	for (size_t i = 0; may_send && i < u->datagram_count; i++)
		udp_send(d->options.udp, &u->datagrams[i].to, u->datagrams[i].bytes, u->datagrams[i].len);
	d->deadline = u->deadline;
	tell_standing(d);
}

static enum err step(struct driver *d, struct gossip_event *event)
{
	struct gossip_update update;
	struct gossip_answer *answers = NULL;
	CHECK(!d->left);
	event->now = clock_now(d);
	event->wall = os_clock_wall();
	wall_ms until;
	if (watch_wake(&d->watch, event->now, event->wall, d->deadline, &until))
		mark(d, STORE_MARK_PAUSE, until);
	mono_ms heard = gossip_heard(d->gossip);
	bool deaf = event->now - heard > WATCH_DEAF_MS && gossip_expects(d->gossip);
	enum err err = gossip_step(d->gossip, event, &update);
	if (err != ERR_OK)
		return err;
	/* What others did meanwhile, this node did not see. */
	if (deaf && gossip_heard(d->gossip) != heard)
		mark(d, STORE_MARK_PAUSE, event->wall - (event->now - heard));
	carry_out(d, &update);
	for (int round = 0; update.read_count > 0; round++) {
		CHECK(round < ANSWER_ROUNDS);
		void *grown = realloc(answers, update.read_count * sizeof(*answers));
		if (grown == NULL)
			break;
		answers = grown;
		if (read_answers(d, &update, answers) != ERR_OK)
			break;
		struct gossip_event reply = {
		    .type = GOSSIP_ANSWERS,
		    .now = event->now,
		    .wall = event->wall,
		    .answers = {.answers = answers, .count = update.read_count},
		};
		if (gossip_step(d->gossip, &reply, &update) != ERR_OK)
			break;
		carry_out(d, &update);
	}
	free(answers);
	return ERR_OK;
}

/* Steps that only fail for want of memory: try again soon. */
static void step_or_retry(struct driver *d, struct gossip_event *event)
{
	enum err err = step(d, event);
	if (err == ERR_OK)
		return;
	log_line(d->options.log, LOG_ERROR, "protocol step failed: %s", err_text(err));
	d->deadline = d->now + CLOCK_SECOND_MS;
}

mono_ms driver_due(const struct driver *d)
{
	return d->left ? UINT64_MAX : d->deadline;
}

void driver_tick(struct driver *d, mono_ms now)
{
	if (now < driver_due(d))
		return;
	struct gossip_event event = {.type = GOSSIP_TICK};
	step_or_retry(d, &event);
}

bool driver_datagram(struct driver *d, const struct address *from, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_DATAGRAM, .datagram = {*from, bytes, len}};
	if (d->left || !gossip_admits(d->gossip, bytes, len))
		return false;
	step_or_retry(d, &event);
	return true;
}

enum err driver_publish(struct driver *d, uint8_t kind, enum gossip_urgency urgency, const uint8_t *body,
			size_t len)
{
	struct gossip_event event = {.type = GOSSIP_LOCAL, .local = {kind, urgency, body, len}};
	return step(d, &event);
}

enum err driver_publish_blob(struct driver *d, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_BLOB, .blob = {bytes, len}};
	return step(d, &event);
}

enum err driver_log(struct driver *d, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_LOG, .log = {bytes, len}};
	enum err err = d->left ? ERR_BUSY : step(d, &event);
	return err == ERR_OK && d->log_unsaved ? ERR_IO : err;
}

enum err driver_submit(struct driver *d, const uint8_t *bytes, size_t len)
{
	struct gossip_event event = {.type = GOSSIP_SUBMIT, .submit = {bytes, len}};
	return d->left ? ERR_BUSY : step(d, &event);
}

void driver_drill(struct driver *d, const char *site, bool cut)
{
	struct gossip_event event = {.type = GOSSIP_DRILL, .drill = {.cut = cut}};
	text_copy(event.drill.site, sizeof(event.drill.site), site);
	step_or_retry(d, &event);
}

void driver_leave(struct driver *d, enum goodbye_reason reason)
{
	struct gossip_event event = {.type = GOSSIP_LEAVE, .leave = {reason}};
	struct gossip_update update;
	event.now = clock_now(d);
	event.wall = os_clock_wall();
	enum err err = gossip_step(d->gossip, &event, &update);
	d->left = true;
	mark(d, STORE_MARK_STOP, 0);
	if (err != ERR_OK) {
		log_line(d->options.log, LOG_WARN, "left without a goodbye: %s", err_text(err));
		return;
	}
	carry_out(d, &update);
	/* Nobody will ask again for a goodbye that was lost: say it twice. */
	for (size_t i = 0; d->reserve_to == 0 && i < update.datagram_count; i++)
		udp_send(d->options.udp, &update.datagrams[i].to, update.datagrams[i].bytes,
			 update.datagrams[i].len);
}

size_t driver_forget_blobs(struct driver *d, struct id *blobs, size_t count)
{
	return d->left ? 0 : gossip_forget_blobs(d->gossip, blobs, count);
}

void driver_stamp(struct driver *d)
{
	struct host_state state;
	const struct credentials *c = d->options.credentials;
	/* A commit without rows writes half the pages of one with the own state, and there are 2,000 a day.
	 */
	if (d->stamps++ % STAMPS_STATE == 0 && gossip_host_state(d->gossip, identity_id(c->identity), &state))
		put(d, true, put_host, &state);
	store_stamp(d->options.store);
	committer_note(d->options.committer, clock_now(d), true);
}

const struct gossip *driver_gossip(const struct driver *d)
{
	return d->gossip;
}

const char *driver_error(const struct driver *d)
{
	return d->error;
}

const struct driver_load *driver_load_report(const struct driver *d)
{
	return &d->load;
}

/* Numbers in hand from the start, so that the first record waits for nothing. */
static enum err find_seq(const struct driver_options *o, struct driver_load *load, struct err_info *info)
{
	uint64_t reserved = 0;
	uint64_t highest = driver_load_highest(o->store, identity_id(o->credentials->identity));
	enum err err = seq_load(o->seq_path, &reserved, info);
	if (err != ERR_OK && err != ERR_NOT_FOUND && err != ERR_CHECKSUM)
		return err;
	load->seq_start =
	    seq_start(err, reserved, o->credentials->certificate.seq, highest, &load->seq_jumped);
	if (load->seq_jumped)
		log_line(o->log, LOG_WARN,
			 "seq file is %s: going on from %" PRIu64 ", %u beyond the replica's highest",
			 err == ERR_OK          ? "older than the replica"
			 : err == ERR_NOT_FOUND ? "lost"
						: "damaged",
			 load->seq_start, SEQ_JUMP);
	return seq_save(o->seq_path, load->seq_start + SEQ_BLOCK, info);
}

enum err driver_new(const struct driver_options *options, struct driver **ret, struct err_info *info)
{
	struct driver *d = calloc(1, sizeof(*d));
	if (d == NULL)
		return err_set(info, ERR_NOMEM, "out of memory");
	d->options = *options;
	enum err err = find_seq(options, &d->load, info);
	const struct credentials *c = options->credentials;
	struct gossip_options o = {
	    .identity = c->identity,
	    .certificate = c->certificate_bytes,
	    .certificate_len = c->certificate_len,
	    .log = c->log,
	    .keys = c->keys,
	    .rng = crypto_rng_system(),
	    .prng_seed = os_entropy_seed(),
	    .instance = options->instance,
	    .applying = options->poison->applying,
	    .poison = options->poison->ids,
	    .poison_count = options->poison->count,
	    .seq_next = d->load.seq_start,
	    .seq_reserved = d->load.seq_start + SEQ_BLOCK,
	    .seeds = options->seeds,
	    .seed_count = options->seed_count,
	    .now = clock_now(d),
	    .wall = os_clock_wall(),
	    .timing = gossip_timing_default(),
	};
	if (err == ERR_OK) {
		err = gossip_new(&o, &d->gossip);
		if (err != ERR_OK)
			err_set(info, err, "this host's certificate is not accepted: %s", err_text(err));
	}
	if (err == ERR_OK)
		err = driver_load_replica(options->store, c->log, d->gossip, &d->load, info);
	if (err != ERR_OK) {
		driver_free(d);
		return err;
	}
	carry_operators(d);
	mark(d, STORE_MARK_START, 0);
	d->deadline = d->now;
	*ret = d;
	return ERR_OK;
}

void driver_free(struct driver *d)
{
	if (d == NULL)
		return;
	gossip_free(d->gossip);
	free(d->read_bytes);
	free(d);
}
