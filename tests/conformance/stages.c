/* Every stage of stages.def keeps the contract of pipeline/stage.h, on specimens.json over the tables of rows.json.
 * A stage without a specimen fails the suite. */
#include "tests/conformance/pipelines.h"
#include "tests/support/comm_fork.h"

#include <math.h>
#include <stdio.h>

struct suite {
	struct arena arena;
	struct json *specimens, *tables;
};

static struct json *read_json(struct arena *a, const char *name)
{
	struct err e;
	struct json *out;
	err_init(&e);
	struct str text = support_read(a, arena_printf(a, "%s/tests/conformance/%s", support_source(), name));
	assert_ok(json_parse(a, text.data, text.len, &out, &e), &e);
	return out;
}

static int set_up(void **state)
{
	struct suite *s = mem_zalloc(1, sizeof *s);
	s->specimens = read_json(&s->arena, "specimens.json");
	s->tables = read_json(&s->arena, "rows.json");
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct suite *s = *state;
	arena_release(&s->arena);
	mem_free(s);
	return 0;
}

/* Runs `check` on each specimen with its table. */
static void each_specimen(struct suite *s, void (*check)(const struct json *stages, const struct table *t))
{
	for (const struct json *spec = s->specimens->child; spec; spec = spec->next) {
		const struct json *rows = json_get(spec, "rows");
		char name[64];
		snprintf(name, sizeof name, "%.*s", (int)rows->string.len, rows->string.data);
		struct table t = {0};
		table_read(&t, json_get(s->tables, name));
		check(json_get(spec, "pipeline"), &t);
		table_release(&t);
	}
}

static void fit_serial(struct pipeline *p, const struct json *stages, const struct table *t)
{
	struct err e;
	err_init(&e);
	pipeline_from(p, stages, t);
	struct comm *c = comm_serial_create();
	assert_ok(pipeline_fit_table(p, t, c, &e), &e);
	comm_serial_destroy(c);
}

static void encode(const struct pipeline *p, struct buf *out)
{
	struct err e;
	err_init(&e);
	*out = BUF_INIT(1 << 26);
	assert_ok(pipeline_encode(p, out, &e), &e);
}

/* --- Every row of the table has a specimen --------------------------------------------------------------------------------- */

static void test_every_stage_has_a_specimen(void **state)
{
	struct suite *s = *state;
	for (size_t i = 0; stage_types[i]; i++) {
		bool found = false;
		for (const struct json *spec = s->specimens->child; spec; spec = spec->next)
			for (const struct json *st = json_get(spec, "pipeline")->child; st; st = st->next)
				found |= str_is(json_get(st, "stage")->string, stage_types[i]->name);
		if (!found) fail_msg("specimens.json has none for %s", stage_types[i]->name);
	}
}

/* --- Round trip ------------------------------------------------------------------------------------------------------------ */

static void assert_same_outputs(const struct pipeline *a, const struct pipeline *b, const struct table *t)
{
	struct batch x, y;
	pipeline_apply_rows(a, t, 0, t->rows.rows, &x);
	pipeline_apply_rows(b, t, 0, t->rows.rows, &y);
	assert_int_equal(x.rows, y.rows);
	for (size_t i = 0; i < x.rows; i++) {
		struct buf p = BUF_INIT(1 << 24), q = BUF_INIT(1 << 24);
		pipeline_row_text(a, &x, i, &p);
		pipeline_row_text(b, &y, i, &q);
		assert_string_equal(buf_cstr(&p), buf_cstr(&q));
		buf_release(&p);
		buf_release(&q);
	}
	batch_release(&x);
	batch_release(&y);
}

/* The decoded pipeline lacks source columns that no stage reads; bound to the whole table it must give the same. */
static void check_round_trip(const struct json *stages, const struct table *t)
{
	struct err e;
	struct pipeline p, q;
	struct buf bytes, again;
	err_init(&e);
	fit_serial(&p, stages, t);
	encode(&p, &bytes);
	assert_ok(pipeline_decode(&q, bytes.data, bytes.len, &e), &e);
	encode(&q, &again);
	assert_int_equal(bytes.len, again.len);
	assert_memory_equal(bytes.data, again.data, bytes.len);
	assert_ok(pipeline_bind(&q, &t->schema, &e), &e);
	assert_same_outputs(&p, &q, t);
	buf_release(&bytes);
	buf_release(&again);
	pipeline_release(&p);
	pipeline_release(&q);
}

static void test_round_trip(void **state) { each_specimen(*state, check_round_trip); }

/* --- Same bits for any number of ranks --------------------------------------------------------------------------------------- */

struct gang {
	const struct json *stages;
	const struct table *t;
};

static bool fit_rank(struct comm *c, void *ctx, struct buf *out)
{
	const struct gang *g = ctx;
	struct pipeline p;
	struct err e;
	err_init(&e);
	pipeline_from(&p, g->stages, g->t);
	bool ok = pipeline_fit_table(&p, g->t, c, &e) && pipeline_encode(&p, out, &e);
	pipeline_release(&p);
	return ok;
}

