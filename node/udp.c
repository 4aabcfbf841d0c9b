#include "node/udp.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* One system call brings up to so many datagrams: under a flood the calls would cost more than the datagrams.
 * libuv gives each a slot of 64 KiB, of which only what is written to becomes memory. */
#define RECEIVE_SLOTS      16
#define RECEIVE_SLOT_BYTES (64 * 1024)

/* A burst must outlast the time a commit or a verification takes. */
#define SOCKET_BUFFER_BYTES (4 * 1024 * 1024)

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

struct udp {
	uv_udp_t handle;
	struct address address;
	udp_receive receive;
	void *context;
	struct udp_counters counters;
	char buffer[RECEIVE_SLOTS * RECEIVE_SLOT_BYTES];
};

static void from_sockaddr(const struct sockaddr *sa, struct address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)sa;
		memcpy(ret->ip, &in->sin_addr, 4);
		ret->ip_len = 4;
		ret->port = ntohs(in->sin_port);
	} else if (sa->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)sa;
		const uint8_t *ip = in6->sin6_addr.s6_addr;
		/* An IPv4 peer on a socket that serves both has one name in the estate, the short one. */
		bool mapped = memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
		ret->ip_len = mapped ? 4 : 16;
		memcpy(ret->ip, mapped ? ip + sizeof(mapped_prefix) : ip, ret->ip_len);
		ret->port = ntohs(in6->sin6_port);
	}
}

/* In the family of the socket; false when it cannot be reached from there. */
static bool to_sockaddr(const struct address *a, bool socket_v6, struct sockaddr_storage *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (a->ip_len == 4 && !socket_v6) {
		struct sockaddr_in *in = (struct sockaddr_in *)ret;
		in->sin_family = AF_INET;
		in->sin_port = htons(a->port);
		memcpy(&in->sin_addr, a->ip, 4);
		return true;
	}
	if (!socket_v6 || a->ip_len == 0)
		return false;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(a->port);
	if (a->ip_len == 4) {
		memcpy(in6->sin6_addr.s6_addr, mapped_prefix, sizeof(mapped_prefix));
		memcpy(in6->sin6_addr.s6_addr + sizeof(mapped_prefix), a->ip, 4);
	} else {
		memcpy(in6->sin6_addr.s6_addr, a->ip, 16);
	}
	return true;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct udp *udp = handle->data;
	(void)suggested;
	*ret = uv_buf_init(udp->buffer, sizeof(udp->buffer));
}

static void on_receive(uv_udp_t *handle, ssize_t len, const uv_buf_t *buffer, const struct sockaddr *from,
		       unsigned flags)
{
	struct udp *udp = handle->data;
	struct address address;
	if (from == NULL || len <= 0)
		return;
	if (len > LIMIT_DATAGRAM_BYTES || (flags & UV_UDP_PARTIAL) != 0) {
		udp->counters.too_long++;
		return;
	}
	from_sockaddr(from, &address);
	udp->receive(udp->context, &address, (const uint8_t *)buffer->base, (size_t)len);
}

static enum err bind_error(int error, const struct address *listen, struct err_info *info)
{
	char text[64];
	address_text(listen, text);
	switch (error) {
	case UV_EADDRINUSE:
		return err_set(info, ERR_BUSY,
			       "UDP port %s is taken by another process: stop it or set another `listen`",
			       text);
	case UV_EADDRNOTAVAIL:
		return err_set(info, ERR_ARG,
			       "%s is not an address of this host: set `listen` to one of its own, or to "
			       "0.0.0.0:%u for all",
			       text, listen->port);
	case UV_EACCES:
		return err_set(info, ERR_DENIED,
			       "UDP port %s needs privileges: set `listen` to a port above 1023", text);
	default:
		return err_set(info, ERR_IO, "cannot listen on UDP %s: %s", text, uv_strerror(error));
	}
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

enum err udp_open(uv_loop_t *loop, const struct address *listen, udp_receive receive, void *context,
		  struct udp **ret, struct err_info *info)
{
	struct sockaddr_storage sa;
	int len = sizeof(sa);
	struct udp *udp = calloc(1, sizeof(*udp));
	if (udp == NULL)
		return err_set(info, ERR_NOMEM, "out of memory");
	udp->receive = receive;
	udp->context = context;
	int error = uv_udp_init_ex(loop, &udp->handle, AF_UNSPEC | UV_UDP_RECVMMSG);
	if (error != 0) {
		free(udp);
		return bind_error(error, listen, info);
	}
	udp->handle.data = udp;
	to_sockaddr(listen, listen->ip_len == 16, &sa);
	error = uv_udp_bind(&udp->handle, (const struct sockaddr *)&sa, 0);
	if (error == 0)
		error = uv_udp_getsockname(&udp->handle, (struct sockaddr *)&sa, &len);
	if (error == 0)
		error = uv_udp_recv_start(&udp->handle, on_allocate, on_receive);
	if (error != 0) {
		udp_close(udp);
		return bind_error(error, listen, info);
	}
	from_sockaddr((const struct sockaddr *)&sa, &udp->address);
	/* What the system grants is enough where it grants less. */
	int size = SOCKET_BUFFER_BYTES;
	uv_recv_buffer_size((uv_handle_t *)&udp->handle, &size);
	*ret = udp;
	return ERR_OK;
}

void udp_send(struct udp *udp, const struct address *to, const uint8_t *bytes, size_t len)
{
	struct sockaddr_storage sa;
	union {
		const uint8_t *in;
		char *out;
	} data = {.in = bytes}; /* libuv's buffers are not const, but it only reads */
	uv_buf_t buffer = uv_buf_init(data.out, (unsigned)len);
	if (!to_sockaddr(to, udp->address.ip_len == 16, &sa) ||
	    uv_udp_try_send(&udp->handle, &buffer, 1, (const struct sockaddr *)&sa) < 0)
		udp->counters.not_sent++;
}

void udp_address(const struct udp *udp, struct address *ret)
{
	*ret = udp->address;
}

static bool is_any(const struct address *a)
{
	static const uint8_t zero[16];
	return memcmp(a->ip, zero, a->ip_len) == 0;
}

static bool is_link_local(const struct address *a)
{
	if (a->ip_len == 4)
		return a->ip[0] == 169 && a->ip[1] == 254;
	return a->ip[0] == 0xfe && (a->ip[1] & 0xc0) == 0x80;
}

size_t udp_reachable(const struct udp *udp, struct address *ret, size_t cap)
{
	uv_interface_address_t *interfaces;
	int count;
	size_t n = 0;
	if (!is_any(&udp->address)) {
		ret[0] = udp->address;
		return 1;
	}
	if (uv_interface_addresses(&interfaces, &count) != 0)
		return 0;
	for (int i = 0; i < count && n < cap; i++) {
		struct address a;
		if (interfaces[i].is_internal)
			continue;
		from_sockaddr((const struct sockaddr *)&interfaces[i].address, &a);
		a.port = udp->address.port;
		/* Link-local addresses mean nothing without their interface. */
		if (a.ip_len == 0 || is_link_local(&a) || (a.ip_len == 16 && udp->address.ip_len == 4))
			continue;
		ret[n++] = a;
	}
	uv_free_interface_addresses(interfaces, count);
	return n;
}

struct udp_counters udp_counters(const struct udp *udp)
{
	return udp->counters;
}

void udp_close(struct udp *udp)
{
	if (udp != NULL)
		uv_close((uv_handle_t *)&udp->handle, on_closed);
}
