/* Damage inside of what a real daemon has stored: it is noticed, never served, and comes again from a live
 * peer. Few starts on purpose: peers take twenty records of a host at once, then one in 20 s
 * (gossip/share.c), so a host that is started time and again in seconds waits for that and not for its
 * healing. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/limits.h"
#include "crypto/record.h"
#include "os/clock.h"
#include "store/query.h"
#include "store/store.h"
#include "tests/net/harness.h"

#define PATH      (NET_PATH_BYTES + 32)
#define PEER_NAME "peer-of-the-damaged"

static int setup(void **state)
{
	*state = net_make();
	return 0;
}

static int teardown(void **state)
{
	net_free(*state);
	return 0;
}

static bool agree(void *context)
{
	struct net_estate *e = context;
	char roots[2][32];
	uint64_t hosts;
	for (size_t i = 0; i < 2; i++)
		if (!net_status_number(e->nodes[i], CONTROL_STATUS_HOSTS, &hosts) || hosts != 2 ||
		    !net_status_text(e->nodes[i], CONTROL_STATUS_ESTATE_ROOT, roots[i], sizeof(roots[i])))
			return false;
	return strcmp(roots[0], roots[1]) == 0;
}

static void stop(struct net_node *n)
{
	net_signal(n, SIGTERM);
	int code = net_await_exit(n);
	if (code != 0)
		fail_msg("exit code %d; log:\n%s", code, n->log);
}

/* --- what is stored --- */

struct kept {
	uint8_t bytes[LIMIT_RECORD_BYTES];
	size_t len;
	struct record record; /* views into bytes */
};

static bool count_one(void *context, const uint8_t *bytes, size_t len, wall_ms received)
{
	(void)bytes, (void)len, (void)received;
	++*(uint64_t *)context;
	return true;
}

static struct store *open_replica(const struct net_estate *e, const struct net_node *n)
{
	char path[PATH];
	struct store *s;
	bool set_aside = true;
	struct err_info info = {0};
	snprintf(path, sizeof(path), "%s/replica", n->folder);
	if (store_open(path, authlog_estate(e->token.log), &n->host, &s, &set_aside, &info) != ERR_OK)
		fail_msg("%s", info.text);
	assert_false(set_aside);
	return s;
}

/* Of a node that does not run. */
static enum err read_kept(const struct net_estate *e, const struct net_node *n, const struct record_key *key,
			  struct kept *ret, uint64_t *ret_records, uint64_t *ret_damaged)
{
	struct store *s = open_replica(e, n);
	struct store_stats stats;
	wall_ms received;
	enum err err = store_get_record(s, key, ret->bytes, &ret->len, &received);
	if (err == ERR_OK)
		assert_int_equal(record_parse(ret->bytes, ret->len, &ret->record), ERR_OK);
	store_stats(s, &stats);
	*ret_damaged = stats.damaged;
	*ret_records = 0;
	assert_int_equal(store_each_record(s, count_one, ret_records), ERR_OK);
	store_close(s);
	return err;
}

/* --- the file --- */

struct image {
	uint8_t *bytes;
	size_t len;
	char path[PATH];
};

static struct image load_image(const struct net_node *n)
{
	struct image ret;
	struct stat st;
	snprintf(ret.path, sizeof(ret.path), "%s/replica/data.mdb", n->folder);
	int fd = open(ret.path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	ret.len = (size_t)st.st_size;
	ret.bytes = malloc(ret.len);
	assert_non_null(ret.bytes);
	assert_int_equal(pread(fd, ret.bytes, ret.len, 0), st.st_size);
	close(fd);
	return ret;
}

static void store_image(struct image *image)
{
	int fd = open(image->path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, image->bytes, image->len, 0), (ssize_t)image->len);
	close(fd);
	free(image->bytes);
}

/* One bit of every copy, of which one is in force; old pages have others. */
static unsigned flip_all(struct image *image, const void *what, size_t len, size_t at)
{
	unsigned count = 0;
	for (size_t i = 0; i + len <= image->len; i++) {
		if (memcmp(image->bytes + i, what, len) != 0)
			continue;
		image->bytes[i + at] ^= 1;
		count++;
		i += len - 1;
	}
	return count;
}

static void flip_record(const struct net_node *n, const struct kept *k)
{
	struct image image = load_image(n);
	assert_true(flip_all(&image, k->bytes, k->len, RECORD_BODY_OFFSET + k->record.body_len / 2) > 0);
	store_image(&image);
}

/* --- the tests --- */

static void start_both(struct net_estate *e, struct net_node **ret, struct net_node **ret_peer)
{
	*ret = net_enroll(e, "hamburg");
	*ret_peer = net_enroll(e, "hamburg");
	net_configure(*ret_peer, "hostname = " PEER_NAME "\n");
	net_up(*ret);
	net_up(*ret_peer);
	assert_true(net_await(agree, e));
}

