/* Looks in the order of what survives most: the board's own numbers, then what is soldered to it. */
#include "os/hardware.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "os/file.h"

#define VALUE_BYTES 57 /* with the terminator; longer ones are cut: two, and a word, fit OS_HARDWARE_BYTES   \
			*/
#define FILE_BYTES 4096
#define MAC_BYTES  6
#define MAC_CHARS  (MAC_BYTES * 3 - 1)
#define SHORTEST   4 /* characters of a serial number */

struct search {
	const char *root;
	bool denied; /* some source may not be read */
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\0';
}

static bool make_path(char ret[LIMIT_PATH_BYTES], const struct search *s, const char *path)
{
	int n = snprintf(ret, LIMIT_PATH_BYTES, "%s%s", s->root, path);
	return n > 0 && n < LIMIT_PATH_BYTES;
}

static bool exists(const struct search *s, const char *path)
{
	char full[LIMIT_PATH_BYTES];
	return make_path(full, s, path) && os_file_exists(full);
}

/* Without the space around it; empty when there is nothing. */
static void read_value(struct search *s, const char *path, char ret[VALUE_BYTES])
{
	char full[LIMIT_PATH_BYTES];
	uint8_t *data;
	size_t len, first = 0;
	ret[0] = '\0';
	if (!make_path(full, s, path))
		return;
	enum err err = os_file_read(full, FILE_BYTES, &data, &len, NULL);
	s->denied |= err == ERR_DENIED;
	if (err != ERR_OK)
		return;
	while (first < len && is_space((char)data[first]))
		first++;
	while (len > first && is_space((char)data[len - 1]))
		len--;
	snprintf(ret, VALUE_BYTES, "%.*s", (int)(len - first), (const char *)data + first);
	free(data);
}

/* All its letters and digits are one and the same, as in zeroes, or there are none. */
static bool is_uniform(const char *value)
{
	static const char between[] = "-:. _";
	char only = '\0';
	for (; *value != '\0'; value++) {
		if (strchr(between, *value) != NULL)
			continue;
		if (only != '\0' && only != *value)
			return false;
		only = *value;
	}
	return true;
}

static bool is_filler(const char *value)
{
	static const char *const fillers[] = {
	    "to be filled by o.e.m.",
	    "to be filled by oem",
	    "default string",
	    "default_string",
	    "system serial number",
	    "base board serial number",
	    "chassis serial number",
	    "serial number",
	    "system product name",
	    "not specified",
	    "not applicable",
	    "not available",
	    "not defined",
	    "no asset tag",
	    "none",
	    "null",
	    "unknown",
	    "invalid",
	    "empty",
	    "o.e.m.",
	    "oem",
	    "n/a",
	    "test",
	    "0123456789",
	    "123456789",
	    "1234567890",
	    "12345678",
	    "ff:ff:ff:ff:ff:ff",
	    /* UUIDs of mainboards that were never given one. */
	    "03000200-0400-0500-0006-000700080009",
	    "00020003-0004-0005-0006-000700080009",
	    "12345678-1234-1234-1234-123456789abc",
	    "12345678-1234-5678-90ab-cddeefaabbcc",
	    "4c4c4544-0000-2010-8020-80c04f202020",
	};
	for (size_t i = 0; i < sizeof(fillers) / sizeof(*fillers); i++) {
		if (strcasecmp(value, fillers[i]) == 0)
			return true;
	}
	return is_uniform(value);
}

