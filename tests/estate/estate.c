#include "tests/estate/estate.h"

#include <stdlib.h>

#include "crypto/hash.h"
#include "gossip/set.h"
#include "os/file.h"
#include "tests/estate/outage.h"
#include "tests/estate/parallel.h"
#include "tests/estate/software.h"
#include "tests/estate/trouble.h"
#include "tests/estate/truth.h"
#include "tests/estate/write.h"

/* Everything is decided before anything is signed: hosts need the names of their witnesses. */
static enum err decide(struct estate *e)
{
	enum err err = images_make(e);
	if (err == ERR_OK)
		err = sites_make(e);
	if (err == ERR_OK)
		err = hosts_make(e);
	if (err == ERR_OK)
		outage_apply(e);
	if (err == ERR_OK)
		err = sites_rosters(e);
	return err == ERR_OK ? witness_judge(e) : err;
}

static enum err open_out(struct estate *e)
{
	char path[LIMIT_PATH_BYTES], data[LIMIT_PATH_BYTES];
	enum err err = os_dir_make(e->o->out, 0750, e->info);
	if (err == ERR_OK)
		err = os_path_join(path, sizeof(path), e->o->out, "replica");
	if (err == ERR_OK)
		err = os_path_join(data, sizeof(data), path, "data.mdb");
	if (err == ERR_OK && os_file_exists(data))
		return err_set(e->info, ERR_EXISTS, "\"%s\" has a replica already; name an empty folder",
			       e->o->out);
	if (err == ERR_OK)
		err = authority_make(e);
	if (err == ERR_OK)
		err = decide(e);
	/* The replica is the first host's. */
	return err == ERR_OK ? store_open(path, &e->id, &e->hosts[0].id, &e->store, NULL, e->info) : err;
}

/* As a node does that has nothing else to commit. */
static enum err stamp(struct estate *e)
{
	enum err err = store_put_host_state(e->store, &e->hosts[0].state);
	return err == ERR_OK ? store_flush(e->store, e->o->now, e->info) : err;
}

static enum err write(struct estate *e)
{
	e->at = history_begin(e);
	enum err err = store_put_mark(e->store, STORE_MARK_START, 0);
	if (err == ERR_OK && e->o->trouble)
		err = trouble_begin(e);
	if (err == ERR_OK)
		err = manifests_make(e);
	if (err == ERR_OK)
		err = write_hosts(e);
	if (err == ERR_OK)
		err = authority_operators(e);
	if (err == ERR_OK)
		err = operators_write(e);
	if (err == ERR_OK)
		err = rollcall_write(e);
	if (err == ERR_OK && e->o->trouble)
		err = trouble_issues(e);
	if (err == ERR_OK)
		err = history_play(e);
	if (err == ERR_OK)
		err = stamp(e);
	if (err == ERR_OK)
		err = authority_files(e);
	return err == ERR_OK ? truth_write(e) : err;
}

static void release(struct estate *e)
{
	store_close(e->store);
	for (size_t i = 0; i < SITE_KINDS; i++)
		identity_free(e->issuers[i]);
	identity_free(e->operator_);
	identity_free(e->bad_issuer);
	identity_free(e->late_issuer);
	for (size_t i = 0; e->hosts != NULL && i < e->o->hosts; i++)
		identity_free(e->hosts[i].identity);
	for (size_t i = 0; e->sites != NULL && i < e->o->sites; i++) {
		free(e->sites[i].members);
		free(e->sites[i].ranked);
	}
	free(e->hosts);
	free(e->sites);
	free(e->images);
	products_free(e->products);
	manifests_free(e->manifests);
	set_free(e->set);
}

static enum err check(const struct estate_options *o, struct err_info *info)
{
	if (o->hosts < 1 || o->hosts > ESTATE_HOSTS_MAX || o->sites < 1 || o->sites > ESTATE_SITES_MAX ||
	    o->sites > o->hosts ||
	    (o->images != 0 && (o->images < ESTATE_IMAGES_MIN || o->images > ESTATE_IMAGES_MAX)) ||
	    o->now < ESTATE_NOW_MIN || (o->trouble && o->hosts < ESTATE_TROUBLE_HOSTS))
		return err_set(info, ERR_ARG, "%zu hosts in %zu sites are out of range", o->hosts, o->sites);
	if (o->hosts > o->sites * ESTATE_SITE_HOSTS_MAX)
		return err_set(info, ERR_ARG, "%zu hosts need at least %zu sites: a site has %d at most",
			       o->hosts, (o->hosts + ESTATE_SITE_HOSTS_MAX - 1) / ESTATE_SITE_HOSTS_MAX,
			       ESTATE_SITE_HOSTS_MAX);
	if (o->outage == ESTATE_QUIET)
		return ERR_OK;
	if (o->from > o->to || o->from > o->now || o->from < ESTATE_NOW_MIN ||
	    !(o->share >= 0 && o->share <= 1) || !(o->repaired >= 0 && o->repaired <= 1))
		return err_set(info, ERR_ARG, "the outage's window or shares are out of range");
	return ERR_OK;
}

enum err estate_write(const struct estate_options *o, struct err_info *info)
{
	struct estate e = {.o = o,
			   .info = info,
			   .epoch = o->outage == ESTATE_QUIET ? o->now : o->from,
			   .threads = o->threads};
	struct err_info own = {.code = ERR_OK};
	if (info == NULL)
		e.info = &own;
	e.info->text[0] = '\0';
	if (e.threads == 0)
		e.threads = parallel_processors();
	enum err err = check(o, e.info);
	if (err == ERR_OK)
		err = crypto_init();
	if (err == ERR_OK)
		err = products_make(&e);
	if (err == ERR_OK)
		err = outage_choose(&e);
	if (err == ERR_OK)
		err = open_out(&e);
	if (err == ERR_OK)
		err = write(&e);
	release(&e);
	if (err != ERR_OK && e.info->text[0] == '\0')
		err_set(e.info, err, "cannot write the estate: %s", err_text(err));
	return err;
}
