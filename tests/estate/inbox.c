/* What comes with an operating system. Of a release's drivers a monthly level of patches changes a few, so
 * images share most of them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "tests/estate/software.h"

static const char windows[] =
    "ACPI AcpiDev acpipagr AcpiPmi acpitime AFD afunix ahcache AmdPPM amdsata AppID applockerfltr AsyncMac "
    "atapi b06bdrv bam BasicDisplay BasicRender bindflt bowser BTHPORT BTHUSB bttflt buttonconverter cdfs "
    "cdrom CimFS circlass CldFlt CLFS CmBatt CNG CompositeBus condrv CSC dam Dfsc disk dmvsc drmkaud DXGKrnl "
    "EhStorClass ErrDev exfat fastfat fdc FileCrypt FileInfo Filetrace flpydisk FltMgr FsDepends fvevol "
    "gencounter GPIOClx0101 GpuEnergyDrv HDAudBus HidBatt HidBth hidi2c HidUsb HTTP hvservice hwpolicy "
    "hyperkbd HyperVideo i8042prt iaStorAVC ibbus IndirectKmd intelide intelpep intelppm iorate "
    "IpFilterDriver IPMIDRV IPNAT IPT isapnp iScsiPrt kbdclass kbdhid kdnic KSecDD KSecPkg ksthunk lltdio "
    "luafv mausbhost MbbCx megasas Modem monitor mouclass mouhid mountmgr mpsdrv MRxDAV mrxsmb mrxsmb20 "
    "MsBridge Msfs msgpiowin32 mshidkmdf msisadrv MsLldp mssmbios Mup NdisCap NdisImPlatform NdisTapi "
    "Ndisuio "
    "NdisVirtualBus NdisWan NDIS NetBIOS NetBT netvsc Npfs npsvctrig nsiproxy Ntfs Null nvdimm nvraid "
    "Parport partmgr pci pciide pcw pdc PEAUTH PktMon pmem portcfg PptpMiniport Processor Psched Ramdisk "
    "RasAcd RasAgileVpn Rasl2tp RasPppoe RasSstp rdbss rdpbus RDPDR RdpVideoMiniport rdyboost ReFS rspndr "
    "sbp2port scfilter sdbus SerCx serenum Serial sermouse SgrmAgent sfloppy spaceport SpbCx srv2 srvnet "
    "stexstor storahci storflt stornvme storqosflt storufs storvsc swenum Synth3dVsc Tcpip Tcpip6 tcpipreg "
    "tdx terminpt TPM TsUsbFlt tsusbhub tunnel UASPStor UcmCx0101 UcmTcpciCx0101 ucx01000 udfs UEFI umbus "
    "UmPass usbccgp usbehci usbhub USBHUB3 usbohci usbprint usbser USBSTOR usbuhci usbvideo USBXHCI vdrvroot "
    "VerifierExt vhdmp vhf vmbus VMBusHID volmgr volmgrx volsnap volume vpci vwifibus vwififlt vwifimp "
    "WacomPen wanarp wcifs WdBoot Wdf01000 WdFilter WdNisDrv WFPLWFS WIMMount WindowsTrustedRT WinNat WINUSB "
    "WmiAcpi Wof WpdUpFltr ws2ifsl WudfPf WUDFRd xboxgip";

static const char linux_[] =
    "ext4 xfs btrfs jbd2 mbcache nvme nvme_core ahci libahci libata scsi_mod sd_mod sg sr_mod cdrom e1000e "
    "igb "
    "ixgbe i40e ice tg3 bnxt_en mlx5_core mlx5_ib ib_core rdma_cm virtio_net virtio_blk virtio_scsi "
    "virtio_pci "
    "virtio_balloon vmxnet3 vmw_balloon vmw_pvscsi vmw_vmci vsock hv_vmbus hv_netvsc hv_storvsc usb_storage "
    "uas "
    "usbcore usb_common xhci_pci xhci_hcd ehci_hcd ehci_pci usbhid hid hid_generic i915 amdgpu radeon "
    "nouveau "
    "drm drm_kms_helper ttm mgag200 ast kvm kvm_intel kvm_amd irqbypass vhost vhost_net vhost_vsock tun tap "
    "bridge stp llc bonding 8021q garp mrp veth macvlan vxlan udp_tunnel ip6_udp_tunnel nf_tables nfnetlink "
    "nf_conntrack nf_nat nf_defrag_ipv4 nf_defrag_ipv6 nft_ct nft_chain_nat nft_compat ip_tables ip6_tables "
    "iptable_filter iptable_nat x_tables xt_conntrack xt_MASQUERADE xt_addrtype xt_comment overlay dm_mod "
    "dm_crypt dm_mirror dm_region_hash dm_log dm_multipath dm_thin_pool raid0 raid1 raid10 raid456 md_mod "
    "async_raid6_recov async_pq async_xor xor raid6_pq sunrpc nfs nfsv3 nfsv4 lockd grace nfsd auth_rpcgss "
    "cifs cifs_arc4 dns_resolver fscache netfs fuse loop zram squashfs isofs nls_utf8 vfat fat msdos "
    "snd_hda_intel snd_hda_codec snd_hda_core snd_pcm snd_timer snd soundcore iwlwifi iwlmvm mac80211 "
    "cfg80211 "
    "rfkill bluetooth btusb btrtl btintel uvcvideo videodev mc tpm_tis tpm_crb tpm ipmi_si ipmi_devintf "
    "ipmi_msghandler acpi_ipmi mei_me mei intel_rapl_msr intel_rapl_common x86_pkg_temp_thermal "
    "intel_powerclamp coretemp aesni_intel crypto_simd cryptd crc32_pclmul crc32c_intel ghash_clmulni_intel "
    "sha512_ssse3 polyval_clmulni rapl intel_cstate intel_uncore iTCO_wdt i2c_i801 i2c_smbus lpc_ich wmi "
    "video backlight button pcspkr serio_raw joydev evdev efi_pstore pstore_blk efivarfs autofs4 binfmt_misc "
    "configfs rng_core qemu_fw_cfg drbg ansi_cprng ecdh_generic ecc cls_bpf sch_ingress act_bpf tls";

static const char built_in[] =
    "tcp_cubic cpuidle kernel_params random rcutree printk vt xz_dec zswap dynamic_debug "
    "firmware_class keyboard block acpi pcie_aspm module edac_core";

/* The last level up to this one that changed the driver, 0: none did. */
static unsigned touched(uint64_t driver, unsigned base, unsigned level)
{
	while (level > 0 && draw_mix(driver, (uint64_t)base << 8 | level) % 12 != 0)
		level--;
	return level;
}

