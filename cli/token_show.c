/* What a token is for; nothing of what it keeps secret. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/fields.h"
#include "cli/shown.h"
#include "cli/token_subnets.h"
#include "cli/verb.h"
#include "crypto/hash.h"
#include "os/clock.h"
#include "os/file.h"

#define SITES_BYTES   (LIMIT_GRANT_SITES * (LIMIT_SITE_NAME_BYTES + 2))
#define SEEDS_BYTES   (LIMIT_TOKEN_SEEDS * (TOKEN_SEED_BYTES + 2))
#define SUBNETS_BYTES (LIMIT_SUBNETS * (TOKEN_SUBNET_TEXT + LIMIT_SITE_NAME_BYTES + 4))
#define TEXT_BYTES    (4 * (SITES_BYTES + SEEDS_BYTES + SUBNETS_BYTES) + 4096)

/* Why nothing can be enrolled with it; "" when something can. */
static const char *spent(const struct token *t, const struct authlog_grant *grant, wall_day today)
{
	if (grant == NULL)
		return "its issuer has no grant";
	if (grant->revoked)
		return "its issuer is revoked";
	if (grant->last_day < today)
		return "its issuer's grant has ended";
	return t->last_day < today ? "its days are over" : "";
}

static int show_used(struct command *c)
{
	struct fields f = {0};
	fields_text(&f, "state", "used");
	return fields_answer(c, &f, "This token was used and wiped: ask for a new one.\n", true);
}

struct shown {
	char sites[SITES_BYTES], seeds[SEEDS_BYTES], subnets[SUBNETS_BYTES];
	char text[TEXT_BYTES];
};

static void join(char *ret, size_t cap, size_t *len, const char *a, const char *mark, const char *b)
{
	*len += (size_t)snprintf(ret + *len, cap - *len, "%s%s%s%s", *len > 0 ? ", " : "", a, mark, b);
}

static void list(const struct token *t, const struct authlog_grant *grant, struct shown *s)
{
	size_t len = 0;
	for (size_t i = 0; grant != NULL && i < grant->site_count; i++)
		join(s->sites, sizeof(s->sites), &len, grant->sites[i], "", "");
	len = 0;
	for (size_t i = 0; i < t->seed_count; i++)
		join(s->seeds, sizeof(s->seeds), &len, t->seeds[i], "", "");
	len = 0;
	for (size_t i = 0; i < t->subnet_count; i++) {
		char subnet[TOKEN_SUBNET_TEXT];
		token_subnets_text(&t->subnets[i], subnet);
		join(s->subnets, sizeof(s->subnets), &len, subnet, "=", t->subnets[i].site);
	}
}

/* One line of a label and a text that may be hostile. */
static void put(struct shown *s, const char *label, const char *text)
{
	size_t len = strlen(s->text);
	len += (size_t)snprintf(s->text + len, sizeof(s->text) - len, "%-10s", label);
	len += text_escape(s->text + len, sizeof(s->text) - len - 1, text, strlen(text));
	text_copy(s->text + len, sizeof(s->text) - len, "\n");
}

static int show(struct command *c, const struct token *t, const struct identity *issuer, struct shown *s)
{
	const struct authlog_grant *grant = authlog_find_grant(t->log, identity_id(issuer));
	wall_day today = clock_day(os_clock_wall());
	char id[ID_HEX_BYTES], estate[ID_HEX_BYTES], day[SHOWN_BYTES], ends[SHOWN_BYTES] = "", line[256];
	const char *why = spent(t, grant, today);
	struct fields f = {0};
	id_hex(identity_id(issuer), id);
	id_hex(authlog_estate(t->log), estate);
	shown_day(t->last_day, day);
	if (grant != NULL)
		shown_day(grant->last_day, ends);
	list(t, grant, s);
	fields_text(&f, "state", why[0] == '\0' ? "usable" : "unusable");
	fields_text(&f, "why", why[0] == '\0' ? NULL : why);
	fields_text(&f, "estate", estate);
	fields_text(&f, "estate_name", authlog_estate_name(t->log));
	fields_text(&f, "issuer", id);
	fields_text(&f, "issuer_name", grant != NULL ? grant->name : NULL);
	fields_text(&f, "granted_sites", grant != NULL && grant->site_count > 0 ? s->sites : NULL);
	if (grant != NULL)
		fields_number(&f, "quota", grant->quota);
	else
		fields_null(&f, "quota");
	fields_text(&f, "site", t->site[0] != '\0' ? t->site : NULL);
	fields_text(&f, "last_day", day);
	fields_number(&f, "days_left", (int64_t)t->last_day - (int64_t)today);
	fields_text(&f, "grant_last_day", grant != NULL ? ends : NULL);
	fields_text(&f, "subnets", t->subnet_count > 0 ? s->subnets : NULL);
	fields_text(&f, "seeds", t->seed_count > 0 ? s->seeds : NULL);
	fields_number(&f, "log_entries", (int64_t)authlog_count(t->log));
	snprintf(line, sizeof(line), "%s (%.8s)", authlog_estate_name(t->log), estate);
	put(s, "Estate", line);
	snprintf(line, sizeof(line), "%s (%.8s), at most %u hosts, grant until %s",
		 grant != NULL ? grant->name : "unknown", id, grant != NULL ? (unsigned)grant->quota : 0,
		 ends);
	put(s, "Issuer", line);
	put(s, "Sites", grant != NULL && grant->site_count > 0 ? s->sites : "any");
	put(s, "Default", t->site[0] != '\0' ? t->site : "none: by subnet, or --site");
	put(s, "Subnets", t->subnet_count > 0 ? s->subnets : "none");
	put(s, "Seeds", t->seed_count > 0 ? s->seeds : "none");
	snprintf(line, sizeof(line), "%s (%lld days left); log of %zu entries", day,
		 (long long)t->last_day - (long long)today, authlog_count(t->log));
	put(s, "Until", line);
	if (why[0] != '\0')
		put(s, "UNUSABLE", why);
	return fields_answer(c, &f, s->text, why[0] != '\0');
}

int verb_token_show(struct command *c)
{
	const char *path = c->options.operands[0];
	struct token *t = token_new();
	struct err_info info = {0};
	struct identity *issuer = NULL;
	struct os_secret *file = NULL;
	enum err err = t == NULL ? err_set(&info, ERR_NOMEM, "no memory for a token")
				 : os_secret_open(path, false, &file, &info);
	if (err == ERR_OK)
		err = token_read(file, t, &info);
	os_secret_close(file);
	if (err == ERR_USED) {
		token_free(t);
		return show_used(c);
	}
	struct shown *s = err == ERR_OK ? calloc(1, sizeof(*s)) : NULL;
	if (err == ERR_OK)
		err = s == NULL ? ERR_NOMEM : identity_from_seed(t->issuer_seed, &issuer);
	if (err != ERR_OK && info.code == ERR_OK)
		err_set(&info, err, "%s", err_text(err));
	int code = err == ERR_OK ? show(c, t, issuer, s) : command_report(c, &info);
	free(s);
	identity_free(issuer);
	token_free(t);
	return code;
}
