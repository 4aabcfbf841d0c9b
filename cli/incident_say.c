/* What operators say of incidents: open, claim, done, release, block, note, close. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/fields.h"
#include "cli/incident.h"
#include "cli/signer.h"
#include "cli/verb.h"

struct saying {
	struct signer signer;
	struct query *query;
	struct incident_head head;
};

/* What was said a moment ago shows in the replica. `typed` NULL: of no incident yet. */
static enum err begin(const struct command *c, uint8_t kind, const char *typed, struct saying *s,
		      struct err_info *info)
{
	enum err err = signer_open(c, kind, &s->signer, info);
	if (err == ERR_OK)
		err = signer_commit(&s->signer, info);
	if (err == ERR_OK)
		err = query_open(s->signer.state, s->signer.now, &s->query, info);
	if (err == ERR_OK && typed != NULL)
		err = incident_find(s->query, typed, &s->head, info);
	return err;
}

static void end(struct saying *s)
{
	signer_close(&s->signer);
	query_close(s->query);
}

static enum err take_text(char *ret, size_t cap, const char *text, const char *what, struct err_info *info)
{
	if (text != NULL && !text_copy(ret, cap, text))
		return err_set(info, ERR_USAGE, "%s is longer than %zu bytes", what, cap - 1);
	return ERR_OK;
}

static enum err one_host(struct query *q, const char *typed, struct id *ret, struct err_info *info)
{
	const char *const parameters[] = {typed};
	struct rows rows = {0};
	char shown[128];
	text_escape(shown, sizeof(shown), typed, strlen(typed));
	enum err err = rows_fetch(q,
				  "SELECT host FROM hosts WHERE (name = ?1 AND status NOT IN ('left', "
				  "'replaced')) OR host = lower(?1) OR "
				  "(length(?1) >= 6 AND substr(host, 1, length(?1)) = lower(?1))",
				  parameters, 1, &rows, info);
	if (err == ERR_OK && rows.count != 1)
		err = err_set(info, rows.count == 0 ? ERR_NOT_FOUND : ERR_USAGE,
			      rows.count == 0
				  ? "no host \"%s\" is known here; mesh hosts --all lists them"
				  : "several hosts are called \"%s\"; give the id of one: mesh hosts -o wide",
			      shown);
	if (err == ERR_OK && !id_unhex(ret, rows_text(&rows, 0, "host")))
		err = err_set(info, ERR_CORRUPT, "the replica gave an id that is none");
	rows_release(&rows);
	return err;
}

/* --- open --- */

static enum err all_terms(const struct command *c, const char *option, struct terms *ret,
			  struct err_info *info)
{
	enum err err = ERR_OK;
	const char *text;
	for (size_t i = 0; err == ERR_OK && (text = options_nth(&c->options, option, i)) != NULL; i++)
		err = terms_parse(text, ret, info);
	return err;
}

int verb_incident_open(struct command *c)
{
	struct err_info info = {0};
	struct saying s = {.query = NULL};
	struct incident i = {.op = INCIDENT_OPEN};
	struct terms match = {.count = 0}, good = {.count = 0};
	struct fields f = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	char id[INCIDENT_HEX_BYTES], text[256];
	uint64_t slot = signer_slot();
	enum err err = take_text(i.text, sizeof(i.text), c->options.operands[0], "TEXT", &info);
	if (err == ERR_OK)
		err = all_terms(c, "match", &match, &info);
	if (err == ERR_OK)
		err = all_terms(c, "good", &good, &info);
	memcpy(i.match, match.list, sizeof(i.match));
	memcpy(i.good, good.list, sizeof(i.good));
	i.match_count = match.count;
	i.good_count = good.count;
	if (err == ERR_OK && incident_encode(&i, body, &len) != ERR_OK)
		err = err_set(&info, ERR_USAGE,
			      "the terms together are too long: --match has room for %d bytes, --good "
			      "for %d",
			      LIMIT_MATCH_BYTES, LIMIT_GOOD_BYTES);
	if (err == ERR_OK)
		err = begin(c, RECORD_INCIDENT, NULL, &s, &info);
	if (err == ERR_OK)
		err = signer_say(&s.signer, RECORD_INCIDENT, &s.signer.estate, slot, body, len, &info);
	if (err == ERR_OK)
		err = signer_commit(&s.signer, &info);
	end(&s);
	if (err != ERR_OK)
		return command_report(c, &info);
	snprintf(id, sizeof(id), "%016" PRIx64, slot);
	fields_text(&f, "incident", id);
	snprintf(text, sizeof(text), "Opened incident %s. Its work list: mesh incident show %.6s\n", id, id);
	return fields_answer(c, &f, text, false);
}

