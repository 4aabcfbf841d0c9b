/* More days or hosts, or fewer, for the grants there are. */
#include <string.h>

#include "cli/authority_change.h"
#include "cli/rows.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "os/clock.h"

/* What is asked for; and what the quota means for the hosts there are. */
struct extension {
	bool all; /* issuers */
	struct id issuer;
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	bool has_day, has_quota;
	wall_day last_day;
	uint32_t quota;
	bool counted; /* by a replica of this estate */
	uint64_t hosts, over;
};

static enum err read_extension(const struct command *c, struct extension *ret, struct err_info *info)
{
	unsigned number = 0;
	struct extension x = {.all = c->options.operand_count == 0};
	enum err err = authority_last_day(c, 0, &x.last_day, info);
	x.has_day = err == ERR_OK;
	x.has_quota = options_value(&c->options, "quota") != NULL;
	if (err == ERR_NOT_FOUND)
		err = x.has_quota
			  ? ERR_OK
			  : err_set(info, ERR_USAGE,
				    "nothing to extend; say until when with --days or --until, or how "
				    "many hosts with --quota");
	if (err == ERR_OK)
		err = command_number(c, "quota", 1, LIMIT_HOSTS, 1, &number, info);
	x.quota = number;
	if (err == ERR_OK)
		*ret = x;
	return err;
}

/* Hosts of the issuer that count for its quota, as this node knows them. */
static enum err count_hosts(struct query *q, const struct id *issuer, uint64_t *ret, struct err_info *info)
{
	struct rows found;
	char hex[ID_HEX_BYTES];
	const char *const parameters[] = {hex};
	id_hex(issuer, hex);
	enum err err = rows_fetch(q,
				  "SELECT count(*) AS hosts FROM hosts WHERE issuer = ?1 AND "
				  "ifnull(standing, 'good') IN ('good', 'grace', 'quarantined')",
				  parameters, 1, &found, info);
	if (err == ERR_OK)
		*ret = rows_u64(&found, 0, "hosts");
	rows_release(&found);
	return err;
}

/* Without a replica of this estate nothing is counted, and nothing is wrong. */
static void count_all(const struct authority_change *ch, struct extension *x)
{
	struct query *q;
	struct err_info why;
	enum err err = ERR_OK;
	bool near = ch->node.condition == NODE_REACHED || ch->node.condition == NODE_NOT_TOLD;
	if (!near || query_open(ch->node.state, os_clock_wall(), &q, &why) != ERR_OK)
		return;
	const struct authlog_grant *grant;
	for (size_t i = 0; err == ERR_OK && (grant = authlog_grant_at(ch->log, i)) != NULL; i++) {
		uint64_t hosts = 0;
		if (grant->revoked || (!x->all && !id_equal(&grant->issuer, &x->issuer)))
			continue;
		err = count_hosts(q, &grant->issuer, &hosts, &why);
		x->hosts += hosts;
		x->over += hosts > x->quota ? hosts - x->quota : 0;
	}
	query_close(q);
	x->counted = err == ERR_OK;
}

/* The largest quota that would be cut; 0 when none is. */
static uint32_t quota_before(const struct authority_change *ch, const struct extension *x)
{
	uint32_t most = 0;
	const struct authlog_grant *grant;
	for (size_t i = 0; (grant = authlog_grant_at(ch->log, i)) != NULL; i++) {
		if (!grant->revoked && (x->all || id_equal(&grant->issuer, &x->issuer)) &&
		    grant->quota > x->quota && grant->quota > most)
			most = grant->quota;
	}
	return most;
}

