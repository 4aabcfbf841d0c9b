/* bench-replica MESH STATE [PLAIN FILE]: questions as whole processes, the program's start included, over a
 * replica and, in turn, over the same data in a plain SQLite file (bench-plain). Medians, one JSON object a
 * line. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "os/clock.h"
#include "store/query.h"

#define RUNS 15

/* %s: the component, the host's name. Both forms give the same rows. */
static const struct {
	const char *metric, *mesh, *plain;
} questions[] = {
    {"by_site", "SELECT site, count(*) FROM hosts GROUP BY site",
     "SELECT site, count(*) FROM hosts GROUP BY site"},
    {"by_model_status", "SELECT model, status, count(*) FROM hosts GROUP BY model, status",
     "SELECT model, status, count(*) FROM hosts GROUP BY model, status"},
    {"component_hosts", "SELECT host_name, site FROM host_components WHERE component = '%s'",
     "SELECT h.name, h.site FROM components c JOIN host_components x ON x.component = c.id "
     "JOIN hosts h ON h.id = x.host WHERE c.name = '%s'"},
    {"host_by_name", "SELECT * FROM hosts WHERE name = '%s'", "SELECT * FROM hosts WHERE name = '%s'"},
    {"join",
     "SELECT h.site, count(DISTINCT h.host), count(*) FROM host_components x JOIN hosts h ON h.host = x.host "
     "JOIN crashes k ON k.host = h.host WHERE x.component = '%s' GROUP BY h.site",
     "SELECT h.site, count(DISTINCT h.id), count(*) FROM components c JOIN host_components x ON x.component "
     "= c.id "
     "JOIN hosts h ON h.id = x.host JOIN crashes k ON k.host = h.id WHERE c.name = '%s' GROUP BY h.site"},
};

static const char *const verbs[] = {"hosts", "components", "sites", "issues"};

struct run {
	double wall_ms, cpu_ms;
};

static double now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

/* Output is thrown away; code 3 is an answer, too. */
static bool run(const char *const *arguments, struct run *ret)
{
	struct rusage usage;
	int status;
	double start = now_ms();
	pid_t pid = vfork();
	if (pid == 0) {
		int fd = open("/dev/null", O_RDWR | O_CLOEXEC);
		dup2(fd, STDOUT_FILENO);
		dup2(fd, STDERR_FILENO);
		execv(arguments[0], (char *const *)(uintptr_t)arguments);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return false;
	*ret = (struct run){.wall_ms = now_ms() - start, .cpu_ms = ms(usage.ru_utime) + ms(usage.ru_stime)};
	if (WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 3))
		return true;
	fprintf(stderr, "bench-replica: %s %s %s failed\n", arguments[0], arguments[1], arguments[2]);
	return false;
}

static int compare_walls(const void *a, const void *b)
{
	double x = ((const struct run *)a)->wall_ms, y = ((const struct run *)b)->wall_ms;
	return (x > y) - (x < y);
}

static int compare_cpus(const void *a, const void *b)
{
	double x = ((const struct run *)a)->cpu_ms, y = ((const struct run *)b)->cpu_ms;
	return (x > y) - (x < y);
}

static void print(const char *metric, const char *suffix, double value)
{
	printf("{\"bench\": \"replica\", \"metric\": \"replica.%s%s\", \"value\": %.2f, \"unit\": \"ms\"}\n",
	       metric, suffix, value);
	fflush(stdout);
}

/* Medians of either time. */
static void print_runs(const char *metric, const char *suffix, struct run *runs)
{
	char name[64];
	qsort(runs, RUNS, sizeof(*runs), compare_walls);
	snprintf(name, sizeof(name), "%s_ms", suffix);
	print(metric, name, runs[RUNS / 2].wall_ms);
	qsort(runs, RUNS, sizeof(*runs), compare_cpus);
	snprintf(name, sizeof(name), "%s_cpu_ms", suffix);
	print(metric, name, runs[RUNS / 2].cpu_ms);
}

/* The same question asked in several ways, of the same rows. */
#define WAYS 3
static const char *const suffixes[WAYS] = {"", "_plain", "_plain_with_coverage"};

/* By turns, so that all meet the same machine. */
static bool compare(const char *metric, const char *const *const ways[], size_t count)
{
	struct run runs[WAYS][RUNS + 1];
	for (size_t i = 0; i <= RUNS; i++) {
		for (size_t k = 0; k < count; k++) {
			if (!run(ways[k], &runs[k][i]))
				return false;
		}
	}
	/* The first one warmed the caches. */
	for (size_t k = 0; k < count; k++)
		print_runs(metric, suffixes[k], runs[k] + 1);
	return true;
}

