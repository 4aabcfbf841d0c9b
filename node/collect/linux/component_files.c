/* Third-party module files: those outside a kernel's own tree, in the folders DKMS and vendors use. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "node/collect/linux/inventory.h"
#include "node/collect/linux/module_file.h"
#include "node/collect/linux/source.h"

#define DEPTH_MAX 6    /* vendors nest folders; links could nest them for ever */
#define FILES_MAX 1024 /* per scan: a folder of a million files must not stall the node */

struct walk {
	struct inventory *inv;
	struct module_reader *reader;
	const char *folder; /* below the root */
	int depth;
	size_t *files;
};

/* "vendor-drv.ko.xz" to "vendor_drv": the kernel knows modules by underscores. */
static bool module_name(const char *file, char ret[LIMIT_SHORT_TEXT_BYTES + 1])
{
	const char *end = strstr(file, ".ko");
	if (!end || end == file || (end[3] != '\0' && end[3] != '.') ||
	    (size_t)(end - file) > LIMIT_SHORT_TEXT_BYTES)
		return false;
	size_t len = (size_t)(end - file);
	for (size_t i = 0; i < len; i++)
		ret[i] = file[i] == '-' ? '_' : file[i];
	ret[len] = '\0';
	return true;
}

static struct component *find_loaded(struct inventory *inv, const char *name)
{
	for (size_t i = 0; i < inv->out->count; i++) {
		struct component *c = &inv->out->items[i];
		if (c->kind == COMPONENT_MODULE && inv->out->loaded[i] && strcmp(c->name, name) == 0)
			return c;
	}
	return NULL;
}

static bool same_build(const struct component *c, const struct module_facts *f)
{
	if (c->source.status == READING_OK && f->source.status == READING_OK)
		return strcmp(c->source.value, f->source.value) == 0;
	if (c->version.status == READING_OK && f->version.status == READING_OK)
		return strcmp(c->version.value, f->version.value) == 0;
	return true; /* neither declares anything that could differ */
}

static void take_facts(struct component *c, const struct module_facts *f)
{
	c->vendor = f->signer;
	if (f->signer.status == READING_ABSENT)
		c->flags |= COMPONENT_UNSIGNED;
	if (!f->in_tree)
		c->flags |= COMPONENT_OUT_OF_TREE;
	if (f->proprietary)
		c->flags |= COMPONENT_PROPRIETARY;
	c->flags |= COMPONENT_THIRD_PARTY;
}

static void add_file(struct walk *w, const char *path, const char *name)
{
	char full[LIMIT_PATH_BYTES];
	struct module_facts facts;
	if (!source_path(full, w->inv->root, path) || !module_reader_facts(w->reader, full, &facts))
		return;
	struct component *loaded = find_loaded(w->inv, name);
	if (loaded && same_build(loaded, &facts)) {
		take_facts(loaded, &facts);
		return;
	}
	struct component *c = inventory_add(w->inv);
	if (!c)
		return;
	c->kind = COMPONENT_MODULE;
	text_copy(c->name, sizeof(c->name), name);
	c->version = facts.version;
	c->source = facts.source;
	c->size_bytes = facts.size_bytes;
	take_facts(c, &facts);
	/* Another build of something loaded: the running one is gone after the next boot. */
	w->inv->out->pending[w->inv->out->count - 1] = loaded != NULL;
}

static bool visit(void *context, const char *name)
{
	struct walk *w = context;
	char path[LIMIT_PATH_BYTES], module[LIMIT_SHORT_TEXT_BYTES + 1];
	int n = snprintf(path, sizeof(path), "%s/%s", w->folder, name);
	if (n < 0 || n >= (int)sizeof(path))
		return true;
	if (module_name(name, module)) {
		if (++*w->files > FILES_MAX)
			return false;
		add_file(w, path, module);
		return true;
	}
	if (w->depth < DEPTH_MAX) {
		struct walk inside = {w->inv, w->reader, path, w->depth + 1, w->files};
		source_list(w->inv->root, path, visit, &inside); /* fails at once on what is no folder */
	}
	return *w->files <= FILES_MAX;
}

void inventory_add_files(struct inventory *inv)
{
	static const char *const folders[] = {"updates", "extra", "weak-updates", "misc"};
	struct reading_text release = source_text(inv->root, "/proc/sys/kernel/osrelease");
	struct module_reader *reader = NULL;
	size_t files = 0;
	if (release.status != READING_OK || strchr(release.value, '/'))
		return;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		char path[LIMIT_PATH_BYTES];
		snprintf(path, sizeof(path), "/lib/modules/%s/%s", release.value, folders[i]);
		if (!source_exists(inv->root, path))
			continue;
		if (!reader && module_reader_open(&reader) != ERR_OK)
			return; /* without libkmod loaded modules keep what /sys says of them */
		struct walk w = {inv, reader, path, 0, &files};
		source_list(inv->root, path, visit, &w);
	}
	module_reader_close(reader);
}

static bool mark_lines(struct inventory *inv, const char *path)
{
	char text[16384];
	if (source_head(inv->root, path, text, sizeof(text), NULL) != READING_OK)
		return true;
	char *rest = text;
	for (char *line; (line = strsep(&rest, "\n"));) {
		line += strspn(line, " \t");
		line[strcspn(line, " \t\r")] = '\0';
		if (*line == '\0' || *line == '#' || *line == ';')
			continue;
		for (char *c = line; *c; c++)
			*c = *c == '-' ? '_' : *c;
		for (size_t i = 0; i < inv->out->count; i++) {
			struct component *item = &inv->out->items[i];
			if (item->kind == COMPONENT_MODULE && strcmp(item->name, line) == 0)
				item->flags |= COMPONENT_BOOT_START;
		}
	}
	return true;
}

struct load_folder {
	struct inventory *inv;
	const char *path;
};

static bool visit_load_file(void *context, const char *name)
{
	struct load_folder *f = context;
	char path[LIMIT_PATH_BYTES];
	size_t len = strlen(name);
	if (len < 6 || strcmp(name + len - 5, ".conf") != 0)
		return true;
	int n = snprintf(path, sizeof(path), "%s/%s", f->path, name);
	return n < 0 || n >= (int)sizeof(path) || mark_lines(f->inv, path);
}

void inventory_mark_boot_start(struct inventory *inv)
{
	static const char *const folders[] = {"/etc/modules-load.d", "/usr/lib/modules-load.d",
					      "/run/modules-load.d"};
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		struct load_folder f = {inv, folders[i]};
		source_list(inv->root, folders[i], visit_load_file, &f);
	}
	mark_lines(inv, "/etc/modules");
}
