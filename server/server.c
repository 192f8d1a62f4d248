#include "server/server.h"

#include "base/embed.h"
#include "base/log.h"
#include "pipeline/catalogue.h"
#include "server/access_log.h"
#include "server/exchange_run.h"
#include "server/health.h"
#include "server/router.h"
#include "store/migrate.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

extern const struct embed_file server_files[];

enum { DRAIN_POLL_MS = 10, SOURCE_MEMORY = 64 << 20 /* for looking at a source when a job is submitted */ };

/* --- What is the same for every request --------------------------------------------------------------------------- */

static struct page embedded_page(const char *name, const char *type)
{
	const struct embed_file *f = server_files;
	while (f->name && strcmp(f->name, name) != 0) f++;
	CHECK(f->name);
	return page_create(type, (struct str){(const char *)f->data, f->size});
}

static struct page written_page(void (*write)(struct json_writer *w))
{
	struct buf text = BUF_INIT(16 << 20);
	struct json_writer w = JSON_WRITER(&text);
	write(&w);
	struct page p = page_create("application/json", (struct str){text.data, text.len});
	buf_release(&text);
	return p;
}

static void write_problems(struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "problems");
	json_array_begin(w);
	for (int code = ERR_NONE + 1; code < ERR_CODE_COUNT; code++) {
		json_object_begin(w);
		json_key(w, "type");
		json_fmt(w, "/problems/%s", err_slug((enum err_code)code));
		json_key(w, "title");
		json_cstr(w, err_title((enum err_code)code));
		json_key(w, "status");
		json_int(w, err_status((enum err_code)code));
		json_key(w, "help");
		json_cstr(w, err_help((enum err_code)code));
		json_object_end(w);
	}
	json_array_end(w);
	json_object_end(w);
}

static void make_pages(struct server *s)
{
	s->pages[PAGE_INDEX] = embedded_page("index.html", "text/html; charset=utf-8");
	s->pages[PAGE_OPENAPI] = embedded_page("openapi.json", "application/json");
	s->pages[PAGE_STAGES] = written_page(catalogue_write_stages);
	s->pages[PAGE_PROBLEMS] = written_page(write_problems);
}

/* --- Threads ------------------------------------------------------------------------------------------------------ */

static void run_compute(void *ctx, unsigned thread, struct crew_task *t)
{
	struct server *s = ctx;
	exchange_run_task(&s->lanes[LANE_COMPUTE][thread], t);
}

static void run_store(void *ctx, unsigned thread, struct crew_task *t)
{
	struct server *s = ctx;
	exchange_run_task(&s->lanes[LANE_STORE][thread], t);
}

static void make_lanes(struct server *s, enum lane_kind kind, unsigned count)
{
	s->lanes[kind] = mem_zalloc(count, sizeof *s->lanes[kind]);
	s->lane_count[kind] = count;
	for (unsigned i = 0; i < count; i++) s->lanes[kind][i].kind = kind;
}

static void make_metrics(struct server *s)
{
	static struct metrics_row rows[64];
	CHECK(route_count < ARRAY_COUNT(rows));
	for (size_t i = 0; i < route_count; i++)
		rows[i] = (struct metrics_row){http_method_name(routes[i].method), routes[i].path};
	rows[route_count] = (struct metrics_row){"any", "none"};
	s->metrics = metrics_create(rows, route_count + 1, s->lane_count[LANE_HTTP]);
}

static bool start_crews(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	struct crew_options compute = {.name = "compute",
				       .threads = s->lane_count[LANE_COMPUTE],
				       .queue_max = c->http_queue,
				       .run = run_compute,
				       .ctx = s};
	struct crew_options stores = {.name = "requests",
				      .threads = s->lane_count[LANE_STORE],
				      .queue_max = c->http_queue,
				      .run = run_store,
				      .ctx = s};
	return crew_start(&compute, &s->compute, e) && crew_start(&stores, &s->stores, e) &&
	       waiters_start(exchange_wake, s, &s->waiters, e);
}

static bool start_http(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	struct http_options o = {
		.listen = c->_listen,
		.threads = s->lane_count[LANE_HTTP],
		.connections_max = c->http_connections,
		.per_ip_max = c->http_perIpConnections,
		.connection_memory = c->http_connectionMemory,
		.uri_max = c->limits_uriBytes,
		.backlog = (unsigned)c->http_backlog,
		.idle_s = c->http_timeoutSeconds,
		.header_s = c->http_headerSeconds,
		.request_s = c->http_requestSeconds,
		.answer_max = c->limits_answerBytes,
		.app = exchange_app(s),
	};
	for (unsigned i = 0; i < o.threads; i++) {
		s->lanes[LANE_HTTP][i].metrics = metrics_lane(s->metrics, i);
		s->lanes[LANE_HTTP][i].access = access_log_ring(s->access_log, i);
	}
	return http_start(&o, &s->http, e);
}

