/* Who this machine is: mostly one-line files that everyone may read. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "node/collect/collect.h"
#include "node/collect/linux/source.h"
#include "os/hardware.h"

static struct reading_text text_of(const char *value)
{
	struct reading_text r = {READING_OK, ""};
	text_copy(r.value, sizeof(r.value), value);
	return r;
}

static struct reading_text text_missing(enum reading_status status)
{
	struct reading_text r = {status, ""};
	return r;
}

/* PRETTY_NAME="..." of os-release, whose quotes are a shell's. */
static struct reading_text read_os(const char *root)
{
	char text[4096];
	enum reading_status status = source_head(root, "/etc/os-release", text, sizeof(text), NULL);
	if (status == READING_ABSENT)
		status = source_head(root, "/usr/lib/os-release", text, sizeof(text), NULL);
	if (status != READING_OK)
		return text_missing(status);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (strncmp(line, "PRETTY_NAME=", 12) != 0)
			continue;
		char *value = line + 12;
		if (*value == '"' || *value == '\'') {
			char quote = *value++;
			char *end = strchr(value, quote);
			if (end)
				*end = '\0';
		}
		return *value ? text_of(value) : text_missing(READING_ABSENT);
	}
	return text_missing(READING_ABSENT);
}

static struct reading_text read_arch(const char *root)
{
	struct reading_text r = source_text(root, "/proc/sys/kernel/arch");
	struct utsname name;
	if (r.status == READING_ABSENT && *root == '\0' && uname(&name) == 0)
		return text_of(name.machine);
	return r;
}

static struct reading_text read_model(const char *root)
{
	struct reading_text vendor = source_text(root, "/sys/class/dmi/id/sys_vendor");
	struct reading_text product = source_text(root, "/sys/class/dmi/id/product_name");
	if (vendor.status == READING_OK && product.status == READING_OK) {
		char both[2 * LIMIT_SHORT_TEXT_BYTES + 2];
		snprintf(both, sizeof(both), "%s %s", vendor.value, product.value);
		return text_of(both);
	}
	if (product.status == READING_OK)
		return product;
	struct reading_text tree = source_text(root, "/proc/device-tree/model");
	if (tree.status == READING_OK)
		return tree;
	if (product.status == READING_ABSENT && !source_exists(root, "/sys/class/dmi"))
		return text_missing(READING_UNSUPPORTED);
	return product;
}

static void read_boot(const char *root, struct profile *p)
{
	char variable[16];
	size_t len = 0;
	p->secure_boot = (struct reading_u64){READING_UNSUPPORTED, 0};
	if (!source_exists(root, "/sys/firmware/efi")) {
		p->boot_mode = source_exists(root, "/sys/firmware/dmi") ? text_of("bios")
									: text_missing(READING_UNSUPPORTED);
		return;
	}
	p->boot_mode = text_of("uefi");
	p->secure_boot.status =
	    source_head(root, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
			variable, sizeof(variable), &len);
	if (p->secure_boot.status != READING_OK)
		return;
	if (len < 5) /* four bytes of attributes come before the value */
		p->secure_boot.status = READING_FAILED;
	else
		p->secure_boot.value = variable[4] == 1;
}

static struct reading_text read_virtualization(const char *root)
{
	struct reading_text container = source_text(root, "/run/systemd/container");
	if (container.status == READING_OK)
		return container;
	if (source_exists(root, "/.dockerenv"))
		return text_of("docker");
	if (source_exists(root, "/run/.containerenv"))
		return text_of("podman");
	struct reading_text hypervisor = source_text(root, "/sys/hypervisor/type");
	if (hypervisor.status == READING_OK)
		return hypervisor;
	char cpu[8192];
	enum reading_status status = source_head(root, "/proc/cpuinfo", cpu, sizeof(cpu), NULL);
	if (status != READING_OK)
		return text_missing(status);
	return strstr(cpu, " hypervisor") ? text_of("vm") : text_missing(READING_ABSENT);
}

static void read_hardware_hash(const char *root, struct profile *p)
{
	uint8_t id[OS_HARDWARE_BYTES], hash[ID_BYTES];
	size_t len;
	enum err err = os_hardware_id(root, id, &len);
	p->hardware_hash_status = err == ERR_OK          ? READING_OK
				  : err == ERR_NOT_FOUND ? READING_ABSENT
				  : err == ERR_DENIED    ? READING_DENIED
							 : READING_FAILED;
	if (err != ERR_OK)
		return;
	hash_bytes(hash, sizeof(hash), "mesh.hw", id, len);
	memcpy(p->hardware_hash, hash, sizeof(p->hardware_hash));
}

void collect_profile(const char *root, struct profile *ret)
{
	ret->hostname = source_text(root, "/proc/sys/kernel/hostname");
	ret->os = read_os(root);
	ret->kernel = source_text(root, "/proc/sys/kernel/osrelease");
	ret->arch = read_arch(root);
	ret->model = read_model(root);
	read_boot(root, ret);
	read_hardware_hash(root, ret);
	ret->virtualization = read_virtualization(root);
}
