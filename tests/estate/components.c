/* Images share their kernel's modules; a security sensor is being rolled out; one host in ten has drivers
 * that hardly anyone else has. */
#include <stdio.h>
#include <string.h>

#include "tests/estate/estate_private.h"

const struct image estate_images[] = {
    {"Debian GNU/Linux 12 (bookworm)", "6.1.0-26-amd64", "x86_64", "PowerEdge R640", 96},
    {"Debian GNU/Linux 12 (bookworm)", "6.1.0-28-amd64", "x86_64", "PowerEdge R650", 98},
    {"Ubuntu 24.04.1 LTS", "6.8.0-49-generic", "x86_64", "ThinkPad T14 Gen 4", 142},
    {"Ubuntu 22.04.5 LTS", "5.15.0-125-generic", "x86_64", "OptiPlex 7010", 131},
    {"Rocky Linux 9.4 (Blue Onyx)", "5.14.0-427.el9.x86_64", "x86_64", "ProLiant DL380 Gen10", 110},
    {"SUSE Linux Enterprise Server 15 SP6", "6.4.0-150600.23-default", "x86_64", "ThinkSystem SR630", 104},
    {"Debian GNU/Linux 12 (bookworm)", "6.1.0-26-arm64", "aarch64", "Till RP5", 61},
    {"Ubuntu 24.04.1 LTS", "6.8.0-49-generic", "x86_64", "Till RP9", 87},
};
const size_t estate_image_count = sizeof(estate_images) / sizeof(*estate_images);

static const char *const modules[] = {
    "ext4",      "xfs",     "btrfs",       "nvme",      "ahci",    "e1000e",   "igb",           "ixgbe",
    "mlx5_core", "bnxt_en", "usb_storage", "xhci_pci",  "i915",    "amdgpu",   "kvm",           "kvm_intel",
    "vhost",     "tun",     "bridge",      "nf_tables", "overlay", "dm_crypt", "raid456",       "md_mod",
    "sunrpc",    "nfsv4",   "cifs",        "fuse",      "loop",    "zram",     "snd_hda_intel", "iwlwifi",
    "bluetooth", "tpm_tis", "ipmi_si",     "mei_me",
};

static const struct {
	const char *name, *vendor;
	unsigned versions;
} extras[] = {
    {"nvidia", "NVIDIA Corporation", 9},
    {"zfs", "OpenZFS", 6},
    {"vboxdrv", "Oracle Corporation", 5},
    {"wireguard_go", "Example VPN", 4},
    {"veeamblksnap", "Veeam", 4},
    {"talpa_core", "Sophos", 3},
    {"falcon_lsm_pinned", "Example Sensor", 12},
    {"ena_custom", "", 7},
    {"r8168", "", 8},
    {"v4l2loopback", "", 3},
};

static struct reading_text known(const char *text)
{
	struct reading_text r = {.status = READING_OK};
	snprintf(r.value, sizeof(r.value), "%s", text);
	return r;
}

static struct reading_text absent(void)
{
	return (struct reading_text){.status = READING_ABSENT};
}

static struct component module_of(const struct image *image, size_t number)
{
	struct component c = {.kind = number % 5 == 4 ? COMPONENT_BUILTIN : COMPONENT_MODULE,
			      .version = known(image->kernel),
			      .source = absent(),
			      .vendor = known("kernel build key"),
			      .size_bytes = {READING_OK, 16384 + number * 4096}};
	size_t known_names = sizeof(modules) / sizeof(*modules);
	if (number < known_names)
		snprintf(c.name, sizeof(c.name), "%s", modules[number]);
	else
		snprintf(c.name, sizeof(c.name), "intree_%03zu", number);
	if (number % 3 == 0) {
		char source[24];
		snprintf(source, sizeof(source), "%016zX", (number + 1) * 0x9e3779b97f4a7c15u);
		c.source = known(source);
	}
	return c;
}

