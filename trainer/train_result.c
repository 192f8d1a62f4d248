#include "trainer/train.h"

void train_result_release(struct train_result *r)
{
	buf_release(&r->container);
	buf_release(&r->manifest);
	buf_release(&r->metrics);
	buf_release(&r->evaluation);
	*r = (struct train_result){0};
}

void train_result_encode(const struct train_result *r, struct buf *out)
{
	buf_block(out, r->container.data, r->container.len);
	buf_block(out, r->manifest.data, r->manifest.len);
	buf_block(out, r->metrics.data, r->metrics.len);
	buf_block(out, r->evaluation.data, r->evaluation.len);
	buf_append(out, r->metric, sizeof r->metric);
	buf_u8(out, r->larger_better);
	buf_u64(out, r->rows_train);
	buf_u64(out, r->rows_test);
	buf_append(out, &r->report, sizeof r->report);
}

static void read_block(struct cursor *in, struct buf *to)
{
	size_t len;
	const void *p = cursor_block(in, &len);
	*to = BUF_INIT(len);
	if (p && len) buf_append(to, p, len);
}

static bool is_object(const struct buf *b)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	struct err e;
	err_init(&e);
	bool ok = b->len && json_parse(&a, b->data, b->len, &root, &e) && root->type == JSON_OBJECT;
	arena_release(&a);
	return ok;
}

static bool is_text(const char *s, size_t size) { return memchr(s, 0, size) && str_utf8_valid(s, strlen(s)); }

static bool is_report(const struct source_report *r)
{
	bool ok = r->kept <= SOURCE_MALFORMED_KEPT;
	for (size_t i = 0; ok && i < r->kept; i++) ok = is_text(r->first[i].why, sizeof r->first[i].why);
	return ok;
}

bool train_result_decode(const void *bytes, size_t len, struct train_result *out)
{
	struct cursor in = CURSOR(bytes, len);
	struct train_result r = {0};
	read_block(&in, &r.container);
	read_block(&in, &r.manifest);
	read_block(&in, &r.metrics);
	read_block(&in, &r.evaluation);
	const char *metric = cursor_bytes(&in, sizeof r.metric);
	r.larger_better = cursor_u8(&in) != 0;
	r.rows_train = cursor_u64(&in);
	r.rows_test = cursor_u64(&in);
	const void *report = cursor_bytes(&in, sizeof r.report);
	bool ok = !in.bad && cursor_left(&in) == 0 && metric && report;
	if (ok) {
		memcpy(r.metric, metric, sizeof r.metric);
		memcpy(&r.report, report, sizeof r.report);
	}
	ok = ok && is_text(r.metric, sizeof r.metric) && is_report(&r.report) && r.container.len &&
	     is_object(&r.manifest) && is_object(&r.metrics) && is_object(&r.evaluation);
	if (ok) *out = r;
	else train_result_release(&r);
	return ok;
}
