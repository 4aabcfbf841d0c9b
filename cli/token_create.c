/* A token: the issuer's key and what a machine needs besides, in one file. */
#include "crypto/token.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_dir.h"
#include "cli/fields.h"
#include "cli/passphrase.h"
#include "cli/shown.h"
#include "cli/token_subnets.h"
#include "cli/verb.h"
#include "os/clock.h"
#include "os/file.h"
#include "record/body.h"

#define DAYS_DEFAULT 7

static enum err read_seeds(const struct command *c, struct token *t, struct err_info *info)
{
	const char *text;
	while ((text = options_nth(&c->options, "seed", t->seed_count)) != NULL) {
		struct address address;
		if (t->seed_count == LIMIT_TOKEN_SEEDS)
			return err_set(info, ERR_USAGE, "more than %d seeds", LIMIT_TOKEN_SEEDS);
		if (address_parse(text, &address) != ERR_OK || address.port == 0) {
			char shown[128];
			text_escape(shown, sizeof(shown), text, strlen(text));
			return err_set(info, ERR_USAGE,
				       "seed \"%s\": a numeric address and a port are needed, like "
				       "10.1.0.5:7946 or [fd00::5]:7946",
				       shown);
		}
		address_text(&address, t->seeds[t->seed_count++]);
	}
	return ERR_OK;
}

/* By what the key file says unopened: nobody is asked for a passphrase in vain. */
static enum err find_grant(const struct authority_dir *d, const char *name, const struct authlog *log,
			   char ret_path[LIMIT_PATH_BYTES], const struct authlog_grant **ret,
			   struct err_info *info)
{
	struct key_file_facts facts;
	enum err err = authority_dir_key(d->issuers, "issuer", name, ret_path, LIMIT_PATH_BYTES, info);
	if (err == ERR_OK && !os_file_exists(ret_path))
		err =
		    err_set(info, ERR_NOT_FOUND,
			    "there is no issuer \"%s\" (\"%s\"); make it: mesh authority issuer %s --dir %s",
			    name, ret_path, name, d->folder);
	if (err == ERR_OK)
		err = key_file_inspect(ret_path, &facts, info);
	if (err != ERR_OK)
		return err;
	struct id id = id_of_key(facts.public_key);
	const struct authlog_grant *grant = authlog_find_grant(log, &id);
	if (grant == NULL)
		return err_set(
		    info, ERR_UNTRUSTED,
		    "issuer \"%s\" has no grant in \"%s\"; finish it: mesh authority issuer %s --dir "
		    "%s",
		    name, d->log, name, d->folder);
	if (grant->revoked)
		return err_set(info, ERR_REVOKED, "issuer \"%s\" was revoked; use another", name);
	*ret = grant;
	return ERR_OK;
}

/* One passphrase, asked for once, where both have the same. */
static enum err open_keys(const struct command *c, const struct authority_dir *d, const char *issuer_path,
			  struct token *t, struct err_info *info)
{
	char *passphrase = passphrase_new();
	enum err err =
	    passphrase == NULL
		? err_set(info, ERR_NOMEM, "no memory for a passphrase")
		: passphrase_load_seed(c, issuer_path, KEY_ISSUER, "passphrase-file",
				       "Passphrase of the issuer's key: ", passphrase, t->issuer_seed, info);
	/* An issuer's key without a passphrase left the one that was given unused. */
	bool unused = err == ERR_OK && passphrase[0] == '\0' && options_has(&c->options, "passphrase-file") &&
		      !options_has(&c->options, "estate-passphrase-file");
	if (err == ERR_OK)
		err = passphrase_load_seed(
		    c, d->estate, KEY_ESTATE_SECRET, unused ? "passphrase-file" : "estate-passphrase-file",
		    "Passphrase of the estate's key (estate.key): ", passphrase, t->estate_secret, info);
	passphrase_free(passphrase);
	return err;
}

static enum err choose_site(const struct command *c, const struct authlog_grant *grant, struct token *t,
			    struct err_info *info)
{
	const char *site = options_value(&c->options, "site");
	if (site == NULL) {
		if (grant->site_count == 1)
			text_copy(t->site, sizeof(t->site), grant->sites[0]);
		return ERR_OK;
	}
	enum err err = authority_check_site(site, info);
	if (err != ERR_OK)
		return err;
	bool allowed = grant->site_count == 0;
	for (size_t i = 0; i < grant->site_count; i++)
		allowed = allowed || strcmp(grant->sites[i], site) == 0;
	if (!allowed)
		return err_set(info, ERR_UNTRUSTED,
			       "site \"%s\" is outside the grant of issuer \"%s\" (%s%s); choose one of its "
			       "sites, or another issuer",
			       site, grant->name, grant->sites[0], grant->site_count > 1 ? ", …" : "");
	text_copy(t->site, sizeof(t->site), site);
	return ERR_OK;
}