static struct component sensor(bool newer)
{
	struct component c = {.kind = COMPONENT_MODULE,
			      .name = "edr_sensor",
			      .version = known(newer ? "7.11.0" : "7.10.2"),
			      .source = known(newer ? "A711F00D00000291" : "A710F00D00000288"),
			      .vendor = known("Example Sensor"),
			      .size_bytes = {READING_OK, 4718592},
			      .flags = COMPONENT_BOOT_START | COMPONENT_OUT_OF_TREE | COMPONENT_PROPRIETARY |
				       COMPONENT_THIRD_PARTY};
	return c;
}

static struct component extra(struct prng *p)
{
	size_t i = (size_t)prng_below(p, sizeof(extras) / sizeof(*extras));
	char version[24];
	snprintf(version, sizeof(version), "%u.%u", 1 + (unsigned)prng_below(p, extras[i].versions),
		 (unsigned)prng_below(p, 12));
	struct component c = {.kind = COMPONENT_MODULE,
			      .version = known(version),
			      .source = absent(),
			      .vendor = extras[i].vendor[0] != '\0' ? known(extras[i].vendor) : absent(),
			      .size_bytes = {READING_OK, 65536},
			      .flags = COMPONENT_OUT_OF_TREE | COMPONENT_THIRD_PARTY};
	if (extras[i].vendor[0] == '\0')
		c.flags |= COMPONENT_UNSIGNED;
	snprintf(c.name, sizeof(c.name), "%s", extras[i].name);
	return c;
}

static enum err emit(void *context, const struct id *id, const uint8_t *blob, size_t len)
{
	struct estate *e = context;
	return store_put_blob(e->store, id, blob, len);
}

static uint64_t entry_of(const struct component *c)
{
	uint8_t bytes[COMPONENT_ENTRY_BYTES];
	size_t len;
	return component_encode(c, bytes, &len) == ERR_OK ? component_entry_id(bytes, len) : 0;
}

static void add_change(struct components *c, uint64_t entry, uint64_t time_s, enum change_op op)
{
	if (c->change_count < LIMIT_CHANGES)
		c->changes[c->change_count++] = (struct component_change){entry, time_s, op};
	c->changes_total++;
}

enum err estate_components(struct estate *e, struct host *h)
{
	static struct component list[ESTATE_COMPONENTS_MAX];
	size_t order[ESTATE_COMPONENTS_MAX], count = 0, entries;
	const struct image *image = &estate_images[h->image];
	struct components *c = &h->components;
	uint64_t now_s = e->o->now / 1000;
	for (size_t i = 0; i < image->modules; i++)
		list[count++] = module_of(image, i);
	list[count] = (struct component){.kind = COMPONENT_KERNEL, .version = known(image->kernel)};
	snprintf(list[count++].name, sizeof(list[0].name), "linux");
	if (prng_chance(&e->prng, 0.8)) {
		bool newer = prng_chance(&e->prng, 0.4);
		list[count++] = sensor(newer);
		if (newer) {
			struct component old = sensor(false);
			uint64_t at = now_s - 3600 * (1 + prng_below(&e->prng, 48));
			add_change(c, entry_of(&list[count - 1]), at, CHANGE_ADDED);
			add_change(c, entry_of(&old), at, CHANGE_REMOVED);
		}
	}
	for (size_t more = prng_chance(&e->prng, 0.1) ? 1 + prng_below(&e->prng, 3) : 0; more > 0; more--)
		list[count++] = extra(&e->prng);
	if (e->o->trouble && (h->number == ESTATE_REVOKED || h->number == ESTATE_ISSUER_REVOKED)) {
		list[count] = extra(&e->prng);
		snprintf(list[count++].name, sizeof(list[0].name), ESTATE_REVOKED_COMPONENT);
	}
	enum err err = manifest_build(list, count, order, emit, e, &c->manifest, &entries);
	if (err != ERR_OK)
		return err;
	c->entry_count = (uint32_t)entries;
	c->module_support = READING_OK;
	c->taint = (struct reading_u64){READING_OK, count > image->modules + 1 ? 4097 : 0};
	c->ebpf_programs = (struct reading_u64){.status = READING_DENIED};
	for (size_t i = 0; i < count; i++) {
		if (i % 4 != 3)
			components_set_loaded(c, order[i]);
	}
	return ERR_OK;
}
