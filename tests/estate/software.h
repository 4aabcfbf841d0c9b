/* What the estate's hosts run: images and what is in their box, third-party products, the sensor's content.
 * Inside tests/estate/ only. */
#ifndef MESH_TESTS_ESTATE_SOFTWARE_H
#define MESH_TESTS_ESTATE_SOFTWARE_H

#include "tests/estate/world.h"

/* --- images.c --- */

enum err images_make(struct estate *e);
/* An image for a host of this role, the common ones more often. */
size_t images_pick(const struct estate *e, enum role role, struct prng *p);
enum family images_family(const struct estate *e, size_t image);
const char *images_arch(const struct estate *e, size_t image);
struct reading_text images_os(const struct estate *e, size_t image);
/* Release of its kernel at a level of patches. */
struct reading_text images_kernel(const struct estate *e, size_t image, unsigned level);

/* --- inbox.c: what comes with the operating system --- */

#define INBOX_MAX 320
/* The kernel first. Modules are left out where the list of them could not be read. Returns how many. */
size_t inbox_list(const struct estate *e, const struct software *s, struct component *ret);
struct component inbox_kernel(const struct estate *e, size_t image, unsigned level);

/* --- products.c --- */

/* Version 0 repairs what version 1 breaks; neither is out in quiet times. */
#define VERSION_GOOD   0
#define VERSION_BAD    1
#define VERSION_NEWEST 2
/* Products of this number and above are the sensor's content files, a channel each. */
#define PRODUCT_CONTENT 0x8000
/* … and these the kernels of images, whose version is a level of patches. */
#define PRODUCT_KERNEL 0xc000

struct product {
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	enum component_kind kind;
	const char *vendor; /* NULL: names none */
	unsigned family;    /* or both */
	unsigned roles;     /* bit each; 0: of one model, or of the long tail */
	double share;       /* of the images (rollout: of the hosts) of these roles */
	unsigned count;     /* of versions in quiet times */
	uint32_t flags;
	bool rollout; /* updates itself, host by host; others come with the image */
	bool content; /* its hosts have the sensor's content files */
};

enum err products_make(struct estate *e);
void products_free(struct products *p);
size_t products_count(const struct estate *e);
const struct product *products_at(const struct estate *e, size_t index);
/* ERR_NOT_FOUND. */
enum err products_find(const struct estate *e, const char *name, enum family family, size_t *ret);
/* The cause's companion, which whoever has the one has as well. */
void products_add_companion(struct estate *e);
/* Index of the model's own driver; NO_HOST when it has none. */
size_t products_of_model(const struct estate *e, size_t model);
/* One of the long tail: what hardly anyone else has. */
size_t products_of_tail(const struct estate *e, enum family family, struct prng *p);
unsigned products_version(const struct estate *e, size_t product, struct prng *p);

/* --- content.c: the sensor's content files, released every few hours --- */

#define CONTENT_CHANNELS          14
#define CONTENT_RELEASES          40 /* before the epoch, the last one is out by then */
#define CONTENT_BAD               (CONTENT_RELEASES + 1)
#define CONTENT_GOOD              (CONTENT_RELEASES + 2)
#define CONTENT_COMPANION_CHANNEL 11
#define CONTENT_BAD_CHANNEL       12
/* When it came out. The bad and the good one do so with the outage, if at all. */
wall_ms content_time(const struct estate *e, unsigned release);
/* The channel that a release changes. */
size_t content_channel(const struct estate *e, unsigned release);
/* Version of a channel's file in a release. */
unsigned content_version(const struct estate *e, unsigned release, size_t channel);
/* The newest release that the host has by `t`, in quiet times. */
unsigned content_release_of(const struct estate *e, const struct host *h, wall_ms t);
/* When the host took a release, in quiet times. */
wall_ms content_taken(const struct estate *e, const struct host *h, unsigned release);

/* --- software.c --- */

/* What the host runs by `t`, in quiet times. */
void software_draw(struct estate *e, struct host *h, wall_ms t);
/* Place of the product among the picks; its version. False when it has none. */
bool software_find(const struct software *s, size_t product, uint16_t *ret_version);
void software_put(struct software *s, size_t product, unsigned version);
void software_drop(struct software *s, size_t product);
/* The component behind a number of any kind. */
struct component software_component(const struct estate *e, const struct host *h, size_t product,
				    unsigned version);
struct component software_product(const struct estate *e, size_t product, unsigned version);
struct component software_content_file(const struct estate *e, enum family family, size_t channel,
				       unsigned version);
/* Newer sensors alone have the channel that matters; of the others each image has some. */
bool software_has_channel(const struct estate *e, const struct software *s, size_t channel);
#define SOFTWARE_COMPONENTS_MAX (INBOX_MAX + PICKS_MAX + 2 * CONTENT_CHANNELS + 1)
/* What is pending comes last. */
size_t software_list(const struct estate *e, const struct software *s, struct component *ret);
/* Whether a component is loaded on hosts that have it. */
bool software_loaded(const struct component *c);
/* Entry id; 0: it has none. */
uint64_t software_entry(const struct component *c);

/* --- manifests.c: each set of software that occurs, made once --- */

struct manifest_set {
	struct id root;
	uint32_t entries;
	bool tainted;
	uint8_t loaded[COMPONENTS_LOADED_BYTES];
};
/* Numbers the sets of all hosts, makes their manifests on several threads and puts their blobs. */
enum err manifests_make(struct estate *e);
void manifests_free(struct manifests *m);
size_t manifests_count(const struct estate *e);
const struct manifest_set *manifests_at(const struct estate *e, uint32_t set);
uint64_t manifests_blobs(const struct estate *e);

#endif
