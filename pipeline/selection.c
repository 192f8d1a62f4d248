#include "pipeline/selection.h"

#include "pipeline/ports.h"

enum { WORD = 64 };
#define DROPPED UINT32_MAX

static size_t words_of(size_t size)
{
	return (size + WORD - 1) / WORD;
}

static bool is_kept(const struct selection *sel, size_t j)
{
	return sel->mask[j / WORD] >> (j % WORD) & 1;
}

/* Where feature j lands, or DROPPED. */
static uint32_t place_of(const struct selection *sel, uint32_t j)
{
	uint64_t word = sel->mask[j / WORD], bit = (uint64_t)1 << (j % WORD);
	if (!(word & bit)) return DROPPED;
	return sel->before[j / WORD] + (uint32_t)__builtin_popcountll(word & (bit - 1));
}

bool selection_make(struct stage *s, struct selection *sel, size_t size, const uint32_t *chosen, size_t count)
{
	*sel = (struct selection){
	    .size = size,
	    .count = count,
	    .chosen = arena_zalloc(&s->arena, count, sizeof *sel->chosen),
	    .kept = arena_zalloc(&s->arena, count, sizeof *sel->kept),
	    .mask = arena_zalloc(&s->arena, words_of(size), sizeof *sel->mask),
	    .before = arena_zalloc(&s->arena, words_of(size), sizeof *sel->before),
	};
	for (size_t k = 0; k < count; k++) {
		if (chosen[k] >= size || is_kept(sel, chosen[k])) return false;
		sel->chosen[k] = chosen[k];
		sel->mask[chosen[k] / WORD] |= (uint64_t)1 << (chosen[k] % WORD);
	}
	uint32_t at = 0;
	for (size_t w = 0; w < words_of(size); w++) {
		sel->before[w] = at;
		for (uint64_t bits = sel->mask[w]; bits; bits &= bits - 1)
			sel->kept[at++] = (uint32_t)(w * WORD) + (uint32_t)__builtin_ctzll(bits);
	}
	return true;
}

/* --- Columns ------------------------------------------------------------------------------------------------- */

static struct attrs *kept_attrs(struct arena *a, const struct selection *sel, const struct attrs *in,
				enum attr_type plain)
{
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	bool named = in && in->list && in->size == sel->size;
	*attrs = ports_size_only(sel->count);
	if (sel->count > PORTS_NAMED_MAX) return attrs;
	attrs->list = arena_zalloc(a, sel->count, sizeof *attrs->list);
	for (size_t k = 0; k < sel->count; k++)
		attrs->list[k] = named ? in->list[sel->kept[k]] : attr_of(plain, (struct str){0});
	return attrs;
}

bool selection_columns(struct stage *s, struct schema *schema, const struct selection *sel, enum attr_type plain,
		       struct err *e)
{
	struct arena a = ARENA_INIT;
	int in = schema_find(schema, ports_input(s, 0));
	const struct attrs *known = in >= 0 ? schema->columns[in].attrs : NULL;
	const struct attrs *attrs = s->fitted ? kept_attrs(&a, sel, known, plain) : NULL;
	bool ok = ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, attrs, e);
	arena_release(&a);
	return ok;
}

/* --- Rows ---------------------------------------------------------------------------------------------------- */

static void select_dense(const struct selection *sel, struct vec v, struct column *out)
{
	uint32_t *idx;
	double *val;
	column_vec_room(out, sel->count, &idx, &val);
	for (size_t k = 0; k < sel->count; k++) val[k] = v.val[sel->kept[k]];
	column_vec_end(out, (uint32_t)sel->count, sel->count, true);
}

static void select_sparse(const struct selection *sel, struct vec v, struct column *out)
{
	uint32_t *idx, nnz = 0;
	double *val;
	column_vec_room(out, v.nnz, &idx, &val);
	for (uint32_t k = 0; k < v.nnz; k++) {
		uint32_t place = place_of(sel, v.idx[k]);
		if (place == DROPPED) continue;
		idx[nnz] = place;
		val[nnz++] = v.val[k];
	}
	column_vec_end(out, (uint32_t)sel->count, nnz, false);
}

bool selection_apply(const struct stage *s, struct batch *b, const struct selection *sel, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(in, i);
		if (v.size != sel->size)
			return stage_data_error(s, b, i, e, "the vector has %u entries, the model %zu", v.size,
						sel->size);
		if (v.idx)
			select_sparse(sel, v, out);
		else
			select_dense(sel, v, out);
	}
	return true;
}

/* --- Bytes: the mask is written though it follows from the features, so that what decoding allocates is in proportion
 * to the bytes at hand --------------------------------------------------------------------------------------------- */

void selection_encode(const struct selection *sel, struct buf *out)
{
	buf_u64(out, sel->size);
	buf_append(out, sel->mask, words_of(sel->size) * sizeof *sel->mask);
	buf_u64(out, sel->count);
	buf_append(out, sel->chosen, sel->count * sizeof *sel->chosen);
}

bool selection_decode(struct stage *s, struct selection *sel, struct cursor *in, struct err *e)
{
	size_t size = cursor_u64(in);
	if (size > INT32_MAX) return err_set(e, ERR_bad_model, "its vectors are too long");
	size_t mask_bytes = words_of(size) * sizeof *sel->mask;
	const void *mask = cursor_bytes(in, mask_bytes);
	size_t count = cursor_count(in, sizeof *sel->chosen), bytes = count * sizeof *sel->chosen;
	const void *from = cursor_bytes(in, bytes);
	if (in->bad) return err_set(e, ERR_bad_model, "the selected features are cut");
	uint32_t *chosen = mem_alloc(MAX(bytes, (size_t)1));
	if (count) memcpy(chosen, from, bytes);
	bool ok = selection_make(s, sel, size, chosen, count);
	ok = ok && (size == 0 || memcmp(sel->mask, mask, mask_bytes) == 0);
	mem_free(chosen);
	return ok || err_set(e, ERR_bad_model, "the selected features do not agree with their mask");
}

void selection_state(const struct selection *sel, struct json_writer *w)
{
	json_key(w, "selectedFeatures");
	json_array_begin(w);
	for (size_t k = 0; k < sel->count; k++) json_int(w, sel->chosen[k]);
	json_array_end(w);
}
