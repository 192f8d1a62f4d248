/* Spark's VectorSizeHint: says how long a column's vectors are, and sees to it. The column keeps its name and values.
 */
#include "pipeline/ports.h"

struct vector_size_hint_params {
	struct str input;
	int64_t size;
	struct str handle_invalid;
};

static const char *const invalid_modes[] = {"error", "skip", "optimistic", NULL};
static const struct field params[] = {
    {.name = "inputCol",
     .type = FIELD_STRING,
     .offset = offsetof(struct vector_size_hint_params, input),
     .required = true,
     .help = "Column of vectors."},
    {.name = "size",
     .type = FIELD_INT,
     .offset = offsetof(struct vector_size_hint_params, size),
     .required = true,
     .max = INT32_MAX,
     .help = "Length of its vectors."},
    {.name = "handleInvalid",
     .type = FIELD_ENUM,
     .offset = offsetof(struct vector_size_hint_params, handle_invalid),
     .fallback = "\"error\"",
     .choices = invalid_modes,
     .help = "Null and vectors of another length: error, skip the row, or do not look (optimistic)."},
    FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	const struct vector_size_hint_params *p = s->params;
	int in = stage_input(s, schema, "inputCol", p->input, COL_BIT(COL_VECTOR), e);
	if (in < 0) return false;
	struct column_def def = schema->columns[in];
	struct attrs sized = ports_size_only((size_t)p->size);
	if (!def.attrs) def.attrs = &sized;
	bool ok = def.attrs->size == (size_t)p->size ||
		  stage_fault(s, e, "size", "is %lld, but the vectors have %zu entries by their metadata",
			      (long long)p->size, def.attrs->size);
	stage_output_again(s, schema, "inputCol", &def);
	return ok;
}

static bool is_invalid(const struct stage *s, const struct column *c, size_t i)
{
	const struct vector_size_hint_params *p = s->params;
	return !column_valid(c, i) || c->size[i] != p->size;
}

static void drop_invalid(const struct stage *s, struct batch *b, const struct column *c, struct scratch *sc)
{
	uint8_t *keep = scratch_room(sc, 0, b->rows);
	bool any = false;
	for (size_t i = 0; i < b->rows; i++) {
		keep[i] = !is_invalid(s, c, i);
		any |= !keep[i];
	}
	if (any) batch_filter(b, keep);
}

static bool check_rows(const struct stage *s, const struct batch *b, const struct column *c, struct err *e)
{
	const struct vector_size_hint_params *p = s->params;
	for (size_t i = 0; i < b->rows; i++) {
		if (!is_invalid(s, c, i)) continue;
		if (!column_valid(c, i))
			return stage_data_error(s, b, i, e,
						"the vector is null; handleInvalid \"skip\" drops such rows");
		return stage_data_error(s, b, i, e, "the vector has %u entries, not %lld", c->size[i],
					(long long)p->size);
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct vector_size_hint_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	if (str_is(p->handle_invalid, "skip")) drop_invalid(s, b, in, sc);
	if (str_is(p->handle_invalid, "error") && !check_rows(s, b, in, e)) return false;
	for (size_t i = 0; in != out && i < b->rows; i++) column_copy_row(out, in, i);
	return true;
}

const struct stage_type vector_size_hint_stage = {
    .name = "VectorSizeHint",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Declares and checks the length of a column's vectors.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct vector_size_hint_params),
    .columns = columns,
    .apply = apply,
    .in_place = true,
};
