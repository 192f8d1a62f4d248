/* The space in which LogisticRegression is solved.
 *
 * A variable is a coefficient times the scale of its feature; features are centred (implicitly, by the intercept's
 * offset) when an intercept is fitted. Neither moves the optimum, both decide how fast it is found. Variables are laid
 * out as Spark's: all classes of a feature side by side, then the intercepts: x[place·sets + class], x[active·sets +
 * class].
 *
 * Usually the scale is the standard deviation, so that the path is Spark's. A wide problem (very many coefficients,
 * very many entries: text) gets three changes that make a pass and a step cheap:
 *   - Features that no row stores are left out, and the others are ordered by how often they are stored (in powers of
 *     two), so that what most rows touch lies in few cache lines.
 *   - The scale is the square root of the Hessian's diagonal, variance + λ/c, where c stands for the mean of p·(1 - p).
 *     For a penalty in units of the standard deviation that is the same scale again; for rare words under a plain
 *     penalty the standard deviation alone is far too small. (IMDb reviews, λ = 2e-6: 19 passes instead of several
 *     hundred.)
 *   - It may end as soon as the gap proves that f is within tol of its minimum (optim/lbfgs.h), with a memory of 8
 *     pairs. /
 */
#ifndef QUERN_PIPELINE_LOGISTIC_SPACE_H
#define QUERN_PIPELINE_LOGISTIC_SPACE_H

#include "pipeline/models/logistic_moments.h"

struct logistic_penalty {
	double l1, l2;
	bool standardized; /* in units of the features' standard deviations */
};

struct logistic_space {
	size_t features;     /* of a row */
	size_t active;       /* features solved for */
	size_t sets;         /* 1 (binomial) or the number of classes */
	size_t coefficients; /* active·sets */
	size_t n;            /* with the intercepts */
	bool intercept, wide;
	uint32_t *place;     /* [features] feature → its place, or NULL: the same. UINT32_MAX: left out */
	double *unscale;     /* [active] coefficient = variable · unscale; 0 for a feature without variance */
	const double *mean;  /* [active] of the moments, borrowed; NULL: not centred */
	double *l1, *l2;     /* [active] penalties of the variables */
	double curvature;    /* c */
	double weight;       /* Σ w */
};

/* Which features are solved for, and where. The rest is filled in by logistic_space_scale. */
void logistic_space_init(struct logistic_space *s, const struct logistic_rows *r, size_t sets, bool intercept);
void logistic_space_scale(struct logistic_space *s, const struct logistic_moments *m,
			  const struct logistic_penalty *penalty);
void logistic_space_release(struct logistic_space *s);
/* Variables [lo, hi) of a table by place; intercepts get 0. */
void logistic_space_spread(const struct logistic_space *s, const double *by_place, size_t lo, size_t hi, double *out);

#endif
