/* Third-party products: well-known ones by role, one driver a hardware model, and a long tail of which each
 * host in ten has something. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "tests/estate/software.h"

#define W       FAMILY_WINDOWS
#define L       FAMILY_LINUX
#define TILL    (1u << ROLE_TILL)
#define KIOSK   (1u << ROLE_KIOSK)
#define SERVER  (1u << ROLE_SERVER | 1u << ROLE_DB)
#define LAPTOP  (1u << ROLE_LAPTOP)
#define DESKTOP (1u << ROLE_DESKTOP)
#define CLIENT  (LAPTOP | DESKTOP)
#define ALL     (TILL | KIOSK | SERVER | CLIENT)

#define BOOT   COMPONENT_BOOT_START
#define OUT    COMPONENT_OUT_OF_TREE
#define CLOSED COMPONENT_PROPRIETARY
#define ROGUE  COMPONENT_UNSIGNED

static const struct product known[] = {
    {"edr_sensor", COMPONENT_DRIVER, "Example Sensor", W, ALL, 0.88, 12, BOOT | CLOSED, true, true},
    {"edr_filter", COMPONENT_FILTER, "Example Sensor", W, ALL, 0.88, 4, BOOT | CLOSED, false, false},
    {"edr_sensor", COMPONENT_MODULE, "Example Sensor", L, ALL, 0.70, 12, BOOT | OUT | CLOSED, true, true},
    {"edr_exec_probe", COMPONENT_EBPF, NULL, L, ALL, 0.60, 5, 0, true, false},
    {"dlp_filter", COMPONENT_FILTER, "Example Guard", W, CLIENT, 0.75, 7, CLOSED, true, false},
    {"vpn_tap", COMPONENT_DRIVER, "Example VPN", W, CLIENT, 0.80, 8, 0, true, false},
    {"usb_block", COMPONENT_FILTER, "Example Guard", W, TILL | KIOSK | CLIENT, 0.55, 5, BOOT, false, false},
    {"igdkmdn64", COMPONENT_DRIVER, "Intel Corporation", W, TILL | KIOSK | CLIENT, 0.7, 18, 0, false, false},
    {"nvlddmkm", COMPONENT_DRIVER, "NVIDIA Corporation", W, CLIENT, 0.25, 22, 0, false, false},
    {"e1dn", COMPONENT_DRIVER, "Intel Corporation", W, ALL, 0.5, 11, BOOT, false, false},
    {"rt640x64", COMPONENT_DRIVER, "Realtek", W, TILL | KIOSK | DESKTOP, 0.45, 12, BOOT, false, false},
    {"Netwtw12", COMPONENT_DRIVER, "Intel Corporation", W, LAPTOP, 0.85, 16, 0, false, false},
    {"RTKVHD64", COMPONENT_DRIVER, "Realtek Semiconductor", W, CLIENT, 0.6, 14, 0, false, false},
    {"SynTP", COMPONENT_DRIVER, "Synaptics", W, LAPTOP, 0.5, 7, 0, false, false},
    {"posprinter_usb", COMPONENT_DRIVER, "Example POS", W, TILL, 0.9, 6, 0, false, false},
    {"scanner_hid", COMPONENT_DRIVER, "Datalogic", W, TILL, 0.6, 5, 0, false, false},
    {"cardterm_usb", COMPONENT_DRIVER, "Example Pay", W, TILL | KIOSK, 0.85, 7, 0, true, false},
    {"touch_ctl", COMPONENT_DRIVER, "Elo Touch", W, TILL | KIOSK, 0.7, 4, 0, false, false},
    {"backup_flt", COMPONENT_FILTER, "Veeam", W, SERVER, 0.7, 6, 0, false, false},
    {"stor_mpio", COMPONENT_DRIVER, "Example Storage", W, SERVER, 0.3, 5, BOOT, false, false},
    {"SysmonDrv", COMPONENT_FILTER, "Microsoft Sysinternals", W, SERVER | LAPTOP, 0.35, 7, BOOT, false,
     false},
    {"npcap", COMPONENT_DRIVER, "Insecure.Com LLC", W, SERVER | CLIENT, 0.08, 6, 0, false, false},
    {"VBoxSup", COMPONENT_DRIVER, "Oracle Corporation", W, CLIENT, 0.06, 11, 0, false, false},
    {"wireguard", COMPONENT_DRIVER, "WireGuard LLC", W, SERVER | LAPTOP, 0.07, 4, 0, false, false},
    {"nvidia", COMPONENT_MODULE, "NVIDIA Corporation", L, SERVER | CLIENT, 0.18, 9, OUT | CLOSED, false,
     false},
    {"nvidia_uvm", COMPONENT_MODULE, "NVIDIA Corporation", L, SERVER, 0.12, 9, OUT | CLOSED, false, false},
    {"zfs", COMPONENT_MODULE, "OpenZFS", L, SERVER, 0.15, 6, BOOT | OUT, false, false},
    {"spl", COMPONENT_MODULE, "OpenZFS", L, SERVER, 0.15, 6, BOOT | OUT, false, false},
    {"veeamblksnap", COMPONENT_MODULE, "Veeam", L, SERVER, 0.4, 5, OUT, false, false},
    {"vboxdrv", COMPONENT_MODULE, NULL, L, CLIENT, 0.15, 5, OUT | ROGUE, false, false},
    {"drbd", COMPONENT_MODULE, "LINBIT", L, SERVER, 0.08, 5, BOOT | OUT, false, false},
    {"lustre", COMPONENT_MODULE, "Whamcloud", L, SERVER, 0.03, 4, OUT, false, false},
    {"scini", COMPONENT_MODULE, "Example Storage", L, SERVER, 0.1, 6, BOOT | OUT | CLOSED, false, false},
    {"ena", COMPONENT_MODULE, NULL, L, SERVER, 0.08, 7, OUT | ROGUE, false, false},
    {"openafs", COMPONENT_MODULE, NULL, L, SERVER, 0.03, 3, OUT | ROGUE, false, false},
    {"v4l2loopback", COMPONENT_MODULE, NULL, L, CLIENT, 0.1, 3, OUT | ROGUE, false, false},
    {"r8168", COMPONENT_MODULE, NULL, L, TILL | KIOSK | CLIENT, 0.25, 8, OUT | ROGUE, false, false},
    {"posfiscal", COMPONENT_MODULE, "Example POS", L, TILL, 0.9, 5, OUT, false, false},
    {"cil_from_netdev", COMPONENT_EBPF, NULL, L, SERVER, 0.25, 4, 0, false, false},
    {"falco_probe", COMPONENT_EBPF, NULL, L, SERVER, 0.2, 5, 0, false, false},
    {"net_flow_probe", COMPONENT_EBPF, NULL, L, SERVER, 0.35, 4, 0, true, false},
    {"/var/lib/clamav/daily.cld", COMPONENT_CONTENT_FILE, NULL, L, SERVER, 0.4, 14, 0, true, false},
};
#define KNOWN (sizeof(known) / sizeof(*known))

static const char *const things[] = {"usb",   "hid",  "nic", "raid", "scan",   "label", "cam",   "audio",
				     "modem", "card", "plc", "gpio", "serial", "scale", "probe", "tape"};
static const char *const makers[] = {"acme",  "zeta", "orion", "nova", "delta", "kappa", "corvid",
				     "lumen", "tern", "heron", "ibex", "argus", "polar", "quartz"};
#define THINGS (sizeof(things) / sizeof(*things))
#define MAKERS (sizeof(makers) / sizeof(*makers))
#define TAIL   (THINGS * MAKERS)

struct products {
	size_t count, tail; /* the tail begins there */
	size_t of_model[64];
	struct product list[];
};

