/* What the verbs of node/control.h do. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mp.h"
#include "base/text.h"
#include "node/control_operator.h"
#include "node/meshd.h"
#include "os/clock.h"
#include "os/process.h"

#define STATUS_BYTES                          4096
#define PEER_BYTES                            256 /* at most, encoded */
#define GRANT_WARN_DAYS                       30
#define PEERS_HEAD                            16
#define PEERS_MAX                             ((LIMIT_CONTROL_REPLY_BYTES - 1024) / PEER_BYTES)
#define DRILL_TEXT                            (MESHD_DRILL_SITES * (LIMIT_SITE_NAME_BYTES + 2) + 8)
#define STATUS_COUNT(symbol, key, name, type) +1
#define PEER_COUNT(symbol, key, name, type)   +1

static void put_u(struct mp_writer *w, uint64_t key, uint64_t value)
{
	mp_put_u64(w, key);
	mp_put_u64(w, value);
}

static void put_s(struct mp_writer *w, uint64_t key, const char *value)
{
	mp_put_u64(w, key);
	mp_put_str(w, value);
}

static void put_b(struct mp_writer *w, uint64_t key, bool value)
{
	mp_put_u64(w, key);
	mp_put_bool(w, value);
}

static void drill_text(const struct meshd *m, char ret[DRILL_TEXT])
{
	size_t len = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < m->drill_count; i++)
		len += (size_t)snprintf(ret + len, DRILL_TEXT - len, "%s%s", i > 0 ? ", " : "", m->drill[i]);
}

static uint64_t dropped(const struct gossip_counters *c)
{
	return c->dropped_short + c->dropped_version + c->dropped_mac + c->dropped_source + c->dropped_seal +
	       c->dropped_schema + c->dropped_rate + c->dropped_drill + c->dropped_replay;
}

/* Who the node is and where. */
static void put_identity(struct mp_writer *w, const struct meshd *m, const struct gossip_status *s)
{
	char text[64];
	struct address address;
	id_hex(&s->host, text);
	put_s(w, CONTROL_STATUS_HOST, text);
	id_hex(&s->estate, text);
	put_s(w, CONTROL_STATUS_ESTATE, text);
	put_s(w, CONTROL_STATUS_ESTATE_NAME, authlog_estate_name(m->state.credentials.log));
	put_s(w, CONTROL_STATUS_SITE, s->site);
	put_s(w, CONTROL_STATUS_VERSION, MESH_VERSION);
	put_u(w, CONTROL_STATUS_PID, os_process_id());
	put_u(w, CONTROL_STATUS_UPTIME_S, (os_clock_mono() - m->started) / CLOCK_SECOND_MS);
	udp_address(m->udp, &address);
	address_text(&address, text);
	put_s(w, CONTROL_STATUS_LISTEN, text);
}

/* What it holds and which part it plays. */
static void put_set(struct mp_writer *w, const struct gossip_status *s)
{
	char root[17];
	put_u(w, CONTROL_STATUS_HOSTS, s->hosts);
	put_u(w, CONTROL_STATUS_SITES, s->sites);
	put_u(w, CONTROL_STATUS_RECORDS, s->records);
	put_u(w, CONTROL_STATUS_BLOBS_WANTED, s->blobs_wanted);
	put_u(w, CONTROL_STATUS_SESSIONS, s->sessions);
	put_b(w, CONTROL_STATUS_WITNESS, s->witness);
	put_b(w, CONTROL_STATUS_BRIDGE, s->bridge);
	put_b(w, CONTROL_STATUS_CLONED, s->cloned);
	put_u(w, CONTROL_STATUS_LOG_INDEX, s->log_head.index);
	snprintf(root, sizeof(root), "%016" PRIx64, s->estate_root);
	put_s(w, CONTROL_STATUS_ESTATE_ROOT, root);
}