static bool check_listen(const struct config *c, struct err *e)
{
	bool loopback;
	if (!http_listen_loopback(c->_listen, &loopback, e)) return false;
	return loopback ||
	       err_set(e, ERR_bad_request,
		       "listening on %s is refused: there are no API keys yet, so only this machine may call "
		       "(127.0.0.1, [::1], localhost); put a proxy that authenticates in front",
		       c->_listen);
}

bool server_start(const struct config *c, struct server **out, struct err *e)
{
	if (!check_listen(c, e)) return false;
	struct server *s = mem_zalloc(1, sizeof *s);
	long processors = MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
	unsigned threads = c->http_threads ? (unsigned)c->http_threads : (unsigned)MAX(processors - 1, 1L);
	s->config = c;
	s->started_ms = clock_wall_ms();
	s->spec_defaults = (struct spec_defaults){(int64_t)c->trainer_workers, c->trainer_memory};
	s->source_env = (struct source_env){.file_roots = c->_fileRoots,
					    .spool_dir = c->_dataDir,
					    .memory_max = SOURCE_MEMORY,
					    .record_bytes_max = c->limits_recordBytes,
					    .columns_max = c->limits_columns,
					    .inline_rows_max = c->limits_inlineRows};
	router_init();
	make_pages(s);
	s->sightings = sightings_create();
	make_lanes(s, LANE_HTTP, threads);
	make_lanes(s, LANE_COMPUTE, (unsigned)processors);
	make_lanes(s, LANE_STORE, (unsigned)c->http_workers);
	make_metrics(s);
	if (access_log_start(threads, &s->access_log, e) && start_crews(s, e) && health_start(s, &s->health, e) &&
	    start_http(s, e)) {
		server_reload(s, c);
		*out = s;
		return true;
	}
	server_stop(s);
	return false;
}

/* --- What is behind ----------------------------------------------------------------------------------------------- */

static void on_job_changed(void *ctx, const char *job_id)
{
	struct server *s = ctx;
	waiters_notify(s->waiters, job_id);
}

static void on_models_changed(void *ctx)
{
	struct server *s = ctx;
	struct model_cache *cache = s->cache;
	if (cache) model_cache_wake(cache);
}

/* An empty payload: look at everything. */
static void on_event(void *ctx, const char *channel, const char *payload)
{
	struct server *s = ctx;
	if (strcmp(channel, "quern_models") == 0) {
		on_models_changed(s);
		return;
	}
	waiters_notify(s->waiters, uuid_valid(payload) ? payload : NULL);
	server_wake_scheduler(s);
}

static bool open_store(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	if (s->store) return true;
	if (!*c->database_url && !embedded_start(c->_dataDir, &s->embedded, e)) return false;
	if (mkdir(c->_dataDir, 0700) != 0 && errno != EEXIST) return err_errno(e, "making the folder %s", c->_dataDir);
	struct store_options o = {.url = s->embedded ? embedded_url(s->embedded) : c->database_url,
				  .listen_url = *c->database_listenUrl ? c->database_listenUrl : NULL,
				  .pool_max = (unsigned)c->database_connections,
				  .statement_timeout_ms = c->database_statementSeconds * 1000};
	s->store = store_open(&o);
	return true;
}

static bool migrate(struct server *s, bool *again, struct err *e)
{
	unsigned applied = 0;
	if (!migrate_run(s->store, &applied, e)) {
		*again = e->code == ERR_unavailable;
		return false;
	}
	if (applied) log_info("migrated", "%u migrations were applied", applied);
	return true;
}

static bool start_training(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	struct scheduler *started;
	struct scheduler_options o = {
		.store = s->store,
		.embedded = s->embedded,
		.data_dir = c->_dataDir,
		.worker_path = s->worker_path,
		.file_roots = c->_fileRoots,
		.record_bytes_max = c->limits_recordBytes,
		.columns_max = c->limits_columns,
		.inline_rows_max = c->limits_inlineRows,
		.defaults = s->spec_defaults,
		.max_jobs = (unsigned)c->trainer_maxConcurrentJobs,
		.lease_s = c->trainer_leaseSeconds,
		.heartbeat_s = c->trainer_heartbeatSeconds,
		.rescue_s = c->trainer_rescueSeconds,
		.poll_ms = c->trainer_pollSeconds * 1000,
		.hang_s = c->trainer_hangSeconds,
		.grace_s = c->trainer_graceSeconds,
		.checkpoint_s = c->trainer_checkpointSeconds,
		.backoff_s = c->trainer_backoffSeconds,
		.max_worker_losses = (unsigned)c->trainer_maxWorkerLosses,
		.claims = config_has_role(c, "train"),
		.job_changed = on_job_changed,
		.models_changed = on_models_changed,
		.ctx = s,
	};
	if (s->scheduler) return true;
	if (!scheduler_start(&o, &started, e)) return false;
	s->scheduler = started;
	return true;
}

