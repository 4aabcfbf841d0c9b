/* Collectors over captured trees: absent, denied, unsupported, failed and zero stay apart. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "crypto/hash.h"
#include "node/collect/collect.h"
#include "tests/unit/scratch.h"

static void put(struct scratch *t, const char *path, const void *data, size_t len)
{
	char full[512];
	snprintf(full, sizeof(full), "%s%s", t->folder, path);
	for (char *p = full + strlen(t->folder) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(full, 0755);
		*p = '/';
	}
	FILE *f = fopen(full, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static void put_text(struct scratch *t, const char *path, const char *text)
{
	put(t, path, text, strlen(text));
}

static void test_profile_full(void **state)
{
	struct scratch *t = *state;
	put_text(t, "/proc/sys/kernel/hostname", "till-04\n");
	put_text(t, "/proc/sys/kernel/osrelease", "6.1.0-18-amd64\n");
	put_text(t, "/proc/sys/kernel/arch", "x86_64\n");
	put_text(t, "/etc/os-release", "NAME=x\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\n");
	put_text(t, "/etc/machine-id", "0123456789abcdef0123456789abcdef\n");
	put_text(t, "/sys/class/dmi/id/product_uuid", "4C4C4544-0042-3510-8052-B4C04F4A3232\n");
	put_text(t, "/sys/class/dmi/id/sys_vendor", "Acme\n");
	put_text(t, "/sys/class/dmi/id/product_name", "RP5\n");
	put_text(t, "/proc/cpuinfo", "flags\t\t: fpu hypervisor sse\n");
	put(t, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c", "\6\0\0\0\1", 5);
	struct profile p = {0};
	collect_profile(t->folder, &p);
	assert_string_equal(p.hostname.value, "till-04");
	assert_string_equal(p.os.value, "Debian GNU/Linux 12 (bookworm)");
	assert_string_equal(p.kernel.value, "6.1.0-18-amd64");
	assert_string_equal(p.model.value, "Acme RP5");
	assert_string_equal(p.boot_mode.value, "uefi");
	assert_int_equal(p.secure_boot.status, READING_OK);
	assert_int_equal(p.secure_boot.value, 1);
	assert_string_equal(p.virtualization.value, "vm");
	assert_int_equal(p.hardware_hash_status, READING_OK);
	static const char id[] = "uuid 4c4c4544-0042-3510-8052-b4c04f4a3232";
	uint8_t hash[ID_BYTES];
	hash_bytes(hash, sizeof(hash), "mesh.hw", id, sizeof(id) - 1);
	assert_memory_equal(p.hardware_hash, hash, sizeof(p.hardware_hash));
}

static void test_profile_empty_tree(void **state)
{
	struct scratch *t = *state;
	struct profile p = {0};
	collect_profile(t->folder, &p);
	assert_int_equal(p.hostname.status, READING_ABSENT);
	assert_int_equal(p.os.status, READING_ABSENT);
	assert_int_equal(p.model.status, READING_UNSUPPORTED);
	assert_int_equal(p.boot_mode.status, READING_UNSUPPORTED);
	assert_int_equal(p.secure_boot.status, READING_UNSUPPORTED);
	assert_int_equal(p.hardware_hash_status, READING_ABSENT);
}

static int read_denied(void *context)
{
	struct scratch *t = context;
	struct health h = {0};
	if (!scratch_drop_root())
		return 1;
	collect_health(t->folder, NULL, &h);
	if (h.oopses.status != READING_DENIED)
		return 2;
	if (h.warnings.status != READING_UNSUPPORTED)
		return 3;
	struct profile p = {0};
	collect_profile(t->folder, &p);
	return p.hardware_hash_status == READING_DENIED ? 0 : 4;
}

static void test_denied_is_not_absent(void **state)
{
	struct scratch *t = *state;
	scratch_need_other_user();
	put_text(t, "/sys/kernel/oops_count", "3\n");
	assert_int_equal(chmod(t->folder, 0755), 0);
	assert_int_equal(chmod(scratch_path(t, "sys/kernel/oops_count"), 0), 0);
	put_text(t, "/sys/class/dmi/id/product_uuid", "4C4C4544-0042-3510-8052-B4C04F4A3232\n");
	assert_int_equal(chmod(scratch_path(t, "sys/class/dmi/id/product_uuid"), 0), 0);
	assert_int_equal(scratch_in_child(read_denied, t), 0);
}

static void put_health(struct scratch *t, unsigned available_kib)
{
	char text[128];
	snprintf(text, sizeof(text), "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: %u kB\n",
		 available_kib);
	put_text(t, "/proc/meminfo", text);
	put_text(t, "/proc/vmstat", "nr_free_pages 1\noom_kill 0\n");
	put_text(t, "/proc/stat", "cpu 1 2\nbtime 1700000000\n");
	put_text(t, "/proc/pressure/io", "some avg10=0.00 avg60=0.00 avg300=61.20 total=9\n");
	put_text(t, "/sys/kernel/oops_count", "0\n");
	put_text(t, "/sys/kernel/warn_count", "banana\n");
	put_text(t, "/proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
}

static void test_health_values_and_reasons(void **state)
{
	struct scratch *t = *state;
	struct health h = {0};
	put_health(t, 500);
	collect_health(t->folder, NULL, &h);
	assert_int_equal(h.memory_percent.value, 50);
	assert_int_equal(h.oom_kills.status, READING_OK);
	assert_int_equal(h.oom_kills.value, 0); /* zero is a value */
	assert_int_equal(h.oopses.status, READING_OK);
	assert_int_equal(h.warnings.status, READING_FAILED);
	assert_int_equal(h.taint.status, READING_UNSUPPORTED);
	assert_int_equal(h.stall_cpu_percent.status, READING_UNSUPPORTED);
	assert_int_equal(h.stall_io_percent.value, 60);
	assert_int_equal(h.boot_time_s.value, 1700000000);
	assert_true(h.boot != 0);
	collect_health_level(&h);
	assert_int_equal(h.level, HEALTH_WARNING);
	assert_int_equal(h.reasons, HEALTH_REASON_PRESSURE);
	h.taint = (struct reading_u64){READING_OK, 1u << 7};
	collect_health_level(&h);
	assert_int_equal(h.level, HEALTH_CRITICAL);
}

