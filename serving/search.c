#include "serving/search.h"

#include "base/field.h"
#include "serving/similarity_join.h"

/* A call under way. */
struct search {
	const struct predictor_request *request;
	struct predictor_scratch *scratch;
	struct hashed_rows hashed;
	struct err faults; /* of the key and of all rows */
	struct buf *out;
	size_t start; /* of the answer in out */
	bool comma;
};

static void search_begin(struct search *c, struct predictor_scratch *s, const struct predictor_request *r, struct buf *out)
{
	*c = (struct search){.request = r, .scratch = s, .out = out, .start = out->len};
	err_init(&c->faults);
}

/* --- The document ------------------------------------------------------------------------------------------------- */

static bool read_document(const struct field *table, const struct predictor_request *r, struct arena *a, void *values,
			  struct err *e)
{
	struct json *doc;
	if (r->len > PREDICTOR_BODY_MAX)
		return err_set(e, ERR_too_large, "the body is longer than %d bytes", PREDICTOR_BODY_MAX);
	return json_outline(a, r->body, r->len, &doc, e) && fields_parse(table, doc, "", NULL, a, values, NULL, e);
}

/* What e says was said of this member. */
static bool blame(const char *pointer, struct err *e)
{
	return e->code == ERR_invalid ? err_fault(e, pointer, "%s", e->detail) : false;
}

static bool is_array(const struct json *rows, const char *pointer, struct err *e)
{
	return rows->type == JSON_ARRAY || err_fault(e, pointer, "must be an array of rows, not %s",
						     json_type_name(rows->type));
}

/* --- Rows --------------------------------------------------------------------------------------------------------- */

static bool read_rows(struct search *c, const struct json *rows, const char *pointer, hashed_rows_each *each, void *ctx,
		      struct err *e)
{
	const struct predictor_limits *limits = &c->request->limits;
	struct hashed_reader_options o = {
		.input = "elements",
		.prefix = pointer,
		.faults = &c->faults,
		.rows_max = limits->instances_max,
		.record_bytes_max = PREDICTOR_BODY_MAX,
		.shown_bytes_max = limits->answer_bytes_max,
		.each = each,
		.ctx = ctx,
	};
	struct str elements = {rows->raw.data + 1, rows->raw.len - 2}; /* without the brackets */
	struct hashed_reader *reader = hashed_reader_open(&c->hashed, c->scratch, &o);
	bool ok = hashed_reader_feed(reader, elements, true, e);
	hashed_reader_close(reader);
	return ok;
}

/* Nothing was found in vain: with faults the whole fails. */
static bool no_faults(const struct search *c, struct err *e)
{
	if (!err_is(&c->faults)) return true;
	*e = c->faults;
	return false;
}

/* --- Answers ------------------------------------------------------------------------------------------------------ */

static void begin_element(struct search *c)
{
	if (c->comma) buf_char(c->out, ',');
	c->comma = true;
}

static bool answer_fits(const struct search *c, struct err *e)
{
	size_t max = c->request->limits.answer_bytes_max;
	return (!c->out->overflow && c->out->len - c->start <= max) ||
	       err_set(e, ERR_too_large, "the answer is longer than %zu bytes (limits.answerBytes)", max);
}

/* --- approxNearestNeighbors --------------------------------------------------------------------------------------- */

struct neighbors {
	const struct json *key, *rows;
	int64_t count;
	struct str distance_col, output_col;
};

#define AT(member) offsetof(struct neighbors, member)
static const struct field neighbors_fields[] = {
	{"key", FIELD_JSON, AT(key), .required = true},
	{"numNearestNeighbors", FIELD_INT, AT(count), .min = 1, .max = INT32_MAX, .required = true},
	{"rows", FIELD_JSON, AT(rows), .required = true},
	{"distCol", FIELD_STRING, AT(distance_col), "\"distCol\""},
	{"outputCol", FIELD_STRING, AT(output_col)},
	FIELD_END,
};
#undef AT

static bool offer(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	(void)e;
	lsh_nearest_offer(ctx, row, text);
	return true;
}

static bool write_neighbors(struct search *c, struct lsh_nearest *n, struct str distance_col, struct err *e)
{
	bool ok = true;
	lsh_nearest_sort(n);
	buf_str(c->out, "{\"neighbors\":[");
	for (size_t i = 0; ok && i < n->count; i++) {
		begin_element(c);
		hashed_rows_write_neighbor(&n->kept[i], distance_col, c->out);
		ok = answer_fits(c, e);
	}
	buf_str(c->out, "]}");
	return ok && answer_fits(c, e);
}

