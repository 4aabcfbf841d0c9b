/* What can be wrong with an estate, once each, with the option only. Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_TROUBLE_H
#define MESH_TESTS_ESTATE_TROUBLE_H

#include "tests/estate/records.h"

enum err trouble_begin(struct estate *e);
/* The issuer of the host's certificate, whether or not there is trouble. */
const struct identity *trouble_issuer(const struct estate *e, const struct host *h);
/* Before anything is signed; changes what was drawn. */
void trouble_host(struct estate *e, struct host *h, struct sayings *s);
/* Looks at each record of the host. */
enum err trouble_record(struct estate *e, const struct host *h, const struct signed_record *record);
/* After the last host. */
enum err trouble_issues(struct estate *e);

#endif
