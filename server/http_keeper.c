/* The keeper: one thread that accepts connections, ends those that miss a deadline, and takes in what refused clients
 * still send.
 *
 * Deadlines. libmicrohttpd closes a connection on which nothing moves (idle_s); a client that sends one byte now and
 * then would hold it for ever. Once a second every connection is looked at; what moved is asked of the kernel
 * (TCP_INFO), so that the HTTP threads count nothing:
 *   - headers that have begun to come must all be there within header_s;
 *   - a body must come at HTTP_RATE_BYTES a second, and within request_s; an answer must be taken at that rate.
 *
 * Lingering. Closing a socket with unread bytes resets it, and a client that is still sending would lose the answer
 * that says why it was refused. So a duplicate of the descriptor is read empty for a moment longer (RFC 9112, 9.6).
 */
#include "server/http_private.h"

#include "base/clock.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

/* --- Deadlines ---------------------------------------------------------------------------------------------------- */

static void bytes_moved(int fd, uint64_t *received, uint64_t *acked)
{
	struct tcp_info info = {0};
	socklen_t len = sizeof info;
	*received = *acked = 0;
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0) return;
	*received = info.tcpi_bytes_received;
	*acked = info.tcpi_bytes_acked;
}

static bool headers_late(struct http_conn *c, uint64_t received, int64_t now, int64_t limit_ns)
{
	if (received == c->moved_bytes && c->moved_ns == 0) return false;
	if (c->moved_ns == 0) c->moved_ns = now;
	return now - c->moved_ns > limit_ns;
}

static bool too_slow(struct http_conn *c, uint64_t moved, int64_t now)
{
	if (now - c->moved_ns < HTTP_RATE_SECONDS * NS_PER_S) return false;
	bool slow = moved - c->moved_bytes < (uint64_t)HTTP_RATE_BYTES * HTTP_RATE_SECONDS;
	c->moved_ns = now;
	c->moved_bytes = moved;
	return slow;
}

/* Why this connection must end now, or NULL. */
static const char *overdue(struct http_conn *c, const struct http_options *o, int64_t now)
{
	uint64_t received, acked;
	uint32_t step = atomic_load_explicit(&c->step, memory_order_relaxed);
	enum http_doing doing = (enum http_doing)(step & 3);
	if (doing == HTTP_WORKING) return NULL;
	bytes_moved(c->fd, &received, &acked);
	if (step != c->seen_step) {
		c->seen_step = step;
		c->seen_ns = now;
		c->moved_ns = doing == HTTP_IDLE ? 0 : now;
		c->moved_bytes = doing == HTTP_WRITING ? acked : received;
		return NULL;
	}
	switch (doing) {
	case HTTP_IDLE:
		return headers_late(c, received, now, o->header_s * NS_PER_S) ? "headers came too slowly" : NULL;
	case HTTP_READING:
		if (now - c->seen_ns > o->request_s * NS_PER_S) return "the body took too long";
		return too_slow(c, received, now) ? "the body came too slowly" : NULL;
	default: return too_slow(c, acked, now) ? "the answer was read too slowly" : NULL;
	}
}

/* With a reset, so that the kernel does not go on feeding megabytes to a client that reads a byte a second. */
static void end_conn(const struct http_conn *c, const char *why)
{
	struct linger now = {.l_onoff = 1};
	log_debug("http", "connection ended: %s", why);
	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	shutdown(c->fd, SHUT_RDWR);
}

/* True: there are more. */
static bool sweep_slice(struct http *h, int64_t now)
{
	pthread_mutex_lock(&h->lock);
	for (int i = 0; i < HTTP_SWEEP_SLICE && h->sweep; i++, h->sweep = h->sweep->next) {
		const char *why = overdue(h->sweep, &h->options, now);
		if (why) end_conn(h->sweep, why);
	}
	bool more = h->sweep != NULL;
	pthread_mutex_unlock(&h->lock);
	return more;
}

static void sweep(struct http *h, int64_t now)
{
	pthread_mutex_lock(&h->lock);
	h->sweep = h->conns;
	pthread_mutex_unlock(&h->lock);
	while (sweep_slice(h, now)) {}
}

void http_keeper_add(struct http *h, struct http_conn *c)
{
	c->seen_step = UINT32_MAX;
	pthread_mutex_lock(&h->lock);
	c->next = h->conns;
	if (c->next) c->next->prev = c;
	h->conns = c;
	pthread_mutex_unlock(&h->lock);
}

void http_keeper_remove(struct http *h, struct http_conn *c)
{
	bool lingers = false;
	pthread_mutex_lock(&h->lock);
	if (c->prev) c->prev->next = c->next;
	else h->conns = c->next;
	if (c->next) c->next->prev = c->prev;
	if (h->sweep == c) h->sweep = c->next;
	if (c->linger && h->keeper_runs && h->linger_count < HTTP_LINGER_MAX) {
		int fd = fcntl(c->fd, F_DUPFD_CLOEXEC, 0);
		int64_t until = clock_mono_ns() + HTTP_LINGER_SECONDS * NS_PER_S;
		lingers = fd >= 0;
		if (lingers) h->lingers[h->linger_count++] = (struct http_linger){.fd = fd, .until_ns = until};
	}
	pthread_mutex_unlock(&h->lock);
	if (lingers) http_keeper_wake(h);
}