static bool find_neighbors(struct search *c, const struct neighbors *q, struct vec key, struct err *e)
{
	struct lsh_nearest n;
	bool ok = lsh_nearest_init(&n, c->hashed.stage, key, (size_t)q->count, e) || err_fault(e, "/key", "%s", e->detail);
	ok = ok && read_rows(c, q->rows, "/rows", offer, &n, e) && no_faults(c, e) &&
	     write_neighbors(c, &n, q->distance_col, e);
	lsh_nearest_release(&n);
	return ok;
}

static bool open_neighbors(struct search *c, const struct predictor *p, const struct neighbors *q, struct err *e)
{
	if (!hashed_rows_init(&c->hashed, p, q->output_col, e)) return blame("/outputCol", e);
	if (!hashed_rows_distance(&c->hashed, q->distance_col, e)) return blame("/distCol", e);
	return is_array(q->rows, "/rows", e);
}

bool search_neighbors(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
		      struct arena *a, struct buf *out, struct err *e)
{
	struct neighbors q = {0};
	struct search c;
	if (!read_document(neighbors_fields, r, a, &q, e)) return false;
	search_begin(&c, s, r, out);
	bool ok = open_neighbors(&c, p, &q, e);
	if (ok) {
		struct batch key;
		ok = hashed_rows_key(&c.hashed, q.key->raw, &key, e) &&
		     find_neighbors(&c, &q, column_vec_at(&key.columns[0], 0), e);
		batch_release(&key);
	}
	hashed_rows_release(&c.hashed);
	return ok;
}

/* --- approxSimilarityJoin ----------------------------------------------------------------------------------------- */

struct similarity {
	const struct json *a, *b; /* b NULL: a again */
	double threshold;
	struct str distance_col, output_col;
	struct search *call;
};

#define AT(member) offsetof(struct similarity, member)
static const struct field similarity_fields[] = {
	{"datasetA", FIELD_JSON, AT(a), .required = true},
	{"datasetB", FIELD_JSON, AT(b)},
	{"threshold", FIELD_DOUBLE, AT(threshold), .required = true},
	{"distCol", FIELD_STRING, AT(distance_col), "\"distCol\""},
	{"outputCol", FIELD_STRING, AT(output_col)},
	FIELD_END,
};
#undef AT

static bool write_pair(void *ctx, struct str a, struct str b, double distance, struct err *e)
{
	const struct similarity *q = ctx;
	begin_element(q->call);
	hashed_rows_write_pair(a, b, distance, q->distance_col, q->call->out);
	return answer_fits(q->call, e);
}

static bool join(struct search *c, struct similarity *q, struct err *e)
{
	struct similarity_join j;
	similarity_join_init(&j, c->hashed.stage, q->threshold, write_pair, q);
	buf_str(c->out, "{\"pairs\":[");
	bool ok = read_rows(c, q->b ? q->b : q->a, q->b ? "/datasetB" : "/datasetA", similarity_join_take_b, &j, e);
	if (ok) {
		similarity_join_seal(&j);
		ok = q->b ? read_rows(c, q->a, "/datasetA", similarity_join_take_a, &j, e)
			  : no_faults(c, e) && similarity_join_itself(&j, e);
	}
	similarity_join_release(&j);
	buf_str(c->out, "]}");
	return ok && no_faults(c, e) && answer_fits(c, e);
}

static bool open_similarity(struct search *c, const struct predictor *p, const struct similarity *q, struct err *e)
{
	if (!hashed_rows_init(&c->hashed, p, q->output_col, e)) return blame("/outputCol", e);
	if (str_is(q->distance_col, "datasetA") || str_is(q->distance_col, "datasetB"))
		return err_fault(e, "/distCol", "must not be the name of a dataset");
	return is_array(q->a, "/datasetA", e) && (!q->b || is_array(q->b, "/datasetB", e));
}

bool search_similarity(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
		       struct arena *a, struct buf *out, struct err *e)
{
	struct similarity q = {0};
	struct search c;
	if (!read_document(similarity_fields, r, a, &q, e)) return false;
	search_begin(&c, s, r, out);
	q.call = &c;
	bool ok = open_similarity(&c, p, &q, e) && join(&c, &q, e);
	hashed_rows_release(&c.hashed);
	return ok;
}
