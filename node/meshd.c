/* Start: folder, files, replica, socket, core; then one loop with one timer for everything that waits.
 * Stop: goodbye, flush, clean-stop mark, in that order, so that what the mark says is true. */
#include "node/meshd.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/text.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/process.h"

#define BOOT_ID_FILE "proc/sys/kernel/random/boot_id"
/* How precisely the end of a crashed boot is known. */
/* The replica counts as stale after a minute without a commit; renew its age before. */
#define STAMP_MS 45000 /* answers call a replica stale after a minute */
#define REPLICA  "replica"
#define SEEDS    (CONFIG_LIST_ITEMS + LIMIT_TOKEN_SEEDS)

static void read_boot_id(const char *root, char ret[BOOT_ID_BYTES + 1])
{
	char path[LIMIT_PATH_BYTES];
	uint8_t *data;
	size_t len;
	/* Without one, every start looks like the same boot, and no crash is made up. */
	text_copy(ret, BOOT_ID_BYTES + 1, "unknown");
	if (os_path_join(path, sizeof(path), *root != '\0' ? root : "/", BOOT_ID_FILE) != ERR_OK ||
	    os_file_read(path, 256, &data, &len, NULL) != ERR_OK)
		return;
	data[strcspn((char *)data, "\n")] = '\0';
	if (data[0] != '\0')
		text_copy(ret, BOOT_ID_BYTES + 1, (char *)data);
	free(data);
}

/* The totals go on from the own record, which every replica has. */
static void resume_crash_counts(struct meshd *m)
{
	const struct id *self = identity_id(m->state.credentials.identity);
	struct record_key key = {.kind = RECORD_CRASHES, .writer = *self, .subject = *self};
	uint8_t bytes[LIMIT_RECORD_BYTES];
	struct crashes crashes;
	struct record r;
	size_t len;
	wall_ms received;
	if (store_get_record(m->store, &key, bytes, &len, &received) == ERR_OK &&
	    record_parse(bytes, len, &r) == ERR_OK && crashes_decode(r.body, r.body_len, &crashes) == ERR_OK)
		crash_counts_resume(&m->crash_counts, &crashes);
	else
		crash_counts_init(&m->crash_counts);
}

static enum err load_crash_counts(struct meshd *m, struct err_info *info)
{
	enum err err = crash_counts_load(m->crash_counts_path, &m->crash_counts, info);
	if (err != ERR_NOT_FOUND && err != ERR_CHECKSUM)
		return err;
	if (err == ERR_CHECKSUM)
		log_line(&m->log, LOG_WARN, "%s: going on from the last published counts", info->text);
	resume_crash_counts(m);
	return ERR_OK;
}

static enum err load_poison(struct meshd *m, bool same_boot, struct err_info *info)
{
	enum err err = poison_open(m->applying_path, m->poison_path, same_boot, &m->poison, info);
	if (err == ERR_OK && m->poison.last != 0)
		log_line(&m->log, LOG_WARN, "the last run ended while record %016" PRIx64 " was applied%s",
			 m->poison.last,
			 m->poison.last_crashes >= POISON_CRASHES ? ", again: it is left out from now on"
								  : "");
	return err;
}

/* The crash is counted durably before the boot file forgets it. */
static enum err load_boot(struct meshd *m, struct err_info *info)
{
	char id[BOOT_ID_BYTES + 1];
	struct boot_news news;
	uint64_t now_s = os_clock_wall() / CLOCK_SECOND_MS;
	read_boot_id(m->config->collect_root, id);
	enum err err = load_crash_counts(m, info);
	if (err == ERR_OK)
		err = boot_load(m->boot_path, id, &m->boot, &news, info);
	if (err != ERR_OK)
		return err;
	if (news.lost)
		log_line(&m->log, LOG_WARN, "\"%s\" is damaged: how the last boot ended is not known",
			 m->boot_path);
	if (news.unclean) {
		log_line(&m->log, LOG_WARN, "the last boot of this host did not end cleanly");
		crash_counts_add(&m->crash_counts, CRASH_UNCLEAN_BOOT, 1, news.died_s, "no clean stop seen");
		m->crashed = true;
		err = crash_counts_save(m->crash_counts_path, &m->crash_counts, info);
	}
	if (err == ERR_OK)
		err = load_poison(m, news.same, info);
	if (err == ERR_OK)
		err = boot_save(m->boot_path, &m->boot, now_s, info);
	m->boot_saved = os_clock_mono();
	return err;
}

