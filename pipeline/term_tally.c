#include "pipeline/term_tally.h"

#include "pipeline/ports.h"

static void init(struct term_tally *t) { *t = (struct term_tally){.key = BUF_INIT(BATCH_BYTES_MAX)}; }

void term_tally_release(struct term_tally *t)
{
	map_release(&t->totals);
	mem_free(t->rows);
	mem_free(t->last);
	buf_release(&t->key);
}

static size_t place(struct term_tally *t, struct str key)
{
	bool made;
	struct map_entry *x = map_put(&t->totals, key, &made);
	size_t i = (size_t)(x - t->totals.entries);
	if (made) {
		MEM_GROW(t->rows, t->rows_cap, i + 1);
		MEM_GROW(t->last, t->last_cap, i + 1);
		t->rows[i] = t->last[i] = 0;
	}
	return i;
}

/* --- The fold ---------------------------------------------------------------------------------------------------- */

static void *create(const struct stage *s)
{
	struct term_tally *t = mem_alloc(sizeof *t);
	(void)s;
	init(t);
	return t;
}

static void destroy(void *acc)
{
	term_tally_release(acc);
	mem_free(acc);
}

static bool each(const struct stage *s, void *acc, const struct batch *b, struct err *e)
{
	struct term_tally *t = acc;
	const struct column *in = stage_in(s, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
		t->row_count++;
		for (uint64_t k = in->off[i]; k < in->off[i + 1]; k++) {
			size_t term = place(t, term_key(in, k, &t->key));
			t->totals.entries[term].value++;
			t->rows[term] += t->last[term] != t->row_count;
			t->last[term] = t->row_count;
		}
	}
	return true;
}

static void pack(const struct stage *s, void *acc, struct buf *out)
{
	const struct term_tally *t = acc;
	(void)s;
	buf_u64(out, t->row_count);
	buf_u64(out, t->totals.count);
	for (size_t i = 0; i < t->totals.count; i++) {
		buf_block(out, t->totals.entries[i].key.data, t->totals.entries[i].key.len);
		buf_u64(out, t->totals.entries[i].value);
		buf_u64(out, t->rows[i]);
	}
}

static bool merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct term_tally *t = into;
	(void)s, (void)e;
	t->row_count += cursor_u64(in);
	for (uint64_t n = cursor_u64(in); n > 0 && !in->bad; n--) {
		size_t len;
		const char *key = cursor_block(in, &len);
		size_t term = place(t, (struct str){key, len});
		t->totals.entries[term].value += cursor_u64(in);
		t->rows[term] += cursor_u64(in);
	}
	return true;
}

bool term_tally_fit(struct term_tally *t, struct stage *s, struct fit *f, struct err *e)
{
	static const struct fit_fold fold = {create, each, pack, destroy, merge};
	init(t);
	return fit_fold(f, s, &fold, t, e);
}