static enum err choose_days(const struct command *c, const struct authlog_grant *grant, struct token *t,
			    struct err_info *info)
{
	unsigned days;
	char day[SHOWN_BYTES];
	wall_day today = clock_day(os_clock_wall());
	enum err err = command_number(c, "days", 0, 36500, DAYS_DEFAULT, &days, info);
	if (err != ERR_OK)
		return err;
	shown_day(grant->last_day, day);
	if (grant->last_day < today)
		return err_set(info, ERR_EXPIRED,
			       "the grant of issuer \"%s\" ended on %s; extend it: mesh authority extend %s "
			       "--dir DIR --days N",
			       grant->name, day, grant->name);
	/* A token that outlives its grant would be a promise that cannot be kept. */
	t->last_day = today + days < grant->last_day ? today + days : grant->last_day;
	return ERR_OK;
}

static enum err write_token(const struct token *t, const char *path, struct err_info *info)
{
	char *text;
	size_t len;
	enum err err = token_encode(t, &text, &len);
	if (err != ERR_OK)
		return err_set(info, err, "cannot make the token: %s", err_text(err));
	err = os_file_create(path, text, len, 0600, info);
	crypto_guarded_free(text, len);
	return err;
}

static int report(struct command *c, const struct token *t, const struct authlog_grant *grant,
		  const char *out)
{
	char day[SHOWN_BYTES], text[LIMIT_PATH_BYTES + 512], map[64] = "";
	struct fields f = {0};
	shown_day(t->last_day, day);
	fields_text(&f, "token", out);
	fields_text(&f, "issuer", grant->name);
	fields_text(&f, "site", t->site[0] != '\0' ? t->site : NULL);
	fields_number(&f, "subnets", (int64_t)t->subnet_count);
	fields_number(&f, "seeds", (int64_t)t->seed_count);
	fields_number(&f, "quota", grant->quota);
	fields_text(&f, "last_day", day);
	bool finds = t->site[0] != '\0' || t->subnet_count > 0;
	if (t->subnet_count > 0)
		snprintf(map, sizeof(map), ", chosen by %zu subnet%s,", t->subnet_count,
			 shown_plural(t->subnet_count));
	snprintf(text, sizeof(text),
		 "Token \"%s\" for %s%s%s may be used until %s. Whoever reads it can enrol hosts.\n%s"
		 "Next, on each machine: mesh enroll --token FILE%s\n",
		 out, t->site[0] != '\0' ? "site " : "any granted site", t->site, map, day,
		 t->seed_count > 0
		     ? ""
		     : "It names no node to ask first (--seed): each machine needs seeds in its "
		       "meshd.conf.\n",
		 finds ? "" : " --site SITE");
	return fields_answer(c, &f, text, false);
}

int verb_token_create(struct command *c)
{
	struct authority_dir d;
	struct token *t = token_new();
	char path[LIMIT_PATH_BYTES];
	struct err_info info = {0};
	const struct authlog_grant *grant = NULL;
	const char *issuer, *out;
	enum err err = authority_dir_name(c, &d, &info);
	if (err == ERR_OK && t == NULL)
		err = err_set(&info, ERR_NOMEM, "no memory for a token");
	if (err == ERR_OK)
		err = authority_required(c, "issuer", &issuer, &info);
	if (err == ERR_OK)
		err = authority_required(c, "out", &out, &info);
	if (err == ERR_OK)
		err = read_seeds(c, t, &info);
	if (err == ERR_OK)
		err = authority_dir_load_log(&d, &t->log, &info);
	if (err == ERR_OK)
		err = find_grant(&d, issuer, t->log, path, &grant, &info);
	if (err == ERR_OK)
		err = choose_site(c, grant, t, &info);
	if (err == ERR_OK)
		err = token_subnets_read(c, grant, t, &info);
	if (err == ERR_OK)
		err = choose_days(c, grant, t, &info);
	if (err == ERR_OK)
		err = open_keys(c, &d, path, t, &info);
	if (err == ERR_OK)
		err = write_token(t, out, &info);
	int code = err == ERR_OK ? report(c, t, grant, out) : command_report(c, &info);
	token_free(t);
	return code;
}