static enum err make_paths(struct meshd *m, struct err_info *info)
{
	const struct {
		const char *name;
		char *path;
	} files[] = {
	    {CONTROL_SOCKET_NAME, m->socket_path},
	    {"seq", m->seq_path},
	    {"boot", m->boot_path},
	    {"crashes", m->crash_counts_path},
	    {"authority.log", m->log_path},
	    {"applying", m->applying_path},
	    {"poison", m->poison_path},
	};
	enum err err = ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < sizeof(files) / sizeof(files[0]); i++)
		err = state_path(&m->state, files[i].name, files[i].path, info);
	return err;
}

static void on_migrated(void *context, uint64_t rows, uint64_t of, bool done)
{
	const struct meshd *m = context;
	log_line(&m->log, LOG_INFO, "replica of an older layout: %" PRIu64 " of %" PRIu64 " rows converted%s",
		 rows, of, done ? ", done" : "");
}

static enum err open_store(struct meshd *m, struct err_info *info)
{
	char path[LIMIT_PATH_BYTES];
	const struct store_progress progress = {.migrated = on_migrated, .context = m};
	enum err err = state_path(&m->state, REPLICA, path, info);
	if (err == ERR_OK)
		err = store_open_with(path, authlog_estate(m->state.credentials.log),
				      identity_id(m->state.credentials.identity), &progress, &m->store,
				      &m->replica_aside, info);
	if (err == ERR_OK && m->replica_aside)
		log_line(&m->log, LOG_WARN,
			 "the replica was damaged: it is set aside, and built anew from other hosts");
	return err;
}

/* What `mesh` needs to answer: the way to the replica, the replica, the socket. Keys stay with their owner.
 */
static enum err share(struct meshd *m, struct err_info *info)
{
	static const char *const names[] = {"", REPLICA, REPLICA "/data.mdb", REPLICA "/lock.mdb",
					    CONTROL_SOCKET_NAME};
	char path[LIMIT_PATH_BYTES];
	enum err err = ERR_OK;
	if (m->config->control_group[0] == '\0')
		return ERR_OK;
	for (size_t i = 0; err == ERR_OK && i < sizeof(names) / sizeof(names[0]); i++) {
		err = state_path(&m->state, names[i], path, info);
		if (err == ERR_OK)
			err = os_file_set_group(path, m->config->control_group, info);
	}
	return err;
}

static void on_committed(void *context, enum err result)
{
	struct meshd *m = context;
	if (result == ERR_CORRUPT && !m->stopping) {
		/* meshd_close sets it aside; main opens everything anew. */
		m->failure = ERR_CORRUPT;
		uv_stop(&m->loop);
	}
	meshd_rearm(m);
}

static void on_looked(void *context)
{
	meshd_rearm(context);
}

static void on_datagram(void *context, const struct address *from, const uint8_t *bytes, size_t len)
{
	struct meshd *m = context;
	if (m->driver == NULL || m->stopping)
		return;
	if (driver_datagram(m->driver, from, bytes, len))
		meshd_rearm(m);
}

static size_t all_seeds(struct meshd *m, struct address ret[SEEDS])
{
	size_t n = 0;
	const struct credentials *c = &m->state.credentials;
	for (size_t i = 0; i < m->config->seeds.count; i++)
		ret[n++] = m->config->seeds.items[i];
	for (size_t i = 0; i < c->seed_count; i++) {
		if (address_parse(c->seeds[i], &ret[n]) == ERR_OK)
			n++;
		else
			log_line(&m->log, LOG_WARN, "seed \"%s\" is no numeric address and port: left out",
				 c->seeds[i]);
	}
	return n;
}

static enum err open_driver(struct meshd *m, struct err_info *info)
{
	struct address seeds[SEEDS];
	struct crypto_rng rng = crypto_rng_system();
	struct driver_options o = {
	    .credentials = &m->state.credentials,
	    .store = m->store,
	    .committer = m->committer,
	    .udp = m->udp,
	    .log = &m->log,
	    .seq_path = m->seq_path,
	    .poison = &m->poison,
	    .authority_log_path = m->log_path,
	    .seeds = seeds,
	    .seed_count = all_seeds(m, seeds),
	};
	rng.fill(rng.context, &o.instance, sizeof(o.instance));
	enum err err = driver_new(&o, &m->driver, info);
	/* The core has them now, in guarded memory. */
	estate_keys_free(m->state.credentials.keys);
	m->state.credentials.keys = NULL;
	if (err == ERR_CORRUPT)
		m->failure = err;
	return err;
}

