#include "pipeline/special.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>

enum { STEPS_MAX = 1 << 20 }; /* of a series or a fraction; the square root of the arguments is what they take */

/* --- Loader's parts ------------------------------------------------------------------------------------------ */

/* ln Γ(n + 1) - (n ln n - n + ½ ln 2πn), n > 0. */
static double stirling_error(double n)
{
	static const double c[] = {1.0 / 12, 1.0 / 360, 1.0 / 1260, 1.0 / 1680, 1.0 / 1188};
	double nn = n * n;
	int sign;
	if (n <= 15) return lgamma_r(n + 1, &sign) - (n + 0.5) * log(n) + n - 0.5 * log(2 * M_PI);
	return (c[0] - (c[1] - (c[2] - (c[3] - c[4] / nn) / nn) / nn) / nn) / n;
}

/* x ln(x / m) + m - x, without cancellation where the two are close. */
static double deviance(double x, double m)
{
	if (!(fabs(x - m) < 0.3 * (x + m))) return x * log(x / m) + m - x;
	double v = (x - m) / (x + m), sum = (x - m) * v, term = 2 * x * v;
	for (int j = 1; j < STEPS_MAX; j++) {
		term *= v * v;
		double next = sum + term / (2 * j + 1);
		if (next == sum) break;
		sum = next;
	}
	return sum;
}

/* --- Continued fractions ------------------------------------------------------------------------------------- */

/* Lentz's: b0 + a1 / (b1 + a2 / (b2 + …)), term by term; c and d are ratios of neighbouring convergents. */
struct fraction {
	double value, c, d;
};

static double not_zero(double x)
{
	return fabs(x) < DBL_MIN ? DBL_MIN : x;
}

static struct fraction fraction_start(double b0)
{
	double value = not_zero(b0);
	return (struct fraction){value, value, 0};
}

/* False once the value no longer changes. */
static bool fraction_step(struct fraction *f, double a, double b)
{
	f->d = 1 / not_zero(b + a * f->d);
	f->c = not_zero(b + a / f->c);
	f->value *= f->c * f->d;
	return fabs(f->c * f->d - 1) > DBL_EPSILON;
}

/* --- Gamma --------------------------------------------------------------------------------------------------- */

/* x^a e^-x / Γ(a + 1) */
static double gamma_front(double a, double x)
{
	return exp(-stirling_error(a) - deviance(a, x)) / sqrt(2 * M_PI * a);
}

static double gamma_p_series(double a, double x)
{
	double term = 1, sum = 1;
	for (int n = 1; n < STEPS_MAX && term > sum * (DBL_EPSILON / 2); n++) {
		term *= x / (a + n);
		sum += term;
	}
	return gamma_front(a, x) * sum;
}

static double gamma_q_fraction(double a, double x)
{
	struct fraction f = fraction_start(x + 1 - a);
	for (int n = 1; n < STEPS_MAX && fraction_step(&f, -n * (n - a), x + 2 * n + 1 - a); n++) continue;
	return gamma_front(a, x) * a / f.value;
}

double special_gamma_p(double a, double x)
{
	if (!(a > 0 && x >= 0)) return NAN;
	if (x == 0) return 0;
	if (isinf(x)) return 1;
	return x < a + 1 ? gamma_p_series(a, x) : 1 - gamma_q_fraction(a, x);
}

/* --- Beta ---------------------------------------------------------------------------------------------------- */

/* x^a (1-x)^b / (a B(a, b)) */
static double beta_front(double x, double a, double b)
{
	double n = a + b;
	double exponent =
	    stirling_error(n) - stirling_error(a) - stirling_error(b) - deviance(a, n * x) - deviance(b, n * (1 - x));
	return exp(exponent) * sqrt(n / (2 * M_PI * a * b)) * (b / n);
}

static double beta_fraction(double x, double a, double b)
{
	struct fraction f = fraction_start(1);
	for (int n = 1; n < STEPS_MAX; n++) {
		int m = n / 2;
		double up = n % 2 ? -(a + m) * (a + b + m) : m * (b - m);
		if (!fraction_step(&f, up * x / ((a + n - 1) * (a + n)), 1)) break;
	}
	return beta_front(x, a, b) / f.value;
}

double special_beta_i(double x, double a, double b)
{
	if (!(x >= 0 && x <= 1 && a > 0 && b > 0)) return NAN;
	if (x == 0 || x == 1) return x;
	if (x > (a + 1) / (a + b + 2) && 1 - x <= (b + 1) / (a + b + 2)) return 1 - beta_fraction(1 - x, b, a);
	return beta_fraction(x, a, b);
}

/* --- Tails --------------------------------------------------------------------------------------------------- */

double special_chi_squared_tail(double x, double freedom)
{
	return x <= 0 ? 1 : 1 - special_gamma_p(freedom / 2, x / 2);
}

double special_f_tail(double x, double freedom_above, double freedom_below)
{
	double part = freedom_above * x;
	return x <= 0 ? 1 : 1 - special_beta_i(part / (freedom_below + part), freedom_above / 2, freedom_below / 2);
}
