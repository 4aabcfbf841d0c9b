#include "store/suspects.h"

#include <stdlib.h>
#include <string.h>

#include "store/suspects_private.h"
#include "store/table_entry.h"

const char *suspects_kind_name(enum suspect_kind kind)
{
	static const char *const names[SUSPECT_KINDS] = {
	    [SUSPECT_COMPONENT] = "component", [SUSPECT_VERSION] = "version",
	    [SUSPECT_FROM] = "versions from",  [SUSPECT_FILE] = "file",
	    [SUSPECT_CHANGE] = "change",       [SUSPECT_SITE] = "site",
	    [SUSPECT_MODEL] = "model",         [SUSPECT_OS] = "os",
	    [SUSPECT_KERNEL] = "kernel"};
	return names[kind];
}

const char *suspects_verdict_name(enum suspect_verdict verdict)
{
	static const char *const names[SUSPECT_VERDICTS] = {
	    [SUSPECT_STRONG] = "strong",          [SUSPECT_LIKELY] = "likely",
	    [SUSPECT_PART] = "any version",       [SUSPECT_TOGETHER] = "cannot tell apart",
	    [SUSPECT_SEPARATE] = "separate",      [SUSPECT_ONLY_WITH] = "only with",
	    [SUSPECT_EXPLAINED] = "explained",    [SUSPECT_MAYBE] = "may be chance",
	    [SUSPECT_EVERYWHERE] = "cannot tell", [SUSPECT_NO_DIFFERENCE] = "no difference"};
	return names[verdict];
}

const char *suspects_outcome_name(enum suspects_outcome outcome)
{
	static const char *const names[] = {[SUSPECTS_NAMED] = "named",
					    [SUSPECTS_QUIET] = "quiet",
					    [SUSPECTS_TOO_FEW] = "too few failed",
					    [SUSPECTS_TOO_MANY] = "too few survived",
					    [SUSPECTS_NOTHING] = "nothing stands out"};
	return names[outcome];
}

/* --- rows --- */

static enum err name_entry(struct suspects_engine *e, uint32_t number, struct suspect *row)
{
	struct column_row entry;
	enum err err = columns_row(&e->q->columns, GROUP_ENTRY, number, &entry);
	if (err == ERR_OK && column_row_u64(entry, C_ENTRY_SOURCE_STATUS) == READING_OK)
		row->source = column_row_text(entry, C_ENTRY_SOURCE);
	if (e->entries[number].place != SUSPECTS_NONE)
		row->version = e->versions[e->entries[number].place].text;
	return err;
}

static enum err name_row(struct suspects_engine *e, uint32_t candidate, struct suspect *row)
{
	uint32_t index = candidate - e->base[row->kind], family = suspects_family(e, candidate);
	if (family != SUSPECTS_NONE) {
		row->component_kind = component_kind_name((enum component_kind)e->names.list[family].tag);
		row->name = e->names.list[family].text;
	}
	switch (row->kind) {
	case SUSPECT_VERSION:
	case SUSPECT_FROM:
		row->version = e->versions[index].text;
		break;
	case SUSPECT_FILE:
		return name_entry(e, index, row);
	case SUSPECT_SITE:
		row->name = e->q->roster.sites[index].state.name;
		break;
	case SUSPECT_MODEL:
	case SUSPECT_OS:
	case SUSPECT_KERNEL:
		row->name = e->attributes[row->kind - SUSPECT_MODEL].list[index].text;
		break;
	default:
		break;
	}
	return ERR_OK;
}

enum err suspects_row(struct suspects_engine *e, uint32_t candidate, enum suspect_verdict verdict,
		      unsigned line, unsigned of, struct suspect **ret)
{
	struct suspects *s = e->ret;
	struct suspect *rows = realloc(s->rows, (s->count + 1) * sizeof(*rows));
	if (rows == NULL)
		return ERR_NOMEM;
	s->rows = rows;
	const struct suspects_tally *t = &e->tallies[candidate];
	struct suspect *row = &rows[s->count++];
	*row = (struct suspect){
	    .line = line,
	    .of = of,
	    .kind = suspects_kind_of(e, candidate),
	    .verdict = verdict,
	    .hosts = {t->failed, t->all, e->failed - t->failed, e->counted - t->all},
	};
	row->compared = statistics_relative_risk(&row->hosts, &row->risk);
	row->ln_p = statistics_fisher(&row->hosts);
	row->ln_corrected = statistics_corrected(row->ln_p, s->tried);
	*ret = row;
	return name_row(e, candidate, row);
}

/* --- all of it --- */

static int by_manifest(const void *a, const void *b)
{
	const struct suspects_host *x = a, *y = b;
	if (x->manifest != y->manifest)
		return x->manifest < y->manifest ? -1 : 1;
	return (x->number > y->number) - (x->number < y->number);
}

/* Leaves those that candidates are counted over, in the order of their manifests. */
static void keep_counted(struct suspects_engine *e)
{
	struct suspects *s = e->ret;
	size_t kept = 0;
	for (size_t i = 0; i < e->host_count; i++) {
		const struct suspects_host *h = &e->hosts[i];
		if (h->class == SUSPECTS_SEPARATE)
			continue;
		s->failed += h->class == SUSPECTS_FAILED;
		s->survived += h->class == SUSPECTS_SURVIVED;
		s->unlisted += h->manifest == SUSPECTS_NONE;
		if (h->manifest != SUSPECTS_NONE)
			e->hosts[kept++] = *h;
	}
	e->host_count = kept;
	qsort(e->hosts, kept, sizeof(*e->hosts), by_manifest);
}

static void free_texts(struct suspects_texts *t)
{
	free(t->list);
	free(t->slots);
}

static void engine_free(struct suspects_engine *e)
{
	free(e->wanted);
	free(e->hosts);
	free(e->cuts);
	free_texts(&e->names);
	free_texts(&e->version_texts);
	for (size_t i = 0; i < 3; i++)
		free_texts(&e->attributes[i]);
	free(e->entries);
	free(e->entry_slots);
	free(e->versions);
	free(e->version_first);
	free(e->third_party);
	free(e->tallies);
	free(e->contenders);
	for (size_t i = 0; i < e->set_count; i++)
		free(e->sets[i].bits);
	free(e->sets);
	free(e->set_of);
	free(e->marks);
	free(e->failed_bits);
	free(e->all_bits);
}

enum err suspects_find(struct query *q, const struct suspects_options *options, struct suspects *ret,
		       struct err_info *info)
{
	static enum err (*const steps[])(struct suspects_engine *) = {suspects_catalogue, suspects_count,
								      suspects_sets, suspects_judge};
	struct suspects found = {.since = options->since, .until = options->until};
	struct suspects_engine e = {.q = q, .options = options, .ret = &found};
	enum err err = suspects_hosts(&e, info);
	bool told = err == ERR_SQL || err == ERR_TIMEOUT || err == ERR_DENIED;
	if (err == ERR_OK)
		err = suspects_sites(&e);
	if (err == ERR_OK)
		err = suspects_fates(&e);
	if (err == ERR_OK)
		err = suspects_moments(&e);
	if (err == ERR_OK)
		keep_counted(&e);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && err == ERR_OK; i++)
		err = steps[i](&e);
	engine_free(&e);
	if (err == ERR_OK) {
		*ret = found;
		return ERR_OK;
	}
	suspects_free(&found);
	return told ? err : snapshot_error(q->snapshot, err, info);
}

void suspects_free(struct suspects *s)
{
	free(s->rows);
	s->rows = NULL;
	s->count = 0;
}
