/* "HOST:PORT" to a listening socket. */
#include "server/http_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HOST_MAX = 256 };

/* Splits "127.0.0.1:80", "[::1]:80", "localhost:80". */
static bool split(const char *listen, char host[HOST_MAX], const char **port, struct err *e)
{
	const char *colon = strrchr(listen, ':');
	int64_t number;
	if (!colon || !str_to_i64(STR(colon + 1), &number) || number < 0 || number > 65535)
		return err_set(e, ERR_bad_request,
			       "\"%s\" is no address: ADDR:PORT is wanted, as 127.0.0.1:8080 or [::1]:8080", listen);
	size_t len = (size_t)(colon - listen);
	bool bracketed = len >= 2 && listen[0] == '[' && colon[-1] == ']';
	const char *from = bracketed ? listen + 1 : listen;
	if (bracketed) len -= 2;
	if (len == 0 || len >= HOST_MAX || (!bracketed && memchr(from, ':', len)))
		return err_set(e, ERR_bad_request, "\"%s\" is no address: an IPv6 address stands in brackets", listen);
	memcpy(host, from, len);
	host[len] = 0;
	*port = colon + 1;
	return true;
}

static bool resolve(const char *listen, struct addrinfo **out, struct err *e)
{
	char host[HOST_MAX];
	const char *port = NULL;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	if (!split(listen, host, &port, e)) return false;
	int rc = getaddrinfo(host, port, &hints, out);
	if (rc != 0) return err_set(e, ERR_bad_request, "address \"%s\": %s", listen, gai_strerror(rc));
	return true;
}

static bool is_loopback(const struct sockaddr *a)
{
	if (a->sa_family == AF_INET) return (ntohl(((const struct sockaddr_in *)a)->sin_addr.s_addr) >> 24) == 127;
	return a->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)a)->sin6_addr);
}

bool http_listen_loopback(const char *listen, bool *loopback, struct err *e)
{
	struct addrinfo *list;
	if (!resolve(listen, &list, e)) return false;
	bool all = true;
	for (const struct addrinfo *a = list; a; a = a->ai_next) all &= is_loopback(a->ai_addr);
	freeaddrinfo(list);
	*loopback = all;
	return true;
}

static void address_text(int fd, char *out, size_t size)
{
	struct sockaddr_storage a = {0};
	socklen_t len = sizeof a;
	char host[INET6_ADDRSTRLEN] = "";
	getsockname(fd, (struct sockaddr *)&a, &len);
	if (a.ss_family == AF_INET6) {
		const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)&a;
		inet_ntop(AF_INET6, &in->sin6_addr, host, sizeof host);
		snprintf(out, size, "[%s]:%d", host, ntohs(in->sin6_port));
	} else {
		const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
		snprintf(out, size, "%s:%d", host, ntohs(in->sin_port));
	}
}

static int bind_one(const struct addrinfo *a, unsigned backlog)
{
	int on = 1;
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->ai_family == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, (int)backlog) == 0) return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

bool http_listen_open(const char *listen_on, unsigned backlog, int *fd, char *address, size_t size, struct err *e)
{
	struct addrinfo *list;
	int bound = -1;
	if (!resolve(listen_on, &list, e)) return false;
	for (const struct addrinfo *a = list; a && bound < 0; a = a->ai_next) bound = bind_one(a, backlog);
	int why = errno;
	freeaddrinfo(list);
	errno = why;
	if (bound < 0) return err_errno(e, "cannot listen on %s", listen_on);
	address_text(bound, address, size);
	*fd = bound;
	return true;
}
