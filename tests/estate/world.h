/* The estate before anything is signed: sites, images, hosts and what became of them. Inside tests/estate/
 * only.
 *
 * All of it is drawn from the seed, each host from a stream of its own, so that neither threads nor the order
 * of work change a byte. */
#ifndef MESH_TESTS_ESTATE_WORLD_H
#define MESH_TESTS_ESTATE_WORLD_H

#include "base/prng.h"
#include "crypto/certificate.h"
#include "crypto/hash.h"
#include "record/body.h"
#include "record/manifest.h"
#include "store/store.h"
#include "tests/estate/estate.h"

#define HOUR_MS (60 * CLOCK_MINUTE_MS)
#define NO_HOST SIZE_MAX

enum role { ROLE_TILL, ROLE_KIOSK, ROLE_SERVER, ROLE_DB, ROLE_LAPTOP, ROLE_DESKTOP, ROLES };
enum site_kind { SITE_DATA_CENTRE, SITE_OFFICE, SITE_WAREHOUSE, SITE_SHOP, SITE_KINDS };
enum family { FAMILY_WINDOWS = 1, FAMILY_LINUX = 2 };

/* What became of a host: the truth that answers are measured against. */
enum fate {
	FATE_UP,
	FATE_CRASH, /* the outage's cause took it down, and it stays down */
	FATE_LOOP,  /* … and it comes up for seconds again and again */
	FATE_POWER, /* power cut */
	FATE_LINK,  /* alive; its site is cut off */
	FATE_FAULT, /* vanished by itself: a broken disk, a pulled plug */
	FATE_ASLEEP,
	FATE_STOPPED,
	FATE_LEFT,
	FATE_REPLACED,
	FATE_NEVER_HEARD,
	FATES
};

/* What the outage's cause had to do with it. */
enum exposure {
	EXPOSURE_NONE,     /* does not have the component */
	EXPOSURE_MISSED,   /* has it; the bad version did not get there */
	EXPOSURE_AT_RISK,  /* likewise, as it was off or asleep: if started, it may */
	EXPOSURE_SURVIVED, /* took the bad version, and lives */
	EXPOSURE_ARMED,    /* likewise, and will crash any moment */
	EXPOSURE_HIT,
	EXPOSURES
};

/* A component by number: of products, of content files, of images' kernels (software.h). */
struct pick {
	uint16_t product;
	uint16_t version; /* 0 is the newest there will ever be */
};
#define PICKS_MAX 24

/* What a host runs. Plain bytes without padding: two are the same when their bytes are. */
struct software {
	uint16_t image;
	uint16_t level;   /* of patches: of the image, or one more */
	uint16_t release; /* of the sensor's content; 0: no sensor */
	uint16_t modules; /* enum reading_status of the list */
	uint16_t count;
	uint16_t rest;
	struct pick pending; /* on disk, in force from the next boot on; version 0: nothing */
	struct pick picks[PICKS_MAX];
};

/* A component that changed; version NO_VERSION: was not there, or is not there any more. */
struct update {
	uint16_t product, from, to;
	wall_ms at;
};
#define NO_VERSION  UINT16_MAX
#define UPDATES_MAX 6
#define CRASHES_MAX 8

struct site {
	char name[LIMIT_SITE_NAME_BYTES + 1];
	enum site_kind kind;
	wall_ms cut; /* of its link; 0: none */
	wall_ms power_cut;
	wall_ms changed;   /* the newest thing that its witnesses had to tell; 0: nothing */
	uint32_t *members; /* roster order */
	uint32_t *ranked;  /* best witness first */
	size_t count, capacity;
	bool own; /* of the replica's host */
	struct site_state state;
};

struct host {
	size_t number, site;
	size_t predecessor, successor; /* on the same hardware; NO_HOST */
	struct identity *identity;
	struct id id;
	enum role role;
	size_t model;
	enum fate fate;
	struct software software; /* as it last reported it */
	uint32_t set;             /* its manifest */
	struct update updates[UPDATES_MAX];
	size_t update_count;
	wall_ms enrolled, booted;
	wall_ms died, back; /* vanished, or said goodbye; 0: did not. Back until it died again, if it did */
	wall_ms died_again;
	uint64_t score; /* as a witness, lowest first */
	bool unclean;   /* the boot before ended in a crash */
	struct {
		wall_ms at;
		enum crash_kind kind;
		const char *detail;
	} crashes[CRASHES_MAX]; /* by the outage, and known to the host */
	size_t crash_count;
	enum exposure exposure;
	wall_ms arrived; /* the bad version */
	bool reported;   /* … and the host said so */
	bool repaired, relapsed;
	bool incomplete;                   /* profile, but no list of components yet */
	bool broken_health;                /* a collector failed */
	uint64_t seq;                      /* of its last record */
	char asset[LIMIT_LABEL_BYTES + 1]; /* the first one it stated; empty: none */
	struct host_state state;
};