/* --- what to ask for --- */

static bool take_text(void *context, const struct query_value *values, size_t count)
{
	if (count > 0 && values[0].type == QUERY_TEXT)
		snprintf(context, 256, "%.*s", (int)values[0].text_len, values[0].text);
	return false;
}

static bool pick(const char *state, const char *sql, char ret[256])
{
	struct query *q = NULL;
	struct err_info info = {0};
	const struct query_sink sink = {.row = take_text, .context = ret};
	ret[0] = '\0';
	enum err err = query_open(state, os_clock_wall(), &q, &info);
	if (err == ERR_OK)
		err = query_run(q, sql, NULL, 0, NULL, &sink, &info);
	query_close(q);
	if (err == ERR_OK && ret[0] != '\0')
		return true;
	fprintf(stderr, "bench-replica: nothing to ask for in \"%s\": %s\n", state, info.text);
	return false;
}

/* --- memory of a process that asked everything --- */

static bool take_nothing(void *context, const struct query_value *values, size_t count)
{
	(void)context;
	(void)values;
	(void)count;
	return true;
}

/* What the process has for itself; the replica's mapped pages are not among it. */
static bool print_private(const char *state)
{
	static const char *const all[] = {"SELECT * FROM hosts", "SELECT * FROM components",
					  "SELECT * FROM changes", "SELECT count(*) FROM host_components",
					  "SELECT * FROM crashes"};
	const struct query_sink sink = {.row = take_nothing};
	struct query *q = NULL;
	struct err_info info = {0};
	char line[128];
	unsigned long kib = 0;
	enum err err = query_open(state, os_clock_wall(), &q, &info);
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && err == ERR_OK; i++)
		err = query_run(q, all[i], NULL, 0, NULL, &sink, &info);
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "Anonymous:", strlen("Anonymous:")) == 0)
			kib = strtoul(line + strlen("Anonymous:"), NULL, 10);
	}
	if (f != NULL)
		fclose(f);
	query_close(q);
	if (err != ERR_OK || kib == 0) {
		fprintf(stderr, "bench-replica: memory of a reader: %s\n", info.text);
		return false;
	}
	printf(
	    "{\"bench\": \"replica\", \"metric\": \"replica.reader_private_kib\", \"value\": %lu, \"unit\": "
	    "\"KiB\"}\n",
	    kib);
	return true;
}

int main(int argc, char **argv)
{
	char component[256], host[256], sql[1024], plain[1024];
	if (argc != 3 && argc != 5) {
		fputs("usage: bench-replica MESH STATE [PLAIN FILE]\n", stderr);
		return 2;
	}
	const char *state = argv[2];
	bool good =
	    print_private(state) &&
	    pick(state,
		 "SELECT name FROM components WHERE kind = 'driver' AND third_party ORDER BY hosts DESC",
		 component) &&
	    pick(state, "SELECT name FROM hosts WHERE name IS NOT NULL ORDER BY host", host);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && good; i++) {
		const char *what = strcmp(questions[i].metric, "host_by_name") == 0 ? host : component;
		snprintf(sql, sizeof(sql), questions[i].mesh, what);
		snprintf(plain, sizeof(plain), questions[i].plain, what);
		const char *const a[] = {argv[1], "sql", sql, "--state", state, "--allow-partial", NULL};
		const char *program = argc == 5 ? argv[3] : "", *file = argc == 5 ? argv[4] : "";
		const char *const b[] = {program, "ask", file, plain, NULL};
		const char *const c[] = {program, "cover", file, plain, NULL};
		const char *const *const ways[WAYS] = {a, b, c};
		good = compare(questions[i].metric, ways, argc == 5 ? WAYS : 1);
	}
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]) && good; i++) {
		char metric[32];
		snprintf(metric, sizeof(metric), "verb_%s", verbs[i]);
		const char *const a[] = {argv[1], verbs[i], "--state", state, "--allow-partial", NULL};
		const char *const *const ways[] = {a};
		good = compare(metric, ways, 1);
	}
	const char *const show[] = {argv[1], "show", host, "--state", state, "--allow-partial", NULL};
	const char *const *const ways[] = {show};
	return good && compare("verb_show", ways, 1) ? 0 : 1;
}