static bool start_serving(struct server *s, struct err *e)
{
	const struct config *c = s->config;
	struct model_cache *started;
	struct model_cache_options o = {.store = s->store,
					.default_model = *c->serving_defaultModel ? c->serving_defaultModel : NULL,
					.poll_s = c->serving_pollSeconds,
					.memory_max = c->serving_memory};
	if (s->cache || !config_has_role(c, "api")) return true;
	if (!model_cache_start(&o, &started, e)) return false;
	s->cache = started;
	return true;
}

bool server_bring_up(struct server *s, bool *again, struct err *e)
{
	*again = false;
	if (!open_store(s, e) || !migrate(s, again, e) || !start_training(s, e) || !start_serving(s, e)) return false;
	if (!s->listener) s->listener = listener_start(s->store, on_event, s);
	return true;
}

bool server_ready(struct server *s, struct err *e) { return health_ready(s->health, e); }

void server_reload(struct server *s, const struct config *c)
{
	enum log_level level;
	if (log_level_parse(c->log_level, &level)) log_level_set(level);
	access_log_switch(s->access_log, c->log_requests);
}

/* --- For handlers ------------------------------------------------------------------------------------------------- */

static bool missing(struct err *e, const char *why)
{
	e->retry_after_s = 1;
	return err_set(e, ERR_unavailable, "%s", why);
}

bool server_store(struct server *s, struct store **out, struct err *e)
{
	*out = s->store;
	return *out || missing(e, "the service is starting");
}

void server_wake_scheduler(struct server *s)
{
	struct scheduler *scheduler = s->scheduler;
	if (scheduler) scheduler_wake(scheduler);
}

bool lane_reader(struct exchange *x, struct model_reader **out, struct err *e)
{
	struct lane *lane = x->lane;
	if (!lane->reader) {
		struct model_cache *cache = x->server->cache;
		if (!config_has_role(x->server->config, "api")) return missing(e, "this process has no role api");
		if (!cache) return missing(e, "the service is starting");
		lane->reader = model_reader_create(cache);
	}
	*out = lane->reader;
	return true;
}

/* --- The end ------------------------------------------------------------------------------------------------------ */

static void drain(struct server *s)
{
	s->closing = true;
	if (s->http) http_drain(s->http);
	if (s->waiters) waiters_close(s->waiters);
	if (s->scheduler) scheduler_drain(s->scheduler);
	int64_t until = clock_mono_ns() + s->config->http_drainSeconds * INT64_C(1000000000);
	while (s->http && http_requests(s->http) > 0 && clock_mono_ns() < until) usleep(DRAIN_POLL_MS * 1000);
}

static void stop_lanes(struct server *s)
{
	for (int kind = 0; kind < 3; kind++) {
		for (unsigned i = 0; i < s->lane_count[kind]; i++) {
			struct lane *lane = &s->lanes[kind][i];
			if (lane->reader) model_reader_destroy(lane->reader);
			arena_release(&lane->arena);
		}
		mem_free(s->lanes[kind]);
	}
}

void server_stop(struct server *s)
{
	drain(s);
	/* Crews run what they have; then nothing is suspended any more and HTTP can end. */
	if (s->compute) crew_stop(s->compute);
	if (s->stores) crew_stop(s->stores);
	if (s->http) http_stop(s->http);
	access_log_stop(s->access_log);
	health_stop(s->health);
	if (s->listener) listener_stop(s->listener);
	if (s->scheduler) scheduler_stop(s->scheduler);
	stop_lanes(s);
	if (s->cache) model_cache_stop(s->cache);
	crew_destroy(s->compute);
	crew_destroy(s->stores);
	waiters_destroy(s->waiters);
	metrics_destroy(s->metrics);
	sightings_destroy(s->sightings);
	for (int i = 0; i < PAGE_COUNT; i++) page_release(&s->pages[i]);
	if (s->store) store_close(s->store);
	if (s->embedded) embedded_stop(s->embedded);
	mem_free(s);
}
