#include "pipeline/fft.h"

#include "base/mem.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

static void core_release(struct fft_core *c)
{
	mem_free(c->table);
	mem_free(c->cells[0]);
	mem_free(c->cells[1]);
}

void fft_release(struct fft *f)
{
	core_release(&f->core);
	mem_free(f->chirp);
	mem_free(f->filter);
	mem_free(f->row);
	mem_free(f->kept);
	*f = FFT_INIT;
}

struct fft_number fft_root(size_t halves, size_t length)
{
	/* cos and sin of the angle from the nearest axis, so that the axes themselves are exact. */
	size_t quarters = (4 * halves + length) / (2 * length);
	double angle = M_PI * ((double)halves - (double)(quarters * length) / 2) / (double)length;
	double c = cos(angle), s = sin(angle);
	switch (quarters % 4) {
	case 0: return (struct fft_number){c, -s};
	case 1: return (struct fft_number){-s, -c};
	case 2: return (struct fft_number){-c, s};
	default: return (struct fft_number){s, c};
	}
}

/* --- One butterfly -------------------------------------------------------------------------------------------
 *
 * The transform of `radix` numbers; of real ones only the entries up to the middle. `roots` are exp(-2πi j / radix).
 * Inlined for each radix, so that the loops of the small ones unroll. */

INLINE struct fft_cell plus(struct fft_cell a, struct fft_cell b)
{
	return (struct fft_cell){a.re + b.re, a.im + b.im};
}

INLINE struct fft_cell minus(struct fft_cell a, struct fft_cell b)
{
	return (struct fft_cell){a.re - b.re, a.im - b.im};
}

INLINE struct fft_cell conjugate(struct fft_cell a)
{
	return (struct fft_cell){a.re, -a.im};
}

INLINE unsigned after(unsigned at, unsigned step, unsigned radix)
{
	return at + step < radix ? at + step : at + step - radix;
}

INLINE void real_odd(const fft_lanes *a, unsigned radix, const struct fft_number *roots, struct fft_cell *to)
{
	unsigned half = radix / 2;
	fft_lanes sum[FFT_RADIX_MAX / 2], difference[FFT_RADIX_MAX / 2], all = a[0];
#pragma GCC unroll 2
	for (unsigned j = 0; j < half; j++) {
		sum[j] = a[j + 1] + a[radix - 1 - j];
		difference[j] = a[j + 1] - a[radix - 1 - j];
		all += sum[j];
	}
	to[0] = (struct fft_cell){.re = all};
#pragma GCC unroll 2
	for (unsigned q = 1; q <= half; q++) {
		struct fft_cell x = {a[0] + roots[q].re * sum[0], roots[q].im * difference[0]};
#pragma GCC unroll 2
		for (unsigned j = 1, at = after(q, q, radix); j < half; j++, at = after(at, q, radix)) {
			x.re += roots[at].re * sum[j];
			x.im += roots[at].im * difference[j];
		}
		to[q] = x;
	}
}

INLINE void complex_odd(struct fft_cell *a, unsigned radix, const struct fft_number *roots)
{
	unsigned half = radix / 2;
	struct fft_cell sum[FFT_RADIX_MAX / 2], difference[FFT_RADIX_MAX / 2], first = a[0];
#pragma GCC unroll 2
	for (unsigned j = 0; j < half; j++) {
		sum[j] = plus(a[j + 1], a[radix - 1 - j]);
		difference[j] = minus(a[j + 1], a[radix - 1 - j]);
		a[0] = plus(a[0], sum[j]);
	}
#pragma GCC unroll 2
	for (unsigned q = 1; q <= half; q++) {
		struct fft_number r = roots[q];
		struct fft_cell even = {first.re + r.re * sum[0].re, first.im + r.re * sum[0].im};
		struct fft_cell odd = {r.im * difference[0].im, r.im * difference[0].re};
#pragma GCC unroll 2
		for (unsigned j = 1, at = after(q, q, radix); j < half; j++, at = after(at, q, radix)) {
			even.re += roots[at].re * sum[j].re;
			even.im += roots[at].re * sum[j].im;
			odd.re += roots[at].im * difference[j].im;
			odd.im += roots[at].im * difference[j].re;
		}
		a[q] = (struct fft_cell){even.re - odd.re, even.im + odd.im};
		a[radix - q] = (struct fft_cell){even.re + odd.re, even.im - odd.im};
	}
}

INLINE void real_butterfly(const fft_lanes *a, unsigned radix, const struct fft_number *roots, struct fft_cell *to)
{
	if (radix == 2) {
		to[0] = (struct fft_cell){.re = a[0] + a[1]};
		to[1] = (struct fft_cell){.re = a[0] - a[1]};
	} else if (radix == 4) {
		fft_lanes even = a[0] + a[2], odd = a[1] + a[3];
		to[0] = (struct fft_cell){.re = even + odd};
		to[1] = (struct fft_cell){a[0] - a[2], a[3] - a[1]};
		to[2] = (struct fft_cell){.re = even - odd};
	} else
		real_odd(a, radix, roots, to);
}