/* --- Lingering ---------------------------------------------------------------------------------------------------- */

/* Reads what is there. True: there will be no more, or it has been enough. */
static bool linger_ends(struct http_linger *l, int64_t now)
{
	char sink[32 << 10];
	for (;;) {
		ssize_t n = recv(l->fd, sink, sizeof sink, MSG_DONTWAIT);
		if (n < 0) return !(errno == EAGAIN || errno == EINTR) || now >= l->until_ns;
		l->bytes += (uint64_t)n;
		if (n == 0 || l->bytes > HTTP_LINGER_BYTES) return true;
	}
}

static void linger_round(struct http *h, int64_t now)
{
	pthread_mutex_lock(&h->lock);
	for (size_t i = h->linger_count; i-- > 0;) {
		if (!linger_ends(&h->lingers[i], now)) continue;
		close(h->lingers[i].fd);
		h->lingers[i] = h->lingers[--h->linger_count];
	}
	pthread_mutex_unlock(&h->lock);
}

/* --- Accepting ---------------------------------------------------------------------------------------------------- */

static struct http_thread *least_busy(struct http *h)
{
	struct http_thread *best = &h->threads[0];
	for (unsigned i = 1; i < h->options.threads; i++)
		if (h->threads[i].connections < best->connections) best = &h->threads[i];
	return best;
}

/* False: the process is at a limit; look again a little later. */
static bool accept_round(struct http *h)
{
	for (int i = 0; i < HTTP_ACCEPTS_A_ROUND; i++) {
		if (http_connections(h) >= h->options.connections_max) return false;
		struct sockaddr_storage from;
		socklen_t len = sizeof from;
		int fd = accept4(h->listen_fd, (struct sockaddr *)&from, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) return !(errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM);
		struct http_thread *t = least_busy(h);
		/* Counted here, so that a burst spreads before the threads have seen it; uncounted when it is closed.
		 */
		atomic_fetch_add(&t->connections, 1);
		http_loop_give(t, fd, &from, len);
	}
	return true;
}

/* --- The thread --------------------------------------------------------------------------------------------------- */

enum { FD_WAKE, FD_LISTEN, FD_LINGERS };

static nfds_t poll_set(struct http *h, struct pollfd *fds, bool listening)
{
	fds[FD_WAKE] = (struct pollfd){.fd = h->wake_fd, .events = POLLIN};
	fds[FD_LISTEN] = (struct pollfd){.fd = listening ? h->listen_fd : -1, .events = POLLIN};
	pthread_mutex_lock(&h->lock);
	size_t n = h->linger_count;
	for (size_t i = 0; i < n; i++) fds[FD_LINGERS + i] = (struct pollfd){.fd = h->lingers[i].fd, .events = POLLIN};
	pthread_mutex_unlock(&h->lock);
	return FD_LINGERS + n;
}

static void stop_listening(struct http *h)
{
	if (h->listen_fd < 0 || !h->draining) return;
	close(h->listen_fd);
	h->listen_fd = -1;
}

static void *keeper_main(void *ctx)
{
	struct http *h = ctx;
	struct pollfd fds[FD_LINGERS + HTTP_LINGER_MAX];
	int64_t sweep_at = 0, pause_until = 0;
	pthread_setname_np(pthread_self(), "http-keeper");
	while (!h->stopping) {
		int64_t now = clock_mono_ns();
		bool paused = now < pause_until;
		poll(fds, poll_set(h, fds, !paused), paused ? HTTP_PAUSE_MS : HTTP_SWEEP_MS);
		uint64_t ignored;
		if (read(h->wake_fd, &ignored, sizeof ignored) < 0) ignored = 0;
		now = clock_mono_ns();
		stop_listening(h);
		if (h->listen_fd >= 0 && !paused && !accept_round(h))
			pause_until = now + HTTP_PAUSE_MS * (NS_PER_S / 1000);
		linger_round(h, now);
		if (now < sweep_at) continue;
		sweep(h, now);
		sweep_at = now + HTTP_SWEEP_MS * (NS_PER_S / 1000);
	}
	return NULL;
}

bool http_keeper_start(struct http *h, struct err *e)
{
	h->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (h->wake_fd < 0) return err_errno(e, "eventfd");
	int rc = pthread_create(&h->keeper, NULL, keeper_main, h);
	h->keeper_runs = rc == 0;
	return rc == 0 || err_set(e, ERR_io, "the HTTP keeper's thread cannot be started (%d)", rc);
}

void http_keeper_wake(struct http *h)
{
	uint64_t one = 1;
	ssize_t ignored = write(h->wake_fd, &one, sizeof one);
	(void)ignored;
}

void http_keeper_stop(struct http *h)
{
	if (h->keeper_runs) {
		h->stopping = true;
		http_keeper_wake(h);
		pthread_join(h->keeper, NULL);
		pthread_mutex_lock(&h->lock);
		h->keeper_runs = false;
		pthread_mutex_unlock(&h->lock);
	}
	for (size_t i = 0; i < h->linger_count; i++) close(h->lingers[i].fd);
	h->linger_count = 0;
	if (h->listen_fd >= 0) close(h->listen_fd);
	if (h->wake_fd >= 0) close(h->wake_fd);
	h->listen_fd = h->wake_fd = -1;
}
