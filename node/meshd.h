/* One node: its parts, wired up on one loop. */
#ifndef MESH_NODE_MESHD_H
#define MESH_NODE_MESHD_H

#include <uv.h>

#include "base/log.h"
#include "node/boot.h"
#include "node/committer.h"
#include "node/config.h"
#include "node/control_server.h"
#include "node/crash_counts.h"
#include "node/driver.h"
#include "node/poison.h"
#include "node/publisher.h"
#include "node/state.h"
#include "node/sweeper.h"
#include "node/turn.h"
#include "node/udp.h"
#include "store/store.h"

#define MESHD_DRILL_SITES 16
#define MESHD_SIGNALS     3

struct meshd {
	uv_loop_t loop;
	uv_timer_t timer;
	uv_signal_t signals[MESHD_SIGNALS];
	struct log log;
	const struct config *config;
	struct state state;
	char socket_path[LIMIT_PATH_BYTES];
	char seq_path[LIMIT_PATH_BYTES];
	char boot_path[LIMIT_PATH_BYTES];
	char crash_counts_path[LIMIT_PATH_BYTES];
	char log_path[LIMIT_PATH_BYTES];
	char applying_path[LIMIT_PATH_BYTES];
	char poison_path[LIMIT_PATH_BYTES];
	struct poison poison;
	struct boot boot;
	struct crash_counts crash_counts;
	bool crashed;
	struct store *store;
	struct committer *committer;
	struct udp *udp;
	struct driver *driver;
	struct publisher *publisher;
	struct sweeper *sweeper;
	struct control_server *control;
	char drill[MESHD_DRILL_SITES][LIMIT_SITE_NAME_BYTES + 1];
	size_t drill_count;
	mono_ms started;
	struct turn peers; /* clients that asked for them */
	mono_ms boot_saved;
	bool stopping;
	bool told;          /* to stop, by a signal */
	enum err failure;   /* why it stopped by itself */
	bool replica_aside; /* the replica was damaged: this one is new */
};

/* Everything up to listening; `config` and `log` outlive it. On an error meshd_close is still due. */
enum err meshd_open(struct meshd *m, const struct config *config, const struct log *log,
		    struct err_info *info);
/* Until SIGTERM, SIGINT or a damage of the replica that only a new one mends. Says goodbye, writes
 * everything. */
enum err meshd_run(struct meshd *m, struct err_info *info);
void meshd_close(struct meshd *m);
/* Before meshd_close, which sets the damaged replica aside: whether to open once more, for a new one. */
bool meshd_goes_on(const struct meshd *m);

/* Set the one timer to the earliest of what the parts wait for. */
void meshd_rearm(struct meshd *m);

/* control_verbs.c, called by the control server with the node as context. */
void meshd_handle(void *context, const struct control_request *request, struct control_call *call);
void meshd_gone(void *context, struct control_call *call);
/* Answers those who asked for the peers, if it is time. */
void meshd_tell_peers(struct meshd *m, mono_ms now);

#endif
