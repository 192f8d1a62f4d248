#include "pipeline/pipeline.h"

#include "pipeline/response.h"

#include <stdio.h>

void pipeline_release(struct pipeline *p)
{
	for (size_t i = 0; i < p->count; i++) stage_release(&p->stages[i]);
	schema_release(&p->schema);
	arena_release(&p->arena);
	*p = (struct pipeline){0};
}

bool pipeline_parse(struct pipeline *p, const struct json *array, const char *pointer, struct err *e)
{
	size_t faults = e->fault_count;
	if (array->type != JSON_ARRAY || array->count == 0)
		return err_fault(e, pointer, "must be an array of stages, at least one");
	if (array->count > PIPELINE_STAGES_MAX)
		return err_fault(e, pointer, "has %zu stages; the limit is %d", array->count, PIPELINE_STAGES_MAX);
	p->stages = arena_zalloc(&p->arena, array->count, sizeof *p->stages);
	for (const struct json *obj = array->child; obj; obj = obj->next) {
		struct stage *s = &p->stages[p->count];
		if (!stage_parse(s, p->count, obj, pointer, e)) s->lenient = true;
		p->count++;
	}
	return e->fault_count == faults && !err_is(e);
}

/* Columns of which all is known that ever will be: the source's, and what fitted stages made of such. */
struct settled {
	uint8_t *columns;
	size_t count, cap;
};

static void settle(struct settled *to, size_t count, bool as)
{
	MEM_GROW(to->columns, to->cap, count + 1);
	for (; to->count < count; to->count++) to->columns[to->count] = as;
}

static bool check_ready(const struct stage *s, struct settled *settled, size_t columns, struct err *e)
{
	bool known = true;
	for (size_t k = 0; k < s->in_count; k++) known = known && (s->in[k].fit_only || settled->columns[s->in[k].slot]);
	settle(settled, columns, known && s->fitted);
	return !known || !s->fitted || !s->type->ready || s->type->ready(s, e);
}

bool pipeline_bind(struct pipeline *p, const struct schema *input, struct err *e)
{
	struct schema bound;
	struct settled settled = {0};
	schema_copy(&bound, input);
	size_t faults = e->fault_count;
	bool broken = false;
	p->input_count = bound.count;
	settle(&settled, bound.count, true);
	for (size_t i = 0; i < p->count; i++) {
		struct stage *s = &p->stages[i];
		bool unreadable = s->lenient && !s->in && !s->type;
		if (unreadable || !s->type) {
			broken = true;
			continue;
		}
		s->lenient = broken;
		broken |= !stage_bind(s, &bound, e);
		broken |= !broken && !check_ready(s, &settled, bound.count, e);
	}
	mem_free(settled.columns);
	schema_release(&p->schema);
	p->schema = bound;
	p->bound = e->fault_count == faults && !broken;
	if (p->bound) response_rebind(p);
	return p->bound;
}

static void write_stage(const struct stage *s, struct json_writer *w, bool with_version)
{
	json_object_begin(w);
	json_key(w, "stage");
	json_cstr(w, s->type->name);
	if (with_version) {
		json_key(w, "version");
		json_int(w, s->state_version);
	}
	fields_write(s->type->params, s->params, s->given, w);
	json_object_end(w);
}

void pipeline_write_stages(const struct pipeline *p, struct json_writer *w, bool with_version)
{
	json_array_begin(w);
	for (size_t i = 0; i < p->count; i++) write_stage(&p->stages[i], w, with_version);
	json_array_end(w);
}

void pipeline_manifest(const struct pipeline *p, struct json_writer *w)
{
	struct schema input;
	pipeline_request_schema(p, &input);
	json_object_begin(w);
	json_key(w, "input");
	schema_write(&input, w);
	json_key(w, "response");
	response_write(p, w);
	json_key(w, "stages");
	pipeline_write_stages(p, w, true);
	json_key(w, "training");
	if (p->manifest_extra.len) json_raw(w, p->manifest_extra.data, p->manifest_extra.len);
	else json_null(w);
	json_object_end(w);
	schema_release(&input);
}

void pipeline_state(const struct pipeline *p, struct json_writer *w)
{
	json_array_begin(w);
	for (size_t i = 0; i < p->count; i++) {
		const struct stage *s = &p->stages[i];
		json_object_begin(w);
		json_key(w, "index");
		json_int(w, (int64_t)i);
		json_key(w, "stage");
		json_cstr(w, s->type->name);
		if (s->type->state && s->fitted) s->type->state(s, w);
		json_object_end(w);
	}
	json_array_end(w);
}

void pipeline_request_schema(const struct pipeline *p, struct schema *out)
{
	uint8_t *wanted = mem_zalloc(MAX(p->schema.count, (size_t)1), 1);
	for (size_t i = 0; i < p->response_count; i++)
		if (p->response[i].slot >= 0) wanted[p->response[i].slot] = 1;
	struct pipeline_plan plan;
	pipeline_plan_make(&plan, p, wanted, NULL);
	*out = SCHEMA_INIT;
	for (size_t c = 0; c < p->input_count; c++)
		if (plan.input_needed[c]) schema_add(out, &p->schema.columns[c]);
	pipeline_plan_release(&plan);
	mem_free(wanted);
}
