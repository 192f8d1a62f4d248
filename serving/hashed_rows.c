#include "serving/hashed_rows.h"

#include "data/json_row.h"
#include "data/pointer.h"
#include "serving/row_stream.h"

enum { VECTOR, HASHES, DISTANCE }; /* columns of hashed_rows.schema */
#define HASHED_PIECE_BYTES_MAX ((size_t)4 << 30) /* of the texts of one piece's rows */

/* --- The model --------------------------------------------------------------------------------------------------- */

static const struct stage *find_stage(const struct pipeline *p, struct str output_col)
{
	for (size_t i = p->count; i-- > 0;) {
		const struct stage *s = &p->stages[i];
		if (lsh_is(s) && !s->inactive && (!output_col.data || str_eq(s->out[0].name, output_col))) return s;
	}
	return NULL;
}

bool hashed_rows_init(struct hashed_rows *h, const struct predictor *p, struct str output_col, struct err *e)
{
	const struct pipeline *pl = predictor_pipeline(p);
	*h = (struct hashed_rows){.predictor = p};
	if (!find_stage(pl, (struct str){0})) return err_set(e, ERR_conflict, "the model has no LSH stage");
	h->stage = find_stage(pl, output_col);
	if (!h->stage)
		return err_set(e, ERR_invalid, "the model has no LSH stage with the outputCol %.*s",
			       (int)MIN(output_col.len, (size_t)ERR_DETAIL_MAX), output_col.data);
	struct column_def vector = {.name = h->stage->in[0].name, .type = COL_VECTOR};
	struct column_def hashes = {.name = h->stage->out[0].name, .type = COL_VECTORS};
	struct column_def key = {.name = STR("key"), .type = COL_VECTOR};
	CHECK(schema_add(&h->schema, &vector) == VECTOR && schema_add(&h->schema, &hashes) == HASHES);
	CHECK(schema_add(&h->key, &key) == 0);
	return true;
}

bool hashed_rows_distance(struct hashed_rows *h, struct str name, struct err *e)
{
	struct column_def distance = {.name = name, .type = COL_DOUBLE};
	return schema_add(&h->schema, &distance) == DISTANCE ||
	       err_set(e, ERR_invalid, "the rows have a column %.*s already", (int)MIN(name.len, (size_t)ERR_DETAIL_MAX),
		       name.data);
}

void hashed_rows_release(struct hashed_rows *h)
{
	schema_release(&h->schema);
	schema_release(&h->key);
	*h = (struct hashed_rows){0};
}

/* --- Rows, read back as what was made of them --------------------------------------------------------------------- */

struct hashed_reader {
	const struct hashed_rows *rows;
	struct hashed_reader_options options;
	struct row_stream *stream;
	struct buf shown; /* the rows of a piece, a line each */
	uint64_t shown_bytes;
	size_t taken;     /* rows before the one at hand */
	struct json_row row;
	struct batch batch;
	struct buf scratch;
};

struct hashed_reader *hashed_reader_open(const struct hashed_rows *h, struct predictor_scratch *s,
					 const struct hashed_reader_options *o)
{
	static const uint8_t wanted[] = {[VECTOR] = 1, [HASHES] = 1, [DISTANCE] = 0};
	struct row_stream_options so = {
		.input = o->input,
		.output = "ndjson",
		.answer = PREDICT_FULL,
		.whole = true,
		.lenient = true,
		.echo = true,
		.prefix = o->prefix,
		.faults = o->faults,
		.rows_max = o->rows_max,
		.record_bytes_max = o->record_bytes_max,
	};
	struct hashed_reader *r = mem_zalloc(1, sizeof *r);
	*r = (struct hashed_reader){.rows = h, .options = *o};
	r->stream = row_stream_open(h->predictor, s, &so);
	r->shown = BUF_INIT(MIN(o->shown_bytes_max, HASHED_PIECE_BYTES_MAX));
	r->scratch = BUF_INIT(PREDICTOR_BODY_MAX);
	json_row_init(&r->row, &h->schema, wanted);
	batch_init(&r->batch, &h->schema);
	return r;
}

void hashed_reader_close(struct hashed_reader *r)
{
	if (!r) return;
	row_stream_close(r->stream);
	json_row_release(&r->row);
	batch_release(&r->batch);
	buf_release(&r->shown);
	buf_release(&r->scratch);
	mem_free(r);
}

