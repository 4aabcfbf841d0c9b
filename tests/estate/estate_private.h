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

#endif
