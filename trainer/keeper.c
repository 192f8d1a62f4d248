#include "trainer/keeper.h"

#include "base/json.h"
#include "base/log.h"
#include "base/monitor.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum {
	TELL_MS = 200,      /* between two reports of a young attempt; */
	TELL_MAX_MS = 2000, /* of an old one, */
	TELL_PART = 20,     /* between them a part of its age: whoever has waited long can wait a little for news */
	POKE_MS = 100,      /* from a report to a look that somebody asks for: many may ask */
	RETRY_MS = 1000,    /* after a call that failed */
};
static const int64_t ms_ns = 1000000;
static const double fraction_step = 0.01; /* of progress events */

struct event {
	const char *type;
	char *data;
	int64_t at;
};

/* The latest report, as texts that outlive its giver. */
struct snapshot {
	struct keeper_report r;
	char message[KEEPER_MESSAGE_MAX];
	struct buf stages, shards, resources;
};

struct keeper {
	struct keeper_options o;
	struct job_lease lease; /* the thread's own */
	pthread_t thread;
	struct monitor monitor;
	_Atomic int64_t trusted_until_ns;
	_Atomic bool cancel, lost;
	/* In the monitor. */
	struct snapshot now;
	bool fresh, poked, closing;
	struct event *events;
	size_t event_count, event_cap, dropped;
	/* The thread's own. */
	struct snapshot told;
	int64_t start_ns, beat_ns, tell_ns, retry_ns;
	double event_fraction;
	const char *event_phase;
};

#define SNAPSHOT_TEXT_MAX ((size_t)16 << 20)

static void snapshot_init(struct snapshot *s)
{
	*s = (struct snapshot){.stages = BUF_INIT(SNAPSHOT_TEXT_MAX),
			       .shards = BUF_INIT(SNAPSHOT_TEXT_MAX),
			       .resources = BUF_INIT(SNAPSHOT_TEXT_MAX)};
}

static void snapshot_release(struct snapshot *s)
{
	buf_release(&s->stages);
	buf_release(&s->shards);
	buf_release(&s->resources);
}

static void replace(struct buf *to, struct str text)
{
	buf_clear(to);
	buf_append(to, text.data, text.len);
}

static void snapshot_set(struct snapshot *s, const struct keeper_report *r)
{
	replace(&s->stages, r->stages);
	replace(&s->shards, r->shards);
	replace(&s->resources, r->resources);
	s->r = *r;
	s->r.stages = (struct str){s->stages.data, s->stages.len};
	s->r.shards = (struct str){s->shards.data, s->shards.len};
	s->r.resources = (struct str){s->resources.data, s->resources.len};
}

/* Cut where a character ends. */
static void set_message(struct snapshot *s, struct str line)
{
	size_t len = MIN(line.len, sizeof s->message - 1);
	while (len && !str_utf8_valid(line.data, len)) len--;
	memcpy(s->message, line.data, len);
	s->message[len] = 0;
}

/* --- Told by the attempt ----------------------------------------------------------------------------------------- */

void keeper_report(struct keeper *k, const struct keeper_report *r)
{
	monitor_enter(&k->monitor);
	snapshot_set(&k->now, r);
	k->fresh = true;
	monitor_signal(&k->monitor);
	monitor_leave(&k->monitor);
}

static void add_event(struct keeper *k, const char *type, const char *json)
{
	if (k->event_count >= KEEPER_EVENTS_MAX) {
		k->dropped++;
		return;
	}
	MEM_GROW(k->events, k->event_cap, k->event_count + 1);
	k->events[k->event_count++] = (struct event){type, mem_strdup(json), clock_wall_ms()};
}

void keeper_event(struct keeper *k, const char *type, const char *json)
{
	monitor_enter(&k->monitor);
	add_event(k, type, json);
	monitor_signal(&k->monitor);
	monitor_leave(&k->monitor);
}

void keeper_log(struct keeper *k, struct str line)
{
	struct buf json = BUF_INIT(line.len * 6 + 64);
	struct json_writer w = JSON_WRITER(&json);
	json_object_begin(&w);
	json_key(&w, "line");
	json_str(&w, line);
	json_object_end(&w);
	monitor_enter(&k->monitor);
	add_event(k, "log", buf_cstr(&json));
	set_message(&k->now, line);
	monitor_signal(&k->monitor);
	monitor_leave(&k->monitor);
	buf_release(&json);
}

void keeper_poke(struct keeper *k)
{
	monitor_enter(&k->monitor);
	k->poked = true;
	monitor_signal(&k->monitor);
	monitor_leave(&k->monitor);
}

enum keeper_says keeper_says(const struct keeper *k)
{
	if (k->lost || clock_mono_ns() >= k->trusted_until_ns) return KEEPER_LOST;
	return k->cancel ? KEEPER_CANCEL : KEEPER_HOLDS;
}

/* --- The thread -------------------------------------------------------------------------------------------------- */

static void note_progress(struct keeper *k, const struct snapshot *s)
{
	struct buf json = BUF_INIT(4096);
	struct json_writer w = JSON_WRITER(&json);
	if (k->event_phase == s->r.phase && s->r.fraction < k->event_fraction + fraction_step) return;
	k->event_phase = s->r.phase;
	k->event_fraction = s->r.fraction;
	json_object_begin(&w);
	json_key(&w, "fraction");
	json_double(&w, s->r.fraction);
	json_key(&w, "phase");
	json_cstr(&w, s->r.phase);
	json_key(&w, "rowsDone");
	json_int(&w, s->r.rows_done);
	json_key(&w, "rowsTotal");
	if (s->r.rows_total) json_int(&w, s->r.rows_total);
	else json_null(&w);
	json_key(&w, "etaSeconds");
	json_double(&w, s->r.eta_s);
	json_object_end(&w);
	add_event(k, "progress", buf_cstr(&json));
	buf_release(&json);
}