/* How far its authority log goes, and how long its own certificate holds. */
static void put_trust(struct mp_writer *w, const struct meshd *m, const struct gossip_status *s)
{
	char hash[17];
	const struct authlog *log = m->state.credentials.log;
	const struct authlog_grant *grant = authlog_find_grant(log, &m->state.credentials.certificate.issuer);
	wall_day today = clock_day(os_clock_wall()), newest = authlog_day(log);
	if (newest > today)
		today = newest;
	snprintf(hash, sizeof(hash), "%016" PRIx64, s->log_head.hash);
	put_s(w, CONTROL_STATUS_LOG_HASH, hash);
	put_s(w, CONTROL_STATUS_GRANT_ISSUER, grant != NULL ? grant->name : "");
	mp_put_u64(w, CONTROL_STATUS_GRANT_DAYS_LEFT);
	if (grant != NULL && !grant->revoked)
		mp_put_i64(w, (int64_t)grant->last_day - (int64_t)today);
	else
		mp_put_str(w, "revoked");
	put_u(w, CONTROL_STATUS_GRANT_GRACE_DAYS, grant != NULL ? grant->grace_days : 0);
	put_b(w, CONTROL_STATUS_LOG_FORKED, authlog_forked(log));
	uint64_t ending = 0;
	for (size_t i = 0; (grant = authlog_grant_at(log, i)) != NULL; i++)
		ending += !grant->revoked && grant->last_day <= today + GRANT_WARN_DAYS &&
			  grant->last_day + grant->grace_days >= today;
	put_u(w, CONTROL_STATUS_GRANTS_ENDING, ending);
	put_s(w, CONTROL_STATUS_STANDING, host_standing_name(gossip_standing(driver_gossip(m->driver))));
}

/* What it costs and what went wrong. */
static void put_health(struct mp_writer *w, const struct meshd *m, const struct gossip_status *s)
{
	struct os_usage usage = {0};
	char drill[DRILL_TEXT];
	const char *error = driver_error(m->driver);
	drill_text(m, drill);
	/* Zeroes where the system does not tell. */
	(void)os_process_usage(&usage);
	put_u(w, CONTROL_STATUS_BYTES_IN, s->counters.bytes_in);
	put_u(w, CONTROL_STATUS_BYTES_OUT, s->counters.bytes_out);
	put_u(w, CONTROL_STATUS_DATAGRAMS_IN, s->counters.datagrams_in);
	put_u(w, CONTROL_STATUS_DATAGRAMS_OUT, s->counters.datagrams_out);
	put_u(w, CONTROL_STATUS_DROPPED, dropped(&s->counters) + udp_counters(m->udp).too_long);
	put_u(w, CONTROL_STATUS_BAD_SIGNATURES, s->counters.records_bad_signature);
	put_u(w, CONTROL_STATUS_LAST_COMMIT_MS, committer_last(m->committer));
	put_s(w, CONTROL_STATUS_STORE_ERROR, *error != '\0' ? error : committer_error(m->committer));
	put_s(w, CONTROL_STATUS_DRILL, drill);
	put_u(w, CONTROL_STATUS_SEQ_NEXT, s->seq_next);
	put_u(w, CONTROL_STATUS_RSS_KIB, usage.rss_kib);
	put_u(w, CONTROL_STATUS_PRIVATE_KIB, usage.private_kib);
	put_u(w, CONTROL_STATUS_CPU_US, usage.cpu_us);
	put_u(w, CONTROL_STATUS_FOREIGN, s->counters.dropped_mac);
}

static void put_budget(struct mp_writer *w, const struct gossip_counters *c)
{
	const uint64_t *sent = c->sent;
	uint64_t held = 0;
	for (size_t i = 0; i < GOSSIP_CLASS_COUNT; i++)
		held += c->held_back[i];
	put_u(w, CONTROL_STATUS_SENT_LIVENESS,
	      sent[GOSSIP_CLASS_PROBE] + sent[GOSSIP_CLASS_ANSWER] + sent[GOSSIP_CLASS_HELLO]);
	put_u(w, CONTROL_STATUS_SENT_LOG, sent[GOSSIP_CLASS_LOG]);
	put_u(w, CONTROL_STATUS_SENT_URGENT, sent[GOSSIP_CLASS_URGENT]);
	put_u(w, CONTROL_STATUS_SENT_ROUTINE, sent[GOSSIP_CLASS_NEWS] + sent[GOSSIP_CLASS_ROUTINE]);
	put_u(w, CONTROL_STATUS_SENT_CATCH_UP, sent[GOSSIP_CLASS_CATCH_UP]);
	put_u(w, CONTROL_STATUS_HELD_BACK, held);
}

/* How sets of others were compared with this node's. */
static void put_reconciling(struct mp_writer *w, const struct gossip_counters *c)
{
	put_u(w, CONTROL_STATUS_SKETCHES_ASKED, c->sketches_asked);
	put_u(w, CONTROL_STATUS_SKETCHES_DECODED, c->sketches_decoded);
	put_u(w, CONTROL_STATUS_SKETCHES_FAILED, c->sketches_failed);
	put_u(w, CONTROL_STATUS_SKETCHES_BEYOND, c->sketches_beyond);
	put_u(w, CONTROL_STATUS_SKETCHES_REFUSED, c->sketches_refused);
	put_u(w, CONTROL_STATUS_WALKS, c->walks_started);
}