/* --- claim, done, release, block --- */

struct subjects {
	struct id ids[OPTIONS_MAX_OPERANDS + 1];
	enum claim_scope scopes[OPTIONS_MAX_OPERANDS + 1];
	size_t count;
};

static enum err find_subjects(const struct command *c, struct query *q, struct subjects *ret,
			      struct err_info *info)
{
	const char *site = options_value(&c->options, "site");
	enum err err = ERR_OK;
	for (size_t i = 1; err == ERR_OK && i < c->options.operand_count; i++) {
		ret->scopes[ret->count] = CLAIM_HOST;
		err = one_host(q, c->options.operands[i], &ret->ids[ret->count++], info);
	}
	if (err == ERR_OK && site != NULL) {
		err = answer_check_site(q, site, info);
		ret->scopes[ret->count] = CLAIM_SITE;
		ret->ids[ret->count++] = id_of_site(site);
	}
	if (err == ERR_OK && ret->count == 0)
		err = err_set(info, ERR_USAGE, "say what it is about: HOST, or --site");
	return err;
}

/* Others who have it as well: they should talk. */
static enum err find_others(struct saying *s, const struct subjects *subjects, char *ret, size_t cap,
			    uint64_t *ret_count, struct err_info *info)
{
	char own[ID_HEX_BYTES], subject[ID_HEX_BYTES];
	const char *const parameters[] = {s->head.id, subject, own};
	enum err err = ERR_OK;
	size_t len = 0;
	id_hex(identity_id(s->signer.identity), own);
	ret[0] = '\0';
	for (size_t i = 0; err == ERR_OK && i < subjects->count; i++) {
		struct rows rows = {0};
		id_hex(&subjects->ids[i], subject);
		err = rows_fetch(
		    s->query,
		    "SELECT coalesce(operator, operator_id) AS who, coalesce(host_name, site, subject) AS "
		    "what "
		    "FROM claims WHERE incident = ?1 AND stands = 1 AND op <> 'release' AND operator_id <> "
		    "?3 AND "
		    "(subject = ?2 OR (about = 'site' AND site = (SELECT site FROM hosts WHERE host = ?2)))",
		    parameters, 3, &rows, info);
		for (size_t k = 0; err == ERR_OK && k < rows.count; k++) {
			char who[4 * LIMIT_SHORT_TEXT_BYTES + 1], what[4 * LIMIT_SHORT_TEXT_BYTES + 1];
			text_escape(who, sizeof(who), rows_text(&rows, k, "who"),
				    strlen(rows_text(&rows, k, "who")));
			text_escape(what, sizeof(what), rows_text(&rows, k, "what"),
				    strlen(rows_text(&rows, k, "what")));
			int n = snprintf(ret + len, cap - len, "COLLISION: %s has %s as well\n", who, what);
			len += n > 0 && (size_t)n < cap - len ? (size_t)n : 0;
			ret[len] = '\0';
		}
		*ret_count += rows.count;
		rows_release(&rows);
	}
	return err;
}

static enum err say_claims(struct saying *s, struct claim *claim, const struct subjects *subjects,
			   struct err_info *info)
{
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	enum err err = ERR_OK;
	claim->incident = s->head.slot;
	for (size_t i = 0; err == ERR_OK && i < subjects->count; i++) {
		claim->scope = subjects->scopes[i];
		err = claim_encode(claim, body, &len);
		err_set(info, err, "it cannot be said: %s", err_text(err));
		if (err == ERR_OK)
			err = signer_say(&s->signer, RECORD_CLAIM, &subjects->ids[i], signer_slot(), body,
					 len, info);
	}
	return err == ERR_OK ? signer_commit(&s->signer, info) : err;
}

