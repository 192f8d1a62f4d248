#include "pipeline/skip_gram.h"

#include "base/mem.h"
#include "pipeline/java_random.h"

#include <math.h>
#include <string.h>

enum {
	SIGMOID_BOUND = 6,
	RATE_WORDS = 10000, /* the rate falls after so many */
};

/* --- The tree ---------------------------------------------------------------------------------------------------- */

struct tree {
	uint64_t *count;  /* [2 words]: leaves, then inner nodes */
	uint32_t *parent;
	uint8_t *code;
	size_t leaf, node; /* the rarest of each that has no parent yet; leaf counts one up */
};

/* The rarer of the next leaf and the next inner node. */
static size_t take_rarest(struct tree *t)
{
	if (t->leaf > 0 && t->count[t->leaf - 1] < t->count[t->node]) return --t->leaf;
	return t->node++;
}

static void grow(struct tree *t, const uint64_t *counts, size_t words)
{
	t->leaf = t->node = words;
	for (size_t i = 0; i < words; i++) t->count[i] = counts[i];
	for (size_t i = words; i < 2 * words; i++) t->count[i] = UINT64_MAX;
	for (size_t made = words; made + 1 < 2 * words; made++) {
		size_t first = take_rarest(t), second = take_rarest(t);
		t->count[made] = t->count[first] + t->count[second];
		t->parent[first] = t->parent[second] = (uint32_t)made;
		t->code[second] = 1;
	}
}

/* Paths go from the root down: the root is inner node words - 2, and a step's code is that of the node below. */
static void write_paths(struct skip_gram *g, const struct tree *t)
{
	size_t root = 2 * g->words - 2, total = 0;
	g->path = mem_alloc((g->words + 1) * sizeof *g->path);
	for (size_t w = 0; w < g->words; w++) {
		g->path[w] = total;
		for (size_t n = w; n != root; n = t->parent[n]) total++;
	}
	g->path[g->words] = total;
	g->inner = mem_alloc(MAX(total, (size_t)1) * sizeof *g->inner);
	g->code = mem_alloc(MAX(total, (size_t)1));
	for (size_t w = 0; w < g->words; w++) {
		size_t at = g->path[w + 1];
		for (size_t n = w; n != root; n = t->parent[n]) {
			g->code[--at] = t->code[n];
			g->inner[at] = t->parent[n] - (uint32_t)g->words;
		}
	}
}

void skip_gram_prepare(struct skip_gram *g, const uint64_t *counts)
{
	struct tree t = {
		.count = mem_alloc(2 * g->words * sizeof *t.count),
		.parent = mem_zalloc(2 * g->words, sizeof *t.parent),
		.code = mem_zalloc(2 * g->words, 1),
	};
	grow(&t, counts, g->words);
	write_paths(g, &t);
	mem_free(t.count);
	mem_free(t.parent);
	mem_free(t.code);
	for (int i = 0; i < SKIP_GRAM_SIGMOIDS; i++) {
		double x = exp((2.0 * i / SKIP_GRAM_SIGMOIDS - 1.0) * SIGMOID_BOUND);
		g->sigmoid[i] = (float)(x / (x + 1.0));
	}
}

void skip_gram_release(struct skip_gram *g)
{
	mem_free(g->path);
	mem_free(g->inner);
	mem_free(g->code);
	*g = (struct skip_gram){0};
}

/* --- Weights ----------------------------------------------------------------------------------------------------- */

struct skip_gram_weights skip_gram_weights(const struct skip_gram *g)
{
	return (struct skip_gram_weights){
		.word = mem_zalloc(g->words * g->size, sizeof(float)),
		.inner = mem_zalloc(g->words * g->size, sizeof(float)),
		.word_changed = mem_zalloc(g->words, 1),
		.inner_changed = mem_zalloc(g->words, 1),
	};
}

void skip_gram_weights_release(struct skip_gram_weights *w)
{
	mem_free(w->word);
	mem_free(w->inner);
	mem_free(w->word_changed);
	mem_free(w->inner_changed);
	*w = (struct skip_gram_weights){0};
}

void skip_gram_start(const struct skip_gram *g, struct skip_gram_weights *w)
{
	struct java_random r = spark_xorshift(g->seed);
	for (size_t i = 0; i < g->words * g->size; i++) w->word[i] = (java_next_float(&r) - 0.5f) / (float)g->size;
	memset(w->inner, 0, g->words * g->size * sizeof *w->inner);
}

/* --- A pass ------------------------------------------------------------------------------------------------------ */

/* The products and sums of the BLAS that Spark's answers came from (OpenBLAS): entries in blocks of 32 with fused
 * multiply-adds, then the rest one by one without. The block's entries lie in four registers of eight, which are folded in
 * halves; the rest is added to that in double. The bits are the same where the machine cannot fuse, only slower. */
enum { BLOCK = 32, REGISTERS = 4, LANES = BLOCK / REGISTERS };

static inline __attribute__((always_inline)) float dot_any(const float *x, const float *y, size_t n)
{
	float sum[REGISTERS][LANES] = {0}, half[REGISTERS][LANES / 2], of_all[LANES / 2];
	size_t whole = n - n % BLOCK;
	for (size_t k = 0; k < whole; k += BLOCK)
#pragma GCC unroll 4 /* REGISTERS, which the sums then stay in */
		for (size_t r = 0; r < REGISTERS; r++)
			for (size_t i = 0, at = k + r * LANES; i < LANES; i++, at++)
				sum[r][i] = __builtin_fmaf(x[at], y[at], sum[r][i]);
	for (size_t r = 0; r < REGISTERS; r++)
		for (size_t i = 0; i < LANES / 2; i++)
			half[r][i] = sum[r][i] + sum[r][LANES / 2 + i];
	for (size_t i = 0; i < LANES / 2; i++) of_all[i] = (half[0][i] + half[1][i]) + (half[2][i] + half[3][i]);
	double dot = (of_all[0] + of_all[1]) + (of_all[2] + of_all[3]);
	for (size_t k = whole; k < n; k++) dot += x[k] * y[k];
	return (float)dot;
}

