#include "pipeline/eval/evaluator.h"

#include <stdio.h>

#define EVALUATOR(stem) extern const struct evaluator_type stem##_type;
#include "pipeline/eval/evaluators.def"
#undef EVALUATOR

const struct evaluator_type *const evaluator_types[] = {
#define EVALUATOR(stem) &stem##_type,
#include "pipeline/eval/evaluators.def"
#undef EVALUATOR
	NULL,
};

enum { DETAIL_BYTES_MAX = 16 << 20 };

static const struct evaluator_type *type_find(struct str name)
{
	for (size_t i = 0; evaluator_types[i]; i++)
		if (str_is(name, evaluator_types[i]->name)) return evaluator_types[i];
	return NULL;
}

bool evaluator_parse(struct evaluator *ev, const struct json *obj, const char *pointer, struct err *e)
{
	static const char *const ignore[] = {"evaluator", NULL};
	char at[ERR_POINTER_MAX];
	*ev = (struct evaluator){.detail = BUF_INIT(DETAIL_BYTES_MAX)};
	snprintf(ev->pointer, sizeof ev->pointer, "%s", pointer);
	if (obj->type != JSON_OBJECT) return err_fault(e, pointer, "must be an object {\"evaluator\": …}");
	const struct json *name = json_get(obj, "evaluator");
	snprintf(at, sizeof at, "%s/evaluator", pointer);
	if (!name || name->type != JSON_STRING) return err_fault(e, at, "must name an evaluator");
	ev->type = type_find(name->string);
	if (!ev->type)
		return err_fault(e, at, "there is no evaluator \"%.*s\"", (int)MIN(name->string.len, (size_t)64),
				 name->string.data);
	ev->params = arena_zalloc(&ev->arena, 1, ev->type->params_size);
	if (!fields_parse(ev->type->params, obj, pointer, ignore, &ev->arena, ev->params, &ev->given, e)) return false;
	return !ev->type->check || ev->type->check(ev, e);
}

bool evaluator_bind(struct evaluator *ev, const struct schema *schema, struct err *e)
{
	for (size_t i = 0; i < ARRAY_COUNT(ev->slot); i++) ev->slot[i] = SCHEMA_COLUMN_NONE;
	return ev->type->columns(ev, schema, e);
}

bool evaluator_run(struct evaluator *ev, struct comm *comm, struct dataset *rows, struct err *e)
{
	buf_clear(&ev->detail);
	return ev->type->run(ev, comm, rows, e);
}

void evaluator_release(struct evaluator *ev)
{
	buf_release(&ev->detail);
	arena_release(&ev->arena);
	*ev = (struct evaluator){0};
}

int evaluator_input(struct evaluator *ev, const struct schema *schema, const char *param, struct str column,
		    unsigned types, struct err *e)
{
	char at[ERR_POINTER_MAX], want[128];
	int slot = schema_find(schema, column);
	snprintf(at, sizeof at, "%s/%s", ev->pointer, param);
	if (slot < 0) {
		err_fault(e, at, "there is no column \"%.*s\"", (int)MIN(column.len, (size_t)128), column.data);
		return SCHEMA_COLUMN_NONE;
	}
	if (types & COL_BIT(schema->columns[slot].type)) return slot;
	col_types_text(types, want);
	err_fault(e, at, "column \"%.*s\" is %s, but %s takes %s", (int)MIN(column.len, (size_t)128), column.data,
		  col_type_name(schema->columns[slot].type), ev->type->name, want);
	return SCHEMA_COLUMN_NONE;
}

/* --- What evaluators share
 * ------------------------------------------------------------------------------------------------------ */

bool evaluator_row_error(const struct evaluator *ev, const struct batch *b, size_t row, struct err *e, const char *what)
{
	uint64_t number = b->row_ids ? b->row_ids[row] : b->first_row + row;
	return err_set(e, ERR_data, "%s, row %llu of shard %u: %s", ev->type->name, (unsigned long long)number,
		       b->shard, what);
}

bool evaluator_weight(const struct evaluator *ev, const struct batch *b, size_t row, int slot, double *weight,
		      struct err *e)
{
	*weight = 1;
	if (slot == SCHEMA_COLUMN_NONE) return true;
	const struct column *c = &b->columns[slot];
	if (!column_valid(c, row)) return evaluator_row_error(ev, b, row, e, "the weight is null");
	*weight = column_number_at(c, row);
	return (*weight >= 0 && *weight <= __DBL_MAX__) ||
	       evaluator_row_error(ev, b, row, e, "the weight is negative or not finite");
}

bool evaluator_gather(struct comm *c, struct dataset *rows, const struct evaluator_pass *pass, struct buf *all,
		      struct err *e)
{
	struct buf mine = BUF_INIT(EVALUATOR_BYTES_MAX);
	struct str parts[COMM_RANKS_MAX];
	bool ok = true;
	for (size_t s = comm_shard_first(c, c->rank); ok && s < comm_shard_end(c, c->rank); s++) {
		ok = dataset_scan(rows, s, pass->each, pass->ctx, e);
		if (ok) pass->shard_end(pass->ctx, &mine);
		if (ok && !buf_ok(&mine)) ok = err_set(e, ERR_too_large, "the rows to evaluate need too much memory");
	}
	ok = comm_agree(c, ok, e) && c->ops->gather(c, mine.data, mine.len, all, parts, e);
	buf_release(&mine);
	return ok;
}
