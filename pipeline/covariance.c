#include "pipeline/covariance.h"
#include "data/vec.h"
#include "pipeline/linalg.h"

/* A panel is PANEL columns of the lower triangle, from its first row on the diagonal down, row by row. */
enum { PANEL = 128, CHUNK_ROWS = 256 };

struct pass {
	const struct stage *stage;
	const struct moments *m;
	size_t first, end; /* panels of this pass */
	double *chunk;     /* [CHUNK_ROWS][size] centred rows */
};

/* What is summed: of the sparse rows their number and sum, then the panels. */
struct sums {
	double *count, *sum, *panels;
};

static struct sums sums_of(const struct pass *p, double *acc)
{
	return (struct sums){acc, acc + 1, acc + 1 + p->m->size};
}

static size_t panel_count(size_t size)
{
	return (size + PANEL - 1) / PANEL;
}
static size_t panel_width(size_t size, size_t panel)
{
	return MIN((size_t)PANEL, size - panel * PANEL);
}
static size_t panel_height(size_t size, size_t panel)
{
	return size - panel * PANEL;
}
static size_t panel_room(size_t size, size_t panel)
{
	return panel_width(size, panel) * panel_height(size, panel);
}

static void centre(const double *restrict mean, struct vec v, double *restrict to)
{
	const double *restrict from = v.val;
	for (size_t j = 0, n = v.size; j < n; j++) to[j] = from[j] - mean[j];
}

static void add_chunk(const struct pass *p, size_t rows, double *panel)
{
	size_t size = p->m->size;
	for (size_t k = p->first; rows && k < p->end; k++) {
		struct linalg_block from = {p->chunk + k * PANEL, size};
		size_t width = panel_width(size, k);
		linalg_add_products(rows, panel_height(size, k), width, from, from,
				    (struct linalg_block){panel, width});
		panel += panel_room(size, k);
	}
}

static void add_sparse(const struct pass *p, struct vec v, struct sums to)
{
	size_t size = p->m->size;
	double *panel = to.panels;
	(*to.count)++;
	vec_axpy(1, v, to.sum);
	for (size_t k = p->first; k < p->end; k++) {
		size_t top = k * PANEL, width = panel_width(size, k);
		uint32_t begin = vec_place(v, (uint32_t)top), end = vec_place(v, (uint32_t)(top + width));
		for (uint32_t r = begin; begin < end && r < v.nnz; r++) {
			double *row = panel + (v.idx[r] - top) * width;
			for (uint32_t c = begin; c < end; c++) row[v.idx[c] - top] += v.val[r] * v.val[c];
		}
		panel += panel_room(size, k);
	}
}

static void add_batch(void *ctx, const struct batch *b, double *acc)
{
	const struct pass *p = ctx;
	const struct column *in = &b->columns[p->stage->in[0].slot];
	struct sums to = sums_of(p, acc);
	size_t held = 0;
	for (size_t i = 0; i < b->rows; i++) {
		struct vec v = column_vec_at(in, i);
		if (v.idx) {
			add_sparse(p, v, to);
			continue;
		}
		centre(p->m->mean, v, p->chunk + held++ * p->m->size);
		if (held < CHUNK_ROWS) continue;
		add_chunk(p, held, to.panels);
		held = 0;
	}
	add_chunk(p, held, to.panels);
}

/* Σ (x - μ)(x - μ)ᵀ = Σ xxᵀ - (Σ x)μᵀ - μ(Σ x)ᵀ + nμμᵀ over the sparse rows; dense rows have their part already. */
static void finish_panel(const struct moments *m, struct sums of, size_t k, const double *panel, double *matrix)
{
	size_t top = k * PANEL, width = panel_width(m->size, k);
	for (size_t r = top; r < m->size; r++)
		for (size_t c = top; c < top + width && c <= r; c++) {
			double about = panel[(r - top) * width + c - top] - of.sum[r] * m->mean[c] -
				       m->mean[r] * of.sum[c] + *of.count * m->mean[r] * m->mean[c];
			matrix[r * m->size + c] = matrix[c * m->size + r] = about / (m->rows - 1);
		}
}

/* The panels from p->first on whose sums over one rank's shards take a part of its memory: one at least. Returns the
 * number of doubles. */
static size_t plan(struct pass *p, const struct fit *f)
{
	enum { MEMORY_PARTS = 4 };
	size_t shards = (f->comm->shard_count + f->comm->size - 1) / f->comm->size, n = 1 + p->m->size;
	uint64_t most = f->memory_max / MEMORY_PARTS / sizeof(double) / MAX(shards, (size_t)1);
	p->end = p->first;
	do n += panel_room(p->m->size, p->end++);
	while (p->end < panel_count(p->m->size) && n + panel_room(p->m->size, p->end) <= most);
	return n;
}

static bool run_pass(struct pass *p, struct fit *f, double *matrix, struct err *e)
{
	size_t n = plan(p, f);
	double *acc = mem_zalloc(n, sizeof *acc);
	bool ok = fit_sum_with(f, n, add_batch, p, acc, e);
	struct sums of = sums_of(p, acc);
	const double *panel = of.panels;
	for (size_t k = p->first; ok && k < p->end; k++) {
		finish_panel(p->m, of, k, panel, matrix);
		panel += panel_room(p->m->size, k);
	}
	mem_free(acc);
	return ok;
}

bool covariance_fit(const struct stage *s, struct fit *f, const struct moments *m, double *matrix, struct err *e)
{
	struct pass p = {.stage = s, .m = m};
	bool ok = true;
	p.chunk = mem_zalloc(CHUNK_ROWS * MAX(m->size, (size_t)1), sizeof *p.chunk);
	for (; ok && p.first < panel_count(m->size); p.first = p.end) ok = run_pass(&p, f, matrix, e);
	mem_free(p.chunk);
	return ok;
}
