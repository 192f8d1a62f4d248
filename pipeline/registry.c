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
