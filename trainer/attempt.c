#include "trainer/attempt.h"

#include "base/log.h"
#include "trainer/keeper.h"
#include "trainer/workdir.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

enum {
	FOLLOW_MS = 50,    /* the longest time before a cancel or a lost lease is seen */
	RENDER_MS = 100,   /* between two reports made from the gang's progress */
	RETRY_MS = 1000,   /* between two tries to end the attempt while Postgres is away */
	PATIENCE_S = 600,  /* for that in all; then the lease does the rest */
};
#define REPORT_TEXT_MAX ((size_t)16 << 20)

struct attempt {
	const struct scheduler_options *o;
	struct arena arena;
	struct job job;
	struct job_lease lease;
	void (*ended)(void *ctx);
	void *ctx;
	pthread_t thread;
	_Atomic(struct keeper *) keeper; /* as long as it may be poked */
	pthread_mutex_t poke_lock;
	_Atomic bool interrupted, over;
	struct spec spec;
	struct launch *launch;
	char *work_dir, *checkpoint_dir;
	int64_t start_ns, render_ns;
	bool changed;
	struct buf stages, shards, resources; /* the latest report's texts */
};

/* How following the gang ended. */
enum follow_end { GANG_SUCCEEDED, GANG_FAILED, GANG_STOPPED, GANG_CANCELLED, GANG_LOST };

/* --- Telling ----------------------------------------------------------------------------------------------------- */

