/* quern train: submits a job, and follows it to its end. */
#include "base/file.h"
#include "server/commands/cli.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/meter.h"

#include <math.h>
#include <stdio.h>
#include <unistd.h>

enum { TRAIN_SPEC_BYTES_MAX = 16 << 20, TRAIN_WAIT_S = 10, TRAIN_CALL_S = 60, TRAIN_RETRIES = 60 };

struct train_options {
	struct cli_common common;
	const char *url;
	bool follow;
};

#define AT(member) offsetof(struct train_options, member)
static const struct cli_option options[] = {
	{"url", CLI_TEXT, AT(url), "URL", "of the service; default $QUERN_URL, else http://127.0.0.1:8080"},
	{"follow", CLI_FLAG, AT(follow), NULL, "wait for the job's end, showing its progress"},
	{0},
};
static const struct cli cli = {
	.command = "train",
	.arguments = "SPEC.json|-",
	.help = "Submits a job specification (POST /jobs) and prints the job as JSON; with --follow the job as it\n"
		"ended. The exit code is 1 when the job is refused, fails or is cancelled.",
	.options = options,
	.args_min = 1,
	.args_max = 1,
};

/* A job's answer, taken apart. */
struct view {
	struct arena arena;
	const struct json *root;
};

static bool view_job(struct view *v, const struct buf *body, struct err *e)
{
	struct json *root;
	arena_reset(&v->arena);
	if (!json_parse(&v->arena, body->data, body->len, &root, e)) return err_wrap(e, "the service's answer");
	v->root = root;
	return true;
}

static struct str text_of(const struct json *v) { return v && v->type == JSON_STRING ? v->string : STR(""); }

static bool has_ended(const struct json *job)
{
	struct str state = text_of(json_get(job, "state"));
	return str_is(state, "succeeded") || str_is(state, "failed") || str_is(state, "cancelled");
}

static uint64_t count_of(const struct json *v) { return v && v->is_int && v->integer > 0 ? (uint64_t)v->integer : 0; }

static void draw(struct meter *m, const struct json *job)
{
	const struct json *progress = json_get(job, "progress"), *fraction = json_get(progress, "fraction");
	struct str name = text_of(json_get(job, "name")), phase = text_of(json_get(progress, "phase"));
	struct str state = text_of(json_get(job, "state")), now = phase.len ? phase : state;
	char what[256];
	snprintf(what, sizeof what, "%.*s: %.*s", (int)MIN(name.len, (size_t)100), name.data,
		 (int)MIN(now.len, (size_t)100), now.data);
	meter_draw(m, what, fraction && fraction->type == JSON_NUMBER ? fraction->number : 0,
		   count_of(json_get(progress, "rowsDone")), count_of(json_get(progress, "rowsTotal")));
}

/* Waits until the job changes; *body is the job as it is then. A service that is away for a moment is waited for. */
static bool next_change(struct client *c, const char *path, char *etag, struct buf *body, struct err *e)
{
	for (int tries = 0;; tries++) {
		struct client_answer answer;
		struct client_call call = {
			.method = "GET", .path = path, .if_none_match = *etag ? etag : NULL, .timeout_s = TRAIN_CALL_S};
		err_init(e);
		bool ok = client_run(c, &call, &answer, e);
		bool changed = ok && answer.status != 304;
		if (changed) {
			buf_release(body);
			*body = answer.body;
			snprintf(etag, CLIENT_ETAG_MAX, "%s", answer.etag);
			return true;
		}
		buf_release(&answer.body);
		if (ok) tries = 0;
		else if (err_status(e->code) < 500 || tries == TRAIN_RETRIES) return false;
		else sleep(1);
	}
}

static bool follow(struct client *c, struct buf *body, struct err *e)
{
	struct view v = {0};
	struct meter m;
	struct buf path = BUF_INIT(1024);
	char etag[CLIENT_ETAG_MAX] = "";
	meter_init(&m);
	bool ok = view_job(&v, body, e);
	if (ok) {
		buf_str(&path, "/jobs");
		client_path(&path, text_of(json_get(v.root, "id")).data);
		buf_printf(&path, "?wait=%d", TRAIN_WAIT_S);
	}
	while (ok && !has_ended(v.root)) {
		draw(&m, v.root);
		ok = next_change(c, buf_cstr(&path), etag, body, e) && view_job(&v, body, e);
	}
	meter_end(&m);
	buf_release(&path);
	arena_release(&v.arena);
	return ok;
}

/* A job that ended otherwise than well is the command's failure, with the job's own problem. */
static bool succeeded(const struct buf *body, struct err *e)
{
	struct view v = {0};
	bool ok = view_job(&v, body, e);
	if (ok && !str_is(text_of(json_get(v.root, "state")), "succeeded")) {
		ok = client_problem(json_get(v.root, "error"), ERR_cancelled, "it was cancelled", e);
		err_wrap(e, "the job %s", text_of(json_get(v.root, "state")).data);
	}
	arena_release(&v.arena);
	return ok;
}

static bool submit(const struct train_options *o, const char *file, struct err *e)
{
	struct buf spec = BUF_INIT(TRAIN_SPEC_BYTES_MAX);
	struct client *c = NULL;
	struct client_answer answer = {0};
	bool from_stdin = strcmp(file, "-") == 0;
	bool ok = (from_stdin ? file_read_fd(STDIN_FILENO, "standard input", &spec, e) : file_read(file, &spec, e)) &&
		  client_open(o->url, &c, e);
	if (ok) {
		struct client_call call = {.method = "POST",
					   .path = "/jobs",
					   .type = "application/json",
					   .body = spec.len ? spec.data : "",
					   .len = spec.len,
					   .timeout_s = TRAIN_CALL_S};
		ok = client_run(c, &call, &answer, e) && (!o->follow || follow(c, &answer.body, e)) &&
		     cli_write_line(&answer.body, e) && (!o->follow || succeeded(&answer.body, e));
	}
	buf_release(&answer.body);
	buf_release(&spec);
	client_close(c);
	return ok;
}

int command_train(int argc, char **argv)
{
	struct train_options o = {0};
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	return submit(&o, argv[0], &e) ? CLI_DONE : cli_failed(&o.common, &e);
}
