#include "pipeline/categories.h"

#include "pipeline/numbering.h"

#include <math.h>

/* --- Counting ---------------------------------------------------------------------------------------------------- */

struct entry_values {
	struct numbering values; /* but NaN */
	uint64_t stored;         /* rows that stored one */
	bool nan;
	bool too_many; /* values is empty then */
};

struct tally {
	uint32_t most;
	bool sized;
	size_t size;
	uint64_t rows;
	struct entry_values *entries; /* [size] */
};

void *categories_tally(uint32_t most)
{
	struct tally *t = mem_zalloc(1, sizeof *t);
	t->most = most;
	return t;
}

static void tally_destroy(void *acc)
{
	struct tally *t = acc;
	for (size_t j = 0; j < t->size; j++) numbering_release(&t->entries[j].values);
	mem_free(t->entries);
	mem_free(t);
}

/* The first row decides the length. False: this one has another. */
static bool take_size(struct tally *t, size_t size)
{
	if (!t->sized) t->entries = mem_zalloc(MAX(size, (size_t)1), sizeof *t->entries);
	if (!t->sized) t->size = size;
	t->sized = true;
	return t->size == size;
}

static void give_up(struct entry_values *v)
{
	numbering_release(&v->values);
	v->values = (struct numbering){0};
	v->too_many = true;
}

static void add_value(struct entry_values *v, double value, uint32_t most)
{
	if (v->too_many) return;
	if (isnan(value))
		v->nan = true;
	else
		numbering_of(&v->values, value + 0.0);
	if (v->values.count + v->nan > most) give_up(v);
}

static bool tally_each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct tally *t = acc;
	const struct column *c = &b->columns[s->in[0].slot];
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(c, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(c, i);
		if (!take_size(t, v.size))
			return stage_data_error(s, b, i, e, "the vector has %u entries, those of other rows %zu",
						v.size, t->size);
		t->rows++;
		for (uint32_t k = 0; k < v.nnz; k++) {
			struct entry_values *entry = &t->entries[v.idx ? v.idx[k] : k];
			entry->stored++;
			add_value(entry, v.val[k], t->most);
		}
	}
	return true;
}

static void tally_pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct tally *t = acc;
	(void)s;
	buf_u64(out, t->rows);
	if (t->rows == 0) return;
	buf_u64(out, t->size);
	for (size_t j = 0; j < t->size; j++) {
		const struct entry_values *v = &t->entries[j];
		if (v->stored == 0) continue;
		buf_u64(out, j);
		buf_u64(out, v->stored);
		buf_u8(out, v->too_many);
		buf_u8(out, v->nan);
		buf_u64(out, v->values.count);
		buf_append(out, v->values.values, v->values.count * sizeof(double));
	}
}

static void merge_entry(struct tally *t, struct cursor *in)
{
	struct entry_values *v = &t->entries[cursor_u64(in)];
	v->stored += cursor_u64(in);
	bool too_many = cursor_u8(in);
	if (cursor_u8(in)) add_value(v, NAN, t->most);
	for (uint64_t k = cursor_u64(in); k > 0; k--) add_value(v, cursor_f64(in), t->most);
	if (too_many) give_up(v);
}

static bool tally_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct tally *t = into;
	uint64_t rows = cursor_u64(in);
	if (rows == 0) return true;
	size_t size = cursor_u64(in);
	if (!take_size(t, size))
		return err_set(e, ERR_data, "%s (stage %zu): some rows have vectors of %zu entries, others of %zu",
			       s->type->name, s->index, t->size, size);
	t->rows += rows;
	while (cursor_left(in) > 0) merge_entry(t, in);
	return true;
}

/* --- Lists ------------------------------------------------------------------------------------------------------- */

static void list_values(struct entry_values *v, struct arena *a, struct category_list *out)
{
	uint32_t *order = numbering_order(&v->values);
	out->values = arena_zalloc(a, v->values.count + v->nan, sizeof *out->values);
	bool zero = false;
	for (size_t k = 0; k < v->values.count; k++) zero |= v->values.values[k] == 0;
	out->count = zero;
	for (size_t k = 0; k < v->values.count; k++) {
		double value = v->values.values[order[k]];
		if (value != 0) out->values[out->count++] = value;
	}
	if (v->nan) out->values[out->count++] = NAN;
	mem_free(order);
}

