#include "serving/row_stream.h"

#include "serving/row_format.h"

static const struct row_input *const inputs[] = {&row_ndjson, &row_csv, &row_elements};
static const struct row_output *const outputs[] = {&row_answer_ndjson, &row_answer_csv};

/* --- The scorer's calls ------------------------------------------------------------------------------------------- */

static enum json_row_result read_again(void *ctx, struct str record, struct err *e)
{
	struct row_stream *st = ctx;
	return st->input->read(st, record, e);
}

static bool answer_row(void *ctx, const struct view *v, size_t at, struct str record, struct err *e)
{
	struct row_stream *st = ctx;
	st->output->answer(st, v, at, record);
	if (st->row_arena.bytes) arena_reset(&st->row_arena);
	return buf_ok(st->out) || err_set(e, ERR_too_large, "the answer is over its limit (limits.answerBytes)");
}

static bool refuse_row(void *ctx, const struct err *why, struct err *e)
{
	struct row_stream *st = ctx;
	if (st->options.faults) {
		scorer_collect(&st->scorer, why, st->options.faults);
		st->output->answer(st, NULL, SCORER_DROPPED, (struct str){0});
		return true;
	}
	if (st->options.whole || !st->output->problems) {
		*e = *why;
		return err_wrap(e, "row %zu", st->scorer.at + 1);
	}
	struct json_writer w = JSON_WRITER(st->out);
	json_problem(&w, why, NULL);
	buf_char(st->out, '\n');
	st->refused++;
	return true;
}

/* --- Life --------------------------------------------------------------------------------------------------------- */

struct row_stream *row_stream_open(const struct predictor *p, struct predictor_scratch *s,
				   const struct row_stream_options *o)
{
	static const struct scorer_ops ops = {read_again, answer_row, refuse_row};
	struct row_stream *st = mem_zalloc(1, sizeof *st);
	*st = (struct row_stream){.predictor = p, .scratch = s, .options = *o};
	st->tail = BUF_INIT(o->record_bytes_max + PREDICTOR_BODY_MAX);
	for (size_t i = 0; i < ARRAY_COUNT(inputs); i++)
		if (strcmp(inputs[i]->name, o->input) == 0) st->input = inputs[i];
	for (size_t i = 0; i < ARRAY_COUNT(outputs); i++)
		if (strcmp(outputs[i]->name, o->output) == 0) st->output = outputs[i];
	CHECK(st->input && st->output);
	st->came = mem_zalloc(p->input.count + 1, 1);
	st->scorer = (struct scorer){
		.predictor = p,
		.scratch = s,
		.ops = &ops,
		.ctx = st,
		.rules = {.output = o->answer, .strict = o->strict, .lenient = o->lenient},
		.keep_input = o->echo,
		.prefix = o->prefix ? o->prefix : "",
		.numbered = st->input->numbered,
		.rows_max = o->rows_max,
	};
	scorer_open(&st->scorer);
	return st;
}

void row_stream_close(struct row_stream *st)
{
	if (!st) return;
	csv_record_release(&st->csv.record);
	buf_release(&st->tail);
	arena_release(&st->arena);
	arena_release(&st->row_arena);
	mem_free(st->table.echo);
	mem_free(st->came);
	mem_free(st->hidden);
	mem_free(st);
}

uint64_t row_stream_rows(const struct row_stream *st) { return st->scorer.rows; }
uint64_t row_stream_refused(const struct row_stream *st) { return st->refused; }

/* --- Feeding ------------------------------------------------------------------------------------------------------ */

static bool take_record(struct row_stream *st, struct str record, struct err *e)
{
	struct err why;
	err_init(&why);
	if (!scorer_begin(&st->scorer, e)) return false;
	if (st->input->read(st, record, &why) == JSON_ROW_OK) return scorer_took(&st->scorer, record, e);
	return scorer_refuse(&st->scorer, &why, e);
}

/* Answers the records that end in [p, end) and leaves *rest where the first unfinished one begins. */
static bool take_records(struct row_stream *st, const char *p, const char *end, const char **rest, struct err *e)
{
	struct str record;
	enum row_next got;
	st->csv.parsed = NULL;
	while ((got = st->input->next(st, &p, end, &record, e)) == ROW_NEXT_RECORD)
		if (!take_record(st, record, e)) return false;
	*rest = p;
	/* The bytes are gone after this call, so their rows may not wait. */
	return got == ROW_NEXT_MORE && scorer_flush(&st->scorer, e);
}

static bool finish(struct row_stream *st, struct err *e)
{
	if (st->input == &row_csv && !st->csv.count) return err_set(e, ERR_invalid, "there is no header line");
	if (!st->output->finish) return true;
	const struct predictor *p = st->predictor;
	bool full = st->options.answer == PREDICT_FULL;
	st->output->finish(st, full ? predictor_full(p, st->scratch, st->scorer.came, st->scorer.keep_input)
					: &p->response);
	return true;
}

static size_t byte_order_mark(const char *bytes, size_t len)
{
	return len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}

static bool too_long(const struct row_stream *st, struct err *e)
{
	return err_set(e, ERR_too_large, "a row is longer than %zu bytes (limits.recordBytes)",
		       st->options.record_bytes_max);
}

bool row_stream_feed(struct row_stream *st, const char *bytes, size_t len, bool end, struct buf *out, struct err *e)
{
	const char *rest;
	bool joined = st->tail.len > 0 || (!st->begun && len < 3 && !end);
	st->out = out;
	st->end = end;
	if (joined) {
		buf_append(&st->tail, bytes, len);
		if (!buf_ok(&st->tail)) return too_long(st, e);
		if (!st->begun && st->tail.len < 3 && !end) return true;
		bytes = st->tail.data;
		len = st->tail.len;
	}
	size_t skip = st->begun ? 0 : byte_order_mark(bytes, len);
	st->begun = true;
	if (!take_records(st, bytes + skip, bytes + len, &rest, e)) return false;
	size_t left = (size_t)(bytes + len - rest);
	if (left > st->options.record_bytes_max) return too_long(st, e);
	if (joined) memmove(st->tail.data, rest, left);
	else buf_append(&st->tail, rest, left);
	st->tail.len = left;
	return !end || finish(st, e);
}

/* --- Whole bodies ------------------------------------------------------------------------------------------------- */

bool predictor_lines(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
		     const char *format, struct buf *out, struct err *e)
{
	struct row_stream_options o = {
		.input = format,
		.output = format,
		.answer = r->output,
		.strict = r->strict,
		.rows_max = r->limits.instances_max,
		.record_bytes_max = PREDICTOR_BODY_MAX,
	};
	if (r->len > PREDICTOR_BODY_MAX)
		return err_set(e, ERR_too_large, "the body is longer than %d bytes", PREDICTOR_BODY_MAX);
	struct row_stream *st = row_stream_open(p, s, &o);
	size_t start = out->len;
	bool ok = row_stream_feed(st, r->body, r->len, true, out, e);
	if (ok && out->len - start > r->limits.answer_bytes_max)
		ok = err_set(e, ERR_too_large, "the answer is longer than %zu bytes (limits.answerBytes)",
			     r->limits.answer_bytes_max);
	row_stream_close(st);
	return ok;
}
