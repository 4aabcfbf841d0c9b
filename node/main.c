/* Arguments, configuration, log; then one node. Exit codes: 0 stopped as asked, 1 error, 2 usage. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/meshd.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/guard.h"
#include "os/process.h"

enum { EXIT_FINE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2 };

#define AGAIN_MS (10 * CLOCK_MINUTE_MS)

enum action { ACTION_RUN, ACTION_CHECK, ACTION_DOC, ACTION_EXAMPLE };

struct arguments {
	enum action action;
	const char *config, *state, *listen;
};

static const char usage[] =
    "usage: meshd [--state DIR] [--config FILE] [--listen ADDRESS:PORT] [--check-config]\n";

static const char help[] =
    "\n"
    "The Mesh node of this host: gossips signed summaries of it and keeps a replica of the\n"
    "whole estate. Runs in the foreground, logs to standard error, stops on SIGTERM.\n"
    "\n"
    "  --state DIR          state folder made by `mesh enroll`\n"
    "  --config FILE        configuration (default " CONFIG_DEFAULT_FILE ", when it exists)\n"
    "  --listen ADDR:PORT   instead of `listen` in the configuration\n"
    "  --foreground         does nothing: it always does\n"
    "  --check-config       check the configuration, print what is in force, and exit\n"
    "  --print-config-doc   print the page of all keys, and exit\n"
    "  --print-config-example  print a configuration file to start from, and exit\n"
    "  --version, --help\n"
    "\n"
    "Exit codes: 0 stopped as asked, 1 error, 2 usage.\n";

static void write_stderr(void *context, enum log_level level, const char *line)
{
	(void)context;
	fprintf(stderr, "%s %s\n", log_level_name(level), line);
}

enum {
	OPT_STATE = 1,
	OPT_CONFIG,
	OPT_LISTEN,
	OPT_FOREGROUND,
	OPT_CHECK,
	OPT_DOC,
	OPT_EXAMPLE,
	OPT_VERSION,
	OPT_HELP
};

static const struct option options[] = {
    {"state", required_argument, NULL, OPT_STATE},
    {"config", required_argument, NULL, OPT_CONFIG},
    {"listen", required_argument, NULL, OPT_LISTEN},
    {"foreground", no_argument, NULL, OPT_FOREGROUND},
    {"check-config", no_argument, NULL, OPT_CHECK},
    {"print-config-doc", no_argument, NULL, OPT_DOC},
    {"print-config-example", no_argument, NULL, OPT_EXAMPLE},
    {"version", no_argument, NULL, OPT_VERSION},
    {"help", no_argument, NULL, OPT_HELP},
    {NULL, 0, NULL, 0},
};

/* Returns -1 to go on, or the exit code. */
static int parse_arguments(int argc, char **argv, struct arguments *ret)
{
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case OPT_STATE:
			ret->state = optarg;
			break;
		case OPT_CONFIG:
			ret->config = optarg;
			break;
		case OPT_LISTEN:
			ret->listen = optarg;
			break;
		case OPT_FOREGROUND:
			break;
		case OPT_CHECK:
			ret->action = ACTION_CHECK;
			break;
		case OPT_DOC:
			ret->action = ACTION_DOC;
			break;
		case OPT_EXAMPLE:
			ret->action = ACTION_EXAMPLE;
			break;
		case OPT_VERSION:
			printf("meshd %s\n", MESH_VERSION);
			return EXIT_FINE;
		case OPT_HELP:
		case 'h':
			printf("%s%s", usage, help);
			return EXIT_FINE;
		default:
			fputs(usage, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "meshd: \"%s\" is not an option\n%s", argv[optind], usage);
		return EXIT_USAGE;
	}
	return -1;
}

/* File, then the command line over it. */
static enum err load_config(const struct arguments *a, struct config *ret, struct err_info *info)
{
	enum err err = ERR_OK;
	config_default(ret);
	if (a->config != NULL)
		err = config_load(a->config, ret, info);
	else if (os_file_exists(CONFIG_DEFAULT_FILE))
		err = config_load(CONFIG_DEFAULT_FILE, ret, info);
	if (err == ERR_OK && a->listen != NULL)
		err = config_set(ret, "node", "listen", a->listen, info);
	/* Unlike the file, a person's command line may name a relative folder. */
	if (err == ERR_OK && a->state != NULL &&
	    snprintf(ret->state, sizeof(ret->state), "%s", a->state) >= (int)sizeof(ret->state))
		err = err_set(info, ERR_LIMIT, "--state: the path is longer than %zu bytes",
			      sizeof(ret->state) - 1);
	return err;
}

static int fail(const struct err_info *info)
{
	write_stderr(NULL, LOG_ERROR, info->text);
	return EXIT_ERROR;
}

/* What is damaged is set aside, and all of the node begins again in this process, so that nobody has to be
 * there to start it. Where that happens again soon, the disk is not to be trusted: whoever looks after the
 * process is told, and may wait. */
static enum err run_until_told(struct meshd *m, const struct config *config, const struct log *log,
			       struct err_info *info)
{
	mono_ms again = 0;
	for (;;) {
		enum err err = meshd_open(m, config, log, info);
		m->replica_aside |= again != 0;
		if (err == ERR_OK)
			err = meshd_run(m, info);
		bool goes_on = meshd_goes_on(m);
		meshd_close(m);
		mono_ms now = os_clock_mono();
		if (!goes_on || (again != 0 && now - again < AGAIN_MS))
			return err;
		again = now;
		log_line(log, LOG_WARN, "%s; starting anew", info->text);
	}
}

static int run(const struct config *config)
{
	struct err_info info = {.text = ""};
	struct log log = {.level = (enum log_level)config->log_level, .write = write_stderr};
	struct meshd *m = malloc(sizeof(*m));
	os_process_be_small();
	os_process_hide();
	/* One worker: commits and looks at the host take turns. Read by libuv at the first use. */
	setenv("UV_THREADPOOL_SIZE", "1", 1);
	if (m == NULL || os_guard_install(&info) != ERR_OK || crypto_init() != ERR_OK) {
		free(m);
		if (info.text[0] == '\0')
			err_set(&info, ERR_UNSUPPORTED, "cannot start: no memory or no cryptography");
		return fail(&info);
	}
	enum err err = run_until_told(m, config, &log, &info);
	free(m);
	return err == ERR_OK ? EXIT_FINE : fail(&info);
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.action = ACTION_RUN};
	struct err_info info;
	int code = parse_arguments(argc, argv, &arguments);
	if (code >= 0)
		return code;
	if (arguments.action == ACTION_DOC) {
		config_print_doc(stdout);
		return EXIT_FINE;
	}
	if (arguments.action == ACTION_EXAMPLE) {
		config_print_example(stdout);
		return EXIT_FINE;
	}
	struct config *config = malloc(sizeof(*config));
	if (config == NULL)
		return EXIT_ERROR;
	if (load_config(&arguments, config, &info) != ERR_OK) {
		code = fail(&info);
	} else if (arguments.action == ACTION_CHECK) {
		config_print(config, stdout);
		code = EXIT_FINE;
	} else {
		code = run(config);
	}
	free(config);
	return code;
}
