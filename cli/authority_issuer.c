/* Grants of new issuers. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_change.h"
#include "cli/passphrase.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/hash.h"
#include "os/clock.h"
#include "os/file.h"

#define QUOTA_DEFAULT 1000
#define DAYS_DEFAULT  365
#define GRACE_DEFAULT 30
#define SITES_BYTES   (LIMIT_GRANT_SITES * (LIMIT_SITE_NAME_BYTES + 2))

static enum err read_grant(const struct command *c, struct authlog_grant *ret, struct err_info *info)
{
	unsigned quota, grace;
	const char *site;
	*ret = (struct authlog_grant){0};
	enum err err = command_number(c, "quota", 1, LIMIT_HOSTS, QUOTA_DEFAULT, &quota, info);
	if (err == ERR_OK)
		err = command_number(c, "grace", 0, 3650, GRACE_DEFAULT, &grace, info);
	if (err == ERR_OK)
		err = authority_last_day(c, DAYS_DEFAULT, &ret->last_day, info);
	while (err == ERR_OK && (site = options_nth(&c->options, "site", ret->site_count)) != NULL) {
		if (ret->site_count == LIMIT_GRANT_SITES)
			return err_set(info, ERR_USAGE, "more than %d sites; make a second issuer",
				       LIMIT_GRANT_SITES);
		err = authority_check_site(site, info);
		text_copy(ret->sites[ret->site_count++], LIMIT_SITE_NAME_BYTES + 1, site);
	}
	if (err != ERR_OK)
		return err;
	ret->quota = quota;
	ret->grace_days = (uint16_t)grace;
	text_copy(ret->name, sizeof(ret->name), c->options.operands[0]);
	return ERR_OK;
}

/* One of its own, none, or, unless told otherwise, the authority's: it is at hand, and asked for anyway. */
static enum err choose_passphrase(const struct authority_change *ch, char ret[PASSPHRASE_BYTES],
				  struct err_info *info)
{
	const struct command *c = ch->command;
	bool own =
	    options_has(&c->options, "key-passphrase") || options_has(&c->options, "key-passphrase-file");
	bool none = options_has(&c->options, "no-key-passphrase");
	if (own && none)
		return err_set(info, ERR_USAGE,
			       "--no-key-passphrase excludes --key-passphrase and --key-passphrase-file");
	if (own)
		return passphrase_read(c, "key-passphrase-file", "Passphrase for the issuer's key: ", true,
				       ret, info);
	if (ret == NULL)
		return err_set(info, ERR_NOMEM, "no memory for a passphrase");
	if (!none)
		memcpy(ret, ch->passphrase, PASSPHRASE_BYTES);
	return ERR_OK;
}

static enum err make_issuer_key(const struct authority_change *ch, const char *path, struct identity **ret,
				struct err_info *info)
{
	struct crypto_rng rng = crypto_rng_system();
	char *passphrase = passphrase_new();
	enum err err = choose_passphrase(ch, passphrase, info);
	if (err == ERR_OK)
		err = os_dir_make(ch->dir.issuers, 0700, info);
	if (err == ERR_OK && identity_generate(&rng, ret) != ERR_OK)
		err = err_set(info, ERR_NOMEM, "cannot make a key: %s", err_text(ERR_NOMEM));
	if (err == ERR_OK)
		err = identity_save(*ret, KEY_ISSUER, path, passphrase, &rng, info);
	passphrase_free(passphrase);
	return err;
}

/* A key that a crash left without its grant is taken up again. */
static enum err take_issuer_key(const struct authority_change *ch, const char *path, struct identity **ret,
				struct err_info *info)
{
	struct identity *issuer = NULL;
	enum err err;
	if (os_file_exists(path)) {
		err = passphrase_load_key(ch->command, path, KEY_ISSUER, "key-passphrase-file",
					  "Passphrase of the issuer's key: ", ch->passphrase, &issuer, info);
		if (err == ERR_OK && authlog_find_grant(ch->log, identity_id(issuer)) != NULL)
			err = err_set(info, ERR_EXISTS,
				      "\"%s\" exists already; choose another name, or extend its grant: mesh "
				      "authority extend",
				      path);
	} else {
		err = make_issuer_key(ch, path, &issuer, info);
	}
	if (err == ERR_OK)
		*ret = issuer;
	else
		identity_free(issuer);
	return err;
}

static void list_sites(const struct authlog_grant *grant, char ret[SITES_BYTES])
{
	size_t len = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < grant->site_count; i++)
		len += (size_t)snprintf(ret + len, SITES_BYTES - len, "%s%s", i == 0 ? "" : ", ",
					grant->sites[i]);
}

static int report_grant(struct authority_change *ch, const struct authlog_grant *grant, const char *path)
{
	char day[SHOWN_BYTES], hex[ID_HEX_BYTES], sites[SITES_BYTES], text[LIMIT_PATH_BYTES + 1024];
	struct fields f = {0};
	id_hex(&grant->issuer, hex);
	shown_day(grant->last_day, day);
	list_sites(grant, sites);
	fields_text(&f, "issuer", hex);
	fields_text(&f, "name", grant->name);
	fields_text(&f, "sites", grant->site_count > 0 ? sites : NULL);
	fields_number(&f, "quota", grant->quota);
	fields_text(&f, "last_day", day);
	fields_number(&f, "grace_days", grant->grace_days);
	fields_text(&f, "key_file", path);
	struct key_file_facts facts = {0};
	(void)key_file_inspect(path, &facts, NULL);
	fields_flag(&f, "protected", facts.protected);
	snprintf(
	    text, sizeof(text),
	    "Issuer \"%s\" may enrol %u hosts of %s until %s, and %u days of grace.\nIts key is \"%s\"%s.\n"
	    "Next: mesh token create --dir %.*s --issuer %s --out FILE\n",
	    grant->name, (unsigned)grant->quota, grant->site_count > 0 ? sites : "any site", day,
	    grant->grace_days, path,
	    facts.protected ? "" : ", without a passphrase: whoever reads it and estate.key can enrol hosts",
	    256, ch->dir.folder, grant->name);
	return authority_change_finish(ch, &f, text);
}

int verb_authority_issuer(struct command *c)
{
	struct authority_change ch;
	struct authlog_grant grant;
	struct err_info info = {0};
	struct identity *issuer = NULL;
	char path[LIMIT_PATH_BYTES];
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0;
	enum err err = read_grant(c, &grant, &info);
	if (err == ERR_OK)
		err = authority_dir_key("", "issuer", grant.name, path, sizeof(path), &info);
	if (err != ERR_OK)
		return command_report(c, &info);
	err = authority_change_open(c, &ch, &info);
	if (err == ERR_OK)
		err = authority_dir_key(ch.dir.issuers, "issuer", grant.name, path, sizeof(path), &info);
	if (err == ERR_OK)
		err = authority_change_unlock(&ch, false, &info);
	if (err == ERR_OK)
		err = take_issuer_key(&ch, path, &issuer, &info);
	if (err == ERR_OK) {
		memcpy(grant.public_key, identity_public_key(issuer), KEY_BYTES);
		grant.issuer = *identity_id(issuer);
		err = authlog_make_grant(ch.log, ch.key, &grant, os_clock_wall(), entry, &len);
		err = authority_change_add(&ch, err, entry, len, &info);
	}
	identity_free(issuer);
	int code = err == ERR_OK ? report_grant(&ch, &grant, path) : command_report(c, &info);
	authority_change_close(&ch);
	return code;
}
