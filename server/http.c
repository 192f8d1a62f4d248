#include "server/http_private.h"

#include "base/log.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum {
	SPARE_DESCRIPTORS = 200, /* for everything that is no connection */
	LIMIT_SLACK = 64,        /* the keeper keeps the limit; a thread may see a closed connection a moment longer */
};

/* --- What libmicrohttpd calls ------------------------------------------------------------------------------------- */

static size_t count_parameters(struct str target)
{
	size_t n = 0;
	for (size_t i = 0; i < target.len; i++) n += target.data[i] == '?' || target.data[i] == '&';
	return n;
}

/* Next libmicrohttpd would take memory for each parameter, which nobody asks it for; where that runs out, it forgets to
 * answer. */
static void refuse_parameters(struct http_flow *f)
{
	const struct http_app *app = &f->thread->http->options.app;
	struct err e;
	err_init(&e);
	err_set(&e, ERR_bad_request, "the request target has more than %d parameters", HTTP_PARAMETERS_MAX);
	f->told = true;
	f->phase = FLOW_SENDING;
	app->fault(app->ctx, &f->rq, &e);
	http_send_raw(f);
	shutdown(f->conn->fd, SHUT_RDWR);
}

static void *on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http_flow *f = http_flow_take(cls, mhd, target ? target : "");
	if (count_parameters((struct str){f->target.data, f->target.len}) > HTTP_PARAMETERS_MAX) refuse_parameters(f);
	return f;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *mhd QN_UNUSED, const char *url QN_UNUSED,
				  const char *method, const char *version, const char *data, size_t *size, void **slot)
{
	struct http_thread *t = cls;
	const struct http_app *app = &t->http->options.app;
	struct http_flow *f = *slot;
	switch (f->phase) {
	case FLOW_HEADERS: return http_body_begin(f, method, version);
	case FLOW_BODY:
		if (*size) return http_body_take(f, data, size);
		return app->run(app->ctx, &f->rq) ? http_send(f) : MHD_YES;
	case FLOW_REFUSED:
		if (*size) return http_body_take(f, data, size);
		return http_send(f);
	case FLOW_ANSWERED: return http_send(f);
	default: return MHD_NO;
	}
}

static void flow_over(struct http_flow *f, bool broken)
{
	const struct http_app *app = &f->thread->http->options.app;
	http_conn_step(f->conn, HTTP_IDLE);
	f->rq.broken = broken;
	if (f->told) app->end(app->ctx, &f->rq);
	http_flow_give(f);
}

static void on_completed(void *cls QN_UNUSED, struct MHD_Connection *mhd QN_UNUSED, void **slot,
			 enum MHD_RequestTerminationCode why)
{
	struct http_flow *f = *slot;
	*slot = NULL;
	if (f) flow_over(f, why != MHD_REQUEST_TERMINATED_COMPLETED_OK);
}

static void on_connection(void *cls, struct MHD_Connection *mhd, void **slot, enum MHD_ConnectionNotificationCode what)
{
	struct http_thread *t = cls;
	struct http_conn *c = *slot;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = mem_zalloc(1, sizeof *c);
		c->fd = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		c->thread = t;
		*slot = c;
		t->opened++;
		http_keeper_add(t->http, c);
		return;
	}
	*slot = NULL;
	/* libmicrohttpd does not call on_completed where its memory ran out in the request line (many query
	 * parameters). */
	if (c->flow) flow_over(c->flow, true);
	http_keeper_remove(t->http, c);
	atomic_fetch_sub(&t->connections, 1);
	mem_free(c);
}

/* The target is read by us, undecoded. */
static size_t keep_escapes(void *cls QN_UNUSED, struct MHD_Connection *mhd QN_UNUSED, char *text)
{
	return strlen(text);
}

static void on_log(void *cls QN_UNUSED, const char *fmt, va_list args)
{
	char text[512];
	vsnprintf(text, sizeof text, fmt, args);
	text[strcspn(text, "\n")] = 0;
	log_debug("libmicrohttpd", "%s", text);
}

static void on_panic(void *cls QN_UNUSED, const char *file, unsigned line, const char *why)
{
	log_error("libmicrohttpd", "%s:%u: %s", file, line, why ? why : "panic");
	abort();
}

/* --- Start and stop ----------------------------------------------------------------------------------------------- */

