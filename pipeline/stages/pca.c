/* Spark's PCA: onto the first k principal components, the left singular vectors of the covariance matrix. Rows are not
 * centred when they are projected. */
#include "pipeline/covariance.h"
#include "pipeline/linalg.h"
#include "pipeline/scaler.h"

struct pca_params {
	struct ports ports;
	int64_t k;
};

/* Components side by side, so that one pass over a row meets so many of them at once; the last are padded by zeros. */
enum { LANES = 8, QUADS = LANES / 4 };
typedef double quad __attribute__((vector_size(32), aligned(8)));
struct lanes {
	quad at[QUADS];
};

struct pca_state {
	size_t size;
	struct lanes *pc;  /* [groups of LANES components][size] */
	double *explained; /* [k] */
};

static const struct field params[] = {
    PORTS_SINGLE,
    {.name = "k",
     .type = FIELD_INT,
     .offset = offsetof(struct pca_params, k),
     .required = true,
     .min = 1,
     .max = INT32_MAX,
     .help = "How many principal components; at most the length of the vectors."},
    FIELD_END,
};

static size_t components(const struct stage *s)
{
	return (size_t)((const struct pca_params *)s->params)->k;
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	struct attrs attrs = ports_size_only(components(s));
	return ports_bind(s, schema, COL_BIT(COL_VECTOR), COL_VECTOR, &attrs, e);
}

/* --- Bytes: the length of the vectors, the components one after the other, what each explains ----------------------
 */

static void put(struct buf *out, size_t size, size_t k, const double *pc, const double *explained)
{
	buf_u64(out, size);
	buf_append(out, pc, size * k * sizeof *pc);
	buf_append(out, explained, k * sizeof *explained);
}

static double *component_at(const struct pca_state *st, size_t c, size_t i)
{
	return (double *)(st->pc + c / LANES * st->size + i) + c % LANES;
}

static void encode(const struct stage *s, struct buf *out)
{
	const struct pca_state *st = s->state;
	size_t k = components(s);
	double *pc = mem_alloc(st->size * k * sizeof *pc);
	for (size_t c = 0; c < k; c++)
		for (size_t i = 0; i < st->size; i++) pc[c * st->size + i] = *component_at(st, c, i);
	put(out, st->size, k, pc, st->explained);
	mem_free(pc);
}

static bool decode(struct stage *s, struct cursor *in, struct err *e)
{
	struct pca_state *st = s->state;
	size_t k = components(s), size = cursor_count(in, k * sizeof(double));
	const unsigned char *pc = cursor_bytes(in, size * k * sizeof(double));
	const void *explained = cursor_bytes(in, k * sizeof(double));
	if (in->bad || size < k || size > UINT32_MAX)
		return err_set(e, ERR_bad_model, "its %zu principal components are cut", k);
	st->size = size;
	st->pc = arena_zalloc(&s->arena, (k + LANES - 1) / LANES * size, sizeof *st->pc);
	st->explained = arena_zalloc(&s->arena, k, sizeof *st->explained);
	for (size_t c = 0; c < k; c++)
		for (size_t i = 0; i < size; i++)
			memcpy(component_at(st, c, i), pc + (c * size + i) * sizeof(double), sizeof(double));
	memcpy(st->explained, explained, k * sizeof *st->explained);
	return true;
}

/* --- Fit ----------------------------------------------------------------------------------------------------- */

static bool check_table(const struct stage *s, const struct fit *f, const struct moments *m, struct err *e)
{
	if (m->size < components(s))
		return err_set(e, ERR_data, "PCA (stage %zu): the vectors have %zu entries, k is %zu", s->index,
			       m->size, components(s));
	if (m->rows < 2) return err_set(e, ERR_data, "PCA (stage %zu): one row has no covariance", s->index);
	if (m->size > LINALG_SVD_MAX)
		return err_set(e, ERR_too_large, "PCA (stage %zu): the vectors have %zu entries, more than %d",
			       s->index, m->size, LINALG_SVD_MAX);
	if (linalg_svd_bytes(m->size) > f->memory_max)
		return err_set(e, ERR_too_large,
			       "PCA (stage %zu): the covariance of vectors of %zu entries needs %llu bytes, a worker "
			       "has %llu",
			       s->index, m->size, (unsigned long long)linalg_svd_bytes(m->size),
			       (unsigned long long)f->memory_max);
	return true;
}

/* The state's bytes. */
static bool decompose(const struct stage *s, size_t size, double *covariance, struct buf *out, struct err *e)
{
	double *vectors = mem_alloc(size * size * sizeof *vectors), *values = mem_alloc(size * sizeof *values);
	bool ok = linalg_svd(size, covariance, vectors, values, e) ||
		  err_wrap(e, "PCA (stage %zu): the covariance", s->index);
	double sum = 0;
	for (size_t i = 0; ok && i < size; i++) sum += values[i];
	for (size_t i = 0; ok && i < size; i++) values[i] /= sum;
	if (ok) put(out, size, components(s), vectors, values);
	mem_free(vectors);
	mem_free(values);
	return ok;
}

