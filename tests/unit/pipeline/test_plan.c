/* What a plan runs, marks and takes over, and that none of it changes a number. */
#include "tests/unit/pipeline/stage_support.h"

#define NUMBERS \
	"[{\"name\":\"x\",\"type\":\"double\"},{\"name\":\"y\",\"type\":\"double\"},{\"name\":\"label\",\"type\":\"double\"}]"

enum { ROWS = 12 };

static const char stages[] = "[{\"stage\":\"VectorAssembler\",\"inputCols\":[\"x\",\"y\"],\"outputCol\":\"raw\"},"
			     "{\"stage\":\"Normalizer\",\"inputCol\":\"raw\",\"outputCol\":\"features\"},"
			     "{\"stage\":\"Binarizer\",\"inputCol\":\"x\",\"outputCol\":\"unused\"},"
			     "{\"stage\":\"LogisticRegression\"}]";

struct fixture {
	struct stage_table table;
	struct pipeline pipeline;
};

static int fit(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof *f);
	struct comm *c = comm_serial_create();
	struct err e;
	err_init(&e);
	stage_table_init(&f->table, NUMBERS);
	for (size_t i = 0; i < ROWS; i++) {
		struct column *columns = f->table.rows.columns;
		column_double(&columns[0], (double)(i % 5) - 2.5);
		column_double(&columns[1], (double)(i % 3) + 1);
		column_double(&columns[2], i % 4 == 0);
	}
	f->table.rows.rows = ROWS;
	stage_pipeline(&f->pipeline, stages, &f->table);
	assert_ok(stage_fit(&f->pipeline, &f->table, c, 1, &e), &e);
	comm_serial_destroy(c);
	*state = f;
	return 0;
}

static int release(void **state)
{
	struct fixture *f = *state;
	pipeline_release(&f->pipeline);
	stage_table_release(&f->table);
	mem_free(f);
	return 0;
}

static int slot_of(const struct fixture *f, const char *name)
{
	int slot = schema_find(&f->pipeline.schema, STR(name));
	assert_true(slot >= 0);
	return slot;
}

static struct pipeline_plan plan_for(const struct fixture *f, const char *name)
{
	struct pipeline_plan plan;
	uint8_t *wanted = mem_zalloc(f->pipeline.schema.count, 1);
	wanted[slot_of(f, name)] = 1;
	pipeline_plan_make(&plan, &f->pipeline, wanted, NULL);
	mem_free(wanted);
	return plan;
}

static void runs_what_is_needed(void **state)
{
	const struct fixture *f = *state;
	struct pipeline_plan plan = plan_for(f, "probability");
	assert_int_equal(plan.count, 3);
	assert_int_equal(plan.steps[2].stage.index, 3);
	assert_int_equal(plan.steps[1].steal, slot_of(f, "raw"));
	assert_true(plan.input_needed[0] && plan.input_needed[1] && !plan.input_needed[2]);
	for (size_t k = 0; k < plan.steps[2].stage.out_count; k++) {
		const struct stage_port *out = &plan.steps[2].stage.out[k];
		assert_int_equal(out->unread, out->slot != slot_of(f, "probability"));
	}
	assert_false(f->pipeline.stages[3].out[0].unread);
	pipeline_plan_release(&plan);
	plan = plan_for(f, "unused");
	assert_int_equal(plan.count, 1);
	assert_false(plan.steps[0].stage.out[0].unread);
	pipeline_plan_release(&plan);
}

static void outputs_that_nobody_reads_stay_empty(void **state)
{
	const struct fixture *f = *state;
	int prediction = slot_of(f, "prediction"), probability = slot_of(f, "probability");
	struct batch all, last;
	struct err e;
	err_init(&e);
	assert_int_equal(prediction, (int)f->pipeline.schema.count - 1);
	assert_ok(stage_apply(&f->pipeline, &f->table, true, &all, &e), &e);
	assert_ok(stage_apply(&f->pipeline, &f->table, false, &last, &e), &e);
	assert_int_equal(all.columns[probability].rows, ROWS);
	assert_int_equal(last.columns[probability].rows, 0);
	assert_int_equal(last.columns[prediction].rows, ROWS);
	assert_memory_equal(last.columns[prediction].f64, all.columns[prediction].f64, ROWS * sizeof(double));
	batch_release(&all);
	batch_release(&last);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_what_is_needed),
		cmocka_unit_test(outputs_that_nobody_reads_stay_empty),
	};
	return cmocka_run_group_tests_name("plan", tests, fit, release);
}
