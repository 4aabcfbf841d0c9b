/* mesh-estate: writes a synthetic estate that `mesh --state DIR` answers from. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "os/clock.h"
#include "tests/estate/estate.h"
#include "tests/estate/times.h"

static const char help[] =
    "usage: mesh-estate --out DIR [--hosts N] [--sites S] [--seed K] [--at TIME] [--images N]\n"
    "                   [--silent N] [--threads N] [--trouble] [--policy]\n"
    "                   [--outage KIND [--window FROM..TO] [--share X] [--delay D] [--repaired X]\n"
    "                    [--component NAME] [--confounder LIST]]\n"
    "\n"
    "Writes a replica of a synthetic estate, with records that its hosts signed, for `mesh --state DIR`, "
    "and\n"
    "the truth about it in DIR/truth.json (tests/estate/README.md). One seed and time give the same "
    "records.\n"
    "\n"
    "  --out DIR         an empty folder, made where there is none\n"
    "  --hosts N         hosts that were ever enrolled (1,000)\n"
    "  --sites S         sites of very different size (20)\n"
    "  --seed K          a number; another one is another estate (1)\n"
    "  --at TIME         the moment that the replica shows (now)\n"
    "  --images N        images of operating systems (300)\n"
    "  --silent N        sites that are cut off (one in a hundred)\n"
    "  --threads N       that sign (one a processor)\n"
    "  --trouble         with issues of every kind, one each\n"
    "  --policy          with a policy of what is approved and refused\n"
    "\n"
    "  --outage KIND     none, or driver: a version of a component takes hosts down;\n"
    "                    content: a content file does; power: sites lose their power;\n"
    "                    patchday: updates on many hosts on one morning, harmless (none)\n"
    "  --window FROM..TO when it spread (three hours before --at, for 78 minutes)\n"
    "  --share X         0 to 1. driver, content: of the hosts that have it and are up (0.5);\n"
    "                    power: of the sites (0.02); patchday: of the hosts (0.7)\n"
    "  --delay D         from arrival to crash: 0s (dead before it could report the change), 5s,\n"
    "                    minutes, hour (5s)\n"
    "  --repaired X      of the hosts that crashed, as far as there was time (0.15)\n"
    "  --component NAME  of --outage driver: which (by the seed)\n"
    "  --confounder LIST what happens besides and is not to blame, comma-separated: model (a driver that\n"
    "                    comes with one model is new, too), power, patchday, together (a companion that\n"
    "                    always came along and cannot be told apart)\n"
    "\n"
    "TIME is 2024-07-19T09:40Z, 09:40 (today, UTC; in a window: on the day of --at), or ms since 1970.\n";

static bool number(const char *flag, const char *text, uint64_t min, uint64_t max, uint64_t *ret)
{
	if (text_u64(text, min, max, ret))
		return true;
	fprintf(stderr, "mesh-estate: %s \"%s\" is no number from %" PRIu64 " to %" PRIu64 "\n", flag, text,
		min, max);
	return false;
}

/* What is understood once all flags are known. */
struct raw {
	uint64_t hosts, sites, images, silent, threads;
	const char *at, *window;
	bool outage_flag; /* one that needs an outage was given */
};

/* The place of `text` among names; fails aloud. */
static bool choice(const char *flag, const char *text, const char *const *names, size_t *ret)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret = i;
			return true;
		}
	}
	fprintf(stderr, "mesh-estate: %s knows no \"%s\"; it takes", flag, text);
	for (size_t i = 0; names[i] != NULL; i++)
		fprintf(stderr, "%s %s", i > 0 ? "," : "", names[i]);
	fputs("\n", stderr);
	return false;
}

static bool share(const char *flag, const char *text, double *ret)
{
	char *end;
	double value = strtod(text, &end);
	if (end != text && *end == '\0' && value >= 0 && value <= 1) {
		*ret = value;
		return true;
	}
	fprintf(stderr, "mesh-estate: %s \"%s\" is no share; write a number from 0 to 1, like 0.25\n", flag,
		text);
	return false;
}

