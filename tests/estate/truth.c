#include "tests/estate/truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
#include "tests/estate/outage.h"
#include "tests/estate/software.h"

const char *truth_fate_name(enum fate fate)
{
	static const char *const names[FATES] = {[FATE_UP] = "up",
						 [FATE_CRASH] = "crash",
						 [FATE_LOOP] = "loop",
						 [FATE_POWER] = "power",
						 [FATE_LINK] = "link",
						 [FATE_FAULT] = "fault",
						 [FATE_ASLEEP] = "asleep",
						 [FATE_STOPPED] = "stopped",
						 [FATE_LEFT] = "left",
						 [FATE_REPLACED] = "replaced",
						 [FATE_NEVER_HEARD] = "never-heard"};
	return names[fate];
}

/* Names have no quotes and no control bytes; paths have backslashes. */
static void put_text(FILE *f, const char *key, const char *text)
{
	fprintf(f, "\"%s\": \"", key);
	for (; *text != '\0'; text++)
		fprintf(f, *text == '\\' ? "\\%c" : "%c", *text);
	fputc('"', f);
}

static void put_options(FILE *f, const struct estate *e)
{
	static const char *const names[] = {"model", "power", "patchday", "together"};
	const struct estate_options *o = e->o;
	fprintf(f,
		"\"format\": 1,\n\"options\": {\"hosts\": %zu, \"sites\": %zu, \"seed\": %" PRIu64
		", \"images\": %zu, \"at_ms\": %" PRIu64 ", \"trouble\": %s, \"outage\": \"%s\"",
		o->hosts, o->sites, o->seed, e->image_count, o->now, o->trouble ? "true" : "false",
		outage_name(o->outage));
	if (o->outage != ESTATE_QUIET) {
		fprintf(f,
			", \"share\": %.4f, \"repaired\": %.4f, \"delay\": \"%s\", \"from_ms\": %" PRIu64
			", \"to_ms\": %" PRIu64 ", \"confounders\": [",
			o->share, o->repaired, outage_delay_name(o->delay), o->from, o->to);
		const char *comma = "";
		for (size_t i = 0; i < 4; i++) {
			if ((o->confounders & 1u << i) == 0)
				continue;
			fprintf(f, "%s\"%s\"", comma, names[i]);
			comma = ", ";
		}
		fputs("]", f);
	}
	fputs("},\n", f);
}

static void put_component(FILE *f, const char *key, const struct component *c)
{
	fprintf(f, "\"%s\": {\"kind\": \"%s\", ", key, component_kind_name(c->kind));
	put_text(f, "name", c->name);
	if (c->version.status == READING_OK)
		fprintf(f, ", \"version\": \"%s\"", c->version.value);
	else
		fputs(", \"version\": null", f);
	fprintf(f, ", \"source\": \"%s\", \"entry\": \"%016" PRIx64 "\"}", c->source.value,
		software_entry(c));
}

/* What is to blame, what cannot be told apart from it, and what only looks so. */
static void put_cause(FILE *f, const struct estate *e)
{
	bool content = e->o->outage == ESTATE_CONTENT, together = (e->o->confounders & ESTATE_TOGETHER) != 0;
	struct component c;
	if (!content && e->o->outage != ESTATE_DRIVER) {
		fputs("\"cause\": null,\n", f);
		return;
	}
	c = outage_component(e, content ? content_version(e, CONTENT_BAD, CONTENT_BAD_CHANNEL) : VERSION_BAD);
	put_component(f, "cause", &c);
	c = outage_component(e,
			     content ? content_version(e, CONTENT_GOOD, CONTENT_BAD_CHANNEL) : VERSION_GOOD);
	fputs(",\n", f);
	put_component(f, "good", &c);
	fprintf(f, ",\n\"distinguishable\": %s,\n", together ? "false" : "true");
	if (together && content)
		c = software_content_file(e, e->cause_family, CONTENT_COMPANION_CHANNEL,
					  content_version(e, CONTENT_BAD, CONTENT_COMPANION_CHANNEL));
	else if (together)
		c = software_product(e, e->companion, VERSION_BAD);
	if (together) {
		put_component(f, "companion", &c);
		fputs(",\n", f);
	}
	if (e->confounder_model != NO_HOST) {
		c = software_product(e, products_of_model(e, e->confounder_model), VERSION_GOOD);
		put_text(f, "confounder_model", hardware_models[e->confounder_model].name);
		fputs(", ", f);
		put_component(f, "confounder_driver", &c);
		fputs(",\n", f);
	}
}