static void test_health_keeps_still_within_noise(void **state)
{
	struct scratch *t = *state;
	struct health before = {0}, after = {0};
	put_health(t, 500);
	collect_health(t->folder, NULL, &before);
	put_health(t, 440); /* 56 %: nearer to 60, yet within the noise of 50 */
	collect_health(t->folder, &before, &after);
	assert_int_equal(after.memory_percent.value, 50);
	put_health(t, 420); /* 58 % */
	collect_health(t->folder, &before, &after);
	assert_int_equal(after.memory_percent.value, 60);
}

static const struct component *find(const struct collected_components *c, const char *name, bool loaded)
{
	for (size_t i = 0; i < c->count; i++) {
		if (strcmp(c->items[i].name, name) == 0 && c->loaded[i] == loaded)
			return &c->items[i];
	}
	return NULL;
}

static void test_kernel_without_modules(void **state)
{
	struct scratch *t = *state;
	put_text(t, "/proc/sys/kernel/osrelease", "6.18.44\n");
	put_text(t, "/sys/module/bridge/version", "2.3\n");
	put_text(t, "/sys/module/printk/uevent", "\n"); /* no version: not told apart from the kernel */
	struct collected_components c;
	assert_int_equal(collect_components(t->folder, &c, NULL), ERR_OK);
	assert_int_equal(c.module_support, READING_UNSUPPORTED);
	assert_int_equal(c.count, 2);
	assert_int_equal(find(&c, "linux", true)->kind, COMPONENT_KERNEL);
	assert_int_equal(find(&c, "bridge", true)->kind, COMPONENT_BUILTIN);
	assert_string_equal(find(&c, "bridge", true)->version.value, "2.3");
	collect_components_release(&c);
}

static void put_file(struct scratch *t, const char *path, const char *from)
{
	char data[65536];
	FILE *f = fopen(from, "rb");
	assert_non_null(f);
	size_t len = fread(data, 1, sizeof(data), f);
	fclose(f);
	put(t, path, data, len);
}

static void test_loaded_and_pending(void **state)
{
	struct scratch *t = *state;
	put_text(t, "/proc/sys/kernel/osrelease", "6.1.0\n");
	put_text(t, "/proc/modules",
		 "ext4 950272 1 - Live 0x0000000000000000\n"
		 "csagent 4096 0 - Live 0x0000000000000000 (POE)\n");
	put_text(t, "/sys/module/csagent/version", "7.11\n");
	put_text(t, "/sys/module/csagent/srcversion", "AAAA\n");
	put_text(t, "/sys/module/csagent/initstate", "live\n");
	put_text(t, "/sys/module/csagent/taint", "POE\n");
	put_text(t, "/sys/module/ext4/initstate", "live\n");
	put_text(t, "/etc/modules-load.d/csagent.conf", "# early\ncsagent\n");
	/* a real object file with a .modinfo section: version 7.12, another srcversion */
	put_file(t, "/lib/modules/6.1.0/updates/dkms/csagent.ko", MODULE_FIXTURE);
	put_text(t, "/lib/modules/6.1.0/updates/broken.ko", "not an object file");
	struct collected_components c;
	assert_int_equal(collect_components(t->folder, &c, NULL), ERR_OK);
	assert_int_equal(c.module_support, READING_OK);

	const struct component *loaded = find(&c, "csagent", true);
	assert_string_equal(loaded->version.value, "7.11");
	assert_int_equal(loaded->flags, COMPONENT_OUT_OF_TREE | COMPONENT_UNSIGNED | COMPONENT_PROPRIETARY |
					    COMPONENT_THIRD_PARTY | COMPONENT_BOOT_START);
	const struct component *pending = find(&c, "csagent", false);
	assert_non_null(pending);
	assert_string_equal(pending->version.value, "7.12");
	assert_true(pending->flags & COMPONENT_THIRD_PARTY);
	assert_true(c.pending[pending - c.items]);

	const struct component *in_tree = find(&c, "ext4", true);
	assert_int_equal(in_tree->version.status, READING_ABSENT);
	assert_int_equal(in_tree->vendor.status, READING_UNKNOWN);
	assert_int_equal(in_tree->flags, 0);
	assert_null(find(&c, "broken", false));
	collect_components_release(&c);
}