static bool beat(struct keeper *k, bool report, struct err *e)
{
	const struct snapshot *s = &k->told;
	const struct job_progress progress = {
		.fraction = s->r.fraction,
		.phase = s->r.phase,
		.message = s->message[0] ? s->message : NULL,
		.rows_done = s->r.rows_done,
		.rows_total = s->r.rows_total,
		.eta_s = s->r.eta_s,
		.stages = s->stages.len ? s->stages.data : NULL,
		.shards = s->shards.len ? s->shards.data : NULL,
		.resources = s->resources.len ? s->resources.data : NULL,
	};
	bool lost, cancel;
	if (!job_heartbeat(k->o.store, &k->lease, k->o.lease_s, report ? &progress : NULL, &lost, &cancel, e))
		return false;
	if (lost) k->lost = true;
	else k->trusted_until_ns = k->lease.until_mono_ns;
	if (cancel) k->cancel = true;
	if (report && k->o.job_changed) k->o.job_changed(k->o.ctx, k->lease.job_id);
	return true;
}

/* Events go once: those of a call that failed may have arrived, and a line told twice is worse than one that is
 * missing. */
static void send_events(struct keeper *k, struct event *events, size_t count)
{
	struct job_event *out = mem_zalloc(count, sizeof *out);
	struct err e;
	err_init(&e);
	for (size_t i = 0; i < count; i++)
		out[i] = (struct job_event){.type = events[i].type, .data = events[i].data, .at = events[i].at};
	if (count && !job_events_add(k->o.store, &k->lease, out, count, &e)) log_err(LOG_WARN, "events not kept", &e);
	for (size_t i = 0; i < count; i++) mem_free(events[i].data);
	mem_free(events);
	mem_free(out);
}

static int64_t tell_interval(const struct keeper *k)
{
	int64_t part = (k->tell_ns - k->start_ns) / TELL_PART;
	return MAX(TELL_MS * ms_ns, MIN(part, TELL_MAX_MS * ms_ns));
}

/* When the thread has to do something next; inside the monitor. */
static int64_t next_due(const struct keeper *k)
{
	if (k->closing) return 0;
	int64_t due = k->beat_ns + (int64_t)k->o.heartbeat_s * 1000 * ms_ns;
	if (k->poked) due = MIN(due, k->tell_ns + POKE_MS * ms_ns);
	if (k->fresh || k->event_count) due = MIN(due, k->tell_ns + tell_interval(k));
	return MAX(due, k->retry_ns);
}

static void wait_until_due(struct keeper *k)
{
	int64_t due;
	while ((due = next_due(k)) > clock_mono_ns()) (void)!monitor_wait(&k->monitor, due);
}

/* One round with the store; enters and leaves inside the monitor. The last one is for events only: whoever ends the
 * attempt reports for good. */
static void round_with_store(struct keeper *k)
{
	bool report = k->fresh && !k->closing, last = k->closing;
	struct err e;
	err_init(&e);
	if (report) {
		snapshot_set(&k->told, &k->now.r);
		memcpy(k->told.message, k->now.message, sizeof k->told.message);
		note_progress(k, &k->told);
	}
	struct event *events = k->events;
	size_t count = k->event_count;
	k->events = NULL;
	k->event_count = k->event_cap = 0;
	k->fresh = k->poked = false;
	monitor_leave(&k->monitor);

	bool ok = last || beat(k, report, &e);
	send_events(k, events, count);

	monitor_enter(&k->monitor);
	k->tell_ns = clock_mono_ns();
	if (ok) k->beat_ns = k->tell_ns;
	k->retry_ns = ok ? 0 : k->tell_ns + RETRY_MS * ms_ns;
	if (!ok && report && e.code == ERR_unavailable) k->fresh = true; /* a report that is refused is not sent again */
	if (!ok) log_err(LOG_WARN, "heartbeat failed", &e);
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;
	log_scope("job", k->lease.job_id);
	monitor_enter(&k->monitor);
	for (;;) {
		wait_until_due(k);
		bool last = k->closing;
		if (!last || k->event_count) round_with_store(k);
		if (last) break;
	}
	monitor_leave(&k->monitor);
	return NULL;
}

/* --- Life -------------------------------------------------------------------------------------------------------- */

static void keeper_free(struct keeper *k)
{
	for (size_t i = 0; i < k->event_count; i++) mem_free(k->events[i].data);
	mem_free(k->events);
	snapshot_release(&k->now);
	snapshot_release(&k->told);
	monitor_destroy(&k->monitor);
	mem_free(k);
}

bool keeper_start(const struct keeper_options *o, const struct job_lease *lease, struct keeper **out, struct err *e)
{
	struct keeper *k = mem_zalloc(1, sizeof *k);
	k->o = *o;
	k->lease = *lease;
	k->trusted_until_ns = lease->until_mono_ns;
	k->start_ns = k->beat_ns = clock_mono_ns();
	snapshot_init(&k->now);
	snapshot_init(&k->told);
	monitor_init(&k->monitor);
	if (pthread_create(&k->thread, NULL, keeper_main, k) != 0) {
		keeper_free(k);
		return err_set(e, ERR_internal, "no thread for the heartbeat");
	}
	*out = k;
	return true;
}

void keeper_stop(struct keeper *k)
{
	if (!k) return;
	monitor_enter(&k->monitor);
	k->closing = true;
	monitor_signal(&k->monitor);
	monitor_leave(&k->monitor);
	pthread_join(k->thread, NULL);
	if (k->dropped) log_warn("events dropped", "%zu of job %s", k->dropped, k->lease.job_id);
	keeper_free(k);
}
