/* The three bends that OWL-QN makes to L-BFGS (Andrew & Gao 2007, section 3), on stretches of n elements. */
#ifndef QUERN_PIPELINE_ORTHANT_H
#define QUERN_PIPELINE_ORTHANT_H

#include <stddef.h>

/* p: the subgradient of loss + Σ l1·|x| of least norm. */
void orthant_gradient(const double *x, const double *g, const double *l1, size_t n, double *p);
/* A direction may only go where -p points: other components become 0. It stays a descent direction, for only terms
 * that climb are taken from d·p. */
void orthant_align(const double *p, size_t n, double *d);
/* next = x + t·d, but a component that would leave the orthant of x (of -p, where x is 0) becomes 0 (equation 6). As
 * in Breeze that goes for components without l1 too: an intercept changes its sign in two steps. */
void orthant_step(const double *x, const double *p, const double *d, double t, size_t n, double *next);

#endif