static void check_ranks(const struct json *stages, const struct table *t)
{
	static const unsigned ranks[] = {1, 2, 3, 5};
	struct pipeline p;
	struct buf alone;
	struct gang g = {stages, t};
	fit_serial(&p, stages, t);
	encode(&p, &alone);
	for (size_t k = 0; k < ARRAY_COUNT(ranks); k++) {
		struct buf outs[5];
		for (unsigned r = 0; r < ranks[k]; r++) outs[r] = BUF_INIT(1 << 26);
		assert_true(comm_fork_run(ranks[k], fit_rank, &g, outs));
		for (unsigned r = 0; r < ranks[k]; r++) {
			assert_int_equal(outs[r].len, alone.len);
			assert_memory_equal(outs[r].data, alone.data, alone.len);
			buf_release(&outs[r]);
		}
	}
	buf_release(&alone);
	pipeline_release(&p);
}

static void test_same_bits_for_ranks(void **state) { each_specimen(*state, check_ranks); }

/* --- Batch = row by row = pruned plan ---------------------------------------------------------------------------------------- */

static void check_row_by_row(const struct json *stages, const struct table *t)
{
	struct pipeline p;
	struct batch all;
	fit_serial(&p, stages, t);
	pipeline_apply_rows(&p, t, 0, t->rows.rows, &all);
	size_t at = 0;
	for (size_t i = 0; i < t->rows.rows; i++) {
		struct batch one;
		pipeline_apply_rows(&p, t, i, i + 1, &one);
		assert_in_range(one.rows, 0, 1);
		if (one.rows == 1) {
			struct buf x = BUF_INIT(1 << 24), y = BUF_INIT(1 << 24);
			pipeline_row_text(&p, &all, at++, &x);
			pipeline_row_text(&p, &one, 0, &y);
			assert_string_equal(buf_cstr(&x), buf_cstr(&y));
			buf_release(&x);
			buf_release(&y);
		}
		batch_release(&one);
	}
	assert_int_equal(at, all.rows);
	batch_release(&all);
	pipeline_release(&p);
}

static void test_row_by_row(void **state) { each_specimen(*state, check_row_by_row); }

/* --- Hostile bytes ----------------------------------------------------------------------------------------------------------- */

/* The stage's own decoder, past the container's checksums: cut anywhere, any byte changed. It may accept (a changed number is
 * still a number) or refuse; what it accepts must be safe to encode and release. */
static void try_state(const struct pipeline *p, size_t i, const struct json *stages, const struct table *t, const char *bytes,
		      size_t len)
{
	struct pipeline q;
	struct err e;
	err_init(&e);
	pipeline_from(&q, stages, t);
	struct stage *s = &q.stages[i];
	struct cursor in = CURSOR(bytes, len);
	bool ok = s->type->decode(s, &in, &e);
	if (ok && !in.bad) {
		struct buf out = BUF_INIT(1 << 26);
		s->type->encode(s, &out);
		buf_release(&out);
	}
	(void)p;
	pipeline_release(&q);
}

static void check_hostile_state(const struct json *stages, const struct table *t)
{
	struct pipeline p;
	fit_serial(&p, stages, t);
	for (size_t i = 0; i < p.count; i++) {
		const struct stage *s = &p.stages[i];
		if (!s->type->state_size) continue;
		struct buf bytes = BUF_INIT(1 << 26);
		s->type->encode(s, &bytes);
		size_t step = MAX(bytes.len / 60, (size_t)1);
		for (size_t n = 0; n < bytes.len; n += step) {
			/* An exact copy on the heap, so that a read past the end is seen by the sanitizer. */
			char *cut = mem_alloc(MAX(n, (size_t)1));
			memcpy(cut, bytes.data, n);
			try_state(&p, i, stages, t, cut, n);
			mem_free(cut);
			char old = bytes.data[n];
			static const unsigned char flips[] = {0x01, 0x80, 0xff};
			for (size_t k = 0; k < ARRAY_COUNT(flips); k++) {
				bytes.data[n] = (char)((unsigned char)old ^ flips[k]);
				try_state(&p, i, stages, t, bytes.data, bytes.len);
			}
			bytes.data[n] = old;
		}
		buf_release(&bytes);
	}
	pipeline_release(&p);
}

static void test_hostile_state(void **state) { each_specimen(*state, check_hostile_state); }

/* Every cut and every changed byte of a whole container is refused: checksums cover all of it but padding. */
static void check_hostile_container(const struct json *stages, const struct table *t)
{
	struct pipeline p, q;
	struct buf bytes;
	fit_serial(&p, stages, t);
	encode(&p, &bytes);
	size_t step = MAX(bytes.len / 200, (size_t)1);
	for (size_t n = 0; n < bytes.len; n += step) {
		struct err e;
		err_init(&e);
		assert_false(pipeline_decode(&q, bytes.data, n, &e));
		assert_int_equal(err_status(e.code), 422);
		pipeline_release(&q);
		char old = bytes.data[n];
		bytes.data[n] = (char)(old ^ 0x20);
		err_init(&e);
		bool ok = pipeline_decode(&q, bytes.data, bytes.len, &e);
		assert_true(!ok || old == 0); /* padding may change unseen */
		pipeline_release(&q);
		bytes.data[n] = old;
	}
	buf_release(&bytes);
	pipeline_release(&p);
}

