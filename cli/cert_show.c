/* A host's certificate and what it is worth by the authority's log. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/fields.h"
#include "cli/rows.h"
#include "cli/shown.h"
#include "cli/verb.h"
#include "crypto/certificate.h"
#include "os/clock.h"
#include "os/file.h"
#include "record/state.h"

#define GROUPS_BYTES (LIMIT_GROUPS * (LIMIT_GROUP_BYTES + 2))
#define TEXT_BYTES   8192

struct judged {
	struct certificate c;
	const struct authlog_grant *grant; /* NULL: the log has none */
	const char *standing;
	int64_t days_left; /* of the grant */
	bool sure;         /* false: the issuer is revoked, and its allow-list is not in the log */
	bool by_replica;
	char known[16]; /* what the replica says */
};

/* By the log alone: that knows no quota, and of an allow-list no more than its name. */
static void judge(const struct record *r, const struct authlog *log, struct judged *j)
{
	struct certificate verified;
	wall_day today = clock_day(os_clock_wall());
	if (authlog_day(log) > today)
		today = authlog_day(log);
	enum err err = certificate_verify(r, log, today, &verified);
	j->grant = authlog_find_grant(log, &j->c.issuer);
	j->days_left = j->grant != NULL ? (int64_t)j->grant->last_day - (int64_t)today : 0;
	if (err == ERR_OK)
		j->standing = host_standing_name(j->days_left < 0 && !j->grant->revoked ? STANDING_GRACE
											: STANDING_GOOD);
	else if (err == ERR_REVOKED)
		j->standing = host_standing_name(STANDING_REVOKED);
	else if (err == ERR_EXPIRED)
		j->standing = host_standing_name(STANDING_ENDED);
	else
		j->standing = err_name(err);
	(void)authlog_stands(log, &j->c.issuer, &j->c.host, &j->sure);
	if (!j->sure && err == ERR_OK)
		j->standing = "unknown";
}

/* The node has seen all certificates and pulled the lists: where the log lets a host stand, its word counts.
 */
static void ask_replica(const char *state, struct judged *j)
{
	struct query *q;
	struct rows found;
	char hex[ID_HEX_BYTES], issuer[ID_HEX_BYTES];
	const char *const parameters[] = {hex, issuer};
	if (query_open(state, os_clock_wall(), &q, NULL) != ERR_OK)
		return;
	id_hex(&j->c.host, hex);
	id_hex(&j->c.issuer, issuer);
	if (rows_fetch(q,
		       "SELECT iif(EXISTS (SELECT 1 FROM issues WHERE kind = 'allow-list-missing' AND "
		       "subject = ?2), "
		       "'unknown', standing) AS standing FROM hosts WHERE host = ?1 UNION ALL "
		       "SELECT 'revoked' FROM hidden_hosts WHERE host = ?1",
		       parameters, 2, &found, NULL) == ERR_OK &&
	    found.count > 0)
		text_copy(j->known, sizeof(j->known), rows_text(&found, 0, "standing"));
	rows_release(&found);
	query_close(q);
	bool stands = strcmp(j->standing, host_standing_name(STANDING_GOOD)) == 0 ||
		      strcmp(j->standing, host_standing_name(STANDING_GRACE)) == 0 || !j->sure;
	if (stands && j->known[0] != '\0') {
		j->standing = j->known;
		j->by_replica = true;
	}
}

static void put(char text[TEXT_BYTES], const char *label, const char *value)
{
	size_t len = strlen(text);
	len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%-10s", label);
	len += text_escape(text + len, TEXT_BYTES - len - 1, value, strlen(value));
	text_copy(text + len, TEXT_BYTES - len, "\n");
}

static void list_groups(const struct certificate *c, char ret[GROUPS_BYTES])
{
	size_t len = 0;
	ret[0] = '\0';
	for (size_t i = 0; i < c->group_count; i++)
		len +=
		    (size_t)snprintf(ret + len, GROUPS_BYTES - len, "%s%s", i > 0 ? ", " : "", c->groups[i]);
}