static bool take_confounders(const char *flag, const char *text, unsigned *ret)
{
	static const char *const names[] = {"model", "power", "patchday", "together", NULL};
	for (const char *at = text;; at++) {
		char name[32];
		size_t len = strcspn(at, ","), bit;
		snprintf(name, sizeof(name), "%.*s", (int)(len < 31 ? len : 31), at);
		if (!choice(flag, name, names, &bit))
			return false;
		*ret |= 1u << bit;
		at += len;
		if (*at == '\0')
			return true;
	}
}

static bool take_outage(const char *flag, const char *text, struct estate_options *o, struct raw *raw,
			bool *ret_taken)
{
	static const char *const outages[] = {"none", "driver", "content", "power", "patchday", NULL};
	static const char *const delays[] = {"0s", "5s", "minutes", "hour", NULL};
	size_t place = 0;
	*ret_taken = true;
	if (strcmp(flag, "--outage") == 0) {
		bool ok = choice(flag, text, outages, &place);
		o->outage = (enum estate_outage)place;
		return ok;
	}
	raw->outage_flag = true;
	if (strcmp(flag, "--delay") == 0) {
		bool ok = choice(flag, text, delays, &place);
		o->delay = (enum estate_delay)place;
		return ok;
	}
	if (strcmp(flag, "--share") == 0)
		return share(flag, text, &o->share);
	if (strcmp(flag, "--repaired") == 0)
		return share(flag, text, &o->repaired);
	if (strcmp(flag, "--confounder") == 0)
		return take_confounders(flag, text, &o->confounders);
	if (strcmp(flag, "--component") == 0)
		o->component = text;
	else if (strcmp(flag, "--window") == 0)
		raw->window = text;
	else
		*ret_taken = raw->outage_flag = false;
	return true;
}

static bool take(const char *flag, const char *text, struct estate_options *o, struct raw *raw)
{
	static const struct {
		const char *flag;
		uint64_t min, max;
	} table[] = {{"--hosts", 1, ESTATE_HOSTS_MAX},
		     {"--sites", 1, ESTATE_SITES_MAX},
		     {"--images", ESTATE_IMAGES_MIN, ESTATE_IMAGES_MAX},
		     {"--silent", 0, ESTATE_SITES_MAX},
		     {"--threads", 1, ESTATE_THREADS_MAX},
		     {"--seed", 0, UINT64_MAX}};
	uint64_t *const to[] = {&raw->hosts,  &raw->sites,   &raw->images,
				&raw->silent, &raw->threads, &o->seed};
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		if (strcmp(flag, table[i].flag) == 0)
			return number(flag, text, table[i].min, table[i].max, to[i]);
	}
	if (strcmp(flag, "--out") == 0) {
		o->out = text;
		return true;
	}
	if (strcmp(flag, "--at") == 0) {
		raw->at = text;
		return true;
	}
	bool taken, was = raw->outage_flag, ok = take_outage(flag, text, o, raw, &taken);
	raw->outage_flag |= was;
	if (!taken)
		fprintf(stderr, "mesh-estate: unknown flag \"%s\"; mesh-estate --help lists them\n", flag);
	return ok && taken;
}

/* "FROM..TO". */
static bool read_window(const char *text, struct estate_options *o)
{
	const char *dots = strstr(text, "..");
	char from[40];
	snprintf(from, sizeof(from), "%.*s", dots != NULL ? (int)(dots - text) : 0, text);
	if (dots == NULL || dots - text >= (ptrdiff_t)sizeof(from) || !times_parse(from, o->now, &o->from) ||
	    !times_parse(dots + 2, o->now, &o->to))
		fprintf(stderr,
			"mesh-estate: --window \"%s\" is no window; write 04:09..05:27 or two full times "
			"with two dots "
			"between\n",
			text);
	else if (o->from > o->to)
		fprintf(stderr, "mesh-estate: --window \"%s\" ends before it begins; swap its ends\n", text);
	else if (o->from > o->now || o->from < ESTATE_NOW_MIN)
		fprintf(stderr,
			"mesh-estate: --window \"%s\" begins after --at; the replica would not show it yet\n",
			text);
	else
		return true;
	return false;
}

