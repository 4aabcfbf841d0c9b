/* Numeric addresses only: a name would have to be resolved, and whoever resolves it could lie. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "record/body.h"

bool address_equal(const struct address *a, const struct address *b)
{
	return a->ip_len == b->ip_len && a->port == b->port && memcmp(a->ip, b->ip, a->ip_len) == 0;
}

void address_text(const struct address *a, char ret[64])
{
	char ip[INET6_ADDRSTRLEN] = "";
	bool known = a->ip_len == 4 || a->ip_len == 16;
	if (!known || inet_ntop(a->ip_len == 4 ? AF_INET : AF_INET6, a->ip, ip, sizeof(ip)) == NULL)
		text_copy(ret, 64, "none");
	else
		snprintf(ret, 64, a->ip_len == 4 ? "%s:%u" : "[%s]:%u", ip, (unsigned)a->port);
}

enum err address_parse(const char *text, struct address *ret)
{
	char ip[INET6_ADDRSTRLEN];
	bool v6 = text[0] == '[';
	const char *start = v6 ? text + 1 : text;
	const char *end = strchr(start, v6 ? ']' : ':');
	if (end == NULL || (size_t)(end - start) >= sizeof(ip))
		return ERR_FORMAT;
	if (v6 && end[1] != ':')
		return ERR_FORMAT;
	memcpy(ip, start, (size_t)(end - start));
	ip[end - start] = '\0';
	struct address a = {.ip_len = v6 ? 16 : 4};
	uint64_t port;
	if (inet_pton(v6 ? AF_INET6 : AF_INET, ip, a.ip) != 1 ||
	    !text_u64(end + (v6 ? 2 : 1), 1, UINT16_MAX, &port))
		return ERR_FORMAT;
	a.port = (uint16_t)port;
	*ret = a;
	return ERR_OK;
}