static void lower(char *text)
{
	for (; *text != '\0'; text++) {
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
	}
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* `shape`: x stands for a digit, anything else for itself. */
static bool has_shape(const char *text, const char *shape)
{
	for (; *text != '\0' && *shape != '\0'; text++, shape++) {
		if (*shape == 'x' ? !is_hex(*text) : *text != *shape)
			return false;
	}
	return *text == *shape;
}

static bool find_uuid(struct search *s, char ret[OS_HARDWARE_BYTES])
{
	char value[VALUE_BYTES];
	read_value(s, "/sys/class/dmi/id/product_uuid", value);
	lower(value);
	if (!has_shape(value, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") || is_filler(value))
		return false;
	snprintf(ret, OS_HARDWARE_BYTES, "uuid %s", value);
	return true;
}

static bool find_serial(struct search *s, char ret[OS_HARDWARE_BYTES])
{
	static const struct {
		const char *serial, *vendor;
	} sources[] = {
	    {"/sys/class/dmi/id/product_serial", "/sys/class/dmi/id/sys_vendor"},
	    {"/sys/class/dmi/id/board_serial", "/sys/class/dmi/id/board_vendor"},
	    {"/sys/class/dmi/id/chassis_serial", "/sys/class/dmi/id/chassis_vendor"},
	};
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		char serial[VALUE_BYTES], vendor[VALUE_BYTES];
		read_value(s, sources[i].serial, serial);
		if (strlen(serial) < SHORTEST || is_filler(serial))
			continue;
		read_value(s, sources[i].vendor, vendor);
		snprintf(ret, OS_HARDWARE_BYTES, "serial %s/%s", vendor, serial);
		return true;
	}
	return false;
}

static bool find_tree(struct search *s, char ret[OS_HARDWARE_BYTES])
{
	char value[VALUE_BYTES];
	read_value(s, "/proc/device-tree/serial-number", value);
	if (strlen(value) < SHORTEST || is_filler(value))
		return false;
	snprintf(ret, OS_HARDWARE_BYTES, "tree %s", value);
	return true;
}

struct cards {
	struct search *search;
	char lowest[MAC_CHARS + 1]; /* empty: none yet */
	bool lowest_is_usb;
};

/* Adapters on USB wander from machine to machine. */
static bool is_usb(const struct search *s, const char *device)
{
	char full[LIMIT_PATH_BYTES], real[PATH_MAX];
	return make_path(full, s, device) && realpath(full, real) != NULL && strstr(real, "/usb") != NULL;
}

static bool on_card(void *context, const char *name)
{
	struct cards *c = context;
	char path[LIMIT_PATH_BYTES], value[VALUE_BYTES];
	/* A card that is real has a device behind it, and one that kept its maker's address says 0. */
	snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
	if (!exists(c->search, path))
		return true;
	bool usb = is_usb(c->search, path);
	snprintf(path, sizeof(path), "/sys/class/net/%s/type", name);
	read_value(c->search, path, value);
	if (strcmp(value, "1") != 0) /* Ethernet, wireless included */
		return true;
	snprintf(path, sizeof(path), "/sys/class/net/%s/addr_assign_type", name);
	read_value(c->search, path, value);
	if (strcmp(value, "0") != 0)
		return true;
	snprintf(path, sizeof(path), "/sys/class/net/%s/address", name);
	read_value(c->search, path, value);
	lower(value);
	if (!has_shape(value, "xx:xx:xx:xx:xx:xx") || is_filler(value))
		return true;
	/* Second digit: bit 0 says group, bit 1 locally administered. */
	if (strchr("048c", value[1]) == NULL)
		return true;
	bool better = c->lowest[0] == '\0' || (c->lowest_is_usb && !usb) ||
		      (c->lowest_is_usb == usb && strcmp(value, c->lowest) < 0);
	if (better) {
		memcpy(c->lowest, value, sizeof(c->lowest));
		c->lowest_is_usb = usb;
	}
	return true;
}

static bool find_card(struct search *s, char ret[OS_HARDWARE_BYTES])
{
	char path[LIMIT_PATH_BYTES];
	struct cards c = {.search = s};
	if (!make_path(path, s, "/sys/class/net"))
		return false;
	s->denied |= os_dir_list(path, on_card, &c, NULL) == ERR_DENIED;
	if (c.lowest[0] == '\0')
		return false;
	snprintf(ret, OS_HARDWARE_BYTES, "mac %s", c.lowest);
	return true;
}

/* What a container sees of the hardware is its host's, and its neighbours'. */
static bool is_container(const struct search *s)
{
	return exists(s, "/.dockerenv") || exists(s, "/run/.containerenv") ||
	       exists(s, "/run/systemd/container");
}

enum err os_hardware_id(const char *root, uint8_t ret[OS_HARDWARE_BYTES], size_t *ret_len)
{
	struct search s = {.root = root};
	char text[OS_HARDWARE_BYTES];
	if (is_container(&s))
		return ERR_NOT_FOUND;
	if (!find_uuid(&s, text) && !find_serial(&s, text) && !find_tree(&s, text) && !find_card(&s, text))
		return s.denied ? ERR_DENIED : ERR_NOT_FOUND;
	*ret_len = strlen(text);
	memcpy(ret, text, *ret_len);
	return ERR_OK;
}
