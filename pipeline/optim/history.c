#include "pipeline/optim/history.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

void history_init(struct history *h, size_t memory, size_t len)
{
	CHECK(memory > 0 && memory <= HISTORY_MEMORY_MAX);
	*h = (struct history){.memory = memory, .len = len};
	h->s = mem_zalloc(MAX(memory * len, (size_t)1), sizeof *h->s);
	h->y = mem_zalloc(MAX(memory * len, (size_t)1), sizeof *h->y);
}

void history_release(struct history *h)
{
	mem_free(h->s);
	mem_free(h->y);
	*h = (struct history){0};
}

void history_clear(struct history *h) { h->count = 0; }

static size_t next_slot(const struct history *h) { return h->count ? (h->newest + 1) % h->memory : 0; }

/* The slot of the k-th newest pair. */
static size_t slot_of(const struct history *h, size_t k) { return (h->newest + h->memory - k) % h->memory; }

void history_room(struct history *h, double **s, double **y)
{
	if (h->count == h->memory) h->count--;
	*s = h->s + next_slot(h) * h->len;
	*y = h->y + next_slot(h) * h->len;
}

size_t history_width(const struct history *h) { return HISTORY_SUMS_A_PAIR * (h->count + 1); }

typedef double pair __attribute__((vector_size(16), aligned(8)));

/* The five inner products of one old pair (s, y) with the new pair (ns, ny) and p, in one walk. */
static void measure_pair(const double *s, const double *y, const double *ns, const double *ny, const double *p,
			 size_t n, double sums[HISTORY_SUMS_A_PAIR])
{
	pair sp = {0, 0}, yp = {0, 0}, s_ny = {0, 0}, ns_y = {0, 0}, y_ny = {0, 0};
	size_t i = 0;
	for (; i + 2 <= n; i += 2) {
		pair vs = *(const pair *)(s + i), vy = *(const pair *)(y + i), vp = *(const pair *)(p + i);
		pair vns = *(const pair *)(ns + i), vny = *(const pair *)(ny + i);
		sp += vs * vp;
		yp += vy * vp;
		s_ny += vs * vny;
		ns_y += vns * vy;
		y_ny += vy * vny;
	}
	double tail[HISTORY_SUMS_A_PAIR] = {0};
	if (i < n) {
		tail[0] = s[i] * p[i];
		tail[1] = y[i] * p[i];
		tail[2] = s[i] * ny[i];
		tail[3] = ns[i] * y[i];
		tail[4] = y[i] * ny[i];
	}
	const pair all[HISTORY_SUMS_A_PAIR] = {sp, yp, s_ny, ns_y, y_ny};
	for (size_t k = 0; k < HISTORY_SUMS_A_PAIR; k++) sums[k] = (all[k][0] + all[k][1]) + tail[k];
}

void history_measure(const struct history *h, const double *p, size_t from, size_t to, double *sums)
{
	size_t fresh = next_slot(h), n = to - from;
	const double *ns = h->s + fresh * h->len + from, *ny = h->y + fresh * h->len + from;
	measure_pair(ns, ny, ns, ny, p + from, n, sums);
	for (size_t k = 0; k < h->count; k++) {
		size_t at = slot_of(h, k) * h->len + from;
		measure_pair(h->s + at, h->y + at, ns, ny, p + from, n, sums + HISTORY_SUMS_A_PAIR * (k + 1));
	}
}

static void take(struct history *h, size_t slot, size_t fresh, const double *sums)
{
	h->sp[slot] = sums[0];
	h->yp[slot] = sums[1];
	h->sy[slot][fresh] = sums[2];
	h->sy[fresh][slot] = sums[3];
	h->yy[slot][fresh] = h->yy[fresh][slot] = sums[4];
}

