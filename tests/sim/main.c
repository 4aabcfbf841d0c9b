/* mesh-sim: the protocol core of many nodes in virtual time. See options.c for the arguments. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "os/clock.h"
#include "scenario.h"

/* What to type to see a run again. Also printed when the core aborts on a check of its own. */
static char replay_line[256];

struct progress {
	bool terminal;
	const struct scenario *scenario;
	uint64_t seed, calls;
	uint32_t run, runs;
	mono_ms shown;
};

static void show_progress(void *context, const struct world *w)
{
	struct progress *p = context;
	if (!p->terminal || ++p->calls % 1024 != 0)
		return;
	mono_ms now = os_clock_mono();
	if (now < p->shown + 500)
		return;
	p->shown = now;
	fprintf(stderr, "\r\033[K%s, run %u of %u, seed %llu: %.1f s of virtual time", p->scenario->name,
		p->run, p->runs, (unsigned long long)p->seed, (double)w->now / 1000);
}

static void on_abort(int number)
{
	(void)number;
	ssize_t unused = write(STDERR_FILENO, replay_line, strlen(replay_line));
	(void)unused;
}

struct outcome {
	bool failed;
	uint64_t trace, steps, whole_sets;
	mono_ms end;
};

static struct outcome run_once(const struct scenario *s, const struct sim_options *o, uint64_t seed,
			       struct progress *progress, struct report *report)
{
	struct sim_faults faults = sim_faults_default();
	if (s->faults != NULL)
		s->faults(&faults);
	if (o->loss_given)
		faults.loss = o->loss;
	uint32_t hosts = o->hosts != 0 ? o->hosts : s->hosts, sites = o->sites != 0 ? o->sites : s->sites;
	uint32_t minutes = o->minutes != 0 ? o->minutes : s->minutes;
	char loss[48] = "", length[48] = "";
	if (o->loss_given)
		snprintf(loss, sizeof(loss), " --loss %.17g", o->loss);
	if (minutes != 0)
		snprintf(length, sizeof(length), " --minutes %u", minutes);
	snprintf(replay_line, sizeof(replay_line),
		 "replay: mesh-sim --scenario %s --seed %llu --hosts %u --sites %u%s%s\n", s->name,
		 (unsigned long long)seed, hosts, sites, loss, length);
	struct world *w = world_new(s->name, seed, hosts, sites, &faults);
	w->minutes = minutes;
	w->progress = show_progress;
	w->progress_context = progress;
	s->run(w, report);
	alarms_put(&w->alarms, s->name, report);
	if (progress->terminal)
		fputs("\r\033[K", stderr);
	struct outcome out = {w->failed, w->trace, w->steps, w->whole_sets, w->now - SIM_START_MS};
	if (w->failed)
		fprintf(stderr, "FAILED %s, seed %llu, %s\n%s", s->name, (unsigned long long)seed, w->failure,
			replay_line);
	world_free(w);
	return out;
}

static bool run_scenario(const struct scenario *s, const struct sim_options *o)
{
	struct report report = {.count = 0};
	struct progress progress = {.terminal = isatty(STDERR_FILENO) == 1, .scenario = s, .runs = o->seeds};
	for (uint32_t i = 0; i < o->seeds; i++) {
		uint64_t seed = o->seed + i;
		progress.seed = seed;
		progress.run = i + 1;
		struct outcome out = run_once(s, o, seed, &progress, &report);
		if (out.failed)
			return false;
		if (o->twice) {
			struct outcome again = run_once(s, o, seed, &progress, &report);
			if (again.failed)
				return false;
			if (again.trace != out.trace || again.steps != out.steps) {
				fprintf(
				    stderr,
				    "FAILED %s, seed %llu: two runs differ, trace %016llx and %016llx\n%s",
				    s->name, (unsigned long long)seed, (unsigned long long)out.trace,
				    (unsigned long long)again.trace, replay_line);
				return false;
			}
		}
		fprintf(
		    o->json ? stderr : stdout,
		    "%s seed %llu: kept, %.1f s, %llu steps, the whole set checked after %llu of them, trace "
		    "%016llx\n",
		    s->name, (unsigned long long)seed, (double)out.end / 1000, (unsigned long long)out.steps,
		    (unsigned long long)out.whole_sets, (unsigned long long)out.trace);
	}
	report_print(&report, o->json);
	return true;
}

static void print_list(FILE *out)
{
	for (size_t i = 0; i < scenario_count; i++)
		fprintf(out, "  %-12s %s\n", scenarios[i].name, scenarios[i].what);
}

int main(int argc, char **argv)
{
	struct sim_options o;
	struct err_info info;
	if (sim_options_parse(argc, argv, &o, &info) != ERR_OK) {
		fprintf(stderr, "mesh-sim: %s\n", info.text);
		return 2;
	}
	if (o.help || o.list) {
		if (o.help)
			sim_options_help();
		print_list(stdout);
		return 0;
	}
	if (o.scenario != NULL && scenario_find(o.scenario) == NULL) {
		fprintf(stderr, "mesh-sim: no scenario \"%s\"; there are:\n", o.scenario);
		print_list(stderr);
		return 2;
	}
	signal(SIGABRT, on_abort);
	for (size_t i = 0; i < scenario_count; i++)
		if (o.scenario == NULL || strcmp(o.scenario, scenarios[i].name) == 0)
			if (!run_scenario(&scenarios[i], &o))
				return 1;
	return 0;
}
