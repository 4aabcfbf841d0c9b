/* Bytes that break libraries. The defence is below gossip/, so what would be without it is shown on the bare
 * library: for msgpack in a child that may use little memory, for keys by what anyone can compute. */
#include <msgpack.h>
#include <sodium.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/mp.h"
#include "tests/hostile/attacks.h"

#define HOSTS  8
#define SITES  2
#define THIEF  7
#define HIT    1
#define SECOND 1000

static struct actor *insider(struct trial *t)
{
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	actor_meet(actor_of(t, THIEF), HIT);
	return actor_of(t, THIEF);
}

/* --- msgpack --- */

#define CHILD_BYTES (1ull << 30)

/* The address sanitizer reserves far more than the limit for itself; it is told to refuse as much by itself.
 */
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef SANITIZED
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "max_allocation_size_mb=1024:allocator_may_return_null=1";
}
#define LIMIT_CHILD(limit) 0
#else
#define LIMIT_CHILD(limit) setrlimit(RLIMIT_AS, limit)
#endif

/* Five bytes that announce four billion elements, then others of the kind. */
static const struct {
	const char *bytes;
	size_t len;
} bombs[] = {
    {"\xdd\xff\xff\xff\xff", 5}, /* array 32 */
    {"\xdf\xff\xff\xff\xff", 5}, /* map 32 */
    {"\xdd\xff\x00\x00\x00", 5},
};

/* Whether msgpack-c alone asks for more memory than a node may ever use: it fails for want of it. */
static bool bare_library_fails(const char *bytes, size_t len)
{
	int status = 0;
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		const struct rlimit limit = {CHILD_BYTES, CHILD_BYTES};
		msgpack_unpacked got;
		msgpack_unpacked_init(&got);
		if (LIMIT_CHILD(&limit) != 0 || limit.rlim_cur == 0)
			_exit(2);
		_exit(msgpack_unpack_next(&got, bytes, len, NULL) == MSGPACK_UNPACK_NOMEM_ERROR);
	}
	CHECK(waitpid(child, &status, 0) == child);
	return !WIFEXITED(status) || WEXITSTATUS(status) == 1;
}

/* A record whose body is the bomb, signed by hand. */
static size_t bomb_record(struct actor *a, const char *bytes, size_t len, uint8_t ret[LIMIT_RECORD_BYTES])
{
	uint8_t whole[LIMIT_RECORD_BYTES], to_sign[13 + ID_BYTES + LIMIT_RECORD_BYTES];
	const size_t signed_len = RECORD_BODY_OFFSET + len;
	actor_health(a, 1, whole);
	memcpy(ret, whole, RECORD_BODY_OFFSET);
	memcpy(ret + RECORD_BODY_OFFSET, bytes, len);
	memcpy(to_sign, "mesh record 1", 13);
	memcpy(to_sign + 13, a->t->w->estate.keys.estate.b, ID_BYTES);
	memcpy(to_sign + 13 + ID_BYTES, ret, signed_len);
	ret[signed_len] = 0xc4;
	ret[signed_len + 1] = SIGNATURE_BYTES;
	identity_sign(a->identity, to_sign, 13 + ID_BYTES + signed_len, ret + signed_len + 2);
	return signed_len + 2 + SIGNATURE_BYTES;
}

static void msgpack_bomb(struct trial *t)
{
	const size_t count = sizeof(bombs) / sizeof(bombs[0]);
	if (t->weakened != 0) {
		size_t failed = 0;
		trial_need(t, !bare_library_fails("\x91\xc0", 2), "it fails for an array of one as well");
		for (size_t i = 0; i < count; i++)
			failed += bare_library_fails(bombs[i].bytes, bombs[i].len);
		trial_promise(t, failed == 0, "msgpack-c alone asks for more than 1 GB for %zu of %zu",
			      failed, count);
		return;
	}
	struct actor *a = insider(t);
	uint64_t dropped = trial_counters(t, HIT).dropped_schema;
	uint64_t verified = trial_counters(t, HIT).verifications;
	for (size_t i = 0; i < count && !trial_over(t); i++) {
		uint8_t bytes[LIMIT_RECORD_BYTES];
		size_t len = bomb_record(a, bombs[i].bytes, bombs[i].len, bytes);
		trial_need(t, mp_check((const uint8_t *)bombs[i].bytes, bombs[i].len) != ERR_OK, "no bomb");
		actor_push(a, HIT, bytes, len);
		trial_run(t, 50);
	}
	dropped = trial_counters(t, HIT).dropped_schema - dropped;
	verified = trial_counters(t, HIT).verifications - verified;
	trial_promise(t, dropped == count, "%u of %zu were dropped", (unsigned)dropped, count);
	/* Honest hosts may say something in that time as well. */
	trial_promise(t, verified < count, "%u cost a verification", (unsigned)verified);
}

/* --- keys of small order --- */