static uint64_t records_loaded(const struct net_node *n)
{
	unsigned long long ret = 0;
	const char *at = strstr(n->log, "; replica: ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "; replica: %llu records", &ret), 1);
	return ret;
}

/* What a question to the replica of `n` says of `host`. */
struct known {
	const struct net_node *n, *host;
	char name[LIMIT_HOSTNAME_BYTES + 1]; /* "": NULL */
	uint64_t damaged;
};

static bool take_name(void *context, const struct query_value *values, size_t count)
{
	struct known *k = context;
	assert_int_equal(count, 1);
	if (values[0].type == QUERY_TEXT)
		snprintf(k->name, sizeof(k->name), "%.*s", (int)values[0].text_len, values[0].text);
	return true;
}

static bool take_columns(void *context, const char *const *names, size_t count)
{
	(void)context, (void)names, (void)count;
	return true;
}

static void ask_name(struct known *k)
{
	const struct query_sink sink = {take_columns, take_name, k};
	struct query_coverage coverage;
	struct err_info info = {0};
	struct query *q;
	char hex[ID_HEX_BYTES];
	const char *const parameters[] = {hex};
	id_hex(&k->host->host, hex);
	k->name[0] = '\0';
	if (query_open(k->n->folder, os_clock_wall(), &q, &info) != ERR_OK ||
	    query_run(q, "SELECT name FROM hosts WHERE host = ?1", parameters, 1, NULL, &sink, &info) !=
		ERR_OK ||
	    query_coverage(q, &coverage, &info) != ERR_OK)
		fail_msg("%s", info.text);
	k->damaged = coverage.damaged_rows;
	query_close(q);
}

static bool knows_name(void *context)
{
	struct known *k = context;
	char error[32];
	net_ask((struct net_node *)k->n, "commit", NULL, NULL, error);
	ask_name(k);
	return strcmp(k->name, PEER_NAME) == 0;
}

static void record_comes_again(struct net_estate *e, uint8_t kind, const struct net_node *of)
{
	struct net_node *n = e->nodes[0];
	struct record_key key = {.kind = kind, .writer = of->host, .subject = of->host};
	struct kept before, after;
	uint64_t records, left, damaged;
	stop(n);
	/* The issuer writes certificates. */
	if (kind == RECORD_CERTIFICATE)
		key.writer = *identity_id(e->issuer);
	assert_int_equal(read_kept(e, n, &key, &before, &records, &damaged), ERR_OK);
	assert_int_equal(damaged, 0);
	flip_record(n, &before);
	assert_int_equal(read_kept(e, n, &key, &after, &left, &damaged), ERR_NOT_FOUND);
	assert_int_equal(left, records - 1);
	assert_true(damaged > 0);
	net_up(n);
	/* Of a host without certificate nothing counts. */
	if (kind == RECORD_CERTIFICATE)
		assert_true(records_loaded(n) < records);
	else
		assert_int_equal(records_loaded(n), records - 1);
	if (!net_await(agree, e))
		fail_msg("kind %u does not come again; log:\n%s", kind, n->log);
	stop(n);
	assert_int_equal(read_kept(e, n, &key, &after, &left, &damaged), ERR_OK);
	assert_int_equal(damaged, 0);
	/* The own ones may be said anew, of others there is one. */
	assert_int_equal(after.record.body_len, before.record.body_len);
	assert_memory_equal(after.record.body, before.record.body, before.record.body_len);
	if (of != n)
		assert_memory_equal(after.bytes, before.bytes, before.len);
	net_up(n);
	assert_true(net_await(agree, e));
}

static void damaged_records_come_again(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n, *peer;
	start_both(e, &n, &peer);
	struct known k = {.n = n, .host = peer};
	assert_true(net_await(knows_name, &k));
	record_comes_again(e, RECORD_PROFILE, peer);
	record_comes_again(e, RECORD_CERTIFICATE, peer);
	record_comes_again(e, RECORD_PROFILE, n);
}

/* All that is damaged is made of rows that are good: no peer has to bring anything. */
static void damaged_columns_are_made_anew(void **state)
{
	struct net_estate *e = *state;
	struct net_node *n, *peer;
	struct kept profile;
	uint64_t records, damaged;
	start_both(e, &n, &peer);
	struct record_key key = {.kind = RECORD_PROFILE, .writer = peer->host, .subject = peer->host};
	struct known k = {.n = n, .host = peer};
	assert_true(net_await(knows_name, &k));
	stop(n);
	assert_int_equal(read_kept(e, n, &key, &profile, &records, &damaged), ERR_OK);
	struct image image = load_image(n);
	/* Flipped twice is whole again: what stands in records. */
	assert_true(flip_all(&image, profile.bytes, profile.len, 0) > 0);
	assert_true(flip_all(&image, PEER_NAME, strlen(PEER_NAME), 0) > 0);
	profile.bytes[0] ^= 1;
	uint8_t *name = memmem(profile.bytes, profile.len, PEER_NAME, strlen(PEER_NAME));
	assert_non_null(name);
	*name ^= 1;
	size_t at = (size_t)(name - profile.bytes);
	assert_true(flip_all(&image, profile.bytes, profile.len, 0) > 0);
	profile.bytes[0] ^= 1;
	assert_true(flip_all(&image, profile.bytes, profile.len, at) > 0);
	store_image(&image);
	ask_name(&k);
	assert_string_equal(k.name, "");
	assert_true(k.damaged > 0);
	net_up(n);
	assert_int_equal(records_loaded(n), records);
	assert_true(net_await(knows_name, &k));
	assert_int_equal(k.damaged, 0);
	assert_true(net_await(agree, e));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(damaged_records_come_again, setup, teardown),
	    cmocka_unit_test_setup_teardown(damaged_columns_are_made_anew, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
