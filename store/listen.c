#include "store/listen.h"

#include "base/rng.h"
#include "store/store_private.h"

#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 5000 };

static const char *const channels[] = {"quern_jobs", "quern_models"};

struct listener {
	const struct store *store;
	listener_event on_event;
	void *ctx;
	int wake_fd; /* readable: stop */
	pthread_t thread;
};

/* LISTEN first and look afterwards: what happens between the two is then announced, not missed. */
static bool subscribe(struct listener *l, struct pg *c, struct err *e)
{
	if (!pg_script(c, "LISTEN quern_jobs; LISTEN quern_models", e)) return false;
	for (size_t i = 0; i < ARRAY_COUNT(channels); i++) l->on_event(l->ctx, channels[i], "");
	return true;
}

/* Until the connection ends (false) or the listener is to stop (true). */
static bool relay(struct listener *l, struct pg *c, struct err *e)
{
	const char *channel, *payload;
	bool got = true;
	while (got) {
		if (!pg_wait_notify(c, l->wake_fd, &channel, &payload, &got, e)) return false;
		if (got) l->on_event(l->ctx, channel, payload);
	}
	return true;
}

/* True: stop. *heard: the connection had been of use. */
static bool listen_once(struct listener *l, bool *heard)
{
	struct err e;
	struct pg *c;
	err_init(&e);
	if (!pg_open(l->store->listen_url, l->store->statement_timeout_ms, &c, &e)) return false;
	*heard = subscribe(l, c, &e);
	bool stop = *heard && relay(l, c, &e);
	pg_close(c);
	return stop;
}

/* True: stop. Spread over half to one and a half times the delay, so that the listeners of a fleet do not return in
 * step. */
static bool pause_or_stop(struct listener *l, int delay_ms)
{
	uint64_t random;
	rng_system(&random, sizeof random);
	struct pollfd fd = {.fd = l->wake_fd, .events = POLLIN};
	return poll(&fd, 1, (int)(delay_ms * (0.5 + rng_unit(random)))) > 0;
}

static void *listen_main(void *arg)
{
	struct listener *l = arg;
	int delay_ms = BACKOFF_MIN_MS;
	for (bool heard = false; !listen_once(l, &heard); heard = false) {
		delay_ms = heard ? BACKOFF_MIN_MS : MIN(delay_ms * 2, (int)BACKOFF_MAX_MS);
		if (pause_or_stop(l, delay_ms)) break;
	}
	return NULL;
}

struct listener *listener_start(struct store *s, listener_event on_event, void *ctx)
{
	struct listener *l = mem_zalloc(1, sizeof *l);
	l->store = s;
	l->on_event = on_event;
	l->ctx = ctx;
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	CHECK(l->wake_fd >= 0);
	CHECK(pthread_create(&l->thread, NULL, listen_main, l) == 0);
	return l;
}

void listener_stop(struct listener *l)
{
	if (!l) return;
	CHECK(eventfd_write(l->wake_fd, 1) == 0);
	pthread_join(l->thread, NULL);
	close(l->wake_fd);
	mem_free(l);
}
