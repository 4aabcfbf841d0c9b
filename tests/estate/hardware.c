/* Hardware models, the commoner ones of each kind first. */
#include <string.h>

#include "tests/estate/world.h"

#define TILL    (1u << ROLE_TILL)
#define KIOSK   (1u << ROLE_KIOSK)
#define SERVER  (1u << ROLE_SERVER | 1u << ROLE_DB)
#define LAPTOP  (1u << ROLE_LAPTOP)
#define DESKTOP (1u << ROLE_DESKTOP)

const struct model hardware_models[] = {
    {"Till RP5", TILL, FAMILY_WINDOWS, "x86_64", NULL, "rp5_cashdrawer"},
    {"Till RP9", TILL, FAMILY_WINDOWS, "x86_64", NULL, "rp9_engage"},
    {"TCx 700", TILL, FAMILY_WINDOWS, "x86_64", NULL, "tcx_io"},
    {"BEETLE M-III", TILL, FAMILY_WINDOWS, "x86_64", NULL, "beetle_mcu"},
    {"Till RP5 Linux", TILL, FAMILY_LINUX, "x86_64", NULL, "rp5_io"},
    {"Till A55", TILL, FAMILY_LINUX, "aarch64", NULL, "a55_panel"},
    {"Kiosk K22", KIOSK, FAMILY_WINDOWS, "x86_64", NULL, "k22_touch"},
    {"Kiosk K15", KIOSK, FAMILY_WINDOWS, "x86_64", NULL, "k15_touch"},
    {"Kiosk Pi CM4", KIOSK, FAMILY_LINUX, "aarch64", NULL, "cm4_hat"},
    {"VMware7,1", SERVER, FAMILY_LINUX, "x86_64", "vmware", "vmw_pvscsi_oot"},
    {"VMware20,1", SERVER, FAMILY_WINDOWS, "x86_64", "vmware", "vmxnet3ndis6"},
    {"Standard PC (Q35 + ICH9, 2009)", SERVER, FAMILY_LINUX, "x86_64", "kvm", NULL},
    {"Virtual Machine", SERVER, FAMILY_WINDOWS, "x86_64", "hyperv", NULL},
    {"PowerEdge R650", SERVER, FAMILY_LINUX, "x86_64", NULL, "dcdbas_oot"},
    {"ProLiant DL380 Gen10", SERVER, FAMILY_LINUX, "x86_64", NULL, "hpilo_oot"},
    {"PowerEdge R640", SERVER, FAMILY_WINDOWS, "x86_64", NULL, "percsas3i"},
    {"ProLiant DL360 Gen11", SERVER, FAMILY_WINDOWS, "x86_64", NULL, "SmartSAMD"},
    {"ThinkSystem SR630 V2", SERVER, FAMILY_LINUX, "x86_64", NULL, "mlx5_ofed"},
    {"PowerEdge R750xa", SERVER, FAMILY_LINUX, "x86_64", NULL, "gdrdrv"},
    {"UCSC-C220-M6S", SERVER, FAMILY_WINDOWS, "x86_64", NULL, "enic6x64"},
    {"Latitude 7430", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "dellinstrumentation"},
    {"ThinkPad T14 Gen 4", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "ibmpmdrv"},
    {"EliteBook 840 G9", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "hpqkbfiltr"},
    {"Latitude 5540", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "delltouchpad"},
    {"ThinkPad X1 Carbon Gen 11", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "lenovosmartsense"},
    {"Surface Laptop 5", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "SurfaceIntegration"},
    {"EliteBook 1040 G10", LAPTOP, FAMILY_WINDOWS, "x86_64", NULL, "hpcustomcap"},
    {"ThinkPad T14s AMD", LAPTOP, FAMILY_LINUX, "x86_64", NULL, NULL},
    {"XPS 13 9315", LAPTOP, FAMILY_LINUX, "x86_64", NULL, "ipu6_psys"},
    {"OptiPlex 7010", DESKTOP, FAMILY_WINDOWS, "x86_64", NULL, "dellserial"},
    {"ThinkCentre M70q", DESKTOP, FAMILY_WINDOWS, "x86_64", NULL, "lnvhidfilter"},
    {"EliteDesk 800 G6", DESKTOP, FAMILY_WINDOWS, "x86_64", NULL, "hpdskflt"},
    {"Precision 3660", DESKTOP, FAMILY_WINDOWS, "x86_64", NULL, "precisionraid"},
    {"OptiPlex 7090", DESKTOP, FAMILY_LINUX, "x86_64", NULL, NULL},
    {"Z2 G9 Workstation", DESKTOP, FAMILY_LINUX, "x86_64", NULL, "hp_bioscfg_oot"},
};
const size_t hardware_model_count = sizeof(hardware_models) / sizeof(*hardware_models);

size_t hardware_pick(enum role role, enum family family, const char *arch, struct prng *p)
{
	size_t fitting[sizeof(hardware_models) / sizeof(*hardware_models)], count = 0;
	for (size_t i = 0; i < hardware_model_count; i++) {
		if ((hardware_models[i].roles & 1u << role) != 0 && hardware_models[i].family == family &&
		    strcmp(hardware_models[i].arch, arch) == 0)
			fitting[count++] = i;
	}
	return fitting[draw_zipf(p, count)];
}