static void put_counts(FILE *f, const struct estate *e)
{
	size_t fates[FATES] = {0}, statuses[HOST_REPLACED + 1] = {0}, exposures[EXPOSURES] = {0}, silent = 0;
	size_t reported = 0, repaired = 0, relapsed = 0;
	uint64_t components = 0;
	for (size_t i = 0; i < e->o->hosts; i++) {
		const struct host *h = &e->hosts[i];
		fates[h->fate]++;
		statuses[h->state.status]++;
		exposures[h->exposure]++;
		reported += h->exposure == EXPOSURE_HIT && h->reported;
		repaired += h->repaired;
		relapsed += h->relapsed;
		if (h->fate != FATE_NEVER_HEARD && !h->incomplete)
			components += manifests_at(e, h->set)->entries;
	}
	for (size_t i = 0; i < e->o->sites; i++)
		silent += e->sites[i].state.status == SITE_SILENT;
	fprintf(f,
		"\"counts\": {\"hosts\": %zu, \"sites\": %zu, \"silent_sites\": %zu, \"manifests\": %zu, "
		"\"blobs\": %" PRIu64 ", \"host_components\": %" PRIu64 ",\n \"status\": {",
		e->o->hosts, e->o->sites, silent, manifests_count(e), manifests_blobs(e), components);
	for (int i = 0; i <= HOST_REPLACED; i++)
		fprintf(f, "%s\"%s\": %zu", i > 0 ? ", " : "", host_status_name((enum host_status)i),
			statuses[i]);
	fputs("},\n \"class\": {", f);
	for (int i = 0; i < FATES; i++)
		fprintf(f, "%s\"%s\": %zu", i > 0 ? ", " : "", truth_fate_name((enum fate)i), fates[i]);
	fputs("},\n \"exposure\": {", f);
	for (int i = 0; i < EXPOSURES; i++)
		fprintf(f, "%s\"%s\": %zu", i > 0 ? ", " : "", outage_exposure_name((enum exposure)i),
			exposures[i]);
	fprintf(f, "},\n \"never_enrolled\": %zu,\n", e->spares);
	fprintf(f, " \"hit_reported\": %zu, \"repaired\": %zu, \"relapsed\": %zu},\n", reported, repaired,
		relapsed);
}

static void put_sites(FILE *f, const struct estate *e)
{
	fputs("\"sites\": [\n", f);
	for (size_t i = 0; i < e->o->sites; i++) {
		const struct site *s = &e->sites[i];
		fprintf(f,
			"{\"site\": \"%s\", \"kind\": \"%s\", \"hosts\": %zu, \"status\": \"%s\", "
			"\"since_ms\": %" PRIu64 ", \"link_cut_ms\": %" PRIu64 ", \"power_cut_ms\": %" PRIu64
			"}%s\n",
			s->name, names_site_kind(s->kind), s->count, site_status_name(s->state.status),
			s->state.since, s->cut, s->power_cut, i + 1 < e->o->sites ? "," : "");
	}
	fputs("],\n", f);
}

static void put_time(FILE *f, const char *key, wall_ms t)
{
	if (t != 0)
		fprintf(f, ", \"%s\": %" PRIu64, key, t);
}

static void put_host(FILE *f, const struct estate *e, const struct host *h)
{
	char id[ID_HEX_BYTES], name[LIMIT_HOSTNAME_BYTES + 1];
	id_hex(&h->id, id);
	names_host(&e->sites[h->site], h, name);
	fprintf(f, "{\"host\": \"%s\", \"name\": \"%s\", \"site\": \"%s\", \"role\": \"%s\", ", id, name,
		e->sites[h->site].name, names_role(h->role));
	put_text(f, "model", hardware_models[h->model].name);
	fprintf(f, ", \"image\": %u, \"class\": \"%s\", \"status\": \"%s\"", h->software.image,
		truth_fate_name(h->fate), host_status_name(h->state.status));
	if (h->software.modules != READING_OK)
		fprintf(f, ", \"modules\": \"%s\"",
			reading_status_name((enum reading_status)h->software.modules));
	if (h->exposure != EXPOSURE_NONE)
		fprintf(f, ", \"exposure\": \"%s\"", outage_exposure_name(h->exposure));
	if (h->arrived != 0)
		fprintf(f, ", \"reported\": %s", h->reported ? "true" : "false");
	if (h->repaired)
		fprintf(f, ", \"repaired\": true, \"relapsed\": %s", h->relapsed ? "true" : "false");
	put_time(f, "arrived_ms", h->arrived);
	put_time(f, "died_ms", h->died);
	put_time(f, "back_ms", h->back);
	put_time(f, "died_again_ms", h->died_again);
	fprintf(f, "}%s\n", h->number + 1 < e->o->hosts ? "," : "");
}

enum err truth_write(struct estate *e)
{
	char path[LIMIT_PATH_BYTES], *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	if (f == NULL)
		return ERR_NOMEM;
	fputs("{", f);
	put_options(f, e);
	put_cause(f, e);
	put_counts(f, e);
	put_sites(f, e);
	fputs("\"hosts\": [\n", f);
	for (size_t i = 0; i < e->o->hosts; i++)
		put_host(f, e, &e->hosts[i]);
	fputs("]}\n", f);
	enum err err = fclose(f) == 0 ? os_path_join(path, sizeof(path), e->o->out, "truth.json") : ERR_NOMEM;
	if (err == ERR_OK)
		err = os_file_replace(path, text, len, 0640, e->info);
	free(text);
	return err;
}