static int show(struct command *c, const struct judged *j, const struct authlog *log)
{
	char host[ID_HEX_BYTES], issuer[ID_HEX_BYTES], estate[ID_HEX_BYTES],
	    hardware[2 * HARDWARE_HASH_BYTES + 1];
	char groups[GROUPS_BYTES], day[SHOWN_BYTES], ends[SHOWN_BYTES] = "", line[512], text[TEXT_BYTES] = "";
	struct fields f = {0};
	bool good = strcmp(j->standing, host_standing_name(STANDING_GOOD)) == 0;
	id_hex(&j->c.host, host);
	id_hex(&j->c.issuer, issuer);
	id_hex(authlog_estate(log), estate);
	text_hex(hardware, j->c.hardware, HARDWARE_HASH_BYTES);
	list_groups(&j->c, groups);
	shown_day(j->c.enrolled, day);
	if (j->grant != NULL)
		shown_day(j->grant->last_day, ends);
	fields_text(&f, "host", host);
	fields_text(&f, "site", j->c.site);
	fields_text(&f, "groups", j->c.group_count > 0 ? groups : NULL);
	fields_text(&f, "enrolled_day", day);
	fields_text(&f, "issuer", issuer);
	fields_text(&f, "issuer_name", j->grant != NULL ? j->grant->name : NULL);
	fields_text(&f, "grant_last_day", j->grant != NULL ? ends : NULL);
	if (j->grant != NULL)
		fields_number(&f, "grant_days_left", j->days_left);
	else
		fields_null(&f, "grant_days_left");
	fields_text(&f, "standing", j->standing);
	fields_text(&f, "standing_by", j->by_replica ? "replica" : "log");
	fields_text(&f, "hardware", j->c.has_hardware ? hardware : NULL);
	fields_text(&f, "estate", estate);
	fields_text(&f, "estate_name", authlog_estate_name(log));
	put(text, "Host", host);
	put(text, "Site", j->c.site);
	put(text, "Groups", j->c.group_count > 0 ? groups : "none");
	put(text, "Enrolled", day);
	snprintf(line, sizeof(line), "%s (%.8s)%s%s%s", j->grant != NULL ? j->grant->name : "not in this log",
		 issuer, j->grant != NULL ? ", grant until " : "", ends,
		 j->grant != NULL && j->grant->revoked ? ", revoked" : "");
	put(text, "Issuer", line);
	snprintf(line, sizeof(line), "%s%s", j->standing,
		 strcmp(j->standing, "unknown") == 0
		     ? ": its issuer is revoked, and the list of the hosts that stay is not here"
		 : j->by_replica ? ", says the replica"
				 : ", by the log");
	put(text, "Standing", line);
	put(text, "Hardware", j->c.has_hardware ? hardware : "not stated");
	snprintf(line, sizeof(line), "%s (%.8s)", authlog_estate_name(log), estate);
	put(text, "Estate", line);
	return fields_answer(c, &f, text, !good);
}

static enum err read_certificate(const char *path, uint8_t ret[LIMIT_CERTIFICATE_BYTES], struct record *ret_r,
				 struct certificate *ret_c, struct err_info *info)
{
	uint8_t *data;
	size_t len;
	enum err err = os_file_read(path, LIMIT_CERTIFICATE_BYTES, &data, &len, info);
	if (err == ERR_NOT_FOUND)
		return err_set(info, err,
			       "there is no certificate \"%s\": enrol this machine (mesh enroll), name its "
			       "folder with --state, or a certificate",
			       path);
	if (err != ERR_OK)
		return err;
	memcpy(ret, data, len);
	free(data);
	err = record_parse(ret, len, ret_r);
	if (err == ERR_OK)
		err = certificate_decode(ret_r, ret_c);
	if (err != ERR_OK)
		return err_set(info, err, "\"%s\" is no certificate, or damaged: %s", path, err_text(err));
	return ERR_OK;
}

int verb_cert_show(struct command *c)
{
	const char *file = c->options.operand_count > 0 ? c->options.operands[0] : NULL;
	char state[LIMIT_PATH_BYTES], own[LIMIT_PATH_BYTES], log_path[LIMIT_PATH_BYTES];
	uint8_t bytes[LIMIT_CERTIFICATE_BYTES];
	struct err_info info = {0};
	struct authlog *log = NULL;
	struct record r;
	struct judged j = {0};
	enum err err = command_state(c, state, sizeof(state), &info);
	if (err == ERR_OK && (os_path_join(own, sizeof(own), state, "certificate") != ERR_OK ||
			      os_path_join(log_path, sizeof(log_path), state, "authority.log") != ERR_OK))
		err = err_set(&info, ERR_LIMIT, "the path of --state is too long");
	if (err == ERR_OK)
		err = read_certificate(file != NULL ? file : own, bytes, &r, &j.c, &info);
	if (err == ERR_OK)
		err = authlog_load(log_path, &log, &info);
	if (err == ERR_OK)
		judge(&r, log, &j);
	if (err == ERR_OK)
		ask_replica(state, &j);
	int code = err == ERR_OK ? show(c, &j, log) : command_report(c, &info);
	authlog_free(log);
	return code;
}