/* 0.9.75 at its strictest only adds an answer of its own where Host is missing, which the guard gives as a problem
 * document; from 1.0 on the strict level refuses bare LF, folded lines and more, which the guard cannot see. */
enum { STRICTNESS = MHD_VERSION >= 0x01000000 ? 1 : 0 };

static bool thread_start(struct http_thread *t, const struct http_options *o, struct err *e)
{
	unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_ERROR_LOG;
	rng_system(&t->id_seed, sizeof t->id_seed);
	/* clang-format off */
	t->daemon = MHD_start_daemon(flags, 0, NULL, NULL, on_request, t,
		MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned)o->connections_max + LIMIT_SLACK,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)((o->per_ip_max + o->threads - 1) / o->threads),
		MHD_OPTION_CONNECTION_TIMEOUT, o->idle_s,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, o->connection_memory,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
		MHD_OPTION_STRICT_FOR_CLIENT, (int)STRICTNESS,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, t,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, t,
		MHD_OPTION_URI_LOG_CALLBACK, on_target, t,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL,
		MHD_OPTION_END);
	/* clang-format on */
	if (!t->daemon) return err_set(e, ERR_io, "libmicrohttpd cannot start");
	return http_loop_start(t, e);
}

/* As many connections as descriptors allow. */
static void fit_descriptors(struct http_options *o)
{
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) != 0) return;
	rlim_t want = o->connections_max + SPARE_DESCRIPTORS;
	if (r.rlim_cur < want) {
		r.rlim_cur = r.rlim_max == RLIM_INFINITY ? want : MIN(want, r.rlim_max);
		if (setrlimit(RLIMIT_NOFILE, &r) != 0 || getrlimit(RLIMIT_NOFILE, &r) != 0) return;
	}
	size_t fits = r.rlim_cur > 2 * SPARE_DESCRIPTORS ? r.rlim_cur - SPARE_DESCRIPTORS : MAX(r.rlim_cur / 2, 1);
	if (fits >= o->connections_max) return;
	log_warn("http", "only %zu connections at once: the limit on open files is %zu", fits, (size_t)r.rlim_cur);
	o->connections_max = fits;
}

bool http_start(const struct http_options *o, struct http **out, struct err *e)
{
	struct http *h = mem_zalloc(1, sizeof *h);
	h->options = *o;
	h->listen_fd = h->wake_fd = -1;
	pthread_mutex_init(&h->lock, NULL);
	MHD_set_panic_func(on_panic, NULL);
	fit_descriptors(&h->options);
	h->threads = aligned_alloc(_Alignof(struct http_thread), o->threads * sizeof *h->threads);
	CHECK(h->threads);
	memset(h->threads, 0, o->threads * sizeof *h->threads);
	bool ok = http_listen_open(o->listen, o->backlog, &h->listen_fd, h->address, sizeof h->address, e);
	for (unsigned i = 0; i < o->threads; i++) {
		h->threads[i].http = h;
		h->threads[i].index = i;
		h->threads[i].wake_fd = -1;
	}
	for (unsigned i = 0; i < o->threads && ok; i++) ok = thread_start(&h->threads[i], &h->options, e);
	if (!ok || !http_keeper_start(h, e)) {
		http_stop(h);
		return false;
	}
	*out = h;
	return true;
}

const char *http_address(const struct http *h) { return h->address; }

size_t http_connections(const struct http *h)
{
	size_t n = 0;
	for (unsigned i = 0; i < h->options.threads; i++) n += h->threads[i].connections;
	return n;
}

size_t http_requests(const struct http *h)
{
	size_t n = 0;
	for (unsigned i = 0; i < h->options.threads; i++) n += h->threads[i].requests;
	return n;
}

void http_drain(struct http *h)
{
	h->draining = true;
	http_keeper_wake(h);
}

void http_stop(struct http *h)
{
	http_keeper_stop(h);
	for (unsigned i = 0; i < h->options.threads; i++) {
		http_loop_stop(&h->threads[i]);
		if (h->threads[i].daemon) MHD_stop_daemon(h->threads[i].daemon);
		http_flow_free_spares(&h->threads[i]);
	}
	pthread_mutex_destroy(&h->lock);
	free(h->threads);
	mem_free(h);
}
