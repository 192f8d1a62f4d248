/* Incomplete gamma and beta functions against values computed with 40 digits, and where their halves meet. */
#include "pipeline/special.h"
#include "tests/support/support.h"

#include <math.h>

#define CLOSE 1e-13

static void close_to(double ours, double known)
{
	if (fabs(ours - known) > CLOSE * fabs(known)) fail_msg("%.17g where %.17g is right", ours, known);
}

static void test_gamma(void **state)
{
	static const struct {
		double a, x, p;
	} known[] = {
	    {0.5, 0.25, 0.520499877813046538},
	    {1, 1, 0.632120558828557678},
	    {1, 30, 0.999999999999906424},
	    {2.5, 7, 0.984390583899733085},
	    {15.5, 15, 0.482703450685104216},
	    {100, 80, 0.0171083130351331142},
	    {100, 140, 0.999838942825287444},
	    {500000, 500700, 0.838902979845420604},
	    {0.001, 2, 0.999951023082169019},
	    {40, 16.38802498550186, 5.8829464280826501e-7},
	    {500, 395.236120918075, 2.2776029853424506e-7},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) close_to(special_gamma_p(known[i].a, known[i].x), known[i].p);
}

static void test_beta(void **state)
{
	static const struct {
		double x, a, b, i;
	} known[] = {
	    {0.5, 0.5, 0.5, 0.5},
	    {0.3, 1, 1, 0.3},
	    {0.25, 2, 3, 0.26171875},
	    {0.9, 30, 2, 0.169564633100864911},
	    {0.02, 0.5, 29, 0.718890180043742237},
	    {0.999, 0.5, 29, 1},
	    {0.5, 500, 520, 0.734506577151153177},
	    {1e-05, 0.5, 40000, 0.62890633150001012},
	    {0.9160502623302975, 46.87781008219202, 2.5, 0.1379410544129594},
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++)
		close_to(special_beta_i(known[i].x, known[i].a, known[i].b), known[i].i);
}

static void test_closed_forms(void **state)
{
	(void)state;
	for (double x = 0.125; x < 40; x *= 1.5) {
		close_to(special_gamma_p(1, x), -expm1(-x));
		close_to(special_gamma_p(0.5, x), erf(sqrt(x)));
		close_to(special_beta_i(x / 40, 1, 7), -expm1(7 * log1p(-x / 40)));
		close_to(special_beta_i(x / 40, 0.5, 0.5), asin(sqrt(x / 40)) * 2 / M_PI);
	}
}

static void test_edges(void **state)
{
	(void)state;
	assert_true(special_gamma_p(2, 0) == 0 && special_gamma_p(2, INFINITY) == 1);
	assert_true(special_beta_i(0, 2, 3) == 0 && special_beta_i(1, 2, 3) == 1);
	assert_true(isnan(special_gamma_p(0, 1)) && isnan(special_gamma_p(1, -1)) && isnan(special_gamma_p(NAN, 1)));
	assert_true(isnan(special_beta_i(1.5, 1, 1)) && isnan(special_beta_i(NAN, 1, 1)) &&
		    isnan(special_beta_i(0.5, 0, 1)));
}

/* Tails tie at 0, and a statistic that is no number has no p-value. */
static void test_tails(void **state)
{
	(void)state;
	close_to(special_chi_squared_tail(3, 2), exp(-1.5));
	assert_true(special_chi_squared_tail(500, 4) == 0 && special_chi_squared_tail(600, 4) == 0);
	assert_true(special_chi_squared_tail(0, 4) == 1 && special_f_tail(-1, 1, 9) == 1);
	assert_true(isnan(special_f_tail(NAN, 1, 9)) && isnan(special_f_tail(INFINITY, 1, 9)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_gamma), cmocka_unit_test(test_beta),  cmocka_unit_test(test_closed_forms),
	    cmocka_unit_test(test_edges), cmocka_unit_test(test_tails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
