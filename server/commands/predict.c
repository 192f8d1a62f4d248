/* quern predict: rows to a service's model and back, NDJSON both ways. */
#include "server/commands/cli.h"
#include "server/commands/client.h"
#include "server/commands/commands.h"
#include "server/commands/rows_input.h"

enum {
	PREDICT_POST_ROWS = 10000, /* in one request; and about a piece of input at most */
	PREDICT_ROW_BYTES_MAX = 64 << 20,
	PREDICT_PATH_MAX = 1 << 16,
};

struct predict_options {
	struct cli_common common;
	const char *model, *url, *output;
};

#define AT(member) offsetof(struct predict_options, member)
static const char *const outputs[] = {"full", NULL};
static const struct cli_option options[] = {
	{"model", CLI_TEXT, AT(model), "MODEL", "name, name:version or name@alias; default: the service's"},
	{"url", CLI_TEXT, AT(url), "URL", "of the service; default $QUERN_URL, else http://127.0.0.1:8080"},
	{"output", CLI_CHOICE, AT(output), "WHAT", "what is answered; full: every column that can be made", outputs},
	{0},
};
static const struct cli cli = {
	.command = "predict",
	.arguments = "[FILE|-]",
	.help = "Sends newline-delimited JSON rows to a service's model (POST /predict) and prints one answer a line,\n"
		"order kept. A row that cannot be answered is a problem object on its line; then the exit code is 1.",
	.options = options,
	.args_max = 1,
};

struct predicting {
	struct client *c;
	struct buf path, rows; /* rows: lines that wait, and the beginning of one */
	uint64_t sent, refused;
};

/* Problem objects begin with their type, and no answer's first member looks like that. */
static void count_refused(struct predicting *p, const struct buf *answers)
{
	static const char problem[] = "{\"type\":\"/problems/";
	for (const char *at = answers->data, *end = at + answers->len; at && at < end;) {
		if ((size_t)(end - at) >= sizeof problem - 1 && memcmp(at, problem, sizeof problem - 1) == 0)
			p->refused++;
		p->sent++;
		at = memchr(at, '\n', (size_t)(end - at));
		if (at) at++;
	}
}

/* The first `len` bytes of what waits. */
static bool post(struct predicting *p, size_t len, struct err *e)
{
	struct client_answer answer;
	struct client_call call = {.method = "POST",
				   .path = buf_cstr(&p->path),
				   .type = "application/x-ndjson",
				   .body = p->rows.data,
				   .len = len};
	bool ok = client_run(p->c, &call, &answer, e) && cli_write(answer.body.data, answer.body.len, e);
	if (ok) count_refused(p, &answer.body);
	buf_release(&answer.body);
	memmove(p->rows.data, p->rows.data + len, p->rows.len - len);
	p->rows.len -= len;
	return ok;
}

/* Bytes of the first whole lines; with `end` the last one counts as whole. */
static size_t whole_lines(const struct buf *rows, bool end)
{
	size_t len = 0;
	for (int n = 0; n < PREDICT_POST_ROWS && len < rows->len; n++) {
		const char *to = memchr(rows->data + len, '\n', rows->len - len);
		if (!to) return end ? rows->len : len;
		len = (size_t)(to + 1 - rows->data);
	}
	return len;
}

static bool run(struct predicting *p, struct rows_input *in, struct err *e)
{
	struct str piece;
	bool ok = true;
	for (bool end = false; ok && !end;) {
		ok = rows_input_next(in, &piece, &end, e);
		if (!ok) break;
		buf_append(&p->rows, piece.data, piece.len);
		if (!buf_ok(&p->rows))
			return err_set(e, ERR_too_large, "a row is longer than %d bytes", PREDICT_ROW_BYTES_MAX);
		for (size_t len; ok && (len = whole_lines(&p->rows, end)) > 0;) ok = post(p, len, e);
	}
	return ok;
}

static bool predict(const struct predict_options *o, const char *file, struct err *e)
{
	struct predicting p = {.path = BUF_INIT(PREDICT_PATH_MAX), .rows = BUF_INIT(PREDICT_ROW_BYTES_MAX)};
	struct rows_input in = {.fd = -1};
	buf_str(&p.path, "/predict");
	client_param(&p.path, "model", o->model);
	client_param(&p.path, "output", o->output);
	bool ok = rows_input_open(&in, file, "ndjson", e) && client_open(o->url, &p.c, e) && run(&p, &in, e);
	if (ok && p.refused)
		ok = err_set(e, ERR_data, "%llu of %llu rows were refused", (unsigned long long)p.refused,
			     (unsigned long long)p.sent);
	rows_input_close(&in);
	client_close(p.c);
	buf_release(&p.rows);
	buf_release(&p.path);
	return ok;
}

int command_predict(int argc, char **argv)
{
	struct predict_options o = {0};
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	return predict(&o, argc ? argv[0] : NULL, &e) ? CLI_DONE : cli_failed(&o.common, &e);
}