static void test_same_build_on_disk_is_not_pending(void **state)
{
	struct scratch *t = *state;
	put_text(t, "/proc/sys/kernel/osrelease", "6.1.0\n");
	put_text(t, "/proc/modules", "csagent 4096 0 - Live 0x0\n");
	put_text(t, "/sys/module/csagent/srcversion", "BBBB\n");
	put_file(t, "/lib/modules/6.1.0/extra/csagent.ko", MODULE_FIXTURE);
	struct collected_components c;
	assert_int_equal(collect_components(t->folder, &c, NULL), ERR_OK);
	assert_int_equal(c.count, 2);
	const struct component *loaded = find(&c, "csagent", true);
	assert_int_equal(loaded->vendor.status, READING_ABSENT); /* read, and not signed */
	assert_true(loaded->flags & COMPONENT_UNSIGNED);
	collect_components_release(&c);
}

static void test_limit(void **state)
{
	struct scratch *t = *state;
	char *lines = malloc(5000 * 40);
	size_t len = 0;
	for (int i = 0; i < 5000; i++)
		len += (size_t)sprintf(lines + len, "mod%d 1 0 - Live 0x0\n", i);
	put(t, "/proc/modules", lines, len);
	free(lines);
	struct collected_components c;
	struct err_info info;
	assert_int_equal(collect_components(t->folder, &c, &info), ERR_LIMIT);
	assert_int_equal(c.count, LIMIT_COMPONENTS);
	assert_non_null(strstr(info.text, "left out"));
	collect_components_release(&c);
}

static void test_crashes(void **state)
{
	struct scratch *t = *state;
	struct crash_sources s = {0};
	collect_crashes(t->folder, &s);
	assert_int_equal(s.core_dumps.status, READING_ABSENT);
	assert_int_equal(s.pstore_panics.status, READING_UNSUPPORTED);
	assert_int_equal(s.blue_screens.status, READING_UNSUPPORTED);
	put_text(t, "/var/lib/systemd/coredump/core.tool.1000.abc.zst", "x");
	put_text(t, "/var/lib/systemd/coredump/unrelated", "x");
	put_text(t, "/var/lib/systemd/pstore/dmesg-1", "x");
	put_text(t, "/sys/kernel/oops_count", "2\n");
	collect_crashes(t->folder, &s);
	assert_int_equal(s.core_dumps.value, 1);
	assert_true(s.newest_core_dump_s.value > 0);
	assert_int_equal(s.pstore_panics.status, READING_OK);
	assert_int_equal(s.pstore_panics.value, 1);
	assert_int_equal(s.oopses.value, 2);
}

static void test_this_machine(void **state)
{
	(void)state;
	struct profile p = {0};
	struct health h = {0};
	struct collected_components c;
	collect_profile("", &p);
	collect_health("", NULL, &h);
	assert_int_equal(p.kernel.status, READING_OK);
	assert_int_equal(h.memory_percent.status, READING_OK);
	assert_true(h.boot != 0);
	assert_int_equal(collect_components("", &c, NULL), ERR_OK);
	assert_string_equal(find(&c, "linux", true)->version.value, p.kernel.value);
	assert_true(c.module_support == READING_OK || c.module_support == READING_UNSUPPORTED);
	assert_int_not_equal(c.ebpf_programs.status, READING_UNKNOWN);
	collect_components_release(&c);
}

int main(void)
{
	if (crypto_init() != ERR_OK)
		return 1;
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
	const struct CMUnitTest tests[] = {
	    TEST(test_profile_full),
	    TEST(test_profile_empty_tree),
	    TEST(test_denied_is_not_absent),
	    TEST(test_health_values_and_reasons),
	    TEST(test_health_keeps_still_within_noise),
	    TEST(test_kernel_without_modules),
	    TEST(test_loaded_and_pending),
	    TEST(test_same_build_on_disk_is_not_pending),
	    TEST(test_limit),
	    TEST(test_crashes),
	    TEST(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
