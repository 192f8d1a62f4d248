/* quern fit: a training job's work at the shell, by the same launcher and workers, without server and database. */
#include "base/file.h"
#include "server/commands/commands.h"
#include "server/commands/local.h"
#include "server/commands/meter.h"
#include "trainer/launcher.h"

#include <signal.h>
#include <stdio.h>

enum { FIT_POLL_MS = 100, FIT_SPEC_MAX = 1 << 28, FIT_SUMMARY_MAX = 1 << 28 };

struct fit_options {
	struct cli_common common;
	const char *rows, *out;
	uint64_t workers;
	bool verbose;
};

#define AT(member) offsetof(struct fit_options, member)
static const struct cli_option options[] = {
	{"out", CLI_TEXT, AT(out), "MODEL.quern", "where the fitted pipeline goes", NULL, true, 'o'},
	{"rows", CLI_TEXT, AT(rows), "FILE|-", "rows in the source's place: NDJSON, or CSV by its ending"},
	{"workers", CLI_COUNT, AT(workers), "N", "worker processes; default: the specification's"},
	{"verbose", CLI_FLAG, AT(verbose), NULL, "the workers' log on standard error"},
	{0},
};
static const struct cli cli = {
	.command = "fit",
	.arguments = "SPEC.json",
	.help = "Trains the pipeline of a job specification with local worker processes and writes it to a .quern\n"
		"file, whose bytes are the same for any number of workers. Relative file: URIs start from the working\n"
		"directory. Prints metrics and row counts as JSON.",
	.options = options,
	.args_min = 1,
	.args_max = 1,
};

static volatile sig_atomic_t interrupted;
static void on_signal(int sig QN_UNUSED) { interrupted = 1; }

static void catch_signals(void)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

static void put_log(void *ctx, const char *line, size_t len)
{
	struct meter *m = ctx;
	meter_end(m);
	fprintf(stderr, "%.*s\n", (int)len, line);
}

static void draw(struct meter *m, const struct launch *l)
{
	uint64_t done, total;
	launch_rows(l, &done, &total);
	meter_draw(m, launch_phase(l), launch_fraction(l), done, total);
}

static bool start(const struct fit_options *o, struct local *l, const struct spec *sp, struct meter *m,
		  struct launch **out, struct err *e)
{
	struct buf text = BUF_INIT(FIT_SPEC_MAX);
	struct json_writer w = JSON_WRITER(&text);
	spec_write(sp, &w);
	struct launch_options lo = {
		.spec_text = text.data,
		.spec_len = text.len,
		.workers = (unsigned)(o->workers ? o->workers : (uint64_t)sp->workers),
		.memory_max = sp->memory_max,
		.work_dir = l->dir,
		.record_bytes_max = l->env.record_bytes_max,
		.columns_max = l->env.columns_max,
		.inline_rows_max = l->env.inline_rows_max,
		.checkpoint_s = l->config.trainer_checkpointSeconds,
		.hang_s = l->config.trainer_hangSeconds,
		.grace_s = l->config.trainer_graceSeconds,
		.timeout_s = (unsigned)sp->timeout_s,
	};
	struct launch_events events = {.ctx = m, .log = o->verbose ? put_log : NULL};
	bool ok = launch_start(&lo, &events, out, e);
	buf_release(&text);
	return ok;
}

static bool follow(struct launch *l, struct meter *m, struct err *e)
{
	enum launch_end end;
	while ((end = launch_poll(l, FIT_POLL_MS)) == LAUNCH_RUNNING) {
		draw(m, l);
		if (interrupted) launch_stop(l);
	}
	meter_end(m);
	if (end == LAUNCH_SUCCEEDED) return true;
	if (end == LAUNCH_STOPPED) return err_set(e, ERR_cancelled, "interrupted");
	*e = *launch_error(l);
	return false;
}

static bool summarise(const struct train_result *r, const struct spec *sp, struct err *e)
{
	struct buf text = BUF_INIT(FIT_SUMMARY_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_object_begin(&w);
	json_key(&w, "metrics");
	json_raw(&w, r->metrics.data, r->metrics.len);
	json_key(&w, "rows");
	json_int(&w, (int64_t)(r->rows_train + r->rows_test));
	json_key(&w, "trainRows");
	json_int(&w, (int64_t)r->rows_train);
	json_key(&w, "testRows");
	json_int(&w, (int64_t)r->rows_test);
	json_key(&w, "malformedRows");
	json_int(&w, (int64_t)r->report.malformed);
	json_key(&w, "seed");
	json_int(&w, sp->seed);
	json_object_end(&w);
	bool ok = cli_write_line(&text, e);
	buf_release(&text);
	return ok;
}

static bool train(const struct fit_options *o, struct local *l, const struct spec *sp, struct err *e)
{
	struct launch *launch;
	struct meter m;
	meter_init(&m);
	if (!start(o, l, sp, &m, &launch, e)) return false;
	bool ok = follow(launch, &m, e);
	if (ok) {
		const struct train_result *r = launch_result(launch);
		ok = file_replace(o->out, r->container.data, r->container.len, e) && summarise(r, sp, e);
	}
	launch_destroy(launch);
	return ok;
}

static bool fit(const struct fit_options *o, const char *spec_file, struct err *e)
{
	struct local l;
	struct spec sp;
	struct str text;
	if (!local_open(&l, e)) return false;
	struct spec_defaults d = {.workers = (int64_t)l.config.trainer_workers, .memory_max = l.config.trainer_memory};
	bool ok = local_spec(&l, spec_file, o->rows, LOCAL_SAME, &text, e) &&
		  spec_parse(&sp, text.data, text.len, &d, &l.env, e);
	if (ok) {
		ok = train(o, &l, &sp, e);
		spec_release(&sp);
	}
	local_close(&l);
	return ok;
}

int command_fit(int argc, char **argv)
{
	struct fit_options o = {0};
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	if (o.workers > COMM_RANKS_MAX) {
		err_set(&e, ERR_bad_request, "--workers must be at most %d", COMM_RANKS_MAX);
		cli_failed(&o.common, &e);
		return CLI_USAGE;
	}
	catch_signals();
	return fit(&o, argv[0], &e) ? CLI_DONE : cli_failed(&o.common, &e);
}
