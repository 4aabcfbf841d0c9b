/* What runs in kernel mode: the kernel, its loaded modules, built-ins that declare a version, and third-party
 * modules on disk, which are what the next boot will load. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "base/text.h"
#include "node/collect/collect.h"
#include "node/collect/linux/inventory.h"
#include "node/collect/linux/source.h"

struct component *inventory_add(struct inventory *inv)
{
	if (inv->error != ERR_OK)
		return NULL;
	struct collected_components *out = inv->out;
	if (out->count == LIMIT_COMPONENTS) {
		inv->left_out++;
		return NULL;
	}
	if (out->count == inv->capacity) {
		size_t capacity = inv->capacity ? inv->capacity * 2 : 64;
		struct component *items = realloc(out->items, capacity * sizeof(*items));
		if (items)
			out->items = items;
		bool *loaded = realloc(out->loaded, capacity * sizeof(*loaded));
		if (loaded)
			out->loaded = loaded;
		bool *pending = realloc(out->pending, capacity * sizeof(*pending));
		if (pending)
			out->pending = pending;
		if (!items || !loaded || !pending) {
			inv->error = ERR_NOMEM;
			return NULL;
		}
		inv->capacity = capacity;
	}
	struct component *c = &out->items[out->count];
	memset(c, 0, sizeof(*c));
	out->loaded[out->count] = false;
	out->pending[out->count] = false;
	out->count++;
	return c;
}

static void add_kernel(struct inventory *inv)
{
	struct component *c = inventory_add(inv);
	if (!c)
		return;
	c->kind = COMPONENT_KERNEL;
	text_copy(c->name, sizeof(c->name), "linux");
	c->version = source_text(inv->root, "/proc/sys/kernel/osrelease");
	c->source = source_text(inv->root, "/proc/sys/kernel/version");
	/* What is part of the kernel has no signature of its own. */
	c->vendor.status = READING_ABSENT;
	c->size_bytes.status = READING_UNSUPPORTED;
	inv->out->loaded[inv->out->count - 1] = true;
}

static struct reading_text module_text(const char *root, const char *name, const char *attribute)
{
	char path[LIMIT_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "/sys/module/%s/%s", name, attribute);
	if (n < 0 || n >= (int)sizeof(path))
		return (struct reading_text){READING_FAILED, ""};
	return source_text(root, path);
}

/* Letters of /sys/module/NAME/taint and of the end of a /proc/modules line. */
static uint32_t flags_of_taint(const char *letters)
{
	uint32_t flags = 0;
	if (strchr(letters, 'O'))
		flags |= COMPONENT_OUT_OF_TREE | COMPONENT_THIRD_PARTY;
	if (strchr(letters, 'E'))
		flags |= COMPONENT_UNSIGNED;
	if (strchr(letters, 'P'))
		flags |= COMPONENT_PROPRIETARY | COMPONENT_THIRD_PARTY;
	return flags;
}

static void add_loaded(struct inventory *inv, const char *name, uint64_t size)
{
	struct component *c = inventory_add(inv);
	if (!c)
		return;
	c->kind = COMPONENT_MODULE;
	text_copy(c->name, sizeof(c->name), name);
	c->version = module_text(inv->root, name, "version");
	c->source = module_text(inv->root, name, "srcversion");
	c->size_bytes = (struct reading_u64){READING_OK, size};
	struct reading_text taint = module_text(inv->root, name, "taint");
	if (taint.status == READING_OK)
		c->flags = flags_of_taint(taint.value);
	/* vendor stays unknown until the file is read; in-tree files are the kernel's own and are not read */
	inv->out->loaded[inv->out->count - 1] = true;
}

/* "name size refcount users state address (taint)" per line. */
static void add_modules(struct inventory *inv)
{
	size_t cap = 1024 * 1024, len = 0;
	char *text = malloc(cap);
	if (!text) {
		inv->error = ERR_NOMEM;
		return;
	}
	enum reading_status status = source_head(inv->root, "/proc/modules", text, cap, &len);
	/* No such file: this kernel was built without loadable modules. */
	inv->out->module_support = status == READING_ABSENT ? READING_UNSUPPORTED : status;
	char *rest = text;
	for (char *line; status == READING_OK && (line = strsep(&rest, "\n"));) {
		char name[LIMIT_SHORT_TEXT_BYTES + 1];
		uint64_t size;
		if (sscanf(line, "%64s %" SCNu64, name, &size) == 2)
			add_loaded(inv, name, size);
	}
	free(text);
}

/* A folder of /sys/module with a version but no initstate is part of the kernel image. */
static bool add_builtin(void *context, const char *name)
{
	struct inventory *inv = context;
	struct reading_text version = module_text(inv->root, name, "version");
	if (version.status == READING_ABSENT ||
	    module_text(inv->root, name, "initstate").status != READING_ABSENT)
		return true;
	struct component *c = inventory_add(inv);
	if (!c)
		return inv->error == ERR_OK;
	c->kind = COMPONENT_BUILTIN;
	text_copy(c->name, sizeof(c->name), name);
	c->version = version;
	c->source = module_text(inv->root, name, "srcversion");
	c->vendor.status = READING_ABSENT;
	c->size_bytes.status = READING_UNSUPPORTED;
	inv->out->loaded[inv->out->count - 1] = true;
	return true;
}

/* Counting programs needs a privilege this node does not have: usually "denied", which is not "none". */
static struct reading_u64 count_ebpf(const char *root)
{
	if (*root != '\0')
		return (struct reading_u64){READING_UNSUPPORTED, 0};
	union bpf_attr attr;
	memset(&attr, 0, sizeof(attr));
	for (uint64_t count = 0; count < 65536; count++) {
		if (syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof(attr)) == 0) {
			attr.start_id = attr.next_id;
			continue;
		}
		if (errno == ENOENT)
			return (struct reading_u64){READING_OK, count};
		return (struct reading_u64){source_status(errno), 0};
	}
	return (struct reading_u64){READING_FAILED, 0};
}

enum err collect_components(const char *root, struct collected_components *ret, struct err_info *info)
{
	struct collected_components out = {.module_support = READING_FAILED};
	struct inventory inv = {.root = root, .out = &out};
	add_kernel(&inv);
	add_modules(&inv);
	source_list(root, "/sys/module", add_builtin, &inv);
	inventory_add_files(&inv);
	inventory_mark_boot_start(&inv);
	if (inv.error != ERR_OK) {
		collect_components_release(&out);
		return err_set(info, inv.error, "cannot list kernel components: out of memory");
	}
	out.taint = source_u64(root, "/proc/sys/kernel/tainted", READING_UNSUPPORTED);
	out.ebpf_programs = count_ebpf(root);
	*ret = out;
	if (inv.left_out > 0)
		return err_set(info, ERR_LIMIT, "%zu kernel components beyond the first %d were left out",
			       inv.left_out, LIMIT_COMPONENTS);
	return ERR_OK;
}

void collect_components_release(struct collected_components *c)
{
	free(c->items);
	free(c->loaded);
	free(c->pending);
	memset(c, 0, sizeof(*c));
}
