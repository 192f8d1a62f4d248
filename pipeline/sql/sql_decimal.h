/* Decimals of up to 38 digits: an unscaled 128-bit integer whose scale its type knows. Rounding is half away from zero
 * (Java's HALF_UP). Functions return false where the result does not fit. */
#ifndef QUERN_PIPELINE_SQL_DECIMAL_H
#define QUERN_PIPELINE_SQL_DECIMAL_H

#include "base/str.h"

__extension__ typedef __int128 sql_int128;

enum { SQL_DECIMAL_DIGITS = 38, SQL_DECIMAL_TEXT = 48 };

sql_int128 sql_pow10(int k); /* 0 … 38 */
bool sql_decimal_fits(sql_int128 v, int precision);
QN_MUST bool sql_decimal_rescale(sql_int128 v, int from, int to, sql_int128 *out);
/* a · b / 10^drop, 0 ≤ drop. */
QN_MUST bool sql_decimal_multiply(sql_int128 a, sql_int128 b, int drop, sql_int128 *out);
/* a / b at scale `to`; b is not 0. */
QN_MUST bool sql_decimal_divide(sql_int128 a, int scale_a, sql_int128 b, int scale_b, int to, sql_int128 *out);
/* The text of a number (sign, digits, point, exponent) rounded to a scale. */
QN_MUST bool sql_decimal_parse(struct str text, int scale, sql_int128 *out);
/* Plain digits, never an exponent; writes no NUL. */
size_t sql_decimal_text(sql_int128 v, int scale, char out[SQL_DECIMAL_TEXT]);
double sql_decimal_double(sql_int128 v, int scale);
/* The fewest digits that give the double: v = digits · 10^exponent. Finite values only. */
void sql_double_digits(double v, int64_t *digits, int *exponent);
/* v rounded to so many digits behind the point (before it when negative), as BigDecimal(v).setScale does; half_even:
 * ties to the even digit. NaN and infinities stay. */
double sql_double_round(double v, int scale, bool half_even);
/* The same of an integer, scale < 0; false: it does not fit. */
QN_MUST bool sql_integer_round(int64_t v, int scale, bool half_even, int64_t *out);
/* v / 10^k rounded, k ≥ 0. */
sql_int128 sql_decimal_drop(sql_int128 v, int k, bool half_even);

#endif