/* What others sent that was not taken, by the first thing that was wrong with it. */
static void put_refused(struct mp_writer *w, const struct meshd *m, const struct gossip_counters *c)
{
	put_u(w, CONTROL_STATUS_REFUSED_SHORT, c->dropped_short);
	put_u(w, CONTROL_STATUS_REFUSED_LONG, udp_counters(m->udp).too_long);
	put_u(w, CONTROL_STATUS_REFUSED_VERSION, c->dropped_version);
	put_u(w, CONTROL_STATUS_REFUSED_SOURCE, c->dropped_source);
	put_u(w, CONTROL_STATUS_REFUSED_SEAL, c->dropped_seal);
	put_u(w, CONTROL_STATUS_REFUSED_SCHEMA, c->dropped_schema);
	put_u(w, CONTROL_STATUS_REFUSED_RATE, c->dropped_rate);
	put_u(w, CONTROL_STATUS_REFUSED_REPLAY, c->dropped_replay);
	put_u(w, CONTROL_STATUS_RECORDS_UNTRUSTED, c->records_untrusted);
	put_u(w, CONTROL_STATUS_RECORDS_FORKED, c->records_forked);
	put_u(w, CONTROL_STATUS_BLOBS_REFUSED, c->blobs_refused);
	put_u(w, CONTROL_STATUS_BLOBS_GIVEN_UP, c->blobs_given_up);
	put_u(w, CONTROL_STATUS_WALKS_GIVEN_UP, c->walks_given_up);
}

static void put_replica(struct mp_writer *w, const struct store_stats *s)
{
	put_u(w, CONTROL_STATUS_REPLICA_BYTES, s->file_bytes);
	put_u(w, CONTROL_STATUS_READER_PID, s->reader.pid);
	put_u(w, CONTROL_STATUS_READER_SINCE_MS, s->reader.since);
	put_u(w, CONTROL_STATUS_READER_COMMITS, s->reader.commits);
}

static void put_damage(struct mp_writer *w, const struct store_stats *s)
{
	put_u(w, CONTROL_STATUS_DAMAGED, s->damaged);
	put_u(w, CONTROL_STATUS_REBUILT, s->rebuilt);
	put_u(w, CONTROL_STATUS_NO_ROOM, s->refused);
}

static void put_vain(struct mp_writer *w, const struct gossip_counters *c)
{
	put_u(w, CONTROL_STATUS_BLOBS_WRONG, c->blobs_wrong);
	put_u(w, CONTROL_STATUS_EXCHANGES_VAIN, c->exchanges_vain);
	put_u(w, CONTROL_STATUS_PULLS_GIVEN_UP, c->pulls_given_up);
	put_u(w, CONTROL_STATUS_RECORDS_ORPHAN, c->records_orphan);
	put_u(w, CONTROL_STATUS_REFUSED_DRILL, c->dropped_drill);
}

static void verb_status(struct meshd *m, struct control_call *call)
{
	uint8_t body[STATUS_BYTES];
	struct mp_writer w;
	struct gossip_status s;
	struct store_stats stats;
	gossip_status(driver_gossip(m->driver), &s);
	store_stats(m->store, &stats);
	mp_writer_init(&w, body, sizeof(body));
	mp_put_map(&w, 0 CONTROL_STATUS_TABLE(STATUS_COUNT));
	put_identity(&w, m, &s);
	put_set(&w, &s);
	put_health(&w, m, &s);
	put_trust(&w, m, &s);
	put_reconciling(&w, &s.counters);
	put_u(&w, CONTROL_STATUS_SWEPT, stats.swept);
	put_budget(&w, &s.counters);
	put_replica(&w, &stats);
	put_refused(&w, m, &s.counters);
	put_damage(&w, &stats);
	put_vain(&w, &s.counters);
	put_b(&w, CONTROL_STATUS_SET_ASIDE, m->replica_aside);
	if (w.failed)
		control_reply(call, ERR_LIMIT, "the status does not fit its buffer", NULL, 0);
	else
		control_reply(call, ERR_OK, "", body, w.len);
}

