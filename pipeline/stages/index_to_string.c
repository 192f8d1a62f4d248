/* Spark's IndexToString: indices back to labels, given or from the column's nominal values. A fraction is cut off, as
 * Spark does. */
#include "pipeline/ports.h"

#include <math.h>

struct index_to_string_params {
	struct ports ports;
	struct str_list given;
	/* Made by columns(): given, or the column's own. */
	struct str_list labels;
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "labels",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct index_to_string_params, given),
	 .help = "Label of each index; the input column's metadata where not given."},
	FIELD_END,
};

/* The schema may be bound anew, so its labels are copied. */
static struct str_list copy_labels(struct arena *a, const struct str_list *from)
{
	struct str_list to = {arena_zalloc(a, from->count, sizeof *to.items), from->count};
	for (size_t i = 0; i < from->count; i++)
		to.items[i] =
			(struct str){arena_strndup(a, from->items[i].data, from->items[i].len), from->items[i].len};
	return to;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct index_to_string_params *p = s->params;
	if (!ports_bind(s, schema, COL_NUMERIC, COL_STRING, NULL, e)) return false;
	const struct attrs *attrs = schema->columns[s->in[0].slot].attrs;
	if (p->given.count) p->labels = p->given;
	else if (attrs && attrs->list && attrs->list[0].type == ATTR_NOMINAL)
		p->labels = copy_labels(&s->arena, &attrs->list[0].values);
	return true;
}

static bool ready(const struct stage *s, struct err *e)
{
	const struct index_to_string_params *p = s->params;
	return p->labels.count > 0 || stage_fault(s, e, "labels", "not given, and column \"%.*s\" has none", (int)s->in[0].name.len,
						  s->in[0].name.data);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct index_to_string_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) {
			column_null(out);
			continue;
		}
		double v = trunc(column_number_at(in, i));
		if (isnan(v)) v = 0; /* as Scala's toInt, which Spark takes the index with */
		if (!(v >= 0 && v < (double)p->labels.count))
			return stage_data_error(s, b, i, e, "index %g has no label; there are %zu", v, p->labels.count);
		struct str label = p->labels.items[(size_t)v];
		column_str(out, label.data, label.len);
	}
	return true;
}

const struct stage_type index_to_string_stage = {
	.name = "IndexToString",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Turns indices back into labels.",
	.inputs = "double, int64",
	.outputs = "string",
	.params = params,
	.params_size = sizeof(struct index_to_string_params),
	.check = ports_check,
	.columns = columns,
	.ready = ready,
	.apply = apply,
};
