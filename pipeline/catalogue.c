#include "pipeline/catalogue.h"

#include "pipeline/eval/evaluator.h"

static struct catalogue_entry of_stage(const struct stage_type *t)
{
	return (struct catalogue_entry){
		.member = "stage",
		.name = t->name,
		.kind = t->kind == STAGE_ESTIMATOR ? "estimator" : "transformer",
		.help = t->help,
		.inputs = t->inputs,
		.outputs = t->outputs,
		.params = t->params,
	};
}

static struct catalogue_entry of_evaluator(const struct evaluator_type *t)
{
	return (struct catalogue_entry){
		.member = "evaluator",
		.name = t->name,
		.kind = "evaluator",
		.help = t->help,
		.inputs = t->inputs ? t->inputs : "the columns that its parameters name",
		.outputs = "a metric",
		.params = t->params,
	};
}

bool catalogue_at(size_t i, struct catalogue_entry *out)
{
	size_t stages = 0, evaluators = 0;
	while (stage_types[stages]) stages++;
	while (evaluator_types[evaluators]) evaluators++;
	if (i >= stages + evaluators) return false;
	*out = i < stages ? of_stage(stage_types[i]) : of_evaluator(evaluator_types[i - stages]);
	return true;
}

bool catalogue_find(struct str name, struct catalogue_entry *out)
{
	struct catalogue_entry c;
	for (size_t i = 0; catalogue_at(i, &c); i++) {
		if (!str_is(name, c.name)) continue;
		*out = c;
		return true;
	}
	return false;
}

void catalogue_describe(const struct catalogue_entry *c, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, c->member);
	json_cstr(w, c->name);
	json_key(w, "kind");
	json_cstr(w, c->kind);
	json_key(w, "help");
	json_cstr(w, c->help);
	json_key(w, "parameters");
	fields_describe(c->params, w);
	json_key(w, "inputs");
	json_cstr(w, c->inputs);
	json_key(w, "outputs");
	json_cstr(w, c->outputs);
	json_object_end(w);
}

void catalogue_write_stages(struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "stages");
	json_array_begin(w);
	for (size_t i = 0; stage_types[i]; i++) {
		struct catalogue_entry c = of_stage(stage_types[i]);
		catalogue_describe(&c, w);
	}
	json_array_end(w);
	json_object_end(w);
}