static void test_hostile_container(void **state) { each_specimen(*state, check_hostile_container); }

/* --- Parameters -------------------------------------------------------------------------------------------------------------- */

static bool has_pointer(const struct err *e, const char *pointer)
{
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		if (strncmp(e->faults[i].pointer, pointer, strlen(pointer)) == 0) return true;
	return false;
}

/* Parses [{"stage": name, param: text}] and expects a fault at that parameter. */
static void expect_fault(const struct stage_type *t, const char *param, const char *text)
{
	struct arena a = ARENA_INIT;
	struct pipeline p = {0};
	struct json *array;
	struct err e;
	err_init(&e);
	char *doc = arena_printf(&a, "[{\"stage\":\"%s\",\"%s\":%s}]", t->name, param, text);
	assert_ok(json_parse(&a, doc, strlen(doc), &array, &e), &e);
	err_init(&e);
	bool ok = pipeline_parse(&p, array, "/pipeline", &e);
	char *pointer = arena_printf(&a, "/pipeline/0/%s", param);
	if (ok || !has_pointer(&e, pointer)) fail_msg("%s is accepted, or its fault has no pointer %s", doc, pointer);
	pipeline_release(&p);
	arena_release(&a);
}

static const char *const wrong_type[] = {
	[FIELD_BOOL] = "\"yes\"", [FIELD_INT] = "1.5",	    [FIELD_LONG] = "\"x\"",  [FIELD_DOUBLE] = "true",
	[FIELD_STRING] = "7",	  [FIELD_ENUM] = "\"no such\"", [FIELD_STRINGS] = "\"a\"", [FIELD_DOUBLES] = "[\"a\"]",
	[FIELD_INTS] = "[1.5]",	  [FIELD_TABLE] = "[1]",	    [FIELD_VECTOR] = "{}",
};

static void test_parameters_out_of_bounds(void **state)
{
	(void)state;
	size_t bounds = 0;
	for (size_t i = 0; stage_types[i]; i++) {
		const struct stage_type *t = stage_types[i];
		for (const struct field *f = t->params; f->name; f++) {
			char text[64];
			if (f->type != FIELD_JSON) expect_fault(t, f->name, wrong_type[f->type]);
			bool scalar = f->type == FIELD_INT || f->type == FIELD_LONG || f->type == FIELD_DOUBLE;
			if (!scalar || (f->min == 0 && f->max == 0)) continue;
			if (isfinite(f->min)) {
				snprintf(text, sizeof text, "%.17g",
					 f->type == FIELD_DOUBLE ? f->min - 1 - fabs(f->min) : f->min - 1);
				expect_fault(t, f->name, text);
				bounds++;
			}
			if (isfinite(f->max) && f->max < 1e15) {
				snprintf(text, sizeof text, "%.17g", f->max + 1);
				expect_fault(t, f->name, text);
				bounds++;
			}
		}
		expect_fault(t, "noSuchParameter", "1");
	}
	assert_true(bounds > 10);
}

/* Every column that a stage reads, named wrong, is a fault of this stage. */
static void test_unknown_columns(void **state)
{
	(void)state;
	for (size_t i = 0; stage_types[i]; i++) {
		const struct stage_type *t = stage_types[i];
		struct arena a = ARENA_INIT;
		struct pipeline p = {0};
		struct schema none = SCHEMA_INIT;
		struct json *array;
		struct err e;
		err_init(&e);
		bool single = false, several = false;
		for (const struct field *f = t->params; f->name; f++) {
			single |= strcmp(f->name, "inputCol") == 0;
			several |= strcmp(f->name, "inputCols") == 0;
		}
		char *doc = arena_printf(&a, "[{\"stage\":\"%s\"%s}]", t->name,
					 single ? ",\"inputCol\":\"nowhere\",\"outputCol\":\"o\"" :
					 several ? ",\"inputCols\":[\"nowhere\"],\"outputCol\":\"o\"" : "");
		assert_ok(json_parse(&a, doc, strlen(doc), &array, &e), &e);
		bool ok = pipeline_parse(&p, array, "/pipeline", &e) && pipeline_bind(&p, &none, &e);
		if (ok || !has_pointer(&e, "/pipeline/0/")) fail_msg("%s binds to a table without columns", doc);
		pipeline_release(&p);
		schema_release(&none);
		arena_release(&a);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_stage_has_a_specimen), cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_same_bits_for_ranks),	   cmocka_unit_test(test_row_by_row),
		cmocka_unit_test(test_hostile_state),		   cmocka_unit_test(test_hostile_container),
		cmocka_unit_test(test_parameters_out_of_bounds),   cmocka_unit_test(test_unknown_columns),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
