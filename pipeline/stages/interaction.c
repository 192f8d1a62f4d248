/* Spark's Interaction: the products of the elements of its columns, nominal ones expanded. */
#include "pipeline/product.h"

#include "pipeline/ports.h"

struct interaction_params {
	struct str_list inputs;
	struct str output;
	/* Made by columns(). */
	struct product_factor *columns;      /* [inputs.count] */
	const struct product_factor **parts; /* [inputs.count] pointers to them */
	char why[PRODUCT_WHY_SIZE];          /* what keeps them from interacting; empty: nothing */
};

static const struct field params[] = {
    {.name = "inputCols",
     .type = FIELD_STRINGS,
     .offset = offsetof(struct interaction_params, inputs),
     .required = true,
     .count_min = 1,
     .help = "Columns to multiply: numbers, and vectors whose elements' attributes are known."},
    {.name = "outputCol",
     .type = FIELD_STRING,
     .offset = offsetof(struct interaction_params, output),
     .required = true,
     .help = "Output column."},
    FIELD_END,
};

static bool check(const struct stage *s, struct err *e)
{
	const struct interaction_params *p = s->params;
	struct map seen = MAP_INIT;
	bool distinct = true;
	for (size_t k = 0; distinct && k < p->inputs.count; k++) map_put(&seen, p->inputs.items[k], &distinct);
	map_release(&seen);
	return distinct || stage_fault(s, e, "inputCols", "names a column twice");
}

/* --- Columns ------------------------------------------------------------------------------------------------- */

/* Places that an earlier binding made are used again. */
static void input_of(const struct column_def *def, struct str name, struct product_factor *in)
{
	bool is_vector = def->type == COL_VECTOR;
	size_t size = is_vector && def->attrs ? def->attrs->size : 1;
	*in = (struct product_factor){.name = name,
				      .is_vector = is_vector,
				      .size = size,
				      .list = def->attrs ? def->attrs->list : NULL,
				      .offsets = in->size == size ? in->offsets : NULL};
}

static struct attrs *product_attrs(const struct stage *s, struct arena *a, uint64_t size)
{
	const struct interaction_params *p = s->params;
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	*attrs = ports_size_only((size_t)size);
	if (size > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, MAX(attrs->size, (size_t)1), sizeof *attrs->list);
	product_name(p->parts, p->inputs.count, a, attrs->list);
	return attrs;
}

/* Attributes that only an estimator before tells may be there once it is fitted, so what is missing waits for ready(). */
static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct interaction_params *p = s->params;
	struct arena a = ARENA_INIT;
	bool ok = true, ready = true;
	if (!p->columns) {
		p->columns = arena_zalloc(&s->arena, p->inputs.count, sizeof *p->columns);
		p->parts = arena_zalloc(&s->arena, p->inputs.count, sizeof *p->parts);
	}
	p->why[0] = 0;
	for (size_t k = 0; k < p->inputs.count; k++) {
		int in = stage_input(s, schema, "inputCols", p->inputs.items[k], COL_NUMERIC | COL_BIT(COL_VECTOR), e);
		ok &= in >= 0;
		if (in < 0 || !ready) continue;
		input_of(&schema->columns[in], p->inputs.items[k], &p->columns[k]);
		p->parts[k] = &p->columns[k];
		ready &= product_place(&p->columns[k], &s->arena, p->why);
	}
	struct column_def def = {.name = p->output, .type = COL_VECTOR};
	if (ok && ready) {
		uint64_t size = product_size(p->parts, p->inputs.count);
		if (size > INT32_MAX)
			ok = stage_fault(s, e, "inputCols", "make over %d products", INT32_MAX);
		else
			def.attrs = product_attrs(s, &a, size);
	}
	ok &= stage_output(s, schema, "outputCol", &def, e) >= 0;
	arena_release(&a);
	return ok;
}

static bool ready(const struct stage *s, struct err *e)
{
	const struct interaction_params *p = s->params;
	return !p->why[0] || stage_fault(s, e, "inputCols", "%s", p->why);
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

static void drop_work(void *work)
{
	product_work_release(work);
	mem_free(work);
}

static bool multiply_row(const struct stage *s, const struct batch *b, size_t i, struct product_work *w,
			 struct vec *product, char *why)
{
	const struct interaction_params *p = s->params;
	product_begin(w, s->in_count);
	for (size_t k = 0; k < s->in_count; k++)
		if (!product_cell(p->parts[k], stage_in(s, b, k), i, w, k, why)) return false;
	return product_multiply(p->parts, s->in_count, w, product, why);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	struct product_work *work = scratch_room(sc, 0, sizeof *work);
	char why[PRODUCT_WHY_SIZE];
	sc->drop[0] = drop_work;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec product;
		if (!multiply_row(s, b, i, work, &product, why)) return stage_data_error(s, b, i, e, "%s", why);
		column_compressed(stage_out(s, b, 0), product);
	}
	return true;
}

const struct stage_type interaction_stage = {
    .name = "Interaction",
    .version = 1,
    .kind = STAGE_TRANSFORMER,
    .help = "Multiplies columns with one another, element by element.",
    .inputs = "double, int64, vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct interaction_params),
    .check = check,
    .columns = columns,
    .ready = ready,
    .apply = apply,
};
