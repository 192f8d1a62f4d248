#include "server/handlers/handlers.h"
#include "server/health.h"
#include "server/reply.h"
#include "server/server.h"

#include <dirent.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* --- Pages made at start ------------------------------------------------------------------------------------------ */

enum outcome service_index(struct exchange *x)
{
	reply_page(x, &x->server->pages[PAGE_INDEX]);
	http_reply_header(
		x->rq, "Content-Security-Policy",
		"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
	http_reply_header(x->rq, "X-Content-Type-Options", "nosniff");
	http_reply_header(x->rq, "Referrer-Policy", "no-referrer");
	return ANSWERED;
}

enum outcome service_openapi(struct exchange *x)
{
	reply_page(x, &x->server->pages[PAGE_OPENAPI]);
	return ANSWERED;
}

enum outcome service_stages(struct exchange *x)
{
	reply_page(x, &x->server->pages[PAGE_STAGES]);
	return ANSWERED;
}

/* --- Health ------------------------------------------------------------------------------------------------------- */

static enum outcome answer_status(struct exchange *x, const char *status)
{
	struct json_writer w = reply_json(x, 200);
	json_object_begin(&w);
	json_key(&w, "status");
	json_cstr(&w, status);
	json_object_end(&w);
	http_reply_header(x->rq, "Cache-Control", "no-store");
	return ANSWERED;
}

enum outcome service_healthz(struct exchange *x) { return answer_status(x, "ok"); }

enum outcome service_readyz(struct exchange *x)
{
	struct err e;
	err_init(&e);
	bool ready = health_ready(x->server->health, &e);
	if (ready && x->server->closing) ready = err_set(&e, ERR_unavailable, "the service is stopping");
	return ready ? answer_status(x, "ready") : reply_error(x, &e);
}

enum outcome service_version(struct exchange *x)
{
	char text[CLOCK_TEXT_SIZE];
	struct json_writer w = reply_json(x, 200);
	clock_text(x->server->started_ms, text);
	json_object_begin(&w);
	json_key(&w, "name");
	json_cstr(&w, "quern");
	json_key(&w, "version");
	json_cstr(&w, QUERN_VERSION);
	json_key(&w, "startedAt");
	json_cstr(&w, text);
	json_object_end(&w);
	reply_settled(x, x->server->started_ms);
	return ANSWERED;
}

/* --- Metrics ------------------------------------------------------------------------------------------------------ */

static void gauge(struct buf *out, const char *name, const char *help, double value)
{
	metrics_sample(out, "gauge", name, help, "", value);
}

static size_t open_files(void)
{
	size_t n = 0;
	DIR *d = opendir("/proc/self/fd");
	while (d && readdir(d)) n++;
	if (d) closedir(d);
	return n > 3 ? n - 3 : 0; /* ".", ".." and the folder itself */
}

static void write_process(const struct server *s, struct buf *out)
{
	struct timespec cpu;
	long pages = 0, resident = 0;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f && fscanf(f, "%ld %ld", &pages, &resident) != 2) resident = 0;
	if (f) fclose(f);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	metrics_sample(out, "counter", "process_cpu_seconds_total", "Processor time used.", "",
		       (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
	gauge(out, "process_resident_memory_bytes", "Memory in use.", (double)resident * (double)sysconf(_SC_PAGESIZE));
	gauge(out, "process_open_fds", "Open file descriptors.", (double)open_files());
	gauge(out, "process_start_time_seconds", "Start of the process, in seconds since 1970.",
	      (double)s->started_ms / 1000);
}

static void write_jobs(struct server *s, struct buf *out)
{
	struct job_counts counts;
	struct err e;
	err_init(&e);
	gauge(out, "quern_ready", "1 while /readyz answers 200.", health_ready(s->health, &e));
	if (!health_counts(s->health, &counts)) return;
	for (int state = 0; state < JOB_STATE_COUNT; state++) {
		char labels[64];
		snprintf(labels, sizeof labels, "{state=\"%s\"}", job_state_name((enum job_state)state));
		if (state == 0)
			metrics_sample(out, "gauge", "quern_jobs", "Jobs by state.", labels,
				       (double)counts.by_state[state]);
		else metrics_more(out, "quern_jobs", labels, (double)counts.by_state[state]);
	}
	gauge(out, "quern_jobs_oldest_queued_seconds", "How long the job that is due longest has waited.",
	      counts.oldest_queued_s);
}

static void write_server(struct server *s, struct buf *out)
{
	struct scheduler *scheduler = s->scheduler;
	gauge(out, "quern_http_connections", "Open connections.", (double)http_connections(s->http));
	gauge(out, "quern_http_requests_in_flight", "Requests begun and not over.", (double)http_requests(s->http));
	metrics_sample(out, "gauge", "quern_http_queue", "Requests that wait for a thread.", "{crew=\"compute\"}",
		       (double)crew_queued(s->compute));
	metrics_more(out, "quern_http_queue", "{crew=\"store\"}", (double)crew_queued(s->stores));
	gauge(out, "quern_http_waiting", "Requests and streams that wait for a job to change.",
	      (double)waiters_count(s->waiters));
	gauge(out, "quern_event_clients", "Clients of server-sent events.", (double)s->streams);
	if (scheduler)
		gauge(out, "quern_jobs_running_here", "Attempts under way in this process.",
		      scheduler_running(scheduler));
}

enum outcome service_metrics(struct exchange *x)
{
	struct server *s = x->server;
	struct buf *out = &x->rq->reply.body;
	reply_text(x, 200, "text/plain; version=0.0.4; charset=utf-8");
	metrics_sample(out, "gauge", "quern_build_info", "Always 1; the labels say what runs.",
		       "{version=\"" QUERN_VERSION "\"}", 1);
	write_server(s, out);
	write_jobs(s, out);
	metrics_write(s->metrics, out);
	write_process(s, out);
	http_reply_header(x->rq, "Cache-Control", "no-store");
	return ANSWERED;
}
