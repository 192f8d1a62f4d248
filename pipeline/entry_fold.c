#include "pipeline/entry_fold.h"

struct entry_records *entry_records_create(const struct entry_kind *kind)
{
	struct entry_records *r = mem_zalloc(1, sizeof *r);
	r->kind = kind;
	return r;
}

void entry_records_destroy(struct entry_records *r)
{
	mem_free(r->records);
	mem_free(r);
}

static void destroy(void *acc)
{
	entry_records_destroy(acc);
}

/* The first row decides the length. False: this one has another. */
static bool take_size(struct entry_records *r, size_t size)
{
	if (!r->sized) r->records = mem_zalloc(MAX(size, (size_t)1), r->kind->width);
	if (!r->sized) r->size = size;
	r->sized = true;
	return r->size == size;
}

static bool each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct entry_records *r = acc;
	const struct column *c = &b->columns[s->in[0].slot];
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(c, i)) return stage_data_error(s, b, i, e, "the vector is null");
		struct vec v = column_vec_at(c, i);
		if (!take_size(r, v.size))
			return stage_data_error(s, b, i, e, "the vector has %u entries, those of other rows %zu",
						v.size, r->size);
		r->rows++;
		r->kind->add(r->records, v);
	}
	return true;
}

static char *record_at(const struct entry_records *r, uint64_t j)
{
	return (char *)r->records + j * r->kind->width;
}

static void pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct entry_records *r = acc;
	(void)s;
	buf_f64(out, r->rows);
	if (r->rows == 0) return;
	buf_u64(out, r->size);
	for (size_t j = 0; j < r->size; j++) {
		double seen;
		memcpy(&seen, record_at(r, j), sizeof seen);
		if (seen == 0) continue;
		buf_u64(out, j);
		buf_append(out, record_at(r, j), r->kind->width);
	}
}

static bool merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct entry_records *r = into;
	double rows = cursor_f64(in);
	if (rows == 0) return true;
	size_t size = cursor_u64(in);
	if (!take_size(r, size))
		return err_set(e, ERR_data, "%s (stage %zu): some rows have vectors of %zu entries, others of %zu",
			       s->type->name, s->index, r->size, size);
	r->rows += rows;
	void *other = mem_alloc(r->kind->width);
	while (cursor_left(in) > 0) {
		uint64_t j = cursor_u64(in);
		memcpy(other, cursor_bytes(in, r->kind->width), r->kind->width);
		r->kind->merge(record_at(r, j), other);
	}
	mem_free(other);
	return true;
}

bool entry_fold(struct stage *s, struct fit *f, void *(*create)(const struct stage *s), struct entry_records **out,
		struct err *e)
{
	struct fit_fold fold = {create, each, pack, destroy, merge};
	*out = create(s);
	if (!fit_fold(f, s, &fold, *out, e)) return false;
	const char *lack = (*out)->rows == 0   ? "there are no rows to fit on"
			   : (*out)->size == 0 ? "the vectors have no entries"
					       : NULL;
	return !lack || err_set(e, ERR_data, "%s (stage %zu): %s", s->type->name, s->index, lack);
}