static int say_claim(struct command *c, enum claim_op op, const char *done_word)
{
	struct err_info info = {0};
	struct saying s = {.query = NULL};
	struct subjects subjects = {.count = 0};
	struct claim claim = {.op = op};
	struct fields f = {0};
	char others[2048] = "", text[2304];
	uint64_t collisions = 0;
	enum err err =
	    take_text(claim.text, sizeof(claim.text), options_value(&c->options, "text"), "--text", &info);
	if (err == ERR_OK)
		err = begin(c, RECORD_CLAIM, c->options.operands[0], &s, &info);
	if (err == ERR_OK && !s.head.open)
		err = err_set(&info, ERR_ARG, "incident %s is closed", s.head.id);
	if (err == ERR_OK)
		err = find_subjects(c, s.query, &subjects, &info);
	if (err == ERR_OK)
		err = say_claims(&s, &claim, &subjects, &info);
	if (err == ERR_OK && op != CLAIM_RELEASE)
		err = find_others(&s, &subjects, others, sizeof(others), &collisions, &info);
	end(&s);
	if (err != ERR_OK)
		return command_report(c, &info);
	fields_text(&f, "incident", s.head.id);
	fields_text(&f, "op", claim_op_name(op));
	fields_number(&f, "subjects", (int64_t)subjects.count);
	fields_number(&f, "collisions", (int64_t)collisions);
	snprintf(text, sizeof(text), "%zu %s.\n%s", subjects.count, done_word, others);
	return fields_answer(c, &f, text, false);
}

int verb_incident_claim(struct command *c)
{
	return say_claim(c, CLAIM_CLAIM, "claimed");
}

int verb_incident_done(struct command *c)
{
	return say_claim(c, CLAIM_DONE, "said to be done; the hosts themselves prove whether they are back");
}

int verb_incident_release(struct command *c)
{
	return say_claim(c, CLAIM_RELEASE, "released");
}

int verb_incident_block(struct command *c)
{
	return say_claim(c, CLAIM_BLOCKED, "said to be blocked");
}

/* --- note, close --- */

int verb_incident_note(struct command *c)
{
	struct err_info info = {0};
	struct saying s = {.query = NULL};
	struct note note = {.incident = 0};
	struct fields f = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	struct id subject;
	const char *host = options_value(&c->options, "host"), *site = options_value(&c->options, "site");
	enum err err = take_text(note.text, sizeof(note.text), c->options.operands[1], "TEXT", &info);
	if (err == ERR_OK && (note.text[0] == '\0' || (host != NULL && site != NULL)))
		err = err_set(&info, ERR_USAGE,
			      "a note has a text, and is about --host, or --site, or neither");
	if (err == ERR_OK)
		err = begin(c, RECORD_NOTE, c->options.operands[0], &s, &info);
	subject = s.signer.estate;
	note.incident = s.head.slot;
	if (err == ERR_OK && host != NULL)
		err = one_host(s.query, host, &subject, &info);
	if (err == ERR_OK && site != NULL) {
		err = answer_check_site(s.query, site, &info);
		subject = id_of_site(site);
	}
	if (err == ERR_OK && note_encode(&note, body, &len) != ERR_OK)
		err = err_set(&info, ERR_FORMAT, "the note cannot be said");
	if (err == ERR_OK)
		err = signer_say(&s.signer, RECORD_NOTE, &subject, signer_slot(), body, len, &info);
	if (err == ERR_OK)
		err = signer_commit(&s.signer, &info);
	end(&s);
	if (err != ERR_OK)
		return command_report(c, &info);
	fields_text(&f, "incident", s.head.id);
	return fields_answer(c, &f, "Noted.\n", false);
}

int verb_incident_close(struct command *c)
{
	struct err_info info = {0};
	struct saying s = {.query = NULL};
	struct incident i = {.op = INCIDENT_CLOSE};
	struct fields f = {0};
	uint8_t body[LIMIT_RECORD_BODY_BYTES];
	size_t len;
	enum err err = take_text(i.text, sizeof(i.text), options_value(&c->options, "text"), "--text", &info);
	if (err == ERR_OK)
		err = begin(c, RECORD_INCIDENT, c->options.operands[0], &s, &info);
	if (err == ERR_OK && !s.head.open)
		err = err_set(&info, ERR_EXISTS, "incident %s is closed already", s.head.id);
	i.incident = s.head.slot;
	if (err == ERR_OK && incident_encode(&i, body, &len) != ERR_OK)
		err = err_set(&info, ERR_FORMAT, "it cannot be closed");
	if (err == ERR_OK)
		err =
		    signer_say(&s.signer, RECORD_INCIDENT, &s.signer.estate, signer_slot(), body, len, &info);
	if (err == ERR_OK)
		err = signer_commit(&s.signer, &info);
	end(&s);
	if (err != ERR_OK)
		return command_report(c, &info);
	fields_text(&f, "incident", s.head.id);
	return fields_answer(c, &f, "Closed, for good: what comes after it is another incident.\n", false);
}
