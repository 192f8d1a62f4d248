/* A request body as JSON: one row, or {"instances":[…]}. */
#include "data/pointer.h"
#include "serving/scorer.h"

static const char instances_key[] = "instances";

static bool end_of_text(struct json_scan *scan, struct err *e)
{
	return json_scan_next(scan) == JSON_TOK_END || json_scan_error(scan, e);
}

static bool answer_fits(const struct buf *out, size_t start, const struct predictor_limits *l, struct err *e)
{
	if (!out->overflow && out->len - start <= l->answer_bytes_max) return true;
	return err_set(e, ERR_too_large, "the answer is longer than %zu bytes (limits.answerBytes)",
		       l->answer_bytes_max);
}

/* --- One row ------------------------------------------------------------------------------------------------------ */

static bool predict_one(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			struct buf *out, struct err *e)
{
	struct row_rules rules = {.output = r->output, .strict = r->strict};
	struct json_scan scan;
	size_t start = out->len;
	predictor_clear(s);
	s->reader.prefix = "";
	s->reader.index = SIZE_MAX;
	json_scan_init(&scan, r->body, r->len, &s->text);
	enum json_tok first = json_scan_next(&scan);
	if (first == JSON_TOK_ERROR) return json_scan_error(&scan, e);
	enum json_row_result got = predictor_read(p, s, &rules, &scan, first, e);
	if (got == JSON_ROW_BROKEN || !end_of_text(&scan, e) || got == JSON_ROW_FAULTS) return false;
	const struct view *v = r->output == PREDICT_FULL ? predictor_full(p, s, NULL, false) : &p->response;
	if (!predictor_apply(v, s, e)) return predictor_blame(p, s, e);
	if (s->batch.rows) answer_json(&v->answer, &s->batch, 0, &s->element, out);
	else buf_str(out, "null");
	return answer_fits(out, start, &r->limits, e);
}

/* --- Many rows ---------------------------------------------------------------------------------------------------- */

struct instances {
	const struct predictor *p;
	struct predictor_scratch *s;
	const struct predictor_request *r;
	struct scorer scorer;
	struct buf *out;
	size_t start;
	bool comma;
	struct err faults; /* of all rows; none was answered in vain: the whole fails */
};

static enum json_row_result read_again(void *ctx, struct str text, struct err *e)
{
	struct instances *in = ctx;
	struct json_scan scan;
	json_scan_init(&scan, text.data, text.len, &in->s->text);
	return predictor_read(in->p, in->s, &in->scorer.rules, &scan, json_scan_next(&scan), e);
}

static bool answer_instance(void *ctx, const struct view *v, size_t at, struct str text, struct err *e)
{
	struct instances *in = ctx;
	(void)text;
	if (err_is(&in->faults)) return true;
	if (in->comma) buf_char(in->out, ',');
	in->comma = true;
	if (at == SCORER_DROPPED) buf_str(in->out, "null");
	else answer_json(&v->answer, &in->s->batch, at, &in->s->element, in->out);
	return answer_fits(in->out, in->start, &in->r->limits, e);
}

static bool collect_faults(void *ctx, const struct err *why, struct err *e)
{
	struct instances *in = ctx;
	(void)e;
	scorer_collect(&in->scorer, why, &in->faults);
	return true;
}

static bool read_instance(struct instances *in, struct json_scan *scan, enum json_tok first, struct err *e)
{
	struct err why;
	const char *from = scan->token;
	err_init(&why);
	if (!scorer_begin(&in->scorer, e)) return false;
	switch (predictor_read(in->p, in->s, &in->scorer.rules, scan, first, &why)) {
	case JSON_ROW_OK: return scorer_took(&in->scorer, (struct str){from, (size_t)(scan->p - from)}, e);
	case JSON_ROW_FAULTS: return scorer_refuse(&in->scorer, &why, e);
	default: return json_scan_error(scan, e);
	}
}