struct image {
	uint16_t base, level, edition;
	enum role role;
	size_t pick_count;
	struct pick picks[PICKS_MAX];
};

struct manifests;
struct products;
struct set;

struct estate {
	const struct estate_options *o;
	unsigned threads;
	wall_ms epoch; /* what quiet times are counted from: the outage's beginning, or now */
	struct id id;
	uint8_t secret[KEY_BYTES]; /* of the estate */
	struct estate_keys keys;
	struct identity *issuers[SITE_KINDS];
	struct identity *operator_;
	struct authlog_head head;
	struct site *sites;
	struct host *hosts;
	struct image *images;
	size_t image_count;
	size_t cause; /* product */
	enum family cause_family;
	size_t companion, confounder_model; /* NO_HOST: none */
	struct products *products;
	struct manifests *manifests;
	struct store *store;
	wall_ms at;      /* of the commits now */
	size_t spares;   /* machines of the inventory that were never enrolled */
	struct set *set; /* what the trie hashes in roll-calls are made of */
	struct err_info *info;
	/* Trouble. */
	struct identity *bad_issuer, *late_issuer; /* revoked; its grant in its grace */
	struct id ids[ESTATE_TROUBLE_HOSTS];
	uint8_t proofs[ISSUE_PROOFS][LIMIT_RECORD_BYTES]; /* of the equivocation */
	size_t proof_len[ISSUE_PROOFS];
};

/* What is drawn: streams keep the draws of one subject apart from those of others. */
enum stream {
	STREAM_SITES = 1,
	STREAM_PLACES,
	STREAM_IMAGES,
	STREAM_PRODUCTS,
	STREAM_FATES,
	STREAM_HOST,
	STREAM_SOFTWARE,
	STREAM_RECORDS,
	STREAM_STATES,
	STREAM_OUTAGE,
	STREAM_KEYS,
	STREAM_OPERATORS,
};
/* draw.c */
struct prng draw_stream(const struct estate *e, enum stream stream, uint64_t number);
/* Index below `count` with weight 1 / (index + 1). */
size_t draw_zipf(struct prng *p, size_t count);
double draw_normal(struct prng *p);
/* Between both, evenly over the orders of magnitude. */
uint64_t draw_span(struct prng *p, uint64_t from, uint64_t to);
/* With this mean. */
uint64_t draw_wait(struct prng *p, double mean);
/* The same number for the same two, from any stream. */
uint64_t draw_mix(uint64_t a, uint64_t b);
struct reading_text draw_known(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* names.c */
void names_site(size_t index, char ret[LIMIT_SITE_NAME_BYTES + 1]);
const char *names_role(enum role role);
const char *names_site_kind(enum site_kind kind);
void names_host(const struct site *site, const struct host *h, char ret[LIMIT_HOSTNAME_BYTES + 1]);

/* hardware.c */
struct model {
	const char *name;
	unsigned roles; /* bit each */
	enum family family;
	const char *arch, *virtualization; /* NULL: bare metal */
	const char *driver;                /* that only this model has; NULL: none */
};
extern const struct model hardware_models[];
extern const size_t hardware_model_count;
/* A model that fits, the common ones more often. */
size_t hardware_pick(enum role role, enum family family, const char *arch, struct prng *p);

/* sites.c: sites with their sizes, and each host's. ERR_NOMEM. */
enum err sites_make(struct estate *e);
/* Members in roster order, once ids are known. */
enum err sites_rosters(struct estate *e);

/* hosts.c: who they are, what they run, what became of them in quiet times. */
enum err hosts_make(struct estate *e);
bool host_alive(const struct host *h, wall_ms t);

/* witness.c: what this replica's node would have decided by now about each host and site. */
enum err witness_judge(struct estate *e);
#define WITNESS_DETECT_MS 9000 /* suspicion and the witnesses' own probes */
uint64_t witness_interval_ms(const struct estate *e, const struct site *s);
/* The three that sign for a site at a moment, the best first. Returns how many. */
size_t witness_live(const struct estate *e, const struct site *s, wall_ms t, size_t ret[LIMIT_WITNESSES]);

#endif
