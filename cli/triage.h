/* In which order sites are mended, and why: what is down there, what the site is worth, what it takes. */
#ifndef MESH_CLI_TRIAGE_H
#define MESH_CLI_TRIAGE_H

#include "cli/answer.h"
#include "cli/hours.h"

/* As in the table inventory, the most critical last. */
enum triage_criticality { TRIAGE_LOW, TRIAGE_NORMAL, TRIAGE_HIGH, TRIAGE_VITAL };
const char *triage_criticality_name(enum triage_criticality criticality);

/* What has to be done there first, the most urgent first. */
enum triage_action {
	TRIAGE_GO,   /* hosts crashed: a person goes */
	TRIAGE_CALL, /* power or link: whoever is responsible for these is called, hosts come back by
			themselves */
	TRIAGE_LOOK, /* down, and nothing tells why */
};
const char *triage_action_name(enum triage_action action);

/* Of the inventory nothing is known of it. */
enum {
	TRIAGE_NO_SITE = 1,   /* it has no row about the site */
	TRIAGE_NO_NEEDED = 2, /* ... or none that says what it needs to trade */
	TRIAGE_NO_HOURS = 4,
	TRIAGE_ODD_HOURS = 8, /* opening hours that are not understood */
	TRIAGE_NO_MACHINE = 16,
};

struct triage_site {
	char *name, *role, *opening;    /* role that `needed` counts; NULL: not known */
	uint64_t crash, power, unknown; /* hosts by fate */
	uint64_t alive, size;
	uint64_t needed, role_up;
	uint64_t unlisted;                   /* hosts that are down and in no inventory */
	uint64_t critical;                   /* hosts that are down and at least TRIAGE_HIGH */
	enum triage_criticality criticality; /* of the site, or of the most critical host that is down */
	enum triage_action action;
	bool needed_known, boot_start, hours_known;
	unsigned gaps;
	wall_ms opens; /* from now on; 0: not known */
	/* --team: 0 where nobody is sent. */
	unsigned wave, persons;
	wall_ms start, end;
};

struct triage {
	struct triage_site *sites; /* in order */
	size_t count, cap;
	uint64_t hosts; /* to mend or look after */
};

struct triage_team {
	unsigned persons; /* 0: no plan */
	unsigned minutes; /* for a host */
	unsigned travel;  /* minutes to a site */
};

/* Asks and puts in order. Release with triage_release, also after an error. */
enum err triage_make(struct answer *a, struct triage *ret, struct err_info *info);
void triage_release(struct triage *t);
/* Hosts there that the site needs up to trade, and are not. */
uint64_t triage_missing(const struct triage_site *s);
/* Who goes where when. ERR_NOMEM. */
enum err triage_plan(struct triage *t, const struct triage_team *team, wall_ms now);

#endif
