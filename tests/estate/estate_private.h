#ifndef MESH_TESTS_ESTATE_PRIVATE_H
#define MESH_TESTS_ESTATE_PRIVATE_H

#include "base/prng.h"
#include "crypto/certificate.h"
#include "record/body.h"
#include "record/manifest.h"
#include "store/store.h"
#include "tests/estate/estate.h"

struct site {
	char name[LIMIT_SITE_NAME_BYTES + 1];
	bool silent;
	size_t hosts;
};

struct estate {
	const struct estate_options *o;
	struct prng prng;
	struct id id;
	struct identity *issuer;
	struct identity *bad_issuer, *late_issuer; /* trouble: revoked; its grant in its grace */
	struct id ids[ESTATE_TROUBLE_HOSTS];
	uint8_t proofs[ISSUE_PROOFS][LIMIT_RECORD_BYTES]; /* of the equivocation */
	size_t proof_len[ISSUE_PROOFS];
	struct store *store;
	struct site *sites;
	uint64_t *site_weights; /* running sums */
	struct err_info *info;
};

/* What one image of an operating system brings. */
struct image {
	const char *os, *kernel, *arch, *model;
	size_t modules;
};
extern const struct image estate_images[];
extern const size_t estate_image_count;

/* One host: everything drawn before anything is signed. */
struct host {
	struct identity *identity;
	struct certificate certificate;
	struct profile profile;
	struct health health;
	struct components components;
	struct crashes crashes;
	struct host_state state;
	size_t number, site, image;
};

#define ESTATE_COMPONENTS_MAX 400
/* Components of the host, its manifest's blobs included, and its changes. */
enum err estate_components(struct estate *e, struct host *h);
void estate_draw(struct estate *e, struct host *h);

/* --- trouble, with the option only --- */

enum err estate_trouble_begin(struct estate *e);
/* The issuer of the host's certificate, whether or not there is trouble. */
const struct identity *estate_trouble_issuer(const struct estate *e, const struct host *h);
/* Before the certificate is signed; changes what was drawn. */
void estate_trouble_host(struct estate *e, struct host *h);
/* Looks at each record of the host. */
enum err estate_trouble_record(struct estate *e, const struct host *h, const uint8_t *bytes, size_t len);
/* After the last host. */
enum err estate_trouble_issues(struct estate *e);

#endif