/* One rank decomposes, for all: cores are not for doing the same thing twice. */
static bool learn(struct stage *s, struct fit *f, const struct moments *m, struct err *e)
{
	double *covariance = mem_alloc(m->size * m->size * sizeof *covariance);
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	bool ok = covariance_fit(s, f, m, covariance, e);
	if (ok && f->comm->rank == 0) ok = decompose(s, m->size, covariance, &bytes, e);
	mem_free(covariance);
	ok = comm_agree(f->comm, ok, e) && f->comm->ops->bcast(f->comm, &bytes, 0, e);
	struct cursor in = CURSOR(bytes.data, bytes.len);
	ok = ok && decode(s, &in, e);
	buf_release(&bytes);
	return ok;
}

static bool fit(struct stage *s, struct fit *f, struct err *e)
{
	struct moments m;
	if (!moments_fit(s, f, &m, e)) return false;
	bool ok = check_table(s, f, &m, e) && learn(s, f, &m, e);
	moments_release(&m);
	return ok;
}

/* --- Apply --------------------------------------------------------------------------------------------------- */

/* Rows that are projected together: some dense ones, so that what is loaded of a component serves them all, or a sparse
 * one alone. Each sum runs over the row's entries in order, so its bits depend neither on that nor on the processor. */
enum { ROWS = 4 };

struct tile {
	const struct pca_state *model;
	size_t groups, rows, nnz;
	const uint32_t *idx; /* [nnz]; NULL: dense */
	const double *val[ROWS];
	struct lanes *to; /* [ROWS][groups] */
};

/* Unrolled, the sums stay in registers. */
static inline __attribute__((always_inline)) void sum_rows(const struct tile *t, size_t first, const size_t rows,
							   const uint32_t *idx)
{
	const struct lanes *pc = t->model->pc;
	for (size_t g = 0; g < t->groups; g++, pc += t->model->size) {
		struct lanes sum[ROWS] = {0};
		for (size_t i = 0; i < t->nnz; i++) {
			const struct lanes *by = &pc[idx ? idx[i] : i];
#pragma GCC unroll 4
			for (size_t r = 0; r < rows; r++)
#pragma GCC unroll 2
				for (size_t q = 0; q < QUADS; q++) sum[r].at[q] += t->val[first + r][i] * by->at[q];
		}
		for (size_t r = 0; r < rows; r++) t->to[(first + r) * t->groups + g] = sum[r];
	}
}

static inline __attribute__((always_inline)) void project_any(const struct tile *t)
{
	if (t->rows == ROWS)
		sum_rows(t, 0, ROWS, NULL);
	else
		for (size_t r = 0; r < t->rows; r++) sum_rows(t, r, 1, t->idx);
}

#ifdef __x86_64__
#define WIDE __attribute__((target("avx2")))
#define IS_WIDE __builtin_cpu_supports("avx2")
#else
#define WIDE
#define IS_WIDE true
#endif

WIDE static void project_wide(const struct tile *t)
{
	project_any(t);
}

static void project_plain(const struct tile *t)
{
	project_any(t);
}

/* The rows that wait, into the output; none wait then. */
static void project(struct tile *t, size_t k, struct column *out)
{
	if (IS_WIDE)
		project_wide(t);
	else
		project_plain(t);
	for (size_t r = 0; r < t->rows; r++) column_dense(out, (const double *)(t->to + r * t->groups), k);
	t->rows = 0;
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct pca_state *st = s->state;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	size_t k = components(s), groups = (k + LANES - 1) / LANES;
	struct tile t = {.model = st, .groups = groups, .to = scratch_room(sc, 0, ROWS * groups * sizeof *t.to)};
	for (size_t i = 0; i < b->rows; i++) {
		if (!scaling_check_row(s, b, i, st->size, e)) return false;
		struct vec v = column_vec_at(in, i);
		if (v.idx && t.rows) project(&t, k, out);
		t.idx = v.idx;
		t.nnz = v.nnz;
		t.val[t.rows++] = v.val;
		if (v.idx || t.rows == ROWS) project(&t, k, out);
	}
	project(&t, k, out);
	return true;
}

static void state(const struct stage *s, struct json_writer *w)
{
	const struct pca_state *st = s->state;
	size_t k = components(s);
	json_key(w, "pc");
	json_array_begin(w);
	for (size_t i = 0; i < st->size; i++) {
		json_array_begin(w);
		for (size_t c = 0; c < k; c++) json_row_double(w, *component_at(st, c, i));
		json_array_end(w);
	}
	json_array_end(w);
	json_key(w, "explainedVariance");
	json_row_doubles(w, st->explained, k);
}

const struct stage_type pca_stage = {
    .name = "PCA",
    .version = 1,
    .kind = STAGE_ESTIMATOR,
    .help = "Projects vectors onto the first k principal components.",
    .inputs = "vector",
    .outputs = "vector",
    .params = params,
    .params_size = sizeof(struct pca_params),
    .state_size = sizeof(struct pca_state),
    .check = ports_check,
    .columns = columns,
    .fit = fit,
    .apply = apply,
    .encode = encode,
    .decode = decode,
    .state = state,
};
