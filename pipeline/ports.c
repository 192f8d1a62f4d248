#include "pipeline/ports.h"

static const struct ports *ports_of(const struct stage *s)
{
	return s->params;
}

static bool has_param(const struct stage *s, const char *name)
{
	for (const struct field *f = s->type->params; f->name; f++)
		if (strcmp(f->name, name) == 0) return true;
	return false;
}

static bool is_several(const struct stage *s)
{
	return has_param(s, "inputCols") && stage_given(s, "inputCols");
}

bool ports_check_inputs(const struct stage *s, struct err *e)
{
	bool single = stage_given(s, "inputCol");
	if (!has_param(s, "inputCols")) return single || stage_fault(s, e, "inputCol", "is required");
	if (single == stage_given(s, "inputCols"))
		return stage_fault(s, e, single ? "inputCols" : "inputCol",
				   single ? "excludes inputCol" : "is required, or inputCols");
	return single || ports_of(s)->inputs.count > 0 ||
	       stage_fault(s, e, "inputCols", "must name at least one column");
}

bool ports_check(const struct stage *s, struct err *e)
{
	const struct ports *p = ports_of(s);
	if (!ports_check_inputs(s, e)) return false;
	if (!has_param(s, "outputCols")) return true;
	if (!is_several(s))
		return !stage_given(s, "outputCols") || stage_fault(s, e, "outputCols", "goes with inputCols only");
	if (stage_given(s, "outputCol")) return stage_fault(s, e, "outputCol", "goes with inputCol only");
	if (p->inputs.count != p->outputs.count)
		return stage_fault(s, e, "outputCols", "has %zu names for %zu input columns", p->outputs.count,
				   p->inputs.count);
	return true;
}

bool ports_check_each(const struct stage *s, const char *one, const char *each, size_t count, struct err *e)
{
	if (!stage_given(s, each)) return true;
	if (!is_several(s)) return stage_fault(s, e, each, "goes with inputCols only");
	if (stage_given(s, one)) return stage_fault(s, e, each, "excludes %s", one);
	return count == ports_count(s) ||
	       stage_fault(s, e, each, "has %zu elements for %zu input columns", count, ports_count(s));
}

size_t ports_count(const struct stage *s)
{
	return is_several(s) ? ports_of(s)->inputs.count : 1;
}

struct str ports_input(const struct stage *s, size_t k)
{
	return is_several(s) ? ports_of(s)->inputs.items[k] : ports_of(s)->input;
}

/* Spark's default is <uid>__output; the stage's name and place are our uid. */
struct str ports_output(const struct stage *s, size_t k)
{
	if (is_several(s) && has_param(s, "outputCols")) return ports_of(s)->outputs.items[k];
	if (stage_given(s, "outputCol")) return ports_of(s)->output;
	/* The arena belongs to the stage, which is only const to its readers. */
	return STR(arena_printf((struct arena *)&s->arena, "%s_%zu__output", s->type->name, s->index));
}

const char *ports_input_param(const struct stage *s)
{
	if (has_param(s, "featuresCol")) return "featuresCol";
	return is_several(s) ? "inputCols" : "inputCol";
}
const char *ports_output_param(const struct stage *s)
{
	return is_several(s) ? "outputCols" : "outputCol";
}

bool ports_bind(struct stage *s, struct schema *schema, unsigned types, enum col_type type, const struct attrs *attrs,
		struct err *e)
{
	int in = stage_input(s, schema, ports_input_param(s), ports_input(s, 0), types, e);
	struct column_def def = {.name = ports_output(s, 0), .type = type, .attrs = attrs};
	int out = stage_output(s, schema, ports_output_param(s), &def, e);
	return in >= 0 && out >= 0;
}

bool ports_bind_as_long(struct stage *s, struct schema *schema, struct err *e)
{
	int in = schema_find(schema, ports_input(s, 0));
	const struct attrs *known = in >= 0 ? schema->columns[in].attrs : NULL;
	struct attrs attrs = ports_size_only(known ? known->size : 0);
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, known && known->is_group ? &attrs : NULL, e);
}

struct attrs ports_size_only(size_t size)
{
	return (struct attrs){.is_group = true, .size = size};
}
