#include "pipeline/assembly.h"

#include <math.h>
#include <stdio.h>

void assembly_put_vec(struct assembly *r, struct vec v)
{
	if (v.idx)
		for (uint32_t k = 0; k < v.nnz; k++) assembly_put_at(r, r->size + v.idx[k], v.val[k]);
	else
		for (uint32_t k = 0; k < v.nnz; k++) assembly_put_at(r, r->size + k, v.val[k]);
	r->size += v.size;
}

void assembly_end(struct column *out, struct assembly *r)
{
	if (1.5 * ((double)r->nnz + 1) < r->size) {
		column_vec_end(out, r->size, r->nnz, false);
		return;
	}
	column_vec_room(out, r->size, &r->idx, &r->val);
	uint32_t k = r->nnz;
	for (uint32_t at = r->size; at-- > 0;) r->val[at] = k > 0 && r->idx[k - 1] == at ? r->val[--k] : 0;
	column_vec_end(out, r->size, r->size, true);
}

bool assembly_is_invalid(const struct column *c, size_t i)
{
	return !column_valid(c, i) || (c->type == COL_DOUBLE && isnan(c->f64[i]));
}

struct str assembly_join(struct arena *a, struct str column, const char *separator, struct str element)
{
	char *text =
	    arena_printf(a, "%.*s%s%.*s", (int)column.len, column.data, separator, (int)element.len, element.data);
	return STR(text);
}

void assembly_name(struct arena *a, const struct column_def *def, size_t size, struct attr *out)
{
	bool carries = def->attrs && def->attrs->list && (def->type == COL_VECTOR || def->type == COL_DOUBLE);
	for (size_t k = 0; k < size; k++) {
		char number[24];
		out[k] = carries ? def->attrs->list[k] : attr_of(ATTR_NUMERIC, (struct str){0});
		if (def->type != COL_VECTOR) {
			out[k].name = def->name;
			continue;
		}
		snprintf(number, sizeof number, "%zu", k);
		out[k].name = assembly_join(a, def->name, "_", out[k].name.len ? out[k].name : STR(number));
	}
}
