/* A case of an evaluator: its rows, and for each metric the value that Spark gave. */
#include "pipeline/eval/evaluator.h"

#include "tests/parity/parity.h"

#include <math.h>

/* The metric's name is not among the parameters of a fixture; where Spark refuses it, the message has it. */
static void write_refused_metric(const struct json *c, struct json_writer *w)
{
	static const char before[] = "metricName given invalid value ";
	struct str error = json_get(c, "error")->string;
	const char *at = memmem(error.data, error.len, before, sizeof before - 1);
	if (at) {
		at += sizeof before - 1;
		json_key(w, "metricName");
		json_str(w, (struct str){at, strcspn(at, ".")});
	} else if (memmem(error.data, error.len, "ArrayIndex", 10)) {
		/* An index out of bounds can only come of logLoss, which looks probabilities up by label. */
		json_key(w, "metricName");
		json_cstr(w, "logLoss");
	}
}

/* The evaluator's object for one row of the output; row NULL: for the refusal. */
static const struct json *specification(struct run *r, const struct json *c, const struct json *row)
{
	struct buf text = BUF_INIT((size_t)1 << 24);
	struct json_writer w = JSON_WRITER(&text);
	json_object_begin(&w);
	json_key(&w, "evaluator");
	json_str(&w, r->stage);
	for (const struct json *m = json_get(c, "params")->child; m; m = m->next) {
		if (row && str_is(m->key, "metricName")) continue;
		json_keyn(&w, m->key);
		json_value(&w, m);
	}
	if (row) {
		json_key(&w, "metricName");
		json_value(&w, json_at(row, 0));
	} else write_refused_metric(c, &w);
	json_object_end(&w);
	return reparsed(r, &text);
}

static bool run_evaluator(struct evaluator *ev, const struct json *spec, const struct fixture_table *t,
			  struct dataset *rows, struct err *e)
{
	struct comm *comm = comm_serial_create();
	bool ok = evaluator_parse(ev, spec, "/evaluate/0", e) && evaluator_bind(ev, &t->schema, e) &&
		  evaluator_run(ev, comm, rows, e);
	comm_serial_destroy(comm);
	return ok;
}

static enum outcome compare_value(struct run *r, const struct json *c, const struct evaluator *ev,
				  const struct json *row)
{
	struct str metric = json_at(row, 0)->string;
	double spark = fixture_number(json_at(row, 1));
	if (!fixture_close(ev->value, spark, slack_of(c)))
		return failed(r, "%.*s is %.17g, Spark's is %.17g", (int)metric.len, metric.data, ev->value, spark);
	return ev->larger_better == json_at(row, 2)->boolean ? PASSED : failed(r, "isLargerBetter differs");
}

/* A row of the output: metric, value, whether larger is better, and perhaps why Spark refused this metric. */
static enum outcome check_metric(struct run *r, const struct json *c, const struct fixture_table *t,
				 struct dataset *rows, const struct json *row)
{
	const struct json *error = row ? json_at(row, 3) : json_get(c, "error");
	bool refused = error && error->type == JSON_STRING;
	struct evaluator ev = {0};
	struct err e;
	err_init(&e);
	bool ok = run_evaluator(&ev, specification(r, c, row), t, rows, &e);
	enum outcome o = refused ? (ok ? failed(r, "accepted; Spark: %.*s", 300, error->string.data) : PASSED) :
			 !ok	 ? failed_with(r, "refused", &e) :
				   compare_value(r, c, &ev, row);
	evaluator_release(&ev);
	return o;
}

enum outcome evaluator_case(struct run *r, const struct json *c)
{
	struct fixture_table t;
	struct err e;
	if (!fixture_read(&t, r->stage, c, "rows", r->why)) return FAILED;
	err_init(&e);
	struct dataset *rows = dataset_create(&t.schema, &(struct dataset_options){.shard_count = 1,
										   .memory_max = (uint64_t)1 << 30,
										   .spool_dir = "/tmp"});
	uint8_t *keep = mem_alloc(t.schema.count + 1);
	memset(keep, 1, t.schema.count + 1);
	if (t.rows.rows) assert_ok(dataset_append(rows, &t.rows, keep, &e), &e);
	mem_free(keep);
	const struct json *output = json_get(c, "output");
	enum outcome o = output ? PASSED : check_metric(r, c, &t, rows, NULL);
	for (const struct json *row = output ? json_get(output, "rows")->child : NULL; row && o == PASSED;
	     row = row->next)
		o = check_metric(r, c, &t, rows, row);
	dataset_destroy(rows);
	fixture_release(&t);
	return o;
}
