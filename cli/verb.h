/* The verb table: what `mesh` can do. It drives parsing, help, manual pages and completion, so that they
 * cannot disagree. One file per verb holds what it does. */
#ifndef MESH_CLI_VERB_H
#define MESH_CLI_VERB_H

#include "cli/command.h"

/* Option tables that verbs share. */
enum {
	VERB_STATE = 1,    /* --state */
	VERB_QUERY = 2,    /* --state, -o, --allow-partial */
	VERB_WHERE = 4,    /* --where */
	VERB_FORMAT = 8,   /* -o */
	VERB_PARTIAL = 16, /* -o, --allow-partial */
	VERB_ONCE = 32,    /* with VERB_QUERY: no --watch */
};

struct verb {
	const char *name;     /* one word or two */
	const char *operands; /* as the usage line shows them */
	size_t operands_min, operands_max;
	const char *summary;               /* one line, no full stop */
	const char *text;                  /* paragraphs apart by an empty line */
	const struct option_spec *options; /* its own; may be NULL */
	unsigned shared;                   /* VERB_ */
	const char *exits;                 /* which exit codes it has, as the characters "0123" */
	const char *exit_partial;          /* what code 3 means here; NULL: as everywhere */
	const char *examples;              /* lines "command # what for" */
	bool secrets;                      /* it holds keys or passphrases: no core dump of it */
	int (*run)(struct command *c);
};

/* By index, in the order of the overview; NULL behind the last. */
const struct verb *verb_at(size_t index);
/* The part of the table in verbs_outage.c. */
const struct verb *verbs_outage(size_t *ret_count);
/* The part in verbs_repair.c. */
const struct verb *verbs_repair(size_t *ret_count);
/* The part in verbs_trust.c. */
const struct verb *verbs_trust(size_t *ret_count);
/* The part in verbs_keys.c. */
const struct verb *verbs_keys(size_t *ret_count);
/* The part in verbs_incidents.c. */
const struct verb *verbs_incidents(size_t *ret_count);
/* The part in verbs_operators.c. */
const struct verb *verbs_operators(size_t *ret_count);
/* NULL when there is none. `name` has one space between two words. */
const struct verb *verb_find(const char *name);
/* "init or issuer" for "authority"; false when no verb of two words begins so. */
bool verb_second_words(const char *first, char *ret, size_t cap);
/* The option tables of a verb, its own first. Returns how many. */
size_t verb_option_sets(const struct verb *v, const struct option_spec *ret[OPTIONS_MAX_SETS]);
/* Meaning of an exit code, for help and manual pages; `v` NULL: in general. */
const char *verb_exit_text(const struct verb *v, char code);

int verb_authority_init(struct command *c);
int verb_authority_issuer(struct command *c);
int verb_authority_extend(struct command *c);
int verb_authority_operator(struct command *c);
int verb_authority_rotate(struct command *c);
int verb_authority_revoke(struct command *c);
int verb_authority_log(struct command *c);
int verb_authority_publish(struct command *c);
int verb_operator_init(struct command *c);
int verb_key_show(struct command *c);
int verb_key_passphrase(struct command *c);
int verb_token_create(struct command *c);
int verb_token_show(struct command *c);
int verb_cert_show(struct command *c);
int verb_enroll(struct command *c);
int verb_status(struct command *c);
int verb_doctor(struct command *c);
int verb_peers(struct command *c);
int verb_hosts(struct command *c);
int verb_show(struct command *c);
int verb_components(struct command *c);
int verb_impact(struct command *c);
int verb_sites(struct command *c);
int verb_states(struct command *c);
int verb_triage(struct command *c);
int verb_visit(struct command *c);
int verb_suspects(struct command *c);
int verb_alerts(struct command *c);
int verb_policy_set(struct command *c);
int verb_policy_show(struct command *c);
int verb_policy_history(struct command *c);
int verb_history(struct command *c);
int verb_incident_open(struct command *c);
int verb_incident_claim(struct command *c);
int verb_incident_done(struct command *c);
int verb_incident_release(struct command *c);
int verb_incident_block(struct command *c);
int verb_incident_note(struct command *c);
int verb_incident_close(struct command *c);
int verb_incident_list(struct command *c);
int verb_incident_show(struct command *c);
int verb_report(struct command *c);
int verb_inventory_import(struct command *c);
int verb_inventory_show(struct command *c);
int verb_issues(struct command *c);
int verb_sql(struct command *c);
int verb_export(struct command *c);
int verb_drill(struct command *c);
int verb_help(struct command *c);
int verb_version(struct command *c);

#endif