static bool read_object(struct json_row *row, struct str text, struct buf *scratch, struct batch *out, struct err *e)
{
	struct json_scan scan;
	batch_clear(out);
	json_scan_init(&scan, text.data, text.len, scratch);
	enum json_tok first = json_scan_next(&scan);
	if (first == JSON_TOK_ERROR) return json_scan_error(&scan, e);
	if (json_row_read(row, &scan, first, out, e) != JSON_ROW_OK) return false;
	return json_scan_next(&scan) == JSON_TOK_END || json_scan_error(&scan, e);
}

/* The row at hand cannot be taken. */
static bool refuse(const struct hashed_reader *r, const char *what, struct str column, const char *rest, struct err *e)
{
	const struct hashed_reader_options *o = &r->options;
	int len = (int)MIN(column.len, (size_t)ERR_DETAIL_MAX);
	if (!o->faults)
		return err_set(e, ERR_data, "row %zu %s %.*s%s", r->taken + 1, what, len, column.data, rest);
	err_fault(o->faults, pointer_index(o->prefix, r->taken).text, "%s %.*s%s", what, len, column.data, rest);
	return true;
}

static bool take_row(struct hashed_reader *r, struct str text, struct err *e)
{
	const struct stage *s = r->rows->stage;
	const struct schema *schema = &r->rows->schema;
	const struct column *vectors = &r->batch.columns[VECTOR], *hashes = &r->batch.columns[HASHES];
	if (str_is(text, "null")) return true;
	if (!read_object(&r->row, text, &r->scratch, &r->batch, e)) return false;
	if (!column_valid(vectors, 0) || hashes->off[1] != lsh_tables(s))
		return refuse(r, "lacks what", s->in[0].name, " is made of", e);
	if (schema->count > DISTANCE && json_row_has(&r->row, DISTANCE))
		return refuse(r, "has a column", schema->columns[DISTANCE].name, " already", e);
	return r->options.each(r->options.ctx, lsh_row_at(s, vectors, hashes, 0), text, e);
}

static bool take_rows(struct hashed_reader *r, struct err *e)
{
	const char *p = r->shown.data, *end = p + r->shown.len;
	while (p < end) {
		const char *to = memchr(p, '\n', (size_t)(end - p));
		CHECK(to);
		if (!take_row(r, (struct str){p, (size_t)(to - p)}, e)) return false;
		r->taken++;
		p = to + 1;
	}
	return true;
}

bool hashed_reader_feed(struct hashed_reader *r, struct str piece, bool end, struct err *e)
{
	buf_clear(&r->shown);
	if (!row_stream_feed(r->stream, piece.data, piece.len, end, &r->shown, e)) return false;
	r->shown_bytes += r->shown.len;
	if (r->shown_bytes > r->options.shown_bytes_max)
		return err_set(e, ERR_too_large, "the rows with all their columns are over %zu bytes (limits.answerBytes)",
			       r->options.shown_bytes_max);
	return take_rows(r, e);
}

/* --- The key ----------------------------------------------------------------------------------------------------- */

static struct str key_object(struct str text, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_object_begin(&w);
	json_key(&w, "key");
	json_raw(&w, text.data, text.len);
	json_object_end(&w);
	return (struct str){out->data, out->len};
}

bool hashed_rows_key(const struct hashed_rows *h, struct str text, struct batch *out, struct err *e)
{
	struct buf object = BUF_INIT(PREDICTOR_BODY_MAX), scratch = BUF_INIT(PREDICTOR_BODY_MAX);
	struct json_row row;
	json_row_init(&row, &h->key, NULL);
	row.strict = true;
	batch_init(out, &h->key);
	struct str one = key_object(text, &object);
	bool ok = buf_ok(&object) ? read_object(&row, one, &scratch, out, e)
				  : err_set(e, ERR_too_large, "the key is over %zu bytes", object.max);
	if (ok && !column_valid(&out->columns[0], 0)) ok = err_fault(e, "/key", "must not be null");
	json_row_release(&row);
	buf_release(&scratch);
	buf_release(&object);
	return ok;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

void hashed_rows_write_neighbor(const struct lsh_neighbor *n, struct str distance_col, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	buf_append(out, n->text.data, n->text.len - 1);
	w.comma = true;
	json_keyn(&w, distance_col);
	json_row_double(&w, n->distance);
	json_object_end(&w);
}

void hashed_rows_write_pair(struct str a, struct str b, double distance, struct str distance_col, struct buf *out)
{
	struct json_writer w = JSON_WRITER(out);
	json_object_begin(&w);
	json_key(&w, "datasetA");
	json_raw(&w, a.data, a.len);
	json_key(&w, "datasetB");
	json_raw(&w, b.data, b.len);
	json_keyn(&w, distance_col);
	json_row_double(&w, distance);
	json_object_end(&w);
}
