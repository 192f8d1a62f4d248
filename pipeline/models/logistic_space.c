#include "pipeline/models/logistic_space.h"

#include <math.h>

enum { WIDE_COEFFICIENTS = 1 << 16, COUNT_CLASSES = 65 };
static const double WIDE_ENTRIES = 1 << 20;

static unsigned count_class(double count)
{
	return count >= 1 ? 64 - (unsigned)__builtin_clzll((unsigned long long)count) : 0;
}

/* Features by falling power of two of their count, then by index; those that no row stores get no place. */
static void order_by_count(struct logistic_space *s, const double *count)
{
	size_t next[COUNT_CLASSES] = {0}, place = 0;
	s->place = mem_alloc(MAX(s->features, (size_t)1) * sizeof *s->place);
	for (size_t j = 0; j < s->features; j++) next[count_class(count[j])]++;
	for (unsigned k = COUNT_CLASSES; k-- > 1;) {
		size_t members = next[k];
		next[k] = place;
		place += members;
	}
	s->active = place;
	for (size_t j = 0; j < s->features; j++) {
		unsigned k = count_class(count[j]);
		s->place[j] = k ? (uint32_t)next[k]++ : UINT32_MAX;
	}
}

/* What p·(1 - p) will be on average when the model fits well: a quarter of what it is when only the intercept is known. The
 * factor was found by trying (IMDb, λ from 1e-3 to 5e-7); it matters little within two powers of two. */
static double expected_curvature(const struct logistic_moments *m)
{
	double sum = 0;
	size_t classes = MAX(m->classes, (size_t)2);
	for (size_t k = 0; k < m->classes; k++) {
		double share = m->class_weight[k] / m->weight;
		sum += share * (1 - share);
	}
	return fmax(sum / (double)classes / 4, 1e-9);
}

static void scale(struct logistic_space *s, const struct logistic_moments *m, const struct logistic_penalty *p)
{
	for (size_t j = 0; j < s->features; j++) {
		size_t at = s->place ? s->place[j] : j;
		if (at == UINT32_MAX) continue;
		double var = m->variance[j], std = sqrt(var);
		double l1 = p->standardized ? p->l1 * std : p->l1, l2 = p->standardized ? p->l2 * var : p->l2;
		double unscale = var <= 0 ? 0 : s->wide ? 1 / sqrt(var + l2 / s->curvature) : 1 / std;
		s->unscale[at] = unscale;
		s->l1[at] = l1 * unscale;
		s->l2[at] = l2 * unscale * unscale;
		if (s->mean) s->mean[at] = m->mean[j];
	}
}

void logistic_space_init(struct logistic_space *s, const struct logistic_moments *m, size_t sets, bool intercept,
			 const struct logistic_penalty *penalty)
{
	*s = (struct logistic_space){
		.features = m->features,
		.active = m->features,
		.sets = sets,
		.intercept = intercept,
		.wide = m->features * sets >= WIDE_COEFFICIENTS && m->stored * (double)sets >= WIDE_ENTRIES,
		.curvature = expected_curvature(m),
		.weight = m->weight,
	};
	if (s->wide) order_by_count(s, m->count);
	s->coefficients = s->active * sets;
	s->n = s->coefficients + (intercept ? sets : 0);
	size_t room = MAX(s->active, (size_t)1);
	s->unscale = mem_zalloc(room, sizeof *s->unscale);
	s->l1 = mem_zalloc(room, sizeof *s->l1);
	s->l2 = mem_zalloc(room, sizeof *s->l2);
	s->mean = intercept ? mem_zalloc(room, sizeof *s->mean) : NULL;
	scale(s, m, penalty);
}

void logistic_space_release(struct logistic_space *s)
{
	mem_free(s->place);
	mem_free(s->unscale);
	mem_free(s->l1);
	mem_free(s->l2);
	mem_free(s->mean);
	*s = (struct logistic_space){0};
}

void logistic_space_spread(const struct logistic_space *s, const double *by_place, size_t lo, size_t hi, double *out)
{
	for (size_t i = lo; i < hi; i++) out[i - lo] = i < s->coefficients ? by_place[i / s->sets] : 0;
}
