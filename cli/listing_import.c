#include "cli/listing_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/listing_say.h"
#include "cli/rows.h"
#include "os/file.h"

static int tell_faults(struct command *c, const char *path, const char *done, const struct csv_table *csv)
{
	int code = command_fail(c, MESH_EXIT_ERROR, "\"%s\" has %zu fault%s, and nothing of it was %s:", path,
				csv->fault_count, csv->fault_count == 1 ? "" : "s", done);
	size_t shown = csv->fault_count < CSV_FAULTS_SHOWN ? csv->fault_count : CSV_FAULTS_SHOWN;
	for (size_t i = 0; i < shown; i++) {
		const struct csv_fault *f = &csv->faults[i];
		char text[4 * sizeof(f->text)];
		text_escape(text, sizeof(text), f->text, strlen(f->text));
		fprintf(c->err, "  line %zu%s%s: %s\n", f->line, f->column[0] != '\0' ? ", column " : "",
			f->column, text);
	}
	if (shown < csv->fault_count)
		fprintf(c->err, "  and %zu more\n", csv->fault_count - shown);
	return code;
}

/* Lists in force: those that are replaced, and those that others signed and that go on. */
static enum err find_replaced(const struct command *c, const struct signer *s,
			      const struct listing_import_form *form, struct listing_import *i,
			      struct err_info *info)
{
	const char *what = options_value(&c->options, "replace");
	char own[ID_HEX_BYTES], sql[96];
	struct query *q = NULL;
	struct rows rows = {0};
	bool all = what != NULL && strcmp(what, "all") == 0;
	bool none = what != NULL && strcmp(what, "none") == 0;
	id_hex(identity_id(s->identity), own);
	snprintf(sql, sizeof(sql), "SELECT DISTINCT record, operator_id FROM %s", form->table);
	enum err err = query_open(s->state, s->now, &q, info);
	if (err == ERR_OK)
		err = rows_fetch(q, sql, NULL, 0, &rows, info);
	if (err == ERR_OK)
		i->replaces = calloc(rows.count + 1, sizeof(*i->replaces));
	if (err == ERR_OK && i->replaces == NULL)
		err = err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t k = 0; err == ERR_OK && k < rows.count; k++) {
		bool mine = strcmp(rows_text(&rows, k, "operator_id"), own) == 0;
		if (none || (!mine && !all))
			i->others++;
		else
			i->replaces[i->replace_count++] = strtoull(rows_text(&rows, k, "record"), NULL, 16);
	}
	rows_release(&rows);
	query_close(q);
	return err;
}

static enum err say(struct command *c, const char *path, const struct listing_import_form *form,
		    struct listing_import *i, struct err_info *info)
{
	struct signer s;
	const struct listing_rows rows = {form->kind, i->csv.rows, i->csv.count};
	const char *title = options_value(&c->options, "title"), *slash = strrchr(path, '/');
	char name[LIMIT_SHORT_TEXT_BYTES + 1];
	if (title != NULL && strlen(title) > LIMIT_SHORT_TEXT_BYTES)
		return err_set(info, ERR_USAGE, "--title is longer than %d bytes", LIMIT_SHORT_TEXT_BYTES);
	text_copy(name, sizeof(name), title != NULL ? title : slash != NULL ? slash + 1 : path);
	enum err err = signer_open(c, form->kind, &s, info);
	/* What was said a moment ago shows. */
	if (err == ERR_OK)
		err = signer_commit(&s, info);
	if (err == ERR_OK)
		err = find_replaced(c, &s, form, i, info);
	if (err == ERR_OK)
		err = listing_say(&s, &rows, name, i->replaces, i->replace_count, &i->records, info);
	if (err == ERR_OK)
		err = signer_commit(&s, info);
	signer_close(&s);
	return err;
}

int listing_import(struct command *c, const struct listing_import_form *form)
{
	struct err_info info = {0};
	struct listing_import i = {.dry = options_has(&c->options, "dry-run")};
	const char *path = c->options.operands[0];
	uint8_t *text = NULL;
	size_t len = 0;
	int code;
	enum err err = os_file_read(path, CSV_FILE_BYTES, &text, &len, &info);
	if (err == ERR_OK) {
		err = form->parse(text, len, &i.csv);
		err_set(&info, err, "%s", err_text(err));
	}
	if (err == ERR_OK && i.csv.fault_count > 0) {
		code = tell_faults(c, path, form->done, &i.csv);
	} else {
		if (err == ERR_OK && !i.dry)
			err = say(c, path, form, &i, &info);
		code = err == ERR_OK ? form->report(c, &i) : command_report(c, &info);
	}
	csv_release(&i.csv);
	free(i.replaces);
	free(text);
	return code;
}
