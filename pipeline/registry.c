#include "pipeline/stage.h"

#define STAGE(stem) extern const struct stage_type stem##_stage;
#define MODEL(stem) extern const struct stage_type stem##_stage;
#include "pipeline/stages.def"
#undef STAGE
#undef MODEL

const struct stage_type *const stage_types[] = {
#define STAGE(stem) &stem##_stage,
#define MODEL(stem) &stem##_stage,
#include "pipeline/stages.def"
#undef STAGE
#undef MODEL
	NULL,
};

const struct stage_type *stage_type_find(struct str name)
{
	for (size_t i = 0; stage_types[i]; i++)
		if (str_is(name, stage_types[i]->name)) return stage_types[i];
	return NULL;
}

void stage_describe(const struct stage_type *t, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "stage");
	json_cstr(w, t->name);
	json_key(w, "kind");
	json_cstr(w, t->kind == STAGE_ESTIMATOR ? "estimator" : "transformer");
	json_key(w, "help");
	json_cstr(w, t->help);
	json_key(w, "parameters");
	fields_describe(t->params, w);
	json_key(w, "inputs");
	json_cstr(w, t->inputs);
	json_key(w, "outputs");
	json_cstr(w, t->outputs);
	json_object_end(w);
}

void stage_catalogue(struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "stages");
	json_array_begin(w);
	for (size_t i = 0; stage_types[i]; i++) stage_describe(stage_types[i], w);
	json_array_end(w);
	json_object_end(w);
}