static bool read_array(struct instances *in, struct json_scan *scan, struct err *e)
{
	enum json_tok tok = json_scan_next(scan);
	if (tok == JSON_TOK_ERROR) return json_scan_error(scan, e);
	if (tok != JSON_TOK_ARRAY_BEGIN) return err_fault(e, "/instances", "must be an array of rows");
	while ((tok = json_scan_next(scan)) != JSON_TOK_ARRAY_END) {
		if (tok == JSON_TOK_ERROR) return json_scan_error(scan, e);
		if (!read_instance(in, scan, tok, e)) return false;
	}
	return scorer_flush(&in->scorer, e);
}

static bool read_request(struct instances *in, struct json_scan *scan, struct err *e)
{
	bool seen = false;
	enum json_tok tok;
	json_scan_next(scan);
	while ((tok = json_scan_next(scan)) == JSON_TOK_KEY) {
		bool instances = str_is(scan->text, instances_key);
		if (instances && seen) return err_set(e, ERR_invalid_json, "member \"instances\" occurs twice");
		if (!instances && in->r->strict)
			err_fault(&in->faults, pointer_keyn("", scan->text).text, "no such member beside instances");
		if (!(instances ? read_array(in, scan, e) : json_scan_skip(scan, json_scan_next(scan))))
			return err_is(e) ? false : json_scan_error(scan, e);
		seen |= instances;
	}
	return (tok == JSON_TOK_OBJECT_END || json_scan_error(scan, e)) && end_of_text(scan, e);
}

static bool predict_instances(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			      struct buf *out, struct err *e)
{
	static const struct scorer_ops ops = {read_again, answer_instance, collect_faults};
	struct instances in = {.p = p, .s = s, .r = r, .out = out, .start = out->len};
	struct json_scan scan;
	err_init(&in.faults);
	in.scorer = (struct scorer){.predictor = p,
					.scratch = s,
					.ops = &ops,
					.ctx = &in,
					.prefix = "/instances",
					.numbered = true,
					.rules = {.output = r->output, .strict = r->strict},
					.rows_max = r->limits.instances_max};
	scorer_open(&in.scorer);
	json_scan_init(&scan, r->body, r->len, &s->text);
	buf_str(out, "{\"predictions\":[");
	bool ok = read_request(&in, &scan, e);
	buf_str(out, "]}");
	if (!ok) return false;
	if (err_is(&in.faults)) {
		*e = in.faults;
		return false;
	}
	return answer_fits(out, in.start, &r->limits, e);
}

/* --- Which -------------------------------------------------------------------------------------------------------- */

/* Could the first member's name be "instances"? Saves most bodies a second reading. */
static bool may_have_instances(const struct predictor_request *r)
{
	size_t i = 0;
	while (i < r->len && r->body[i] != '"') i++;
	return i + 1 < r->len && (r->body[i + 1] == instances_key[0] || r->body[i + 1] == '\\');
}

/* Does the body's first member (any: some member) have the name "instances"? A pipeline's own column of that name
 * comes first. */
static bool has_instances(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			  bool any)
{
	struct json_scan scan;
	json_scan_init(&scan, r->body, r->len, &s->text);
	if (json_scan_next(&scan) != JSON_TOK_OBJECT_BEGIN) return false;
	while (json_scan_next(&scan) == JSON_TOK_KEY) {
		if (str_is(scan.text, instances_key)) return schema_find(&p->input, scan.text) < 0;
		if (!any || !json_scan_skip(&scan, json_scan_next(&scan))) return false;
	}
	return false;
}

bool predictor_json(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			struct buf *out, struct err *e)
{
	size_t start = out->len;
	if (r->len > PREDICTOR_BODY_MAX)
		return err_set(e, ERR_too_large, "the body is longer than %d bytes", PREDICTOR_BODY_MAX);
	if (may_have_instances(r) && has_instances(p, s, r, false)) return predict_instances(p, s, r, out, e);
	if (predict_one(p, s, r, out, e)) return true;
	/* Instances behind other members make a bad row: rare, so looked for only now. */
	if (e->code != ERR_invalid || !has_instances(p, s, r, true)) return false;
	err_init(e);
	out->len = start;
	return predict_instances(p, s, r, out, e);
}