static void put_peer(struct mp_writer *w, const struct gossip_peer *p, mono_ms now)
{
	char text[64];
	mp_put_map(w, 0 CONTROL_PEER_TABLE(PEER_COUNT));
	id_hex(&p->host, text);
	put_s(w, CONTROL_PEER_HOST, text);
	put_s(w, CONTROL_PEER_SITE, p->site);
	text[0] = '\0';
	if (p->address.ip_len != 0)
		address_text(&p->address, text);
	put_s(w, CONTROL_PEER_ADDRESS, text);
	put_s(w, CONTROL_PEER_STATUS, host_status_name(p->status));
	put_b(w, CONTROL_PEER_SESSION, p->session);
	put_b(w, CONTROL_PEER_DIRECT, p->direct);
	put_b(w, CONTROL_PEER_SUSPECTED, p->suspected);
	put_b(w, CONTROL_PEER_WITNESS, p->witness);
	put_b(w, CONTROL_PEER_EDGE, p->edge);
	put_u(w, CONTROL_PEER_RTT_MS, p->rtt_ms);
	put_u(w, CONTROL_PEER_HEARD_MS_AGO,
	      p->last_heard != 0 && now > p->last_heard ? now - p->last_heard : 0);
}

struct peers {
	struct mp_writer w;
	mono_ms now;
	size_t left;
};

static void each_peer(void *context, const struct gossip_peer *peer)
{
	struct peers *p = context;
	if (p->left == 0)
		return;
	p->left--;
	put_peer(&p->w, peer, p->now);
}

/* The encoded list of peers, malloc'd. */
static enum err list_peers(const struct gossip *g, mono_ms now, uint8_t **ret, size_t *ret_len)
{
	struct peers p = {.now = now};
	struct gossip_status s;
	gossip_status(g, &s);
	size_t count = s.hosts - 1 < PEERS_MAX ? s.hosts - 1 : PEERS_MAX;
	size_t cap = PEERS_HEAD + count * PEER_BYTES;
	uint8_t *body = malloc(cap);
	if (body == NULL)
		return ERR_NOMEM;
	p.left = count;
	mp_writer_init(&p.w, body, cap);
	mp_put_map(&p.w, 1);
	mp_put_u64(&p.w, 1);
	mp_put_array(&p.w, count);
	gossip_each_peer(g, each_peer, &p);
	if (p.w.failed || p.left > 0) {
		free(body);
		return ERR_LIMIT;
	}
	*ret = body;
	*ret_len = p.w.len;
	return ERR_OK;
}

void meshd_tell_peers(struct meshd *m, mono_ms now)
{
	uint8_t *body = NULL;
	size_t len = 0;
	if (now < turn_due(&m->peers))
		return;
	enum err err = list_peers(driver_gossip(m->driver), now, &body, &len);
	const char *text = err == ERR_OK ? "" : err_text(err);
	if (err == ERR_LIMIT)
		text = "the peers do not fit their buffer";
	for (struct control_call *call; (call = turn_take(&m->peers)) != NULL;)
		control_reply(call, err, text, body, len);
	free(body);
	turn_made(&m->peers, now, os_clock_mono());
}

/* In a large estate the list takes the loop some milliseconds, which others need for answering probes. */
static void verb_peers(struct meshd *m, struct control_call *call)
{
	if (turn_wait(&m->peers, call))
		meshd_tell_peers(m, os_clock_mono());
	else
		control_reply(call, ERR_BUSY, "too many clients wait for the peers: try again", NULL, 0);
}

static size_t find_drill(const struct meshd *m, const char *site)
{
	size_t i = 0;
	while (i < m->drill_count && strcmp(m->drill[i], site) != 0)
		i++;
	return i;
}

static void drill_set(struct meshd *m, const char *site, bool cut)
{
	size_t i = find_drill(m, site);
	if (cut && i == m->drill_count)
		text_copy(m->drill[m->drill_count++], sizeof(m->drill[0]), site);
	else if (!cut && i < m->drill_count)
		memmove(m->drill[i], m->drill[--m->drill_count], sizeof(m->drill[0]));
	driver_drill(m->driver, site, cut);
	log_line(&m->log, LOG_WARN, "drill: traffic with site %s is %s", site, cut ? "cut" : "healed");
}

