/* What identifies a machine, in trees as /sys shows them. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/file.h"
#include "os/hardware.h"
#include "tests/unit/scratch.h"

#define UUID   "/sys/class/dmi/id/product_uuid"
#define SERIAL "/sys/class/dmi/id/product_serial"
#define TREE   "/proc/device-tree/serial-number"

static void put_bytes(struct scratch *t, const char *path, const void *data, size_t len)
{
	char full[SCRATCH_PATH_BYTES];
	snprintf(full, sizeof(full), "%s%s", t->folder, path);
	*strrchr(full, '/') = '\0';
	assert_int_equal(os_dir_make(full, 0755, NULL), ERR_OK);
	snprintf(full, sizeof(full), "%s%s", t->folder, path);
	scratch_write(full, data, len, 0644);
}

static void put(struct scratch *t, const char *path, const char *text)
{
	put_bytes(t, path, text, strlen(text));
}

static void link_to(struct scratch *t, const char *path, const char *target)
{
	char full[SCRATCH_PATH_BYTES];
	snprintf(full, sizeof(full), "%s%s", t->folder, path);
	assert_int_equal(symlink(target, full), 0);
}

static void identified(struct scratch *t, const char *want)
{
	uint8_t id[OS_HARDWARE_BYTES];
	char text[OS_HARDWARE_BYTES + 1];
	size_t len = 0;
	enum err err = os_hardware_id(t->folder, id, &len);
	if (err != ERR_OK)
		fail_msg("%s: %s", want, err_name(err));
	snprintf(text, sizeof(text), "%.*s", (int)len, (const char *)id);
	assert_string_equal(text, want);
}

static void unidentified(struct scratch *t, enum err want)
{
	uint8_t id[OS_HARDWARE_BYTES] = {7};
	size_t len = 99;
	enum err err = os_hardware_id(t->folder, id, &len);
	if (err != want)
		fail_msg("%s, %.*s", err_name(err), err == ERR_OK ? (int)len : 0, (const char *)id);
	assert_true(len == 99 && id[0] == 7);
}

static void sources_have_their_order(void **state)
{
	struct scratch *t = *state;
	unidentified(t, ERR_NOT_FOUND);
	put_bytes(t, TREE, "10000000deadbeef", 17); /* ends with a zero byte there */
	identified(t, "tree 10000000deadbeef");
	put(t, "/sys/class/dmi/id/chassis_serial", "C-1234\n");
	put(t, "/sys/class/dmi/id/chassis_vendor", "Box Ltd\n");
	identified(t, "serial Box Ltd/C-1234");
	put(t, "/sys/class/dmi/id/board_serial", "B-1234\n");
	identified(t, "serial /B-1234");
	put(t, SERIAL, "  5CG1234ABC  \n");
	put(t, "/sys/class/dmi/id/sys_vendor", "HP\n");
	identified(t, "serial HP/5CG1234ABC");
	put(t, UUID, "4C4C4544-0042-3510-8052-B4C04F4A3232\n");
	identified(t, "uuid 4c4c4544-0042-3510-8052-b4c04f4a3232");
}

static void long_values_are_cut(void **state)
{
	struct scratch *t = *state;
	char text[300];
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + i % 26);
	put_bytes(t, SERIAL, text, sizeof(text));
	put_bytes(t, "/sys/class/dmi/id/sys_vendor", text, sizeof(text));
	char want[OS_HARDWARE_BYTES];
	snprintf(want, sizeof(want), "serial %.56s/%.56s", text, text);
	identified(t, want);
}

static void fillers_count_for_nothing(void **state)
{
	static const char *const uuids[] = {
	    "00000000-0000-0000-0000-000000000000",
	    "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
	    "03000200-0400-0500-0006-000700080009",
	    "Not Settable",
	    "",
	    "4C4C4544-0042-3510-8052-B4C04F4A323",
	    "4C4C4544-0042-3510-8052-B4C04F4A32321",
	    "4C4C4544-0042-3510-8052_B4C04F4A3232",
	};
	static const char *const serials[] = {
	    "To be filled by O.E.M.",
	    "TO BE FILLED BY O.E.M.",
	    "Default string",
	    "System Serial Number",
	    "None",
	    "00000000",
	    "........",
	    "xxxxxxxxxxxx",
	    "0",
	    "N/A",
	    "123",
	    "   \n",
	    "123456789",
	    "-----",
	};
	struct scratch *t = *state;
	for (size_t i = 0; i < sizeof(uuids) / sizeof(*uuids); i++) {
		put(t, UUID, uuids[i]);
		unidentified(t, ERR_NOT_FOUND);
	}
	for (size_t i = 0; i < sizeof(serials) / sizeof(*serials); i++) {
		put(t, SERIAL, serials[i]);
		put(t, TREE, serials[i]);
		unidentified(t, ERR_NOT_FOUND);
	}
	/* A filler of the product does not hide the board. */
	put(t, "/sys/class/dmi/id/board_serial", "B-1234\n");
	identified(t, "serial /B-1234");
}

static void put_card(struct scratch *t, const char *name, const char *address, const char *assigned,
		     const char *device)
{
	char path[128];
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	put(t, path, address);
	snprintf(path, sizeof(path), "/sys/class/net/%s/addr_assign_type", name);
	put(t, path, assigned);
	snprintf(path, sizeof(path), "/sys/class/net/%s/type", name);
	put(t, path, "1\n");
	if (device == NULL)
		return;
	char folder[160], target[160];
	snprintf(folder, sizeof(folder), "/sys/devices/%s/vendor", device);
	put(t, folder, "0x8086\n");
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	snprintf(target, sizeof(target), "../../../devices/%s", device);
	link_to(t, path, target);
}