INLINE void complex_butterfly(struct fft_cell *a, unsigned radix, const struct fft_number *roots)
{
	if (radix == 2) {
		struct fft_cell first = a[0];
		a[0] = plus(first, a[1]);
		a[1] = minus(first, a[1]);
	} else if (radix == 4) {
		struct fft_cell even = plus(a[0], a[2]), odd = plus(a[1], a[3]);
		struct fft_cell across = minus(a[0], a[2]), d = minus(a[1], a[3]), down = {d.im, -d.re};
		a[0] = plus(even, odd);
		a[1] = plus(across, down);
		a[2] = minus(even, odd);
		a[3] = minus(across, down);
	} else
		complex_odd(a, radix, roots);
}

/* --- One pass ------------------------------------------------------------------------------------------------
 *
 * radix · count spectra of length `length` become count of length radix · length. Entry k of spectrum r of `many` lies
 * at k · many + r. */

struct pass {
	size_t length, count;
	const struct fft_number *roots; /* [radix] */
	const struct fft_number *turns; /* [length / 2][radix - 1] of entries 1 on */
};

/* Entry 0, which is real: of the first pass the inputs themselves, `stride` lanes apart. */
INLINE void pass_first(const struct pass *p, unsigned radix, const fft_lanes *from, size_t stride, struct fft_cell *to)
{
	for (size_t r = 0; r < p->count; r++) {
		fft_lanes a[FFT_RADIX_MAX];
		struct fft_cell x[FFT_RADIX_MAX / 2 + 1];
		a[0] = from[r * stride];
#pragma GCC unroll 5
		for (unsigned t = 1; t < radix; t++) a[t] = from[(r + p->count * t) * stride];
		real_butterfly(a, radix, p->roots, x);
#pragma GCC unroll 5
		for (unsigned q = 0; q <= radix / 2; q++) to[p->length * q * p->count + r] = x[q];
	}
}

INLINE void pass_entry(const struct pass *p, unsigned radix, size_t k, const struct fft_cell *from, struct fft_cell *to)
{
	size_t count = p->count;
	const struct fft_number *turns = p->turns + (k - 1) * (radix - 1);
	from += k * radix * count;
	for (size_t r = 0; r < count; r++) {
		struct fft_cell a[FFT_RADIX_MAX];
		a[0] = from[r];
#pragma GCC unroll 5
		for (unsigned t = 1; t < radix; t++) a[t] = fft_turn(from[r + count * t], turns[t - 1]);
		complex_butterfly(a, radix, p->roots);
#pragma GCC unroll 5
		for (unsigned q = 0; q < (radix + 1) / 2; q++) to[(k + p->length * q) * count + r] = a[q];
#pragma GCC unroll 5
		for (unsigned q = (radix + 1) / 2; q < radix; q++)
			to[(p->length * (radix - q) - k) * count + r] = conjugate(a[q]);
	}
}

INLINE void pass_of(const struct pass *p, unsigned radix, const fft_lanes *first, const struct fft_cell *from,
		    struct fft_cell *to)
{
	if (p->length == 1)
		pass_first(p, radix, first, 1, to);
	else
		pass_first(p, radix, &from->re, sizeof *from / sizeof *first, to);
	for (size_t k = 1; k <= p->length / 2; k++) pass_entry(p, radix, k, from, to);
}

static const struct fft_cell *core_run(const struct fft_core *c, const fft_lanes *x)
{
	const struct fft_number *table = c->table;
	struct fft_cell *from = c->cells[0], *to = c->cells[1];
	struct pass p = {.length = 1, .count = c->length};
	for (size_t i = 0; i < c->passes; i++) {
		unsigned radix = c->radix[i];
		p.count /= radix;
		p.roots = table;
		p.turns = table + radix;
		switch (radix) {
		case 2: pass_of(&p, 2, x, from, to); break;
		case 3: pass_of(&p, 3, x, from, to); break;
		case 4: pass_of(&p, 4, x, from, to); break;
		case 5: pass_of(&p, 5, x, from, to); break;
		default: pass_of(&p, radix, x, from, to);
		}
		table = p.turns + p.length / 2 * (radix - 1);
		p.length *= radix;
		struct fft_cell *done = to;
		to = from;
		from = done;
	}
	if (c->passes == 0) from[0] = (struct fft_cell){.re = x[0]};
	return from;
}

/* --- Plans --------------------------------------------------------------------------------------------------- */

static size_t take_factor(struct fft_core *c, size_t n, unsigned radix)
{
	for (; n % radix == 0; n /= radix) c->radix[c->passes++] = radix;
	return n;
}

/* The passes of n, those of the costly odd radices first, where all is real; returns what is left of n. */
static size_t factorize(size_t n, struct fft_core *c)
{
	c->passes = 0;
	for (unsigned radix = 3; radix <= FFT_RADIX_MAX; radix += 2) n = take_factor(c, n, radix);
	return take_factor(c, take_factor(c, n, 4), 2);
}

