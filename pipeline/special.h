/* Incomplete gamma and beta functions, and the distributions of test statistics that rest on them. Relative error about
 * 1e-14 (some 1e-16 of the exponent where a result is below 1e-100); NaN where an argument is NaN or out of its range.
 *
 * The powers and factorials before the series come from C. Loader, "Fast and accurate computation of binomial
 * probabilities" (2000), which loses no digits to large arguments; the fractions are DLMF 8.9.2 and 8.17.22, evaluated
 * as in W. J. Lentz (1976). */
#ifndef QUERN_PIPELINE_SPECIAL_H
#define QUERN_PIPELINE_SPECIAL_H

/* P(a, x), a > 0, x >= 0. */
double special_gamma_p(double a, double x);
/* I_x(a, b), 0 <= x <= 1, a > 0, b > 0. */
double special_beta_i(double x, double a, double b);

/* The chance of a statistic greater than x. It is 1 minus the distribution function, as Spark has it: below 1e-16 all
 * is 0, and equal p-values tie as they do there. */
double special_chi_squared_tail(double x, double freedom);
double special_f_tail(double x, double freedom_above, double freedom_below);

#endif
