/* The loop of an HTTP thread: waits, opens what arrived, lets libmicrohttpd work.
 *
 * libmicrohttpd has such a loop, but that of 0.9.75 asks epoll for 128 events at a time and, where exactly so many came,
 * waits for more before it looks at them: 128 clients that speak in step would all stand still until the next timeout.
 * MHD_run asks without waiting, so the waiting is done here. */
#include "server/http_private.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void arrivals_open(struct http_thread *t)
{
	if (!atomic_load_explicit(&t->arrivals, memory_order_relaxed)) return;
	for (struct http_arrival *a = atomic_exchange(&t->arrivals, NULL), *next; a; a = next) {
		size_t opened = t->opened;
		next = a->next;
		/* Where this fails the descriptor is closed, and on_connection was told of the end if it was of the
		 * beginning. */
		if (MHD_add_connection(t->daemon, a->fd, (struct sockaddr *)&a->from, a->from_len) != MHD_YES &&
		    t->opened == opened)
			atomic_fetch_sub(&t->connections, 1);
		mem_free(a);
	}
}

/* Until a socket or another thread has something, or a connection's time is up. */
static void wait_for_work(struct http_thread *t, int epoll_fd)
{
	struct pollfd fds[] = {{.fd = t->wake_fd, .events = POLLIN}, {.fd = epoll_fd, .events = POLLIN}};
	unsigned long long ms;
	uint64_t ignored;
	bool timed = MHD_get_timeout(t->daemon, &ms) == MHD_YES;
	poll(fds, ARRAY_COUNT(fds), timed ? (int)MIN(ms, (unsigned long long)INT_MAX) : -1);
	if (fds[0].revents && read(t->wake_fd, &ignored, sizeof ignored) < 0) return;
}

static void *loop_main(void *ctx)
{
	struct http_thread *t = ctx;
	int epoll_fd = MHD_get_daemon_info(t->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	bool busy = false;
	pthread_setname_np(pthread_self(), "http");
	while (!t->stopping) {
		/* After work there mostly is more, and to look costs less than to wait. */
		if (!busy) wait_for_work(t, epoll_fd);
		arrivals_open(t);
		uint64_t begun = t->id_count;
		MHD_run(t->daemon);
		busy = t->id_count != begun;
	}
	return NULL;
}

/* libmicrohttpd is told that nobody wants SIGPIPE. */
static int start_without_sigpipe(struct http_thread *t)
{
	sigset_t pipe, before;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	int rc = pthread_create(&t->loop, NULL, loop_main, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

bool http_loop_start(struct http_thread *t, struct err *e)
{
	t->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (t->wake_fd < 0) return err_errno(e, "eventfd");
	int rc = start_without_sigpipe(t);
	t->loop_runs = rc == 0;
	return rc == 0 || err_set(e, ERR_io, "an HTTP thread cannot be started (%d)", rc);
}

void http_loop_wake(struct http_thread *t)
{
	uint64_t one = 1;
	ssize_t ignored = write(t->wake_fd, &one, sizeof one);
	(void)ignored;
}

void http_loop_give(struct http_thread *t, int fd, const struct sockaddr_storage *from, socklen_t from_len)
{
	struct http_arrival *a = mem_alloc(sizeof *a);
	*a = (struct http_arrival){.fd = fd, .from = *from, .from_len = from_len};
	a->next = atomic_load(&t->arrivals);
	while (!atomic_compare_exchange_weak(&t->arrivals, &a->next, a)) {}
	http_loop_wake(t);
}

void http_loop_stop(struct http_thread *t)
{
	if (t->loop_runs) {
		t->stopping = true;
		http_loop_wake(t);
		pthread_join(t->loop, NULL);
		t->loop_runs = false;
	}
	for (struct http_arrival *a = t->arrivals, *next; a; a = next) {
		next = a->next;
		close(a->fd);
		mem_free(a);
	}
	t->arrivals = NULL;
	if (t->wake_fd >= 0) close(t->wake_fd);
	t->wake_fd = -1;
}
