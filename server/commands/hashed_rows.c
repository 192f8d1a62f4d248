#include "server/commands/hashed_rows.h"

#include "data/json_row.h"
#include "server/commands/model_file.h"
#include "server/commands/rows_input.h"
#include "serving/row_stream.h"

enum { VECTOR, HASHES, DISTANCE }; /* columns of hashed_rows.schema */

/* --- The model --------------------------------------------------------------------------------------------------- */

static const struct stage *find_stage(const struct pipeline *p, const char *output_col)
{
	for (size_t i = p->count; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		if (lsh_is(s) && !s->inactive && (!output_col || str_is(s->out[0].name, output_col))) return s;
	}
	return NULL;
}

static bool add_columns(struct hashed_rows *h, const char *distance_col, struct err *e)
{
	struct column_def vector = {.name = h->stage->in[0].name, .type = COL_VECTOR};
	struct column_def hashes = {.name = h->stage->out[0].name, .type = COL_VECTORS};
	CHECK(schema_add(&h->schema, &vector) == VECTOR && schema_add(&h->schema, &hashes) == HASHES);
	if (!distance_col) return true;
	struct column_def distance = {.name = STR(distance_col), .type = COL_DOUBLE};
	return schema_add(&h->schema, &distance) == DISTANCE ||
	       err_set(e, ERR_invalid, "the rows have a column %s already", distance_col);
}

bool hashed_rows_open(struct hashed_rows *h, const char *model, const char *output_col, const char *distance_col,
		      struct err *e)
{
	*h = (struct hashed_rows){0};
	if (!model_file_open(model, &h->predictor, e)) return false;
	h->stage = find_stage(predictor_pipeline(h->predictor), output_col);
	if (!h->stage && output_col)
		return err_set(e, ERR_invalid, "%s has no LSH stage with the outputCol %s", model, output_col);
	if (!h->stage) return err_set(e, ERR_invalid, "%s has no LSH stage", model);
	return add_columns(h, distance_col, e);
}

void hashed_rows_close(struct hashed_rows *h)
{
	schema_release(&h->schema);
	predictor_destroy(h->predictor);
	*h = (struct hashed_rows){0};
}

/* --- Rows, read back as what was made of them --------------------------------------------------------------------- */

struct reading {
	const struct hashed_rows *rows;
	struct json_row row;
	struct batch batch;
	struct buf scratch;
	hashed_rows_each *each;
	void *ctx;
};

static void reading_open(struct reading *r, const struct hashed_rows *h)
{
	static const uint8_t wanted[] = {[VECTOR] = 1, [HASHES] = 1, [DISTANCE] = 0};
	*r = (struct reading){.rows = h, .scratch = BUF_INIT(ROWS_RECORD_BYTES_MAX)};
	json_row_init(&r->row, &h->schema, wanted);
	batch_init(&r->batch, &h->schema);
}

/* The batch is the caller's. */
static void reading_close(struct reading *r)
{
	json_row_release(&r->row);
	buf_release(&r->scratch);
}

static bool read_object(struct reading *r, struct str text, struct err *e)
{
	struct json_scan scan;
	batch_clear(&r->batch);
	json_scan_init(&scan, text.data, text.len, &r->scratch);
	enum json_tok first = json_scan_next(&scan);
	if (first == JSON_TOK_ERROR) return json_scan_error(&scan, e);
	if (json_row_read(&r->row, &scan, first, &r->batch, e) != JSON_ROW_OK) return false;
	return json_scan_next(&scan) == JSON_TOK_END || json_scan_error(&scan, e);
}

static bool take_row(struct reading *r, struct str text, struct err *e)
{
	const struct stage *s = r->rows->stage;
	const struct column *vectors = &r->batch.columns[VECTOR], *hashes = &r->batch.columns[HASHES];
	if (str_is(text, "null")) return true;
	if (!read_object(r, text, e)) return false;
	if (!column_valid(vectors, 0) || hashes->off[1] != lsh_tables(s))
		return err_set(e, ERR_data, "the rows lack what %.*s is made of", (int)s->in[0].name.len,
			       s->in[0].name.data);
	if (r->rows->schema.count > DISTANCE && json_row_has(&r->row, DISTANCE)) {
		struct str name = r->rows->schema.columns[DISTANCE].name;
		return err_set(e, ERR_data, "the rows have a column %.*s already", (int)name.len, name.data);
	}
	return r->each(r->ctx, lsh_row_at(s, vectors, hashes, 0), text, e);
}

static bool take_answers(void *ctx, const struct buf *answers, struct err *e)
{
	const char *p = answers->data, *end = p + answers->len;
	while (p < end) {
		const char *to = memchr(p, '\n', (size_t)(end - p));
		CHECK(to);
		if (!take_row(ctx, (struct str){p, (size_t)(to - p)}, e)) return false;
		p = to + 1;
	}
	return true;
}

bool hashed_rows_read(const struct hashed_rows *h, const char *file, const char *format, hashed_rows_each *each,
		      void *ctx, struct err *e)
{
	struct rows_input in;
	struct reading r;
	if (!rows_input_open(&in, file, format, e)) return false;
	struct predictor_scratch *s = predictor_scratch_create(h->predictor);
	struct row_stream_options o = {
		.input = in.format,
		.output = "ndjson",
		.answer = PREDICT_FULL,
		.whole = true,
		.lenient = true,
		.echo = true,
		.rows_max = SIZE_MAX,
		.record_bytes_max = ROWS_RECORD_BYTES_MAX,
	};
	struct row_stream *st = row_stream_open(h->predictor, s, &o);
	reading_open(&r, h);
	r.each = each;
	r.ctx = ctx;
	bool ok = rows_input_run(&in, st, take_answers, &r, e) || err_wrap(e, "%s", in.name);
	reading_close(&r);
	batch_release(&r.batch);
	row_stream_close(st);
	predictor_scratch_destroy(s);
	rows_input_close(&in);
	return ok;
}

/* --- The key ----------------------------------------------------------------------------------------------------- */

bool hashed_rows_key(const struct hashed_rows *h, const char *text, struct batch *out, struct err *e)
{
	struct buf row = BUF_INIT(ROWS_RECORD_BYTES_MAX);
	struct json_writer w = JSON_WRITER(&row);
	struct reading r;
	json_object_begin(&w);
	json_keyn(&w, h->stage->in[0].name);
	json_raw(&w, text, strlen(text));
	json_object_end(&w);
	reading_open(&r, h);
	r.row.strict = true;
	r.row.prefix = "--key";
	bool ok = buf_ok(&row) ? read_object(&r, (struct str){row.data, row.len}, e)
			       : err_set(e, ERR_too_large, "it is over %zu bytes", row.max);
	if (ok && !column_valid(&r.batch.columns[VECTOR], 0)) ok = err_set(e, ERR_invalid, "it is null");
	if (!ok && !e->fault_count) err_wrap(e, "--key");
	reading_close(&r);
	buf_release(&row);
	*out = r.batch;
	return ok;
}