static void the_lowest_card_of_its_own_counts(void **state)
{
	struct scratch *t = *state;
	put_card(t, "lo", "00:00:00:00:00:00\n", "0\n", NULL);
	put_card(t, "br0", "00:0a:0a:0a:0a:0a\n", "0\n", NULL);            /* no device behind it */
	put_card(t, "eth3", "00:0b:0b:0b:0b:0b\n", "3\n", "pci0000:00/3"); /* set by hand */
	put_card(t, "eth4", "02:42:ac:11:00:02\n", "0\n", "pci0000:00/4"); /* locally administered */
	put_card(t, "eth5", "00:00:00:00:00:00\n", "0\n", "pci0000:00/5"); /* none at all */
	put_card(t, "eth6", "01:00:5e:00:00:01\n", "0\n", "pci0000:00/6"); /* a group */
	put_card(t, "ib0", "80:00:02:08:fe:80:00:00:00:00\n", "0\n",
		 "pci0000:00/7"); /* not Ethernet's length */
	unidentified(t, ERR_NOT_FOUND);
	put_card(t, "enx1", "00:00:0c:00:00:01\n", "0\n", "pci0000:00/usb1/1-1");
	identified(t, "mac 00:00:0c:00:00:01"); /* better than nothing */
	put_card(t, "enx2", "00:00:0c:00:00:00\n", "0\n", "pci0000:00/usb1/1-2");
	identified(t, "mac 00:00:0c:00:00:00");
	put_card(t, "eth1", "3C:A8:2A:00:00:02\n", "0\n", "pci0000:00/1");
	identified(t, "mac 3c:a8:2a:00:00:02"); /* but not than a card that stays */
	put_card(t, "eth0", "3c:a8:2a:00:00:01\n", "0\n", "pci0000:00/0");
	identified(t, "mac 3c:a8:2a:00:00:01");
	put_card(t, "eth2", "3c:a8:2a:00:00:09\n", "0\n", "pci0000:00/2");
	identified(t, "mac 3c:a8:2a:00:00:01");
}

static void a_container_is_no_machine(void **state)
{
	static const char *const marks[] = {"/.dockerenv", "/run/.containerenv", "/run/systemd/container"};
	struct scratch *t = *state;
	put(t, UUID, "4c4c4544-0042-3510-8052-b4c04f4a3232\n");
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		char full[SCRATCH_PATH_BYTES];
		identified(t, "uuid 4c4c4544-0042-3510-8052-b4c04f4a3232");
		put(t, marks[i], "");
		unidentified(t, ERR_NOT_FOUND);
		snprintf(full, sizeof(full), "%s%s", t->folder, marks[i]);
		assert_int_equal(unlink(full), 0);
	}
}

static int look_as_nobody(void *context)
{
	struct scratch *t = context;
	uint8_t id[OS_HARDWARE_BYTES];
	size_t len = 0;
	if (!scratch_drop_root())
		return 1;
	if (os_hardware_id(t->folder, id, &len) != ERR_DENIED)
		return 2;
	return 0;
}

static int find_card_as_nobody(void *context)
{
	struct scratch *t = context;
	uint8_t id[OS_HARDWARE_BYTES];
	size_t len = 0;
	if (!scratch_drop_root())
		return 1;
	if (os_hardware_id(t->folder, id, &len) != ERR_OK || len != 21 || memcmp(id, "mac ", 4) != 0)
		return 2;
	return 0;
}

/* Root's files are passed over for what everybody may read; nothing else left is not the same as nothing. */
static void denied_is_not_absent(void **state)
{
	struct scratch *t = *state;
	char full[SCRATCH_PATH_BYTES];
	scratch_need_other_user();
	put(t, UUID, "4c4c4544-0042-3510-8052-b4c04f4a3232\n");
	snprintf(full, sizeof(full), "%s" UUID, t->folder);
	assert_int_equal(chmod(full, 0), 0);
	assert_int_equal(chmod(t->folder, 0755), 0);
	assert_int_equal(scratch_in_child(look_as_nobody, t), 0);
	put_card(t, "eth0", "3c:a8:2a:00:00:01\n", "0\n", "pci0000:00/0");
	assert_int_equal(scratch_in_child(find_card_as_nobody, t), 0);
}

static void this_machine_answers_somehow(void **state)
{
	(void)state;
	uint8_t id[OS_HARDWARE_BYTES];
	size_t len = 0;
	enum err err = os_hardware_id("", id, &len);
	assert_true(err == ERR_OK || err == ERR_NOT_FOUND || err == ERR_DENIED);
	assert_int_equal(len > 0 && len < OS_HARDWARE_BYTES, err == ERR_OK);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    IN_SCRATCH(sources_have_their_order),     IN_SCRATCH(long_values_are_cut),
	    IN_SCRATCH(fillers_count_for_nothing),    IN_SCRATCH(the_lowest_card_of_its_own_counts),
	    IN_SCRATCH(a_container_is_no_machine),    IN_SCRATCH(denied_is_not_absent),
	    IN_SCRATCH(this_machine_answers_somehow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