static uint64_t name_hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325u;
	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3u;
	return h;
}

static struct component windows_driver(const struct estate *e, size_t image, unsigned level, const char *name)
{
	uint64_t h = name_hash(name);
	struct component c = {.kind = COMPONENT_DRIVER,
			      .version = images_kernel(e, image, touched(h, e->images[image].base, level)),
			      .vendor = draw_known("Microsoft Windows"),
			      .size_bytes = {READING_OK, 16384 + h % 400 * 4096}};
	text_copy(c.name, sizeof(c.name), name);
	if (h % 16 == 0)
		c.kind = COMPONENT_FILTER;
	if (h % 3 == 0)
		c.flags = COMPONENT_BOOT_START;
	return c;
}

/* As the collector lists them: few in-tree modules declare a version, some a source version. */
static struct component linux_module(const struct estate *e, size_t image, unsigned level, const char *name,
				     enum component_kind kind)
{
	uint64_t h = name_hash(name);
	unsigned base = e->images[image].base;
	struct component c = {.kind = kind,
			      .version = {.status = READING_ABSENT},
			      .source = {.status = READING_ABSENT},
			      .size_bytes = {READING_OK, 16384 + h % 300 * 4096}};
	text_copy(c.name, sizeof(c.name), name);
	if (kind == COMPONENT_BUILTIN || h % 7 == 0)
		c.version = draw_known("%u.%u", 1 + (unsigned)(h % 9), (unsigned)(h / 9 % 30));
	if (h % 3 == 0)
		c.source = draw_known("%016" PRIX64 "%08" PRIX64,
				      draw_mix(h, base << 8 | touched(h, base, level)), h >> 32);
	if (kind == COMPONENT_BUILTIN) {
		c.vendor.status = READING_ABSENT;
		c.size_bytes.status = READING_UNSUPPORTED;
	}
	return c;
}

struct component inbox_kernel(const struct estate *e, size_t image, unsigned level)
{
	bool is_linux = images_family(e, image) == FAMILY_LINUX;
	struct component c = {.kind = COMPONENT_KERNEL,
			      .version = images_kernel(e, image, level),
			      .source = {.status = READING_ABSENT},
			      .vendor = {.status = READING_ABSENT},
			      .size_bytes = {.status = READING_UNSUPPORTED}};
	text_copy(c.name, sizeof(c.name), is_linux ? "linux" : "ntoskrnl");
	return c;
}

/* The word at *at, which moves on; false at the end. */
static bool next_word(const char **at, char ret[32])
{
	size_t len = strcspn(*at, " ");
	if (len == 0)
		return false;
	snprintf(ret, 32, "%.*s", (int)len, *at);
	*at += len + ((*at)[len] == ' ');
	return true;
}

size_t inbox_list(const struct estate *e, const struct software *s, struct component *ret)
{
	size_t count = 0;
	unsigned level = s->level;
	bool is_linux = images_family(e, s->image) == FAMILY_LINUX;
	char name[32];
	ret[count++] = inbox_kernel(e, s->image, level);
	const char *at = is_linux ? linux_ : windows;
	/* An image has most of what its release knows. */
	while (s->modules == READING_OK && next_word(&at, name)) {
		if (draw_mix(name_hash(name), e->images[s->image].base + 1000u * e->images[s->image].role) %
			100 >=
		    (is_linux ? 62u : 88u))
			continue;
		ret[count++] = is_linux ? linux_module(e, s->image, level, name, COMPONENT_MODULE)
					: windows_driver(e, s->image, level, name);
	}
	at = built_in;
	while (is_linux && next_word(&at, name))
		ret[count++] = linux_module(e, s->image, level, name, COMPONENT_BUILTIN);
	return count;
}
