/* Real daemons on loopback addresses, for tests: an estate of enrolled state folders, processes whose log is
 * a pipe (so that lines and the end of the process are events), and conditions polled with a deadline. */
#ifndef MESH_TESTS_NET_HARNESS_H
#define MESH_TESTS_NET_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "crypto/credentials.h"
#include "node/control.h"
#include "tests/unit/scratch.h"

#define NET_NODES      8
#define NET_PATH_BYTES 256
#define NET_LOG_BYTES  65536
/* How long anything is awaited: far longer than a slow, loaded machine needs under a sanitizer. Only a test
 * that fails waits so long. */
#define NET_PATIENCE_MS 120000

struct net_node {
	char folder[NET_PATH_BYTES];
	char config[NET_PATH_BYTES];
	char address[32]; /* "127.x.y.z:port" */
	struct id host;
	pid_t pid; /* 0: not running */
	int log_fd;
	char log[NET_LOG_BYTES]; /* of this start */
	size_t log_len;
};

struct net_estate {
	char folder[SCRATCH_FOLDER_BYTES];
	struct token token;
	struct identity *authority, *issuer;
	unsigned port;                     /* of all its nodes; free at the first one's address */
	struct net_node *nodes[NET_NODES]; /* owned */
	size_t node_count;
};

/* Every failure of these fails the test with what the daemon wrote. */
struct net_estate *net_make(void);
/* Ends what still runs (with SIGKILL) and removes all files. */
void net_free(struct net_estate *e);
/* Enrols a host of a site ("hamburg" or "leeds"). The first node of each site becomes a seed of all later. */
struct net_node *net_enroll(struct net_estate *e, const char *site);
/* Lines for its configuration, after the [node] section; NULL: none. */
void net_configure(struct net_node *n, const char *more);

/* Starts it; does not wait. `extra` is one more argument pair or NULL. */
void net_start(struct net_node *n, const char *option, const char *value);
void net_signal(struct net_node *n, int number);
/* Reads the log until it holds `text`. False when the process ended or patience did. */
bool net_log_shows(struct net_node *n, const char *text);
/* Reads what comes for a while; returns early when the process ends. */
void net_log_read(struct net_node *n, unsigned for_ms);
/* Exit code, or minus the signal. Fails the test when it does not end. */
int net_await_exit(struct net_node *n);
/* Whether its process has not ended yet. */
bool net_running(const struct net_node *n);
/* Starts it and waits until it serves. */
void net_up(struct net_node *n);

/* A value of its status; false while it does not answer. */
bool net_status_number(struct net_node *n, enum control_status_key key, uint64_t *ret);
bool net_status_text(struct net_node *n, enum control_status_key key, char *ret, size_t cap);
/* How it sees another host (host_status_name). */
bool net_peer_status(struct net_node *n, const struct id *host, char *ret, size_t cap);
/* Name of the error the daemon answered with, "" when it did not answer. */
void net_ask(struct net_node *n, const char *verb, const char *a, const char *b, char ret_error[32]);

/* Asks without waiting for the answer. */
void net_tell(struct net_node *n, const char *verb);

/* Polls until the condition holds; false when patience ends. */
bool net_await(bool (*condition)(void *context), void *context);

#endif