/* A lower quota takes the say from hosts that were enrolled in order: nobody does that by a slip. */
static enum err judge_quota(const struct authority_change *ch, struct extension *x, struct err_info *info)
{
	if (!x->has_quota)
		return ERR_OK;
	count_all(ch, x);
	uint32_t before = quota_before(ch, x);
	if (before == 0 || options_has(&ch->command->options, "force") || (x->counted && x->over == 0))
		return ERR_OK;
	if (!x->counted)
		return err_set(
		    info, ERR_ARG,
		    "%u hosts are fewer than the %u granted before, and no node of the estate is at "
		    "hand to say how many are enrolled (--state names one): those beyond would be "
		    "quarantined, shown but without a say; if that is meant, say --force",
		    (unsigned)x->quota, (unsigned)before);
	return err_set(
	    info, ERR_ARG,
	    "%llu of the %llu hosts that the node in \"%s\" knows as enrolled would be beyond a quota of "
	    "%u: quarantined, shown but without a say; if that is meant, say --force",
	    (unsigned long long)x->over, (unsigned long long)x->hosts, ch->node.state, (unsigned)x->quota);
}

static int report(struct authority_change *ch, const struct extension *x)
{
	char day[SHOWN_BYTES] = "", until[64] = "", hosts[64] = "", over[128] = "", text[768];
	struct fields f = {0};
	if (x->has_day) {
		shown_day(x->last_day, day);
		snprintf(until, sizeof(until), " until %s", day);
	}
	if (x->has_quota)
		snprintf(hosts, sizeof(hosts), "%s for %u hosts", x->has_day ? "," : "", (unsigned)x->quota);
	if (x->counted && x->over > 0)
		snprintf(over, sizeof(over), "%llu of %llu enrolled hosts are beyond that: quarantined.\n",
			 (unsigned long long)x->over, (unsigned long long)x->hosts);
	fields_text(&f, "name", x->all ? NULL : x->name);
	fields_text(&f, "last_day", x->has_day ? day : NULL);
	x->has_quota ? fields_number(&f, "quota", x->quota) : fields_null(&f, "quota");
	x->counted ? fields_number(&f, "hosts", (int64_t)x->hosts) : fields_null(&f, "hosts");
	x->counted ? fields_number(&f, "over_quota", (int64_t)x->over) : fields_null(&f, "over_quota");
	if (!x->all)
		snprintf(text, sizeof(text), "The grant of issuer \"%s\" now holds%s%s.\n%s", x->name, until,
			 hosts, over);
	else
		snprintf(text, sizeof(text), "The grants of all issuers now hold%s%s.\n%s", until, hosts,
			 over);
	return authority_change_finish(ch, &f, text);
}

static enum err find_issuer(const struct authority_change *ch, struct extension *x, struct err_info *info)
{
	if (x->all)
		return ERR_OK;
	enum err err =
	    authority_change_who(ch, false, ch->command->options.operands[0], &x->issuer, x->name, info);
	const struct authlog_grant *grant = err == ERR_OK ? authlog_find_grant(ch->log, &x->issuer) : NULL;
	if (grant != NULL && grant->revoked)
		return err_set(
		    info, ERR_REVOKED,
		    "issuer \"%s\" was revoked, for good; make a new one: mesh authority issuer NAME",
		    x->name);
	return err;
}

int verb_authority_extend(struct command *c)
{
	struct authority_change ch;
	struct extension x;
	struct err_info info = {0};
	uint8_t entry[LIMIT_LOG_ENTRY_BYTES];
	size_t len = 0;
	if (read_extension(c, &x, &info) != ERR_OK)
		return command_report(c, &info);
	enum err err = authority_change_open(c, &ch, &info);
	if (err == ERR_OK)
		err = find_issuer(&ch, &x, &info);
	if (err == ERR_OK)
		err = judge_quota(&ch, &x, &info);
	if (err == ERR_OK)
		err = authority_change_unlock(&ch, false, &info);
	if (err == ERR_OK) {
		err = authlog_make_extend(ch.log, ch.key, x.all ? NULL : &x.issuer,
					  x.has_day ? &x.last_day : NULL, x.has_quota ? &x.quota : NULL,
					  os_clock_wall(), entry, &len);
		err = authority_change_add(&ch, err, entry, len, &info);
	}
	int code = err == ERR_OK ? report(&ch, &x) : command_report(c, &info);
	authority_change_close(&ch);
	return code;
}
