#include "os/network.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "os/linux/fail.h"

/* False for what says nothing of the network that the machine is in. */
static bool take(const struct ifaddrs *i, struct os_network_address *ret)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	if (i->ifa_addr == NULL || !(i->ifa_flags & IFF_UP) || (i->ifa_flags & IFF_LOOPBACK))
		return false;
	if (i->ifa_addr->sa_family == AF_INET) {
		memcpy(&v4, i->ifa_addr, sizeof(v4));
		ret->len = 4;
		memcpy(ret->bytes, &v4.sin_addr, 4);
		return !(ret->bytes[0] == 169 && ret->bytes[1] == 254) && ret->bytes[0] != 127;
	}
	if (i->ifa_addr->sa_family == AF_INET6) {
		memcpy(&v6, i->ifa_addr, sizeof(v6));
		ret->len = 16;
		memcpy(ret->bytes, &v6.sin6_addr, 16);
		return !IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && !IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr);
	}
	return false;
}

enum err os_network_addresses(struct os_network_address *ret, size_t cap, size_t *ret_count,
			      struct err_info *info)
{
	struct ifaddrs *all;
	size_t count = 0;
	if (getifaddrs(&all) != 0)
		return os_fail(info, errno, "list the addresses of", "this machine");
	for (const struct ifaddrs *i = all; i != NULL && count < cap; i = i->ifa_next) {
		struct os_network_address one = {0};
		if (take(i, &one))
			ret[count++] = one;
	}
	freeifaddrs(all);
	*ret_count = count;
	return ERR_OK;
}