static void add_model_drivers(struct products *s)
{
	for (size_t i = 0; i < hardware_model_count; i++) {
		const struct model *m = &hardware_models[i];
		s->of_model[i] = m->driver == NULL ? NO_HOST : s->count;
		if (m->driver == NULL)
			continue;
		struct product *p = &s->list[s->count++];
		*p = (struct product){.kind = m->family == W ? COMPONENT_DRIVER : COMPONENT_MODULE,
				      .vendor = m->family == W ? m->name : NULL,
				      .family = m->family,
				      .count = 3 + (unsigned)(draw_mix(i, 5) % 5),
				      .flags = m->family == W ? 0 : OUT};
		text_copy(p->name, sizeof(p->name), m->driver);
	}
}

static void add_tail(struct products *s)
{
	s->tail = s->count;
	for (size_t i = 0; i < TAIL; i++) {
		uint64_t h = draw_mix(i, 77);
		struct product *p = &s->list[s->count++];
		*p = (struct product){.family = h % 3 == 0 ? L : W,
				      .vendor = h % 4 == 0 ? NULL : makers[i / THINGS],
				      .count = 1 + (unsigned)(h / 64 % 6)};
		p->kind = p->family == W ? COMPONENT_DRIVER : COMPONENT_MODULE;
		p->flags = (p->family == L ? OUT : 0) | (p->vendor == NULL ? ROGUE : 0) |
			   (h / 16 % 8 == 0 ? BOOT : 0);
		snprintf(p->name, sizeof(p->name), "%s_%s", makers[i / THINGS], things[i % THINGS]);
	}
}

enum err products_make(struct estate *e)
{
	struct products *s =
	    calloc(1, sizeof(*s) + (KNOWN + hardware_model_count + TAIL + 2) * sizeof(struct product));
	if (s == NULL)
		return ERR_NOMEM;
	e->products = s;
	memcpy(s->list, known, sizeof(known));
	s->count = KNOWN;
	add_model_drivers(s);
	add_tail(s);
	struct product *p = &s->list[s->count++];
	*p = (struct product){
	    .name = ESTATE_REVOKED_COMPONENT, .kind = COMPONENT_DRIVER, .family = W | L, .count = 1};
	return ERR_OK;
}

void products_add_companion(struct estate *e)
{
	struct products *s = e->products;
	struct product *p = &s->list[s->count];
	*p = s->list[e->cause];
	text_copy(p->name + strlen(p->name), sizeof(p->name) - strlen(p->name), "_helper");
	p->roles = 0;
	p->rollout = p->content = false;
	e->companion = s->count++;
}

void products_free(struct products *p)
{
	free(p);
}

size_t products_count(const struct estate *e)
{
	return e->products->count;
}

const struct product *products_at(const struct estate *e, size_t index)
{
	return &e->products->list[index];
}

enum err products_find(const struct estate *e, const char *name, enum family family, size_t *ret)
{
	for (size_t i = 0; i < e->products->count; i++) {
		const struct product *p = &e->products->list[i];
		if (strcmp(p->name, name) == 0 && (p->family & family) != 0) {
			*ret = i;
			return ERR_OK;
		}
	}
	return ERR_NOT_FOUND;
}

size_t products_of_model(const struct estate *e, size_t model)
{
	return e->products->of_model[model];
}

size_t products_of_tail(const struct estate *e, enum family family, struct prng *p)
{
	for (;;) {
		size_t i = e->products->tail + draw_zipf(p, TAIL);
		if (e->products->list[i].family == family)
			return i;
	}
}

unsigned products_version(const struct estate *e, size_t product, struct prng *p)
{
	return VERSION_NEWEST + (unsigned)draw_zipf(p, e->products->list[product].count);
}