static void tell_log(struct attempt *t, const char *fmt, ...) QN_PRINTF(2, 3);
static void tell_log(struct attempt *t, const char *fmt, ...)
{
	char line[ERR_DETAIL_MAX + ERR_POINTER_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	log_info("attempt", "%s", line);
	if (t->keeper && str_utf8_valid(line, strlen(line))) keeper_log(t->keeper, STR(line));
}

static void tell_failure(struct attempt *t, const struct err *why)
{
	tell_log(t, "attempt %d failed: %s", t->job.attempt, why->detail);
	for (size_t i = 0; i < MIN(why->fault_count, (size_t)ERR_FAULTS_MAX); i++)
		tell_log(t, "%s %s", why->faults[i].pointer, why->faults[i].detail);
}

static void on_log(void *ctx, const char *line, size_t len)
{
	struct attempt *t = ctx;
	keeper_log(t->keeper, (struct str){line, len});
}

static void on_progress(void *ctx, const struct launch *l)
{
	struct attempt *t = ctx;
	(void)l;
	t->changed = true;
}

static void render(struct buf *out, void (*write)(const struct launch *l, struct json_writer *w),
		   const struct launch *l)
{
	struct json_writer w = JSON_WRITER(out);
	buf_clear(out);
	write(l, &w);
}

static void render_texts(struct attempt *t)
{
	render(&t->stages, launch_stages_json, t->launch);
	render(&t->shards, launch_shards_json, t->launch);
	render(&t->resources, launch_resources_json, t->launch);
}

static double eta_s(const struct attempt *t, double fraction, int64_t now)
{
	double elapsed = (double)(now - t->start_ns) * 1e-9;
	return fraction > 0.05 ? elapsed * (1 - fraction) / fraction : NAN;
}

static void report(struct attempt *t)
{
	int64_t now = clock_mono_ns();
	uint64_t done, total;
	if (!t->changed || now - t->render_ns < RENDER_MS * INT64_C(1000000)) return;
	t->changed = false;
	t->render_ns = now;
	render_texts(t);
	launch_rows(t->launch, &done, &total);
	double fraction = launch_fraction(t->launch);
	keeper_report(t->keeper, &(struct keeper_report){.fraction = fraction,
							 .eta_s = eta_s(t, fraction, now),
							 .phase = launch_phase(t->launch),
							 .rows_done = (int64_t)done,
							 .rows_total = (int64_t)total,
							 .stages = {t->stages.data, t->stages.len},
							 .shards = {t->shards.data, t->shards.len},
							 .resources = {t->resources.data, t->resources.len}});
}

static void tell_metrics(struct attempt *t)
{
	const struct buf *metrics = &launch_result(t->launch)->metrics;
	struct json *root;
	struct err e;
	err_init(&e);
	if (!json_parse(&t->arena, metrics->data, metrics->len, &root, &e)) return;
	for (const struct json *m = root->child; m; m = m->next) {
		struct buf event = BUF_INIT(4096);
		struct json_writer w = JSON_WRITER(&event);
		json_object_begin(&w);
		json_key(&w, "name");
		json_str(&w, m->key);
		json_key(&w, "value");
		json_value(&w, m);
		json_object_end(&w);
		if (buf_ok(&event)) keeper_event(t->keeper, "metric", buf_cstr(&event));
		buf_release(&event);
	}
}

/* --- The gang ---------------------------------------------------------------------------------------------------- */

static bool start_gang(struct attempt *t, struct err *e)
{
	const struct scheduler_options *o = t->o;
	const struct keeper_options ko = {o->store, o->lease_s, o->heartbeat_s, o->job_changed, o->ctx};
	struct keeper *k;
	if (!keeper_start(&ko, &t->lease, &k, e)) return false;
	t->keeper = k;
	if (!spec_parse(&t->spec, t->job.spec, strlen(t->job.spec), &o->defaults, NULL, e))
		return err_wrap(e, "the stored specification");
	if (!workdir_make(o->data_dir, t->job.id, t->lease.attempt, &t->arena, &t->work_dir, e)) return false;
	if (!workdir_checkpoints(o->data_dir, t->job.id, &t->arena, &t->checkpoint_dir, e)) return false;
	const struct launch_events events = {t, on_progress, on_log};
	const struct launch_options lo = {
		.worker_path = o->worker_path,
		.spec_text = t->job.spec,
		.spec_len = strlen(t->job.spec),
		.workers = (unsigned)t->spec.workers,
		.memory_max = t->spec.memory_max,
		.work_dir = t->work_dir,
		.checkpoint_dir = t->checkpoint_dir,
		.file_roots = o->file_roots,
		.record_bytes_max = o->record_bytes_max,
		.columns_max = o->columns_max,
		.inline_rows_max = o->inline_rows_max,
		.checkpoint_s = o->checkpoint_s,
		.hang_s = o->hang_s,
		.grace_s = o->grace_s,
		.timeout_s = (unsigned)t->spec.timeout_s,
	};
	tell_log(t, "attempt %d of %d: %u workers", t->job.attempt, t->job.max_attempts, lo.workers);
	return launch_start(&lo, &events, &t->launch, e);
}

static enum follow_end follow(struct attempt *t)
{
	for (;;) {
		enum launch_end end = launch_poll(t->launch, FOLLOW_MS);
		report(t);
		if (end == LAUNCH_SUCCEEDED) return GANG_SUCCEEDED;
		if (end == LAUNCH_FAILED) return GANG_FAILED;
		if (end == LAUNCH_STOPPED) return GANG_STOPPED;
		enum keeper_says says = keeper_says(t->keeper);
		if (says == KEEPER_CANCEL) return GANG_CANCELLED;
		if (says == KEEPER_LOST) return GANG_LOST;
		if (t->interrupted) launch_stop(t->launch);
	}
}

/* --- The end, in the store --------------------------------------------------------------------------------------- */

typedef bool (*ending)(struct attempt *t, void *ctx, struct err *e);

/* While Postgres is away nobody else can take the job either, and the fence keeps a late ending out: so it is worth
 * trying on. */
static bool end_in_store(struct attempt *t, ending call, void *ctx, struct err *e)
{
	int64_t begin = clock_mono_ns();
	for (;;) {
		err_init(e);
		if (call(t, ctx, e)) return true;
		int64_t patience_s = t->interrupted ? (int64_t)t->o->grace_s : PATIENCE_S;
		if (e->code != ERR_unavailable || clock_mono_ns() - begin > patience_s * INT64_C(1000000000))
			return false;
		nanosleep(&(struct timespec){.tv_sec = RETRY_MS / 1000}, NULL);
	}
}

struct publication {
	int version;
	bool lost;
};

static const char *text_or_null(struct attempt *t, struct str s)
{
	return s.len ? arena_strndup(&t->arena, s.data, s.len) : NULL;
}

static bool publish(struct attempt *t, void *ctx, struct err *e)
{
	struct publication *p = ctx;
	const struct train_result *r = launch_result(t->launch);
	const struct spec *sp = &t->spec;
	struct buf metrics = r->metrics, evaluation = r->evaluation, manifest = r->manifest; /* for their NUL */
	const struct job_result jr = {
		.metrics = buf_cstr(&metrics),
		.evaluation = buf_cstr(&evaluation),
		.stages = buf_cstr(&t->stages),
		.shards = buf_cstr(&t->shards),
		.resources = buf_cstr(&t->resources),
		.model_name = text_or_null(t, sp->name),
		.container = r->container.data,
		.container_len = r->container.len,
		.manifest = buf_cstr(&manifest),
		.promote_alias = text_or_null(t, sp->promote_alias),
		.promote_when = text_or_null(t, sp->promote_when),
		.promote_metric = r->metric[0] ? r->metric : NULL,
		.promote_larger_better = r->larger_better,
	};
	return job_succeed(t->o->store, &t->lease, &jr, &p->version, &p->lost, e);
}

struct failing {
	struct job_failure f;
	enum job_state became;
	bool lost;
};

static bool fail(struct attempt *t, void *ctx, struct err *e)
{
	struct failing *f = ctx;
	return job_fail(t->o->store, &t->lease, &f->f, &f->became, &f->lost, e);
}

/* Ends the attempt as failed, given back or cancelled; the store decides which. *final: the job has ended. */
static void end_failed(struct attempt *t, const struct err *why, struct job_failure f, bool *final)
{
	struct buf problem = BUF_INIT((size_t)1 << 20);
	struct json_writer w = JSON_WRITER(&problem);
	struct failing failing = {.became = JOB_queued};
	struct err e;
	json_problem(&w, why, arena_printf(&t->arena, "/jobs/%s", t->job.id));
	f.problem = buf_cstr(&problem);
	f.backoff_s = t->o->backoff_s;
	f.max_worker_losses = t->o->max_worker_losses;
	failing.f = f;
	if (!end_in_store(t, fail, &failing, &e)) log_err(LOG_ERROR, "attempt left to its lease", &e);
	else if (failing.lost) log_warn("attempt", "another attempt owns the job");
	*final = !failing.lost && job_state_final(failing.became);
	buf_release(&problem);
}

static struct keeper *take_keeper(struct attempt *t)
{
	pthread_mutex_lock(&t->poke_lock);
	struct keeper *k = t->keeper;
	t->keeper = NULL;
	pthread_mutex_unlock(&t->poke_lock);
	return k;
}

static void end_succeeded(struct attempt *t, bool *final)
{
	struct publication p = {0};
	struct err e;
	render_texts(t);
	tell_metrics(t);
	keeper_stop(take_keeper(t));
	if (!end_in_store(t, publish, &p, &e)) {
		log_err(LOG_ERROR, "result not published", &e);
		if (e.code != ERR_unavailable)
			end_failed(t, &e, (struct job_failure){.retryable = err_retryable(e.code)}, final);
		return;
	}
	if (p.lost) log_warn("attempt", "another attempt owns the job: the result is dropped");
	*final = !p.lost;
	if (p.version && t->o->models_changed) t->o->models_changed(t->o->ctx);
}

static void end_otherwise(struct attempt *t, enum follow_end how, const struct err *why, bool *final)
{
	struct job_failure f = {0};
	switch (how) {
	case GANG_FAILED:
		f.retryable = t->launch ? launch_retryable(t->launch) : err_retryable(why->code);
		f.worker_lost = t->launch && launch_worker_lost(t->launch);
		tell_failure(t, why);
		break;
	case GANG_STOPPED:
		f.interrupted = true;
		tell_log(t, "attempt %d interrupted", t->job.attempt);
		break;
	case GANG_LOST: log_warn("attempt", "the lease ran out or went to another attempt: nothing is written"); break;
	default: break;
	}
	launch_destroy(t->launch); /* before the store knows: no worker of an ended attempt is alive */
	t->launch = NULL;
	keeper_stop(take_keeper(t));
	if (how != GANG_LOST) end_failed(t, why, f, final);
}

static void run(struct attempt *t, bool *final)
{
	struct err e;
	err_init(&e);
	enum follow_end how = start_gang(t, &e) ? follow(t) : GANG_FAILED;
	if (how == GANG_SUCCEEDED) {
		end_succeeded(t, final);
		return;
	}
	if (t->launch && how != GANG_CANCELLED) e = *launch_error(t->launch);
	if (how == GANG_CANCELLED || !err_is(&e)) err_set(&e, ERR_cancelled, "the job was cancelled");
	end_otherwise(t, how, &e, final);
}

static void *attempt_main(void *arg)
{
	struct attempt *t = arg;
	bool final = false;
	log_scope("job", t->job.id);
	run(t, &final);
	if (t->o->job_changed) t->o->job_changed(t->o->ctx, t->job.id); /* cleaning up takes a while */
	launch_destroy(t->launch);
	t->launch = NULL;
	workdir_remove(t->o->data_dir, t->job.id);
	if (final) workdir_remove_checkpoints(t->o->data_dir, t->job.id);
	t->over = true;
	t->ended(t->ctx);
	return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------------- */

static void attempt_free(struct attempt *t)
{
	buf_release(&t->stages);
	buf_release(&t->shards);
	buf_release(&t->resources);
	spec_release(&t->spec);
	arena_release(&t->arena);
	pthread_mutex_destroy(&t->poke_lock);
	mem_free(t);
}

bool attempt_start(const struct scheduler_options *o, struct arena *a, const struct job *job,
		   const struct job_lease *lease, void (*ended)(void *ctx), void *ctx, struct attempt **out,
		   struct err *e)
{
	struct attempt *t = mem_zalloc(1, sizeof *t);
	*t = (struct attempt){.o = o,
			      .arena = *a,
			      .job = *job,
			      .lease = *lease,
			      .ended = ended,
			      .ctx = ctx,
			      .start_ns = clock_mono_ns(),
			      .stages = BUF_INIT(REPORT_TEXT_MAX),
			      .shards = BUF_INIT(REPORT_TEXT_MAX),
			      .resources = BUF_INIT(REPORT_TEXT_MAX)};
	*a = ARENA_INIT;
	pthread_mutex_init(&t->poke_lock, NULL);
	if (pthread_create(&t->thread, NULL, attempt_main, t) != 0) {
		attempt_free(t);
		return err_set(e, ERR_internal, "no thread for the attempt");
	}
	*out = t;
	return true;
}

const char *attempt_job_id(const struct attempt *t) { return t->job.id; }

void attempt_poke(struct attempt *t)
{
	pthread_mutex_lock(&t->poke_lock);
	if (t->keeper) keeper_poke(t->keeper);
	pthread_mutex_unlock(&t->poke_lock);
}

void attempt_interrupt(struct attempt *t) { t->interrupted = true; }

bool attempt_ended(const struct attempt *t) { return t->over; }

void attempt_join(struct attempt *t)
{
	pthread_join(t->thread, NULL);
	attempt_free(t);
}
