#include "tests/estate/truth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"
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
	fprintf(f,
		"\"format\": 1,\n\"options\": {\"hosts\": %zu, \"sites\": %zu, \"seed\": %" PRIu64
		", \"images\": %zu, \"at_ms\": %" PRIu64 ", \"trouble\": %s},\n",
		e->o->hosts, e->o->sites, e->o->seed, e->image_count, e->o->now,
		e->o->trouble ? "true" : "false");
}

static void put_counts(FILE *f, const struct estate *e)
{
	size_t fates[FATES] = {0}, statuses[HOST_REPLACED + 1] = {0}, silent = 0;
	uint64_t components = 0;
	for (size_t i = 0; i < e->o->hosts; i++) {
		const struct host *h = &e->hosts[i];
		fates[h->fate]++;
		statuses[h->state.status]++;
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
	fputs("}},\n", f);
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
