/* Spark's VectorAssembler: numbers, booleans and vectors side by side in one vector. Zeros are not stored; the result
 * is dense or sparse as Spark's `compressed` has it. NaN inside a vector input is not invalid; NaN or null in a scalar
 * is. */
#include "data/dataset.h"
#include "pipeline/assembly.h"
#include "pipeline/ports.h"

#include <math.h>
#include <stdio.h>

struct vector_assembler_params {
	struct str_list inputs;
	struct str output;
	struct str handle_invalid;
	/* Made by columns(). */
	size_t *sizes; /* [inputs.count]: length of a vector input, SIZE_UNKNOWN where metadata do not tell; 1 for
			  scalars */
};

#define SIZE_UNKNOWN SIZE_MAX

static const char *const invalid_modes[] = {"error", "skip", "keep", NULL};
static const struct field params[] = {
    {.name = "inputCols",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct vector_assembler_params, inputs),
     .required = true,
     .count_min = 1,
     .help = "Columns to put side by side: numbers, booleans, vectors."},
    {.name = "outputCol",
     .type = FIELD_STRING,
     .offset = offsetof(struct vector_assembler_params, output),
     .help = "Output column; <stage>_<index>__output where not given."},
    {.name = "handleInvalid",
     .type = FIELD_ENUM,
     .offset = offsetof(struct vector_assembler_params, handle_invalid),
     .fallback = "\"error\"",
     .choices = invalid_modes,
     .help = "What to do with rows that hold null or NaN: error, skip them, keep them as NaN."},
    FIELD_END,
};

/* --- Metadata ------------------------------------------------------------------------------------------------ */

static size_t input_size(const struct column_def *def)
{
	if (def->type != COL_VECTOR) return 1;
	return def->attrs && def->attrs->is_group ? def->attrs->size : SIZE_UNKNOWN;
}

static struct attrs *assembled_attrs(struct arena *a, const struct stage *s, const struct schema *schema)
{
	const struct vector_assembler_params *p = s->params;
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	attrs->is_group = true;
	for (size_t k = 0; k < p->inputs.count; k++) {
		if (p->sizes[k] == SIZE_UNKNOWN) return NULL;
		attrs->size += p->sizes[k];
	}
	if (attrs->size > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, attrs->size, sizeof *attrs->list);
	size_t at = 0;
	for (size_t k = 0; k < p->inputs.count; k++) {
		assembly_name(a, &schema->columns[s->in[k].slot], p->sizes[k], attrs->list + at);
		at += p->sizes[k];
	}
	return attrs;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct vector_assembler_params *p = s->params;
	struct arena names = ARENA_INIT;
	unsigned types = COL_NUMERIC | COL_BIT(COL_BOOLEAN) | COL_BIT(COL_VECTOR);
	bool ok = true;
	if (!p->sizes) p->sizes = arena_zalloc(&s->arena, p->inputs.count, sizeof *p->sizes);
	for (size_t k = 0; k < p->inputs.count; k++) {
		int slot = stage_input(s, schema, "inputCols", p->inputs.items[k], types, e);
		ok &= slot >= 0;
		p->sizes[k] = slot >= 0 ? input_size(&schema->columns[slot]) : SIZE_UNKNOWN;
	}
	struct column_def def = {.name = p->output, .type = COL_VECTOR};
	if (!stage_given(s, "outputCol"))
		def.name = STR(arena_printf(&names, "%s_%zu__output", s->type->name, s->index));
	if (ok) def.attrs = assembled_attrs(&names, s, schema);
	ok &= stage_output(s, schema, "outputCol", &def, e) >= 0;
	arena_release(&names);
	return ok;
}

/* As Spark, "keep" wants to know how many NaNs a null vector would be, whether or not one comes. */
static bool ready(const struct stage *s, struct err *e)
{
	const struct vector_assembler_params *p = s->params;
	bool ok = true;
	for (size_t k = 0; str_is(p->handle_invalid, "keep") && k < s->in_count; k++)
		if (p->sizes[k] == SIZE_UNKNOWN)
			ok = stage_fault(s, e, "inputCols",
					 "the length of the vectors in \"%.*s\" is not known, which handleInvalid \"keep\" "
					 "needs; add VectorSizeHint before this stage",
					 (int)s->in[k].name.len, s->in[k].name.data);
	return ok;
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

/* The first input that row i lacks; their number where it lacks none. */
static size_t first_invalid(const struct stage *s, const struct batch *b, size_t i)
{
	size_t k = 0;
	while (k < s->in_count && !assembly_is_invalid(stage_in(s, b, k), i)) k++;
	return k;
}

/* Length of row i when it is assembled, and the values it may store. */
static uint64_t measure(const struct stage *s, const struct batch *b, size_t i, size_t *values)
{
	const struct vector_assembler_params *p = s->params;
	uint64_t size = 0;
	*values = 0;
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *c = stage_in(s, b, k);
		bool vector = c->type == COL_VECTOR, whole = column_valid(c, i);
		size += !vector ? 1 : whole ? c->size[i] : p->sizes[k];
		*values += !vector ? 1 : whole ? c->off[i + 1] - c->off[i] : p->sizes[k];
	}
	return size;
}

