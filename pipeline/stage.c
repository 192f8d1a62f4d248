#include "pipeline/stage.h"

#include <stdarg.h>
#include <stdio.h>

/* --- Scratch --------------------------------------------------------------------------------------------------------- */

void *scratch_room(struct scratch *s, unsigned slot, size_t size)
{
	CHECK(slot < STAGE_SCRATCH_SLOTS);
	if (s->size[slot] < size || !s->slot[slot]) {
		mem_free(s->slot[slot]);
		s->slot[slot] = mem_zalloc(1, MAX(size, (size_t)1));
		s->size[slot] = size;
	}
	return s->slot[slot];
}

void scratch_release(struct scratch *s)
{
	for (unsigned i = 0; i < STAGE_SCRATCH_SLOTS; i++) {
		if (!s->slot[i]) continue;
		if (s->drop[i]) s->drop[i](s->slot[i]);
		else mem_free(s->slot[i]);
	}
	*s = (struct scratch){0};
}

/* --- Life ------------------------------------------------------------------------------------------------------------ */

/* A table that forgets a callback must not wait for a user to notice. */
static void check_type(const struct stage_type *t)
{
	CHECK(t->name && t->help && t->inputs && t->outputs && t->params && t->columns && t->apply && t->version);
	CHECK((t->kind == STAGE_ESTIMATOR) == (t->fit != NULL));
	CHECK(t->state_size == 0 || (t->encode && t->decode));
	CHECK(t->kind == STAGE_TRANSFORMER || t->state_size > 0);
}

bool stage_parse(struct stage *s, size_t index, const struct json *obj, const char *pointer, struct err *e)
{
	static const char *const ignore[] = {"stage", NULL};
	char at[ERR_POINTER_MAX];
	*s = (struct stage){.index = index};
	snprintf(at, sizeof at, "%s/%zu", pointer, index);
	const struct json *name = json_get(obj, "stage");
	if (obj->type != JSON_OBJECT) return err_fault(e, at, "must be an object {\"stage\": …}");
	snprintf(at, sizeof at, "%s/%zu/stage", pointer, index);
	if (!name || name->type != JSON_STRING) return err_fault(e, at, "must name a stage");
	s->type = stage_type_find(name->string);
	if (!s->type)
		return err_fault(e, at, "there is no stage \"%.*s\"; GET /stages lists them",
				 (int)MIN(name->string.len, (size_t)64), name->string.data);
	check_type(s->type);
	snprintf(at, sizeof at, "%s/%zu", pointer, index);
	s->params = arena_zalloc(&s->arena, 1, MAX(s->type->params_size, (size_t)1));
	s->state = arena_zalloc(&s->arena, 1, MAX(s->type->state_size, (size_t)1));
	s->fitted = s->type->kind == STAGE_TRANSFORMER;
	s->state_version = s->type->version;
	if (!fields_parse(s->type->params, obj, at, ignore, &s->arena, s->params, &s->given, e)) return false;
	return !s->type->check || s->type->check(s, e);
}

void stage_release(struct stage *s)
{
	if (s->type && s->type->release && s->state) s->type->release(s);
	mem_free(s->in);
	mem_free(s->out);
	arena_release(&s->arena);
	*s = (struct stage){0};
}

bool stage_given(const struct stage *s, const char *param) { return field_given(s->type->params, s->given, param); }

bool stage_drops_rows(const struct stage *s)
{
	if (s->filters) return true;
	for (const struct field *f = s->type->params; f->name; f++)
		if (f->type == FIELD_ENUM && strcmp(f->name, "handleInvalid") == 0)
			return str_is(*(const struct str *)((const char *)s->params + f->offset), "skip");
	return false;
}

/* --- Binding --------------------------------------------------------------------------------------------------------- */

bool stage_bind(struct stage *s, struct schema *schema, struct err *e)
{
	s->in_count = s->out_count = 0;
	s->inactive = s->filters = false;
	return s->type->columns(s, schema, e);
}

static void port_add(struct stage_port **ports, size_t *count, size_t *cap, struct stage_port port)
{
	MEM_GROW(*ports, *cap, *count + 1);
	(*ports)[(*count)++] = port;
}

static int input(struct stage *s, const struct schema *schema, const char *param, struct str column, unsigned types,
		 bool fit_only, struct err *e)
{
	int slot = schema_find(schema, column);
	if (slot == SCHEMA_COLUMN_NONE) {
		bool excused = s->lenient || (fit_only && s->fitted);
		if (!excused)
			stage_fault(s, e, param, "there is no column \"%.*s\" at this point of the pipeline",
				    (int)MIN(column.len, (size_t)128), column.data);
		return SCHEMA_COLUMN_NONE;
	}
	const struct column_def *def = &schema->columns[slot];
	if (!(types & COL_BIT(def->type))) {
		char want[128];
		col_types_text(types, want);
		stage_fault(s, e, param, "column \"%.*s\" is %s, but %s takes %s", (int)MIN(column.len, (size_t)128),
			    column.data, col_type_name(def->type), s->type->name, want);
		return SCHEMA_COLUMN_NONE;
	}
	port_add(&s->in, &s->in_count, &s->in_cap, (struct stage_port){param, def->name, slot, fit_only});
	return slot;
}

int stage_input(struct stage *s, const struct schema *schema, const char *param, struct str column, unsigned types,
		struct err *e)
{
	return input(s, schema, param, column, types, false, e);
}

int stage_input_fit_only(struct stage *s, const struct schema *schema, const char *param, struct str column, unsigned types,
			 struct err *e)
{
	return input(s, schema, param, column, types, true, e);
}

int stage_output(struct stage *s, struct schema *schema, const char *param, const struct column_def *def, struct err *e)
{
	int slot = schema_add(schema, def);
	if (slot < 0) {
		stage_fault(s, e, param, "output column \"%.*s\" exists already", (int)MIN(def->name.len, (size_t)128),
			    def->name.data);
		return SCHEMA_COLUMN_NONE;
	}
	port_add(&s->out, &s->out_count, &s->out_cap,
		 (struct stage_port){param, schema->columns[slot].name, slot, false});
	return slot;
}

int stage_output_again(struct stage *s, struct schema *schema, const char *param, const struct column_def *def)
{
	int slot = schema_add_again(schema, def);
	port_add(&s->out, &s->out_count, &s->out_cap,
		 (struct stage_port){param, schema->columns[slot].name, slot, false});
	return slot;
}

/* --- Errors ---------------------------------------------------------------------------------------------------------- */

bool stage_fault(const struct stage *s, struct err *e, const char *param, const char *fmt, ...)
{
	char at[ERR_POINTER_MAX], text[ERR_DETAIL_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	snprintf(at, sizeof at, "/pipeline/%zu/%s", s->index, param);
	return err_fault(e, at, "%s", text);
}

bool stage_data_error(const struct stage *s, const struct batch *b, size_t row, struct err *e, const char *fmt, ...)
{
	char text[ERR_DETAIL_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (b->shard == BATCH_NO_SHARD) return err_set(e, ERR_data, "%s (stage %zu): %s", s->type->name, s->index, text);
	uint64_t number = b->row_ids ? b->row_ids[row] : b->first_row + row;
	return err_set(e, ERR_data, "%s (stage %zu), row %llu of shard %u: %s", s->type->name, s->index,
		       (unsigned long long)number, b->shard, text);
}
