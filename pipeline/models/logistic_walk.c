#include "pipeline/models/logistic_walk.h"

#include "data/dataset.h"

static size_t shards_of(const struct logistic_walk *w)
{
	const struct comm *c = w->fit->comm;
	return comm_shard_end(c, c->rank) - comm_shard_first(c, c->rank);
}

void logistic_walk_init(struct logistic_walk *w, struct fit *f, const struct logistic_columns *c,
			const struct logistic_rows *r, const uint32_t *place)
{
	*w = (struct logistic_walk){.fit = f, .columns = *c, .place = place};
	size_t shards = shards_of(w);
	uint64_t stored = 0;
	w->shards = mem_zalloc(MAX(shards, (size_t)1), sizeof *w->shards);
	for (size_t s = 0; s < shards; s++) stored += r->shard_stored[s];
	bool kept = place && stored * sizeof *w->shards->places <= f->memory_max / 2;
	for (size_t s = 0; kept && s < shards; s++)
		w->shards[s].places = mem_zalloc(r->shard_stored[s] + LOGISTIC_AHEAD, sizeof *w->shards->places);
}

void logistic_walk_release(struct logistic_walk *w)
{
	for (size_t s = 0; s < shards_of(w); s++) mem_free(w->shards[s].places);
	mem_free(w->shards);
	mem_free(w->row_places);
	*w = (struct logistic_walk){0};
}

static void place_entries(const uint32_t *place, struct vec v, uint32_t *out)
{
	for (uint32_t k = 0; k < v.nnz; k++) out[k] = place[v.idx ? v.idx[k] : k];
}

/* Kept places are made on the first walk. */
static const uint32_t *row_places(struct logistic_walk *w, struct vec v)
{
	uint32_t *kept = w->shards[w->shard].places;
	if (!w->place) return v.idx;
	if (kept) {
		kept += w->entry;
		w->entry += v.nnz;
		if (!w->shards[w->shard].filled) place_entries(w->place, v, kept);
		return kept;
	}
	MEM_GROW(w->row_places, w->row_places_cap, (size_t)v.nnz + LOGISTIC_AHEAD);
	place_entries(w->place, v, w->row_places);
	memset(w->row_places + v.nnz, 0, LOGISTIC_AHEAD * sizeof *w->row_places);
	return w->row_places;
}

static bool add_batch(void *ctx, const struct batch *b, struct err *e)
{
	struct logistic_walk *w = ctx;
	const struct column *features = &b->columns[w->columns.features];
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(features, i);
		struct logistic_row row = {row_places(w, v), v.val, v.nnz, logistic_label(&w->columns, b, i),
					   logistic_weight(&w->columns, b, i)};
		if (row.weight > 0) w->adder->row(w->ctx, &row, w->leaf);
	}
	return true;
}

bool logistic_walk_sum(struct logistic_walk *w, size_t n, const struct logistic_adder *adder, void *ctx, double *sum,
		       struct err *e)
{
	struct comm *c = w->fit->comm;
	size_t first = comm_shard_first(c, c->rank);
	bool ok = true;
	w->adder = adder;
	w->ctx = ctx;
	for (w->shard = 0; ok && w->shard < shards_of(w); w->shard++) {
		w->entry = 0;
		w->leaf = c->ops->leaf(c, w->shard, n);
		adder->begin(ctx, w->leaf);
		ok = fit_scan(w->fit, first + w->shard, add_batch, w, e);
		if (adder->end) adder->end(ctx, w->leaf);
		w->shards[w->shard].filled = ok;
	}
	return comm_agree(c, ok, e) && c->ops->sum_shards(c, n, sum, e);
}