static enum err open_publisher(struct meshd *m, struct err_info *info)
{
	struct publisher_options o = {
	    .loop = &m->loop,
	    .config = m->config,
	    .log = &m->log,
	    .driver = m->driver,
	    .store = m->store,
	    .udp = m->udp,
	    .self = identity_id(m->state.credentials.identity),
	    .home_site = m->state.credentials.certificate.site,
	    .boot = &m->boot,
	    .crash_counts = &m->crash_counts,
	    .crash_counts_path = m->crash_counts_path,
	    .crashed = m->crashed,
	    .done = on_looked,
	    .context = m,
	};
	if (publisher_new(&o, &m->publisher) != ERR_OK)
		return err_set(info, ERR_NOMEM, "out of memory");
	return ERR_OK;
}

static size_t forget_blobs(void *context, struct id *blobs, size_t count)
{
	struct meshd *m = context;
	return m->stopping ? 0 : driver_forget_blobs(m->driver, blobs, count);
}

static enum err open_sweeper(struct meshd *m, struct err_info *info)
{
	struct sweeper_options o = {
	    .store = m->store,
	    .committer = m->committer,
	    .authority_log = m->state.credentials.log,
	    .log = &m->log,
	    .forget = forget_blobs,
	    .done = on_looked,
	    .context = m,
	};
	if (sweeper_new(&o, os_clock_mono(), &m->sweeper) != ERR_OK)
		return err_set(info, ERR_NOMEM, "out of memory");
	return ERR_OK;
}

static enum err open_committer(struct meshd *m, struct err_info *info)
{
	struct committer_options o = {
	    .loop = &m->loop,
	    .store = m->store,
	    .log = &m->log,
	    .commit_min_s = m->config->commit_min_s,
	    .disk_mb_per_day = m->config->disk_mb_per_day,
	    .done = on_committed,
	    .context = m,
	};
	if (committer_new(&o, &m->committer) != ERR_OK)
		return err_set(info, ERR_NOMEM, "out of memory");
	return ERR_OK;
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct meshd *m = handle->data;
	/* A control client that hung up: its write fails, nothing else. */
	if (number == SIGPIPE)
		return;
	m->told = true;
	log_line(&m->log, LOG_INFO, "%s: stopping", number == SIGTERM ? "SIGTERM" : "SIGINT");
	uv_stop(&m->loop);
}

static void on_timer(uv_timer_t *timer)
{
	struct meshd *m = timer->data;
	struct err_info info;
	mono_ms now = os_clock_mono();
	driver_tick(m->driver, now);
	publisher_run(m->publisher, now);
	control_run(m->control, now);
	meshd_tell_peers(m, now);
	if (now - committer_last_mono(m->committer) >= STAMP_MS && committer_error(m->committer)[0] == '\0')
		driver_stamp(m->driver);
	sweeper_run(m->sweeper, now);
	committer_run(m->committer, now);
	if (now - m->boot_saved >= CRASH_NOTED_MS) {
		m->boot_saved = now;
		if (boot_save(m->boot_path, &m->boot, os_clock_wall() / CLOCK_SECOND_MS, &info) != ERR_OK)
			log_line(&m->log, LOG_WARN, "boot file: %s", info.text);
	}
	meshd_rearm(m);
}

static mono_ms earlier(mono_ms a, mono_ms b)
{
	return a < b ? a : b;
}

void meshd_rearm(struct meshd *m)
{
	if (m->stopping || m->control == NULL)
		return;
	mono_ms now = os_clock_mono();
	mono_ms due = earlier(driver_due(m->driver), publisher_due(m->publisher));
	due = earlier(due, committer_due(m->committer));
	due = earlier(due, control_due(m->control));
	due = earlier(due, sweeper_due(m->sweeper));
	due = earlier(due, turn_due(&m->peers));
	/* The stamp and the boot file ride along with what wakes the node anyway. */
	due = earlier(due, now + STAMP_MS);
	uv_update_time(&m->loop);
	CHECK(uv_timer_start(&m->timer, on_timer, due > now ? due - now : 0, 0) == 0);
}

static void open_loop(struct meshd *m)
{
	static const int numbers[MESHD_SIGNALS] = {SIGTERM, SIGINT, SIGPIPE};
	CHECK(uv_loop_init(&m->loop) == 0);
	CHECK(uv_timer_init(&m->loop, &m->timer) == 0);
	m->timer.data = m;
	for (size_t i = 0; i < MESHD_SIGNALS; i++) {
		CHECK(uv_signal_init(&m->loop, &m->signals[i]) == 0);
		m->signals[i].data = m;
		uv_signal_start(&m->signals[i], on_signal, numbers[i]);
	}
}

