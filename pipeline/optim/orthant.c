#include "pipeline/optim/orthant.h"

#include <math.h>

static double sign(double v) { return (v > 0) - (v < 0); }

void orthant_gradient(const double *x, const double *g, const double *l1, size_t n, double *p)
{
	for (size_t i = 0; i < n; i++) {
		if (x[i] != 0) p[i] = g[i] + sign(x[i]) * l1[i];
		else if (g[i] - l1[i] > 0) p[i] = g[i] - l1[i];
		else if (g[i] + l1[i] < 0) p[i] = g[i] + l1[i];
		else p[i] = 0;
	}
}

void orthant_align(const double *p, size_t n, double *d)
{
	for (size_t i = 0; i < n; i++)
		if (d[i] * p[i] >= 0) d[i] = 0;
}

void orthant_step(const double *x, const double *p, const double *d, double t, size_t n, double *next)
{
	for (size_t i = 0; i < n; i++) {
		double moved = x[i] + t * d[i];
		double orthant = x[i] != 0 ? sign(x[i]) : sign(-p[i]);
		next[i] = sign(moved) == orthant ? moved : 0;
	}
}
