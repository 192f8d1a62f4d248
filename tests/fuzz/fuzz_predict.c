/* A prediction request: whatever comes, the answer is JSON or an error of the request's, and rows as bytes answer
 * the same however they are cut. */
#include "serving/row_stream.h"
#include "tests/fuzz/fuzz.h"

enum { ROWS_MAX = 1000 };

static const char input[] =
	"[{\"name\":\"text\",\"type\":\"string\"},{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"n\",\"type\":\"int64\"},"
	"{\"name\":\"f\",\"type\":\"boolean\"}]";
static const char stages[] = "[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"},"
			     "{\"stage\":\"HashingTF\",\"inputCol\":\"words\",\"outputCol\":\"tf\",\"numFeatures\":16},"
			     "{\"stage\":\"VectorAssembler\",\"inputCols\":[\"tf\",\"x\",\"n\",\"f\"],\"outputCol\":"
			     "\"all\",\"handleInvalid\":\"skip\"}]";
static const char response[] = "{\"first\":\"all[0]\",\"words\":\"words\"}";

static struct json *parse(struct arena *a, const char *text)
{
	struct json *root;
	struct err e;
	err_init(&e);
	CHECK(json_parse(a, text, strlen(text), &root, &e));
	return root;
}

static struct predictor *make(void)
{
	struct arena a = ARENA_INIT;
	struct schema s = SCHEMA_INIT;
	struct pipeline p = {0};
	struct buf container = BUF_INIT(1 << 20);
	struct predictor *out;
	struct err e;
	err_init(&e);
	CHECK(schema_parse(&s, parse(&a, input), "", &e) && pipeline_parse(&p, parse(&a, stages), "", &e));
	CHECK(pipeline_bind(&p, &s, &e) && pipeline_response(&p, parse(&a, response), "", &e));
	CHECK(pipeline_encode(&p, &container, &e) &&
	      predictor_create(container.data, container.len, "fuzz", 1, &out, &e));
	buf_release(&container);
	pipeline_release(&p);
	schema_release(&s);
	arena_release(&a);
	return out;
}

static bool is_json(const char *text, size_t len)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	struct err e;
	err_init(&e);
	bool ok = json_parse(&a, text, len, &root, &e);
	arena_release(&a);
	return ok;
}

static void check_json(const struct predictor *p, struct predictor_scratch *s, const uint8_t *data, size_t size,
		       enum predictor_output output)
{
	struct buf out = BUF_INIT(1 << 26);
	struct err e;
	struct predictor_request r = {.body = (const char *)data,
				      .len = size,
				      .output = output,
				      .strict = size % 3 == 0,
				      .limits = {ROWS_MAX, 1 << 26}};
	err_init(&e);
	if (predictor_json(p, s, &r, &out, &e)) CHECK(is_json(out.data, out.len));
	else CHECK(err_status(e.code) < 500);
	buf_release(&out);
}

static bool stream(const struct predictor *p, struct predictor_scratch *s, const struct row_stream_options *o,
		   const uint8_t *data, size_t size, size_t piece, struct buf *out)
{
	struct row_stream *st = row_stream_open(p, s, o);
	struct err e;
	bool ok = true, end = false;
	err_init(&e);
	for (size_t at = 0; ok && !end; at += piece) {
		size_t n = size - at < piece ? size - at : piece;
		end = at + n == size;
		ok = row_stream_feed(st, (const char *)data + at, n, end, out, &e);
	}
	CHECK(ok || err_status(e.code) < 500);
	row_stream_close(st);
	return ok;
}

/* A row that ends a CSV answer may be found before or after others were answered, so only what succeeds must be
 * equal. */
static void check_lines(const struct predictor *p, struct predictor_scratch *s, const uint8_t *data, size_t size,
			const char *format, bool echo)
{
	struct buf whole = BUF_INIT(1 << 26), cut = BUF_INIT(1 << 26);
	struct row_stream_options o = {.input = format,
				       .output = size % 2 ? "ndjson" : format,
				       .rows_max = ROWS_MAX,
				       .record_bytes_max = 1 << 20,
				       .answer = echo ? PREDICT_FULL : PREDICT_RESPONSE,
				       .echo = echo};
	bool ok = stream(p, s, &o, data, size, size + 1, &whole);
	CHECK(ok == stream(p, s, &o, data, size, 1 + size % 7, &cut));
	if (ok && !echo) CHECK(whole.len == cut.len && (whole.len == 0 || memcmp(whole.data, cut.data, cut.len) == 0));
	bool lines = ok && strcmp(o.output, "ndjson") == 0;
	for (const char *at = whole.data, *to; lines && at && at < whole.data + whole.len; at = to + 1) {
		to = memchr(at, '\n', (size_t)(whole.data + whole.len - at));
		CHECK(to && is_json(at, (size_t)(to - at)));
	}
	buf_release(&whole);
	buf_release(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct predictor *p;
	if (!p) p = make();
	struct predictor_scratch *s = predictor_scratch_create(p);
	check_json(p, s, data, size, PREDICT_RESPONSE);
	check_json(p, s, data, size, PREDICT_FULL);
	for (int echo = 0; echo < 2; echo++) {
		check_lines(p, s, data, size, "ndjson", echo);
		check_lines(p, s, data, size, "csv", echo);
	}
	predictor_scratch_destroy(s);
	return 0;
}