static void finish(struct tally *t, struct arena *a, struct categories *out)
{
	size_t few = 0;
	for (size_t j = 0; j < t->size; j++) {
		if (t->entries[j].stored < t->rows) add_value(&t->entries[j], 0, t->most);
		few += !t->entries[j].too_many;
	}
	*out = (struct categories){.size = t->size, .lists = arena_zalloc(a, MAX(few, (size_t)1), sizeof *out->lists)};
	for (size_t j = 0; j < t->size; j++) {
		if (t->entries[j].too_many) continue;
		struct category_list *list = &out->lists[out->count++];
		list->entry = (uint32_t)j;
		list_values(&t->entries[j], a, list);
	}
}

bool categories_fit(struct stage *s, struct fit *f, void *(*create)(const struct stage *s), struct arena *a,
		    struct categories *out, struct err *e)
{
	const struct fit_fold fold = {create, tally_each, tally_pack, tally_destroy, tally_merge};
	struct tally *all = create(s);
	bool ok = fit_fold(f, s, &fold, all, e);
	if (ok && all->rows == 0)
		ok = err_set(e, ERR_data, "%s (stage %zu): there are no rows to fit on", s->type->name, s->index);
	if (ok) finish(all, a, out);
	tally_destroy(all);
	return ok;
}

const struct category_list *categories_of(const struct categories *c, uint32_t entry, size_t from)
{
	size_t end = c->count;
	while (from < end) {
		size_t mid = from + (end - from) / 2;
		if (c->lists[mid].entry < entry)
			from = mid + 1;
		else
			end = mid;
	}
	return from < c->count && c->lists[from].entry == entry ? &c->lists[from] : NULL;
}

/* Halves without a branch, which no row's values would let a processor foresee. */
uint32_t category_index(const struct category_list *list, double value)
{
	uint32_t zero = list->count && list->values[0] == 0, left = list->count - zero;
	const double *at = list->values + zero;
	if (value == 0) return zero ? 0 : list->count;
	if (left == 0) return list->count;
	for (; left > 1; left -= left / 2) at += at[left / 2] <= value ? left / 2 : 0;
	return *at == value ? (uint32_t)(at - list->values) : list->count;
}

/* --- Bytes ------------------------------------------------------------------------------------------------------- */

void categories_encode(const struct categories *c, struct buf *out)
{
	buf_u64(out, c->size);
	buf_u64(out, c->count);
	for (size_t k = 0; k < c->count; k++) {
		buf_u32(out, c->lists[k].entry);
		buf_u32(out, c->lists[k].count);
		buf_append(out, c->lists[k].values, c->lists[k].count * sizeof(double));
	}
}

/* As categories_fit leaves them: 0.0 only in front, the others ascending, NaN only at the end. */
static bool is_in_order(const struct category_list *list)
{
	for (uint32_t k = 1; k < list->count; k++) {
		double before = k == 1 && list->values[0] == 0 ? -INFINITY : list->values[k - 1];
		double value = list->values[k];
		if (value == 0 || isnan(before) || value < before || (value == before && k > 1)) return false;
	}
	return list->count > 0;
}

static bool decode_list(struct category_list *list, struct arena *a, struct cursor *in)
{
	list->entry = cursor_u32(in);
	list->count = cursor_u32(in);
	size_t bytes = (size_t)list->count * sizeof(double);
	const void *values = cursor_bytes(in, bytes);
	if (in->bad || !list->count) return false;
	list->values = arena_copy(a, values, bytes);
	return is_in_order(list);
}

bool categories_decode(struct categories *c, struct arena *a, struct cursor *in, struct err *e)
{
	uint64_t size = cursor_u64(in);
	size_t count = cursor_count(in, 2 * sizeof(uint32_t) + sizeof(double));
	bool ok = !in->bad && size <= UINT32_MAX && count <= size;
	*c = (struct categories){.size = (size_t)size};
	if (ok) c->lists = arena_zalloc(a, MAX(count, (size_t)1), sizeof *c->lists);
	for (; ok && c->count < count; c->count++) {
		struct category_list *list = &c->lists[c->count];
		ok = decode_list(list, a, in) && list->entry < size && (c->count == 0 || list[-1].entry < list->entry);
	}
	return ok || err_set(e, ERR_bad_model, "categories are cut or out of order");
}