enum err meshd_open(struct meshd *m, const struct config *config, const struct log *log,
		    struct err_info *info)
{
	memset(m, 0, sizeof(*m));
	m->config = config;
	m->log = *log;
	m->started = os_clock_mono();
	open_loop(m);
	enum err err = state_open(config->state, &m->state, info);
	if (err == ERR_OK)
		err = make_paths(m, info);
	if (err == ERR_OK)
		err = udp_open(&m->loop, &config->listen, on_datagram, m, &m->udp, info);
	if (err == ERR_OK)
		err = open_store(m, info);
	if (err == ERR_OK)
		err = load_boot(m, info);
	if (err == ERR_OK)
		err = open_committer(m, info);
	if (err == ERR_OK)
		err = open_driver(m, info);
	if (err == ERR_OK)
		err = open_publisher(m, info);
	if (err == ERR_OK)
		err = open_sweeper(m, info);
	struct control_options control = {&m->loop, m->socket_path, meshd_handle, meshd_gone, m};
	if (err == ERR_OK)
		err = control_open(&control, &m->control, info);
	if (err == ERR_OK)
		err = share(m, info);
	return err;
}

static void report_start(struct meshd *m)
{
	char text[64];
	char id[ID_HEX_BYTES];
	struct address address;
	const struct driver_load *l = driver_load_report(m->driver);
	udp_address(m->udp, &address);
	address_text(&address, text);
	id_hex(identity_id(m->state.credentials.identity), id);
	log_line(&m->log, LOG_INFO, "host %s of site %s, state folder %s", id,
		 m->state.credentials.certificate.site, m->state.folder);
	if (l->refused > 0)
		log_line(&m->log, LOG_WARN, "replica: %" PRIu64 " records of hosts without certificate",
			 l->refused);
	log_line(&m->log, LOG_INFO, "own seq goes on from %" PRIu64, l->seq_start);
	log_line(&m->log, LOG_INFO, "listening on %s; replica: %" PRIu64 " records, %" PRIu64 " blobs", text,
		 l->records, l->blobs);
}

/* Goodbye, flush, mark. */
static enum err stop(struct meshd *m, struct err_info *info)
{
	struct err_info boot_info;
	m->stopping = true;
	uv_timer_stop(&m->timer);
	publisher_stop(m->publisher);
	driver_leave(m->driver, GOODBYE_STOPPED);
	enum err err = committer_flush(m->committer, info);
	if (err == ERR_CORRUPT)
		m->failure = err;
	m->boot.stopped = true;
	if (boot_save(m->boot_path, &m->boot, os_clock_wall() / CLOCK_SECOND_MS, &boot_info) != ERR_OK)
		log_line(&m->log, LOG_ERROR, "clean stop not noted: %s", boot_info.text);
	return err;
}

enum err meshd_run(struct meshd *m, struct err_info *info)
{
	report_start(m);
	meshd_rearm(m);
	uv_run(&m->loop, UV_RUN_DEFAULT);
	enum err err = stop(m, info);
	if (m->failure == ERR_CORRUPT)
		return err_set(
		    info, ERR_CORRUPT,
		    "the replica is damaged: it is set aside, and a new one is built from other hosts");
	if (err == ERR_OK)
		log_line(&m->log, LOG_INFO, "stopped");
	return err;
}

/* What only a commit stumbles over would pass store_open again: without this the node would never recover. */
static void set_aside(struct meshd *m)
{
	char path[LIMIT_PATH_BYTES], moved[LIMIT_PATH_BYTES];
	struct err_info info;
	if (state_path(&m->state, REPLICA, path, &info) == ERR_OK &&
	    os_file_set_aside(path, moved, sizeof(moved), &info) == ERR_OK)
		log_line(&m->log, LOG_WARN, "damaged replica moved to %s", moved);
	else
		log_line(&m->log, LOG_ERROR, "damaged replica not set aside, remove it by hand: %s",
			 info.text);
}

bool meshd_goes_on(const struct meshd *m)
{
	return m->failure == ERR_CORRUPT && !m->told;
}

void meshd_close(struct meshd *m)
{
	m->stopping = true;
	control_close(m->control);
	udp_close(m->udp);
	uv_close((uv_handle_t *)&m->timer, NULL);
	for (size_t i = 0; i < MESHD_SIGNALS; i++)
		uv_close((uv_handle_t *)&m->signals[i], NULL);
	/* Last callbacks of the handles above and of work under way. */
	uv_run(&m->loop, UV_RUN_DEFAULT);
	publisher_free(m->publisher);
	sweeper_free(m->sweeper);
	driver_free(m->driver);
	committer_free(m->committer);
	store_close(m->store);
	poison_close(&m->poison);
	if (m->failure == ERR_CORRUPT)
		set_aside(m);
	state_close(&m->state);
	CHECK(uv_loop_close(&m->loop) == 0);
}