void history_commit(struct history *h, const double *sums)
{
	size_t fresh = next_slot(h);
	for (size_t k = 0; k < h->count; k++) take(h, slot_of(h, k), fresh, sums + HISTORY_SUMS_A_PAIR * (k + 1));
	take(h, fresh, fresh, sums);
	if (!(h->sy[fresh][fresh] > 0) || !isfinite(h->yy[fresh][fresh])) return;
	h->newest = fresh;
	h->count++;
}

/* Nocedal & Wright, algorithm 7.4, on coefficients: q = p - Σ alpha y, then d = -(γ q + Σ (alpha - beta) s). */
void history_coefficients(const struct history *h, struct history_coefficients *c)
{
	double alpha[HISTORY_MEMORY_MAX];
	memset(c, 0, sizeof *c);
	c->p = -1;
	if (h->count == 0) return;
	double gamma = h->sy[h->newest][h->newest] / h->yy[h->newest][h->newest];
	for (size_t k = 0; k < h->count; k++) {
		size_t i = slot_of(h, k);
		double sq = h->sp[i];
		for (size_t m = 0; m < k; m++) sq -= alpha[m] * h->sy[i][slot_of(h, m)];
		alpha[k] = sq / h->sy[i][i];
	}
	for (size_t k = h->count; k-- > 0;) {
		size_t i = slot_of(h, k);
		double yr = gamma * h->yp[i];
		for (size_t m = 0; m < h->count; m++) yr -= gamma * alpha[m] * h->yy[i][slot_of(h, m)];
		for (size_t m = k + 1; m < h->count; m++) yr -= c->s[slot_of(h, m)] * h->sy[slot_of(h, m)][i];
		c->s[i] = -(alpha[k] - yr / h->sy[i][i]);
		c->y[i] = gamma * alpha[k];
	}
	c->p = -gamma;
}

void history_combine(const struct history *h, const struct history_coefficients *c, const double *p, size_t from,
		     size_t to, double *d)
{
	for (size_t i = from; i < to; i++) d[i] = c->p * p[i];
	for (size_t k = 0; k < h->count; k++) {
		size_t slot = slot_of(h, k);
		const double *s = h->s + slot * h->len, *y = h->y + slot * h->len;
		double on_s = c->s[slot], on_y = c->y[slot];
		for (size_t i = from; i < to; i++) d[i] += on_s * s[i] + on_y * y[i];
	}
}

void history_pair(const struct history *h, size_t k, double **s, double **y)
{
	CHECK(k < h->count);
	*s = h->s + slot_of(h, k) * h->len;
	*y = h->y + slot_of(h, k) * h->len;
}

static void pack_table(const double table[HISTORY_MEMORY_MAX][HISTORY_MEMORY_MAX], size_t m, struct buf *out)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++) buf_f64(out, table[i][j]);
}

static void unpack_table(double table[HISTORY_MEMORY_MAX][HISTORY_MEMORY_MAX], size_t m, struct cursor *in)
{
	for (size_t i = 0; i < m; i++)
		for (size_t j = 0; j < m; j++) table[i][j] = cursor_f64(in);
}

void history_pack(const struct history *h, struct buf *out)
{
	buf_u64(out, h->memory);
	buf_u64(out, h->count);
	buf_u64(out, h->newest);
	pack_table(h->sy, h->memory, out);
	pack_table(h->yy, h->memory, out);
	for (size_t i = 0; i < h->memory; i++) buf_f64(out, h->sp[i]);
	for (size_t i = 0; i < h->memory; i++) buf_f64(out, h->yp[i]);
}

bool history_unpack(struct history *h, struct cursor *in)
{
	uint64_t memory = cursor_u64(in), count = cursor_u64(in), newest = cursor_u64(in);
	if (in->bad || memory != h->memory || count > memory || newest >= memory) return false;
	h->count = count;
	h->newest = newest;
	unpack_table(h->sy, memory, in);
	unpack_table(h->yy, memory, in);
	for (size_t i = 0; i < memory; i++) h->sp[i] = cursor_f64(in);
	for (size_t i = 0; i < memory; i++) h->yp[i] = cursor_f64(in);
	return !in->bad;
}
