/* The service: HTTP in front, store, scheduler and model cache behind, and the threads between.
 *
 * Threads that run handlers each have a lane: what a handler may use without locks. HTTP threads never wait; the
 * compute crew takes large predictions and compressed bodies, the store crew whatever may wait for Postgres or a disk.
 * They are apart so that predictions go on while Postgres hangs.
 *
 * The port is bound first; Postgres and what needs it are brought up afterwards (server_bring_up) and may come and go.
 */
#ifndef QUERN_SERVER_SERVER_H
#define QUERN_SERVER_SERVER_H

#include "config/config.h"
#include "serving/model_cache.h"
#include "server/crew.h"
#include "server/http.h"
#include "server/metrics.h"
#include "server/reply.h"
#include "server/sightings.h"
#include "server/waiters.h"
#include "store/listen.h"
#include "trainer/scheduler.h"

#include <stdatomic.h>

enum lane_kind { LANE_HTTP, LANE_COMPUTE, LANE_STORE };

struct lane {
	enum lane_kind kind;
	struct arena arena;           /* emptied after each run of a handler; not for LANE_HTTP */
	struct model_reader *reader;  /* made at first use; see lane_reader */
	struct metrics_lane *metrics; /* LANE_HTTP */
	struct access_ring *access;   /* LANE_HTTP */
	char pad[64];
};

enum server_page { PAGE_INDEX, PAGE_OPENAPI, PAGE_STAGES, PAGE_PROBLEMS, PAGE_COUNT };

struct server {
	const struct config *config;
	int64_t started_ms;
	_Atomic bool closing;

	struct http *http;
	struct crew *compute, *stores;
	struct lane *lanes[3]; /* by kind, one a thread */
	unsigned lane_count[3];
	struct waiters *waiters;
	struct metrics *metrics;
	struct access_log *access_log;
	struct health *health;
	struct sightings *sightings;
	_Atomic size_t streams; /* clients of events */
	struct page pages[PAGE_COUNT];

	/* Brought up after the port is bound; NULL before. The store stays once it is there. */
	struct embedded *embedded;
	struct store *_Atomic store;
	struct scheduler *_Atomic scheduler;
	struct model_cache *_Atomic cache;
	struct listener *listener;

	struct spec_defaults spec_defaults;
	struct source_env source_env;
	const char *worker_path; /* NULL: beside this program */
};

/* config is borrowed until server_stop; it may be read by any thread and does not change, but for server_reload. Error:
 * the port cannot be bound, an address that is not loopback. */
QN_MUST bool server_start(const struct config *c, struct server **out, struct err *e);

/* Starts what is behind HTTP. Call again while *again is set with the failure: Postgres cannot be reached yet. */
QN_MUST bool server_bring_up(struct server *s, bool *again, struct err *e);
/* As /readyz. */
QN_MUST bool server_ready(struct server *s, struct err *e);
/* What SIGHUP changes: log.level, log.requests. */
void server_reload(struct server *s, const struct config *c);
/* Answers what has come in (within http.drainSeconds), stops training with a checkpoint, ends everything. */
void server_stop(struct server *s);

/* --- For handlers ------------------------------------------------------------------------------------------------- */

/* The store; ERR_unavailable while it is not there. */
QN_MUST bool server_store(struct server *s, struct store **out, struct err *e);
/* There is something to claim, or to cancel. */
void server_wake_scheduler(struct server *s);
/* This thread's reader of models; ERR_unavailable while there is no cache. */
QN_MUST bool lane_reader(struct exchange *x, struct model_reader **out, struct err *e);

#endif
