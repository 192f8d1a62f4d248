/* One fixture file of what a real Spark 4.0.1 answered: every case is run and compared (tests/parity/README.md).
 *
 *     parity_case FIXTURE.json [CASE]
 *
 * Ends with the line "N passed, N failed, N skipped". A case may be skipped only if it is of class U, if its rows are
 * in the shared data and those are absent, or if known-differences.txt lists it; what is listed there must still
 * differ. */
#include "tests/parity/parity.h"

#include <stdio.h>

enum outcome failed(struct run *r, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	vsnprintf(r->why, sizeof r->why, fmt, args);
	va_end(args);
	return FAILED;
}

enum outcome failed_with(struct run *r, const char *what, const struct err *e)
{
	size_t n = (size_t)snprintf(r->why, sizeof r->why, "%s: %s", what, e->detail);
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX && n < sizeof r->why; i++)
		n += (size_t)snprintf(r->why + n, sizeof r->why - n, "; %s %s", e->faults[i].pointer,
				      e->faults[i].detail);
	return FAILED;
}

struct fixture_slack slack_of(const struct json *c)
{
	const struct json *rtol = json_get(c, "rtol"), *atol = json_get(c, "atol");
	bool optimum = str_is(json_get(c, "class")->string, "O");
	struct fixture_slack slack = {.rtol = optimum ? 1e-6 : 1e-12};
	if (rtol) slack.rtol = rtol->number;
	if (atol) slack.atol = atol->number;
	if (optimum) slack.norm_rtol = slack.rtol;
	return slack;
}

const struct json *reparsed(struct run *r, struct buf *text)
{
	struct json *out;
	struct err e;
	err_init(&e);
	assert_true(buf_ok(text));
	char *kept = arena_strndup(&r->arena, text->data, text->len);
	assert_ok(json_parse(&r->arena, kept, text->len, &out, &e), &e);
	buf_release(text);
	return out;
}

/* "Stage/case: reason" on a line of known-differences.txt. */
static bool is_known(const struct run *r, struct str known, struct str name)
{
	char line[256];
	int n = snprintf(line, sizeof line, "\n%.*s/%.*s:", (int)r->stage.len, r->stage.data, (int)name.len, name.data);
	return memmem(known.data, known.len, line, (size_t)n) != NULL;
}

static enum outcome run_case(struct run *r, const struct json *c, bool evaluator, struct str known)
{
	r->why[0] = 0;
	if (str_is(json_get(c, "class")->string, "U")) return SKIPPED;
	enum outcome o = evaluator ? evaluator_case(r, c) : stage_case(r, c);
	if (!is_known(r, known, json_get(c, "case")->string)) return o;
	return o == PASSED ? failed(r, "listed in known-differences.txt, but it passes") : SKIPPED;
}

int main(int argc, char **argv)
{
	static const char *const words[] = {"passed", "FAILED", "skipped"};
	struct run r = {0};
	size_t counts[3] = {0};
	if (argc < 2) return 2;
	struct str text = support_read(&r.arena, argv[1]);
	struct str known = support_read(
		&r.arena, arena_printf(&r.arena, "%s/tests/parity/known-differences.txt", support_source()));
	struct buf copy = BUF_INIT(text.len + 1);
	buf_append(&copy, text.data, text.len);
	const struct json *fixture = reparsed(&r, &copy);
	r.stage = json_get(fixture, "stage")->string;
	bool evaluator = strstr(argv[1], "/evaluators/") != NULL;
	for (const struct json *c = json_get(fixture, "cases")->child; c; c = c->next) {
		struct str name = json_get(c, "case")->string;
		if (argc > 2 && !str_is(name, argv[2])) continue;
		enum outcome o = run_case(&r, c, evaluator, known);
		counts[o]++;
		if (o != PASSED)
			printf("%s %.*s/%.*s %s\n", words[o], (int)r.stage.len, r.stage.data, (int)name.len, name.data,
			       r.why);
	}
	printf("%zu passed, %zu failed, %zu skipped\n", counts[PASSED], counts[FAILED], counts[SKIPPED]);
	arena_release(&r.arena);
	return counts[FAILED] > 0 || counts[PASSED] == 0;
}