static void core_plan(struct fft_core *c, size_t n)
{
	size_t room = 0, length = 1;
	for (size_t i = 0; i < c->passes; length *= c->radix[i++]) room += c->radix[i] + length / 2 * (c->radix[i] - 1);
	c->length = n;
	MEM_GROW(c->table, c->table_cap, room);
	for (int i = 0; i < 2; i++) MEM_GROW(c->cells[i], c->cells_cap[i], n);
	struct fft_number *to = c->table;
	length = 1;
	for (size_t i = 0; i < c->passes; length *= c->radix[i++]) {
		unsigned radix = c->radix[i];
		for (unsigned j = 0; j < radix; j++) *to++ = fft_root(2 * j, radix);
		for (size_t k = 1; k <= length / 2; k++)
			for (unsigned t = 1; t < radix; t++) *to++ = fft_root(2 * k * t, radix * length);
	}
}

/* The convolution is long enough for what is wanted of it, entries up to length / 2, to be apart from the rest. */
static void plan_chirp(struct fft *f)
{
	size_t n = f->length, m = n + n / 2;
	while (m / (m & -m) > 5) m++; /* few passes, most of radix 4, the cheapest */
	factorize(m, &f->core);
	core_plan(&f->core, m);
	MEM_GROW(f->chirp, f->chirp_cap, n);
	MEM_GROW(f->filter, f->filter_cap, m / 2 + 1);
	MEM_GROW(f->row, f->row_cap, m);
	MEM_GROW(f->kept, f->kept_cap, m / 2 + 1);
	memset(f->row, 0, m * sizeof *f->row);
	for (size_t k = 0; k < n; k++) {
		f->chirp[k] = fft_root(k * k % (2 * n), n);
		fft_lanes x = (fft_lanes){f->chirp[k].re, -f->chirp[k].im} / (double)m;
		if (k <= n / 2) f->row[k] = x;
		if (k) f->row[m - k] = x;
	}
	const struct fft_cell *s = core_run(&f->core, f->row);
	for (size_t k = 0; k <= m / 2; k++)
		f->filter[k] = (struct fft_filter){{s[k].re[0], s[k].im[0]}, {s[k].re[1], s[k].im[1]}};
}

void fft_plan(struct fft *f, size_t length)
{
	if (f->length == length) return;
	CHECK(length >= 1 && length <= FFT_LENGTH_MAX);
	f->length = length;
	if (factorize(length, &f->core) == 1)
		core_plan(&f->core, length);
	else
		plan_chirp(f);
}

/* --- Convolution --------------------------------------------------------------------------------------------- */

/* f->row becomes what core_run takes to the row whose spectrum is given: re + im of the result, for it is a Hartley
 * transform, its own inverse. */
static void set_row(struct fft *f, size_t k, struct fft_cell s)
{
	f->row[k] = s.re + s.im;
	if (k) f->row[f->core.length - k] = s.re - s.im;
}

static const struct fft_cell *run_times_chirp(struct fft *f, const fft_lanes *x, bool imaginary)
{
	size_t n = f->length, m = f->core.length;
	for (size_t k = 0; k < n; k++) f->row[k] = x[k] * (imaginary ? f->chirp[k].im : f->chirp[k].re);
	memset(f->row + n, 0, (m - n) * sizeof *f->row);
	return core_run(&f->core, f->row);
}

/* The chirp and its filter are complex, x is real: two rows forth, re and im, and two back. */
static const struct fft_cell *convolve(struct fft *f, const fft_lanes *x)
{
	size_t half = f->length / 2, m = f->core.length;
	memcpy(f->kept, run_times_chirp(f, x, false), (m / 2 + 1) * sizeof *f->kept);
	const struct fft_cell *s = run_times_chirp(f, x, true);
	for (size_t k = 0; k <= m / 2; k++) {
		struct fft_filter by = f->filter[k];
		struct fft_cell re = f->kept[k], im = s[k];
		set_row(f, k, minus(fft_turn(re, by.re), fft_turn(im, by.im)));
		f->kept[k] = plus(fft_turn(re, by.im), fft_turn(im, by.re));
	}
	s = core_run(&f->core, f->row);
	for (size_t k = 0; k <= m / 2; k++) {
		set_row(f, k, f->kept[k]);
		f->kept[k].re = s[k].re + s[k].im;
	}
	s = core_run(&f->core, f->row);
	for (size_t k = 0; k <= half; k++)
		f->kept[k] = fft_turn((struct fft_cell){f->kept[k].re, s[k].re + s[k].im}, f->chirp[k]);
	return f->kept;
}

const struct fft_cell *fft_real(struct fft *f, const fft_lanes *x)
{
	return f->core.length == f->length ? core_run(&f->core, x) : convolve(f, x);
}
