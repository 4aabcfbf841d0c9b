/* Into the state folder: authority log, keys, records, states. Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_WRITE_H
#define MESH_TESTS_ESTATE_WRITE_H

#include "tests/estate/records.h"

/* authority.c: who may enrol hosts, and one operator. */
enum err authority_make(struct estate *e);
/* What a node of the first host has in its state folder, and the operator's key; at the end. */
enum err authority_files(struct estate *e);

/* What the log says of operators, for questions. */
enum err authority_operators(struct estate *e);

/* Commits when the next put would not fit any more. */
enum err write_room(struct estate *e);
enum err write_record(struct estate *e, const struct signed_record *r, uint64_t home);
/* All hosts: records and states. */
enum err write_hosts(struct estate *e);

/* operators.c: an inventory; with an outage an incident, claims and a note. After the hosts. */
enum err operators_write(struct estate *e);

/* history.c: when the node of the replica was started, what it knew then of a host and of a site, and how
 * that became what it is today; the last, when all else is written. */
wall_ms history_begin(const struct estate *e);
struct host_state history_first(const struct estate *e, const struct host *h);
struct site_state history_first_site(const struct estate *e, const struct site *s);
enum err history_play(struct estate *e);

/* rollcall.c: what the witnesses of each site signed last, and the site's first state. */
enum err rollcall_write(struct estate *e);

#endif
