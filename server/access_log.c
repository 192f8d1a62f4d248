#include "server/access_log.h"

#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { RING_RECORDS = 2048, TARGET_KEPT = 120, TRACE_KEPT = 56, WRITE_EVERY_MS = 100 };

struct record {
	int64_t took_ns;
	uint64_t bytes;
	int status;
	enum http_method method;
	bool broken;
	char id[HTTP_ID_MAX + 1], target[TARGET_KEPT + 1], trace[TRACE_KEPT + 1];
};

/* One writer (its HTTP thread), one reader (the log's): positions only grow. */
struct access_ring {
	struct access_log *log;
	_Atomic size_t written, read;
	_Atomic uint64_t dropped;
	struct record records[RING_RECORDS];
};

struct access_log {
	_Atomic bool on, stopping;
	unsigned ring_count;
	struct access_ring **rings;
	pthread_t thread;
};

static void copy_text(char *to, size_t max, struct str s)
{
	size_t n = MIN(s.len, max);
	if (n) memcpy(to, s.data, n);
	to[n] = 0;
}

void access_log_add(struct access_ring *r, const struct http_request *rq, int64_t took_ns)
{
	if (!atomic_load_explicit(&r->log->on, memory_order_relaxed)) return;
	size_t at = atomic_load_explicit(&r->written, memory_order_relaxed);
	if (at - atomic_load_explicit(&r->read, memory_order_acquire) == RING_RECORDS) {
		r->dropped++;
		return;
	}
	struct record *to = &r->records[at % RING_RECORDS];
	to->took_ns = took_ns;
	to->bytes = rq->sent_bytes;
	to->status = rq->reply.status;
	to->method = rq->method;
	to->broken = rq->broken;
	copy_text(to->id, HTTP_ID_MAX, STR(rq->id));
	copy_text(to->target, TARGET_KEPT, rq->target);
	copy_text(to->trace, TRACE_KEPT, http_get(rq, HTTP_TRACEPARENT));
	atomic_store_explicit(&r->written, at + 1, memory_order_release);
}

static void write_record(const struct record *r)
{
	log_scope("requestId", r->id);
	log_info("request", "%s %s %d %llu B %.6f s%s%s%s", http_method_name(r->method), r->target, r->status,
		 (unsigned long long)r->bytes, (double)r->took_ns / 1e9, r->broken ? " broken" : "",
		 *r->trace ? " traceparent=" : "", r->trace);
	log_scope("requestId", NULL);
}

static void write_ring(struct access_ring *r)
{
	size_t at = atomic_load_explicit(&r->read, memory_order_relaxed);
	size_t end = atomic_load_explicit(&r->written, memory_order_acquire);
	for (; at != end; at++) {
		write_record(&r->records[at % RING_RECORDS]);
		atomic_store_explicit(&r->read, at + 1, memory_order_release);
	}
	uint64_t dropped = atomic_exchange(&r->dropped, 0);
	if (dropped)
		log_warn("request", "%llu request lines were dropped: more came than could be written",
			 (unsigned long long)dropped);
}

static void *log_main(void *ctx)
{
	struct access_log *l = ctx;
	pthread_setname_np(pthread_self(), "access-log");
	for (bool last = false; !last;) {
		last = l->stopping;
		for (unsigned i = 0; i < l->ring_count; i++) write_ring(l->rings[i]);
		if (!last) usleep(WRITE_EVERY_MS * 1000);
	}
	return NULL;
}

bool access_log_start(unsigned rings, struct access_log **out, struct err *e)
{
	struct access_log *l = mem_zalloc(1, sizeof *l);
	l->ring_count = rings;
	l->rings = mem_zalloc(rings, sizeof *l->rings);
	for (unsigned i = 0; i < rings; i++) {
		l->rings[i] = mem_zalloc(1, sizeof *l->rings[i]);
		l->rings[i]->log = l;
	}
	if (pthread_create(&l->thread, NULL, log_main, l) != 0)
		return err_set(e, ERR_io, "the request log's thread cannot be started");
	*out = l;
	return true;
}

void access_log_stop(struct access_log *l)
{
	if (!l) return;
	l->stopping = true;
	pthread_join(l->thread, NULL);
	for (unsigned i = 0; i < l->ring_count; i++) mem_free(l->rings[i]);
	mem_free(l->rings);
	mem_free(l);
}

struct access_ring *access_log_ring(struct access_log *l, unsigned index) { return l->rings[index]; }
void access_log_switch(struct access_log *l, bool on) { l->on = on; }
