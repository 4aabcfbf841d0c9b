#include "cli/token_subnets.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/authority_dir.h"
#include "os/file.h"
#include "record/body.h"

#define FILE_BYTES (64 * 1024)

static bool clear_beyond(const struct token_subnet *s)
{
	for (unsigned bit = s->prefix_bits; bit < s->address_len * 8u; bit++) {
		if (s->address[bit / 8] & 0x80u >> bit % 8)
			return false;
	}
	return true;
}

/* "10.1.0.0/16" or "fd00:1::/32". */
static bool parse_subnet(const char *text, size_t len, struct token_subnet *ret)
{
	char buffer[96], copy[64];
	uint64_t bits;
	struct address address;
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	char *slash = strchr(copy, '/');
	if (slash == NULL || !text_u64(slash + 1, 0, 128, &bits))
		return false;
	*slash = '\0';
	snprintf(buffer, sizeof(buffer), strchr(copy, ':') != NULL ? "[%s]:1" : "%s:1", copy);
	if (address_parse(buffer, &address) != ERR_OK || bits > address.ip_len * 8u)
		return false;
	*ret = (struct token_subnet){.address_len = address.ip_len, .prefix_bits = (uint8_t)bits};
	memcpy(ret->address, address.ip, address.ip_len);
	return true;
}

void token_subnets_text(const struct token_subnet *s, char ret[TOKEN_SUBNET_TEXT])
{
	struct address address = {.ip_len = s->address_len, .port = 1};
	char text[64];
	memcpy(address.ip, s->address, sizeof(address.ip));
	address_text(&address, text);
	char *end = strrchr(text, ':');
	const char *start = text;
	if (end != NULL)
		*end = '\0';
	if (text[0] == '[') {
		start++;
		text[strlen(text) - 1] = '\0';
	}
	snprintf(ret, TOKEN_SUBNET_TEXT, "%s/%u", start, s->prefix_bits);
}

static bool same_subnet(const struct token_subnet *a, const struct token_subnet *b)
{
	return a->address_len == b->address_len && a->prefix_bits == b->prefix_bits &&
	       memcmp(a->address, b->address, a->address_len) == 0;
}

static enum err judge(const struct authlog_grant *grant, const struct token *t, const struct token_subnet *s,
		      const char *where, struct err_info *info)
{
	char text[TOKEN_SUBNET_TEXT];
	bool allowed = grant->site_count == 0;
	token_subnets_text(s, text);
	if (!clear_beyond(s))
		return err_set(info, ERR_USAGE,
			       "%s: %s has bits behind its prefix; write the network's address", where, text);
	for (size_t i = 0; i < grant->site_count; i++)
		allowed = allowed || strcmp(grant->sites[i], s->site) == 0;
	if (!allowed)
		return err_set(info, ERR_UNTRUSTED, "%s: site \"%s\" is outside the grant of issuer \"%s\"",
			       where, s->site, grant->name);
	for (size_t i = 0; i < t->subnet_count; i++) {
		if (same_subnet(&t->subnets[i], s))
			return err_set(info, ERR_USAGE, "%s: subnet %s is named twice", where, text);
	}
	if (t->subnet_count == LIMIT_SUBNETS)
		return err_set(info, ERR_LIMIT, "%s: more than %d subnets", where, LIMIT_SUBNETS);
	return ERR_OK;
}

/* `line`: subnet and site apart by `mark`; blanks around both are left out. */
static enum err add(const struct authlog_grant *grant, struct token *t, const char *line, size_t len,
		    char mark, const char *where, struct err_info *info)
{
	struct token_subnet s;
	char site[LIMIT_SITE_NAME_BYTES + 2];
	const char *middle = memchr(line, mark, len);
	const char *end = line + len, *from = middle != NULL ? middle + 1 : end;
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	size_t cidr = middle != NULL ? (size_t)(middle - line) : 0;
	while (cidr > 0 && (line[cidr - 1] == ' ' || line[cidr - 1] == '\t'))
		cidr--;
	size_t site_len = (size_t)(end - from);
	if (middle == NULL || site_len >= sizeof(site) || !parse_subnet(line, cidr, &s)) {
		char shown[128];
		text_escape(shown, sizeof(shown), line, len < 48 ? len : 48);
		return err_set(info, ERR_USAGE, "%s: \"%s\" is no subnet%csite, like 10.1.0.0/16%cberlin",
			       where, shown, mark, mark);
	}
	memcpy(site, from, site_len);
	site[site_len] = '\0';
	enum err err = authority_check_site(site, info);
	if (err != ERR_OK)
		return err;
	text_copy(s.site, sizeof(s.site), site);
	err = judge(grant, t, &s, where, info);
	if (err == ERR_OK)
		t->subnets[t->subnet_count++] = s;
	return err;
}

static enum err read_file(const char *path, const struct authlog_grant *grant, struct token *t,
			  struct err_info *info)
{
	uint8_t *data;
	size_t len, number = 0;
	enum err err = os_file_read(path, FILE_BYTES, &data, &len, info);
	if (err != ERR_OK)
		return err;
	for (const char *line = (const char *)data; err == ERR_OK && *line != '\0';) {
		size_t line_len = strcspn(line, "\n");
		char where[LIMIT_PATH_BYTES + 32];
		number++;
		snprintf(where, sizeof(where), "\"%s\" line %zu", path, number);
		/* Remarks, empty lines and the heading of a spreadsheet. */
		bool skip = line[0] == '#' || line[strspn(line, " \t\r")] == '\n' || line_len == 0 ||
			    (number == 1 && strncmp(line, "subnet,", 7) == 0);
		if (!skip)
			err = add(grant, t, line, line_len, ',', where, info);
		line += line_len + (line[line_len] == '\n');
	}
	free(data);
	return err;
}

enum err token_subnets_read(const struct command *c, const struct authlog_grant *grant, struct token *t,
			    struct err_info *info)
{
	const char *text, *file = options_value(&c->options, "subnets");
	enum err err = ERR_OK;
	if (file == NULL && !options_has(&c->options, "subnet"))
		return ERR_OK;
	t->subnets = calloc(LIMIT_SUBNETS, sizeof(*t->subnets));
	if (t->subnets == NULL)
		return err_set(info, ERR_NOMEM, "%s", err_text(ERR_NOMEM));
	for (size_t n = 0; err == ERR_OK && (text = options_nth(&c->options, "subnet", n)) != NULL; n++)
		err = add(grant, t, text, strlen(text), '=', "--subnet", info);
	if (err == ERR_OK && file != NULL)
		err = read_file(file, grant, t, info);
	return err;
}