static bool judge_outage(struct estate_options *o, const struct raw *raw)
{
	static const double shares[] = {0, 0.5, 0.5, 0.02, 0.7};
	bool blames = o->outage == ESTATE_DRIVER || o->outage == ESTATE_CONTENT;
	if (o->share < 0)
		o->share = shares[o->outage];
	o->from = o->now - 180 * CLOCK_MINUTE_MS;
	o->to = o->from + 78 * CLOCK_MINUTE_MS;
	if (raw->window != NULL && !read_window(raw->window, o))
		return false;
	if (o->outage == ESTATE_QUIET && raw->outage_flag)
		fprintf(
		    stderr,
		    "mesh-estate: --window, --share, --delay, --repaired, --component and --confounder need "
		    "--outage driver, content, power or patchday\n");
	else if (o->component != NULL && o->outage != ESTATE_DRIVER)
		fprintf(stderr, "mesh-estate: --component \"%s\" needs --outage driver\n", o->component);
	else if ((o->confounders & (ESTATE_MODEL | ESTATE_TOGETHER)) != 0 && !blames)
		fprintf(stderr,
			"mesh-estate: --confounder model and together need --outage driver or content\n");
	else
		return true;
	return false;
}

static bool judge(struct estate_options *o, const struct raw *raw)
{
	o->hosts = (size_t)raw->hosts;
	o->sites = (size_t)raw->sites;
	o->images = (size_t)raw->images;
	o->threads = (unsigned)raw->threads;
	o->silent_sites = raw->silent == UINT64_MAX ? -1 : (int)raw->silent;
	o->now = os_clock_wall();
	if (raw->at != NULL && (!times_parse(raw->at, o->now, &o->now) || o->now < ESTATE_NOW_MIN))
		fprintf(stderr,
			"mesh-estate: --at \"%s\" is no time since 1974; write 2024-07-19T09:40Z, 09:40 "
			"(today, UTC), or "
			"ms since 1970\n",
			raw->at);
	else if (o->out == NULL)
		fprintf(stderr, "mesh-estate: --out is missing: name an empty folder\n");
	else if (o->sites > o->hosts)
		fprintf(stderr, "mesh-estate: --sites %zu is more than --hosts %zu; each site needs a host\n",
			o->sites, o->hosts);
	else if (o->trouble && o->hosts < ESTATE_TROUBLE_HOSTS)
		fprintf(stderr, "mesh-estate: --trouble needs at least --hosts %d, not %zu\n",
			ESTATE_TROUBLE_HOSTS, o->hosts);
	else
		return judge_outage(o, raw);
	return false;
}

static bool parse(int argc, char **argv, struct estate_options *o)
{
	struct raw raw = {.hosts = 1000, .sites = 20, .silent = UINT64_MAX};
	for (int i = 1; i < argc; i++) {
		const char *flag = argv[i];
		if (strcmp(flag, "--trouble") == 0) {
			o->trouble = true;
			continue;
		}
		if (strcmp(flag, "--policy") == 0) {
			o->policy = true;
			continue;
		}
		if (i + 1 == argc) {
			fprintf(stderr,
				"mesh-estate: \"%s\" is no flag, or needs a value; mesh-estate --help lists "
				"them\n",
				flag);
			return false;
		}
		if (!take(flag, argv[++i], o, &raw))
			return false;
	}
	return judge(o, &raw);
}

int main(int argc, char **argv)
{
	struct estate_options o = {.seed = 1, .delay = ESTATE_DELAY_SECONDS, .share = -1, .repaired = 0.15};
	struct err_info info;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			fputs(help, stdout);
			return 0;
		}
	}
	if (!parse(argc, argv, &o))
		return 2;
	mono_ms start = os_clock_mono();
	enum err err = estate_write(&o, &info);
	if (err != ERR_OK) {
		fprintf(stderr, "mesh-estate: %s\n", info.text);
		return err == ERR_ARG ? 2 : 1;
	}
	printf("%zu hosts in %zu sites written to \"%s\" in %" PRIu64 " ms, %" PRIu64
	       " ms of processor time\n",
	       o.hosts, o.sites, o.out, os_clock_mono() - start, (uint64_t)clock() / (CLOCKS_PER_SEC / 1000));
	return 0;
}