static void verb_drill(struct meshd *m, const struct control_request *r, struct control_call *call)
{
	bool cut = r->argument_count == 2 && strcmp(r->arguments[0], "cut") == 0;
	bool heal = r->argument_count == 2 && strcmp(r->arguments[0], "heal") == 0;
	const char *site = r->arguments[1];
	if (!m->config->drill) {
		control_reply(call, ERR_DENIED,
			      "drills are switched off: set `enabled = yes` in [drill] of this node's "
			      "configuration and restart it",
			      NULL, 0);
	} else if ((!cut && !heal) || site[0] == '\0' || strlen(site) > LIMIT_SITE_NAME_BYTES) {
		control_reply(call, ERR_USAGE, "a drill takes: cut SITE, or heal SITE", NULL, 0);
	} else if (cut && m->drill_count == MESHD_DRILL_SITES) {
		control_reply(call, ERR_LIMIT, "too many sites are cut: heal one first", NULL, 0);
	} else {
		drill_set(m, site, cut);
		control_reply(call, ERR_OK, "", NULL, 0);
	}
}

static const char *log_refusal(enum err err)
{
	switch (err) {
	case ERR_EXISTS:
		return "known already";
	case ERR_STALE:
		return "entries before it are missing: publish the whole log, from its first entry on";
	case ERR_SIGNATURE:
		return "it is not signed by this estate's authority: is it of another estate, or damaged?";
	case ERR_NOT_FOUND:
		return "the log names no such allow-list: publish the revocation first";
	case ERR_IO:
		return "it counts, but is not on the disk yet: see meshd's log, make room, and publish again";
	case ERR_BUSY:
		return "meshd is stopping";
	default:
		return err_text(err);
	}
}

/* Entries prove themselves: whoever may use the socket may hand one in. */
static void verb_log(struct meshd *m, const struct control_request *r, struct control_call *call)
{
	uint8_t bytes[LIMIT_LOG_ENTRY_BYTES];
	size_t digits = r->argument_count == 1 ? strlen(r->arguments[0]) : 0;
	if (digits == 0 || digits % 2 != 0 || digits / 2 > sizeof(bytes) ||
	    !text_unhex(bytes, digits / 2, r->arguments[0])) {
		control_reply(call, ERR_FORMAT, "this verb takes an entry or a blob in hexadecimal", NULL, 0);
		return;
	}
	enum err err = driver_log(m->driver, bytes, digits / 2);
	if (err == ERR_OK)
		log_line(&m->log, LOG_INFO, "the authority log was handed %s over the control socket",
			 bytes[0] == LOG_ENTRY_FIRST_BYTE ? "an entry" : "a blob");
	else if (err != ERR_EXISTS)
		log_line(&m->log, LOG_WARN,
			 "what was handed in for the authority log over the control socket: %s",
			 log_refusal(err));
	control_reply(call, err, err == ERR_OK ? "" : log_refusal(err), NULL, 0);
}

static void on_durable(void *context, enum err result, const char *text)
{
	control_reply(context, result, text, NULL, 0);
}

void meshd_handle(void *context, const struct control_request *request, struct control_call *call)
{
	struct meshd *m = context;
	char text[128];
	if (strcmp(request->verb, CONTROL_VERB_STATUS) == 0) {
		verb_status(m, call);
	} else if (strcmp(request->verb, CONTROL_VERB_PEERS) == 0) {
		verb_peers(m, call);
	} else if (strcmp(request->verb, CONTROL_VERB_DRILL) == 0) {
		verb_drill(m, request, call);
	} else if (strcmp(request->verb, CONTROL_VERB_LOG) == 0) {
		verb_log(m, request, call);
	} else if (strcmp(request->verb, CONTROL_VERB_OPERATOR) == 0) {
		control_operator(m, request, call);
	} else if (strcmp(request->verb, CONTROL_VERB_SUBMIT) == 0) {
		control_submit(m, request, call);
	} else if (strcmp(request->verb, CONTROL_VERB_COMMIT) == 0) {
		if (committer_request(m->committer, os_clock_mono(), on_durable, call) != ERR_OK)
			control_reply(call, ERR_BUSY, "too many clients wait for a commit: try again", NULL,
				      0);
	} else {
		snprintf(text, sizeof(text), "meshd %s does not know the verb \"%s\"", MESH_VERSION,
			 request->verb);
		control_reply(call, ERR_UNSUPPORTED, text, NULL, 0);
	}
	meshd_rearm(m);
}

void meshd_gone(void *context, struct control_call *call)
{
	struct meshd *m = context;
	committer_forget(m->committer, call);
	turn_forget(&m->peers, call);
}