/* change += a u, then u += a v. */
static inline __attribute__((always_inline)) void move_any(float a, const float *restrict v, float *restrict u,
							   float *restrict change, size_t n)
{
	size_t whole = n - n % BLOCK;
	for (size_t k = 0; k < whole; k += BLOCK)
		for (size_t i = k; i < k + BLOCK; i++) {
			change[i] = __builtin_fmaf(a, u[i], change[i]);
			u[i] = __builtin_fmaf(a, v[i], u[i]);
		}
	for (size_t k = whole; k < n; k++) {
		change[k] += a * u[k];
		u[k] += a * v[k];
	}
}

struct kernels {
	float (*dot)(const float *x, const float *y, size_t n);
	void (*move)(float a, const float *restrict v, float *restrict u, float *restrict change, size_t n);
};

#define KERNELS(name, ...)                                                                                             \
	__VA_ARGS__ static float dot_##name(const float *x, const float *y, size_t n) { return dot_any(x, y, n); }     \
	__VA_ARGS__ static void move_##name(float a, const float *restrict v, float *restrict u,                       \
					    float *restrict change, size_t n)                                          \
	{                                                                                                              \
		move_any(a, v, u, change, n);                                                                          \
	}                                                                                                              \
	static const struct kernels kernels_##name = {dot_##name, move_##name};

KERNELS(plain)
#ifdef __x86_64__
KERNELS(fused, __attribute__((target("avx2,fma"))))
static bool can_fuse(void) { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
#else
KERNELS(fused)
static bool can_fuse(void) { return true; }
#endif

/* What a pass has at hand. */
struct pass {
	const struct skip_gram *g;
	const struct kernels *kernels;
	struct skip_gram_weights *w;
	struct java_random random;
	double rate;
	float *change; /* [size], of the word that is being trained */
};

/* The word's vector is moved towards telling `target`, which stands near it. */
static void train_pair(struct pass *p, uint32_t word, uint32_t target)
{
	const struct skip_gram *g = p->g;
	float *v = p->w->word + (size_t)word * g->size;
	memset(p->change, 0, g->size * sizeof *p->change);
	for (size_t d = g->path[target]; d < g->path[target + 1]; d++) {
		float *u = p->w->inner + (size_t)g->inner[d] * g->size;
		float f = p->kernels->dot(v, u, g->size);
		if (!(f > -SIGMOID_BOUND && f < SIGMOID_BOUND)) continue;
		f = g->sigmoid[(int)((double)(f + SIGMOID_BOUND) * (SKIP_GRAM_SIGMOIDS / SIGMOID_BOUND / 2.0))];
		float step = (float)((double)((float)(1 - g->code[d]) - f) * p->rate);
		p->kernels->move(step, v, u, p->change, g->size);
		p->w->inner_changed[g->inner[d]] = 1;
	}
	for (size_t k = 0; k < g->size; k++) v[k] += p->change[k];
	p->w->word_changed[word] = 1;
}

static void train_sentence(struct pass *p, const uint32_t *words, int64_t count)
{
	int64_t window = p->g->window;
	for (int64_t at = 0; at < count; at++) {
		int64_t reach = window - java_next_int(&p->random, p->g->window);
		for (int64_t near = MAX(at - reach, (int64_t)0); near <= MIN(at + reach, count - 1); near++)
			if (near != at) train_pair(p, words[near], words[at]);
	}
}

bool skip_gram_pass(const struct skip_gram *g, const struct skip_gram_corpus *c, int64_t iteration, int64_t partition,
		    struct skip_gram_weights *w, bool (*stopped)(void *ctx), void *ctx)
{
	int64_t scramble = ((partition + 1) << 16) ^ ((-iteration - 1) * 256);
	struct pass p = {
		.g = g,
		.kernels = can_fuse() && !g->unfused ? &kernels_fused : &kernels_plain,
		.w = w,
		.random = spark_xorshift(g->seed ^ (uint64_t)scramble),
		.rate = g->step,
	};
	double before = (double)((uint64_t)(iteration - 1) * g->occurrences);
	double all = (double)((uint64_t)g->iterations * g->occurrences + 1);
	uint64_t seen = 0, told = 0;
	bool going = true;
	p.change = mem_alloc(g->size * sizeof *p.change);
	memset(w->word_changed, 0, g->words);
	memset(w->inner_changed, 0, g->words);
	for (size_t s = (size_t)partition; going && s < c->count; s += (size_t)g->partitions) {
		uint64_t begin = s ? c->ends[s - 1] : 0, count = c->ends[s] - begin;
		if (seen - told > RATE_WORDS) {
			told = seen;
			p.rate = g->step * (1 - ((double)g->partitions * (double)seen + before) / all);
			p.rate = MAX(p.rate, g->step * 0.0001);
			going = !stopped || !stopped(ctx);
		}
		train_sentence(&p, c->words + begin, (int64_t)count);
		seen += count;
	}
	mem_free(p.change);
	return going;
}
