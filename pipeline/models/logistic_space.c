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

/* What p·(1 - p) will be on average when the model fits well: an eighth of what it is when only the intercept is
 * known. The factor was found by trying (IMDb, λ from 1e-3 to 3e-7); it matters little within two powers of two. */
static double expected_curvature(const struct logistic_rows *r)
{
	double sum = 0;
	size_t classes = MAX(r->classes, (size_t)2);
	for (size_t k = 0; k < r->classes; k++) {
		double share = r->class_weight[k] / r->weight;
		sum += share * (1 - share);
	}
	return fmax(sum / (double)classes / 8, 1e-9);
}

void logistic_space_init(struct logistic_space *s, const struct logistic_rows *r, size_t sets, bool intercept)
{
	*s = (struct logistic_space){
		.features = r->features,
		.active = r->features,
		.sets = sets,
		.intercept = intercept,
		.wide = r->features * sets >= WIDE_COEFFICIENTS && r->stored * (double)sets >= WIDE_ENTRIES,
		.curvature = expected_curvature(r),
		.weight = r->weight,
	};
	if (s->wide) order_by_count(s, r->count);
	s->coefficients = s->active * sets;
	s->n = s->coefficients + (intercept ? sets : 0);
}

void logistic_space_scale(struct logistic_space *s, const struct logistic_moments *m,
			  const struct logistic_penalty *penalty)
{
	size_t room = MAX(s->active, (size_t)1);
	s->unscale = mem_zalloc(room, sizeof *s->unscale);
	s->l1 = mem_zalloc(room, sizeof *s->l1);
	s->l2 = mem_zalloc(room, sizeof *s->l2);
	s->mean = s->intercept ? m->mean : NULL;
	for (size_t j = 0; j < s->active; j++) {
		double var = m->variance[j], std = sqrt(var);
		double l1 = penalty->standardized ? penalty->l1 * std : penalty->l1;
		double l2 = penalty->standardized ? penalty->l2 * var : penalty->l2;
		double unscale = var <= 0 ? 0 : s->wide ? 1 / sqrt(var + l2 / s->curvature) : 1 / std;
		s->unscale[j] = unscale;
		s->l1[j] = l1 * unscale;
		s->l2[j] = l2 * unscale * unscale;
	}
}

void logistic_space_release(struct logistic_space *s)
{
	mem_free(s->place);
	mem_free(s->unscale);
	mem_free(s->l1);
	mem_free(s->l2);
	*s = (struct logistic_space){0};
}

void logistic_space_spread(const struct logistic_space *s, const double *by_place, size_t lo, size_t hi, double *out)
{
	for (size_t i = lo; i < hi; i++) out[i - lo] = i < s->coefficients ? by_place[i / s->sets] : 0;
}