/* Under "keep" an invalid scalar is NaN, a null vector all NaN. */
static void assemble(const struct stage *s, const struct batch *b, size_t i, struct assembly *r)
{
	const struct vector_assembler_params *p = s->params;
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *c = stage_in(s, b, k);
		if (assembly_is_invalid(c, i))
			for (size_t n = 0; n < p->sizes[k]; n++) assembly_put(r, NAN);
		else if (c->type == COL_VECTOR)
			assembly_put_vec(r, column_vec_at(c, i));
		else
			assembly_put(r, column_number_at(c, i));
	}
}

static void drop_invalid(const struct stage *s, struct batch *b, struct scratch *sc)
{
	uint8_t *keep = scratch_room(sc, 0, b->rows);
	bool any = false;
	for (size_t i = 0; i < b->rows; i++) {
		keep[i] = first_invalid(s, b, i) == s->in_count;
		any |= !keep[i];
	}
	if (any) batch_filter(b, keep);
}

static bool invalid_error(const struct stage *s, const struct batch *b, size_t i, size_t k, struct err *e)
{
	return stage_data_error(s, b, i, e, "column \"%.*s\" is %s; handleInvalid \"skip\" or \"keep\" allows it",
				(int)s->in[k].name.len, s->in[k].name.data,
				column_valid(stage_in(s, b, k), i) ? "NaN" : "null");
}

/* --- Rows of numbers alone, by columns ------------------------------------------------------------------------ */

enum { TABLE_DOUBLES = 1 << 14 }; /* of some rows at a time, which stay in cache */

static bool all_scalars(const struct stage *s, const struct batch *b)
{
	bool all = s->in_count <= TABLE_DOUBLES;
	for (size_t k = 0; all && k < s->in_count; k++) all = stage_in(s, b, k)->type != COL_VECTOR;
	return all;
}

/* Adding 0.0 makes a zero of -0.0, and changes nothing else. True: a value is invalid, and NaN. */
static bool spread_column(const struct column *c, size_t from, size_t rows, double *to, size_t stride)
{
	bool invalid = false, whole = c->type == COL_DOUBLE && !c->valid;
	for (size_t i = 0; whole && i < rows; i++, to += stride) {
		*to = c->f64[from + i] + 0.0;
		invalid |= isnan(*to);
	}
	for (size_t i = 0; !whole && i < rows; i++, to += stride) {
		*to = column_valid(c, from + i) ? column_number_at(c, from + i) + 0.0 : NAN;
		invalid |= isnan(*to);
	}
	return invalid;
}

static void append_row(struct column *out, const double *row, size_t size)
{
	column_compressed(out, (struct vec){.size = (uint32_t)size, .nnz = (uint32_t)size, .val = row});
}

/* False, without an error: a value is invalid where that is not allowed; nothing was appended of its rows. */
static bool assemble_scalars(const struct stage *s, const struct batch *b, struct scratch *sc, bool keep, size_t *done)
{
	size_t width = s->in_count, at_once = MIN(TABLE_DOUBLES / width, b->rows);
	double *table = scratch_room(sc, 1, at_once * width * sizeof *table);
	for (*done = 0; *done < b->rows;) {
		size_t rows = MIN(at_once, b->rows - *done);
		bool invalid = false;
		for (size_t k = 0; k < width; k++)
			invalid |= spread_column(stage_in(s, b, k), *done, rows, table + k, width);
		if (invalid && !keep) return false;
		for (size_t i = 0; i < rows; i++) append_row(stage_out(s, b, 0), table + i * width, width);
		*done += rows;
	}
	return true;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct vector_assembler_params *p = s->params;
	struct column *out = stage_out(s, b, 0);
	bool keep = str_is(p->handle_invalid, "keep");
	size_t from = 0;
	if (str_is(p->handle_invalid, "skip")) drop_invalid(s, b, sc);
	if (all_scalars(s, b) && assemble_scalars(s, b, sc, keep, &from)) return true;
	for (size_t i = from; i < b->rows; i++) {
		size_t values, k = keep ? s->in_count : first_invalid(s, b, i);
		if (k < s->in_count) return invalid_error(s, b, i, k, e);
		if (measure(s, b, i, &values) > INT32_MAX)
			return stage_data_error(s, b, i, e, "the vector is over %d entries", INT32_MAX);
		struct assembly r = assembly_begin(out, values);
		assemble(s, b, i, &r);
		assembly_end(out, &r);
	}
	return true;
}

const struct stage_type vector_assembler_stage = {
    .name = "VectorAssembler",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Puts numbers, booleans and vectors side by side in one vector.",
    .inputs = "double, int64, boolean, vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct vector_assembler_params),
    .columns = columns,
    .ready = ready,
    .apply = apply,
};