static void hello_with_key(struct actor *a, const uint8_t key[KEY_BYTES])
{
	const struct node *hit = &a->t->w->nodes[HIT];
	struct wire_hello hello = {.responder = hit->id,
				   .day = clock_day(world_wall(a->t->w)),
				   .head = authlog_head(a->t->w->estate.log),
				   .certificate = a->certificate,
				   .certificate_len = a->certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];
	memcpy(hello.key, key, KEY_BYTES);
	peer_say_hello(a->peer, &a->n->address, &hit->address, WIRE_HELLO, message,
		       wire_hello_encode(&hello, message));
}

static bool finish_with_zero(struct actor *a, const struct address *from, const struct datagram *d)
{
	struct wire_hello_reply reply;
	(void)from;
	if (d->type != WIRE_HELLO_REPLY || wire_hello_reply_decode(d->message, d->len, &reply) != ERR_OK)
		return false;
	struct hello_transcript t = {.estate = a->t->w->estate.keys.estate,
				     .initiator = a->n->id,
				     .responder = d->source,
				     .initiator_day = clock_day(world_wall(a->t->w)),
				     .responder_day = reply.day};
	struct wire_hello_finish finish = {
	    .day = t.initiator_day, .certificate = a->certificate, .certificate_len = a->certificate_len};
	uint8_t message[WIRE_MESSAGE_BYTES];
	memcpy(t.ni, reply.ni, sizeof(t.ni));
	memcpy(t.nr, reply.nr, sizeof(t.nr));
	memcpy(t.responder_key, reply.key, KEY_BYTES);
	memcpy(finish.ni, reply.ni, sizeof(t.ni));
	memcpy(finish.nr, reply.nr, sizeof(t.nr));
	hello_sign(&t, HELLO_SIGN_FINISH, a->identity, finish.signature);
	peer_say_hello(a->peer, &a->n->address, &a->t->w->nodes[HIT].address, WIRE_HELLO_FINISH, message,
		       wire_hello_finish_encode(&finish, message));
	*(uint64_t *)a->context += 1;
	return true;
}

static void small_order_key(struct trial *t)
{
	static const uint8_t zero[KEY_BYTES];
	if (t->weakened != 0) {
		/* What a node that does not look would share with it: the same as everybody. */
		uint8_t secret[KEY_BYTES], shared[KEY_BYTES] = {1};
		randombytes_buf(secret, sizeof(secret));
		(void)!crypto_scalarmult(shared, secret, zero);
		trial_promise(t, sodium_is_zero(shared, sizeof(shared)) == 0,
			      "the key of the session is known to everyone");
		return;
	}
	trial_world(t, HOSTS, SITES);
	trial_begin(t, 1u << THIEF);
	struct actor *a = actor_of(t, THIEF);
	uint64_t finished = 0, sessions = trial_counters(t, HIT).sessions;
	uint64_t dropped = trial_counters(t, HIT).dropped_seal;
	a->heard = finish_with_zero;
	a->context = &finished;
	for (int i = 0; i < 5 && !trial_over(t); i++) {
		hello_with_key(a, zero);
		trial_run(t, 500);
	}
	trial_need(t, finished == 5, "%u of 5 hellos were answered", (unsigned)finished);
	trial_promise(t, trial_counters(t, HIT).sessions == sessions, "a session was made");
	trial_promise(t, trial_counters(t, HIT).dropped_seal - dropped >= 5,
		      "a key of small order was taken");
}

/* --- a record that crashes whoever applies it --- */

static void poison_record(struct trial *t)
{
	struct actor *a = insider(t);
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct record r;
	size_t len = actor_health(a, 666, bytes);
	CHECK(record_parse(bytes, len, &r) == ERR_OK);
	actor_push_all(a, bytes, len);
	trial_run(t, 2 * SECOND);
	trial_need(t, trial_holds(t, HIT, &r.key, NULL) == r.seq, "it did not come");
	if (trial_over(t))
		return;
	/* As after the second crash: it was not committed, and the node is told which one it was. */
	struct node *hit = &t->w->nodes[HIT];
	node_crash(t->w, hit, true);
	t->w->poison = record_id(t->w->estate.keys.set_key, bytes, len);
	node_start(t->w, hit, true);
	trial_run(t, 30 * SECOND);
	for (uint32_t i = 0; i < THIEF; i++)
		trial_need(t, trial_status(t, HIT, i) == HOST_UP, "it did not come back: host %u is %s", i,
			   host_status_name(trial_status(t, HIT, i)));
	trial_promise(t, trial_holds(t, HIT, &r.key, NULL) != r.seq, "it is applied a third time");
	trial_promise(t, trial_news(t, 0, GOSSIP_URGENT, 5000) < 2000, "the news of others wait");
}

const struct attack attacks_bytes[] = {
    {"msgpack_bomb", "an insider signs bodies of five bytes that announce four billion elements",
     "they are dropped before a library sees them, and before the signature is checked", DEFENCE_COUNT,
     msgpack_bomb},
    {"small_order_key", "an insider finishes a hello with an exchange key of small order",
     "no session is made", DEFENCE_COUNT, small_order_key},
    {"poison_record", "a host publishes a record that crashes whoever applies it",
     "it is left out after the second time, and all else comes", DEFENCE_POISON, poison_record},
    {0},
};
