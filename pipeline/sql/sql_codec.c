/* Values in other notations (HEX, CONV, BASE64, URLs, FORMAT_NUMBER), and their hashes. */
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_text.h"

#include "base/hash.h"
#include "data/deflate.h"

#include <math.h>
#include <stdio.h>

#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)

/* --- Other bases ------------------------------------------------------------------------------------------------- */

enum { BASE_MAX = 36, BASE_TEXT = 66 };
static const char base_digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

static bool put_based(struct sql_run *r, bool negative, uint64_t v, unsigned base, struct sql_value *out)
{
	char text[BASE_TEXT];
	size_t at = sizeof text;
	do text[--at] = base_digits[v % base];
	while (v /= base);
	if (negative) text[--at] = '-';
	return sql_put(r, out, &(struct str){text + at, sizeof text - at}, 1);
}

CALL(hex_number)
{
	return put_based(r, false, (uint64_t)a[0].i, 16, out);
}
CALL(bin)
{
	return put_based(r, false, (uint64_t)a[0].i, 2, out);
}
CALL(hex_text)
{
	buf_clear(&r->work);
	for (size_t i = 0; i < a[0].s.len; i++) buf_printf(&r->work, "%02X", (unsigned char)a[0].s.data[i]);
	return sql_worked(r, out);
}

static bool bind_bin(struct sql_binder *b, struct sql_node *n)
{
	n->type = SQL_TYPE(SQL_STRING);
	return sql_convert(b, n, 0, SQL_TYPE(SQL_BIGINT));
}

static bool bind_hex(struct sql_binder *b, struct sql_node *n)
{
	enum sql_base base = n->args[0]->type.base;
	n->call = base == SQL_STRING || base == SQL_BOOLEAN ? hex_text : hex_number;
	if (n->call == hex_number) return bind_bin(b, n);
	n->type = SQL_TYPE(SQL_STRING);
	return sql_coerce(b, n, 0, n->type);
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9') return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'z') return (unsigned)(c - 'a') + 10;
	return c >= 'A' && c <= 'Z' ? (unsigned)(c - 'A') + 10 : BASE_MAX;
}

/* Digits up to the first that is none, in 64 bits without sign; a negative base to write in keeps the sign
 * (NumberConverter.convert). */
CALL(conv)
{
	struct str s = a[0].s;
	int64_t from = a[1].i, to = a[2].i, into = to < 0 ? -to : to;
	while (s.len && s.data[0] == ' ') s = (struct str){s.data + 1, s.len - 1};
	while (s.len && s.data[s.len - 1] == ' ') s.len--;
	out->null = s.len == 0 || from < 2 || from > BASE_MAX || into < 2 || into > BASE_MAX;
	if (out->null) return true;
	bool negative = s.data[0] == '-';
	uint64_t v = 0;
	for (size_t i = negative; i < s.len && digit_of(s.data[i]) < (unsigned)from; i++)
		if (__builtin_mul_overflow(v, (uint64_t)from, &v) || __builtin_add_overflow(v, digit_of(s.data[i]), &v))
			return sql_bad(r, "the number is too large for conv");
	if (negative && to > 0) v = (int64_t)v < 0 ? UINT64_MAX : -v;
	if (to < 0 && (int64_t)v < 0) {
		v = -v;
		negative = true;
	}
	return put_based(r, negative && to < 0, v, (unsigned)into, out);
}

/* --- Base 64 and URLs -------------------------------------------------------------------------------------------- */

/* In lines of 76, as MIME wants them (RFC 2045). */
CALL(base64)
{
	enum { LINE_BYTES = 57 };
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)a[0].s.data;
	size_t len = a[0].s.len;
	buf_clear(&r->work);
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) | (left > 2 ? p[i + 2] : 0);
		if (i && i % LINE_BYTES == 0) buf_str(&r->work, "\r\n");
		buf_char(&r->work, digits[v >> 18]);
		buf_char(&r->work, digits[v >> 12 & 63]);
		buf_char(&r->work, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_char(&r->work, left > 2 ? digits[v & 63] : '=');
	}
	return sql_worked(r, out);
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* application/x-www-form-urlencoded, as java.net.URLEncoder. */
CALL(url_encode)
{
	struct str s = a[0].s;
	buf_clear(&r->work);
	for (size_t i = 0; i < s.len; i++)
		if (s.data[i] == ' ')
			buf_char(&r->work, '+');
		else if (is_alphanumeric(s.data[i]) || (s.data[i] && strchr("*-._", s.data[i])))
			buf_char(&r->work, s.data[i]);
		else
			buf_printf(&r->work, "%%%02X", (unsigned char)s.data[i]);
	return sql_worked(r, out);
}

CALL(url_decode)
{
	struct str s = a[0].s;
	buf_clear(&r->work);
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] != '%') {
			buf_char(&r->work, s.data[i] == '+' ? ' ' : s.data[i]);
			continue;
		}
		unsigned high = i + 2 < s.len ? digit_of(s.data[i + 1]) : 16, low = high < 16 ? digit_of(s.data[i + 2]) : 16;
		if (low >= 16) return sql_bad(r, "in a URL %% must stand before two hexadecimal digits");
		buf_char(&r->work, (char)(high << 4 | low));
		i += 2;
	}
	if (buf_ok(&r->work) && !str_utf8_valid(r->work.data, r->work.len))
		return sql_bad(r, "the decoded URL is not UTF-8");
	return sql_worked(r, out);
}

/* --- FORMAT_NUMBER: Java's DecimalFormat("#,##0.…") -------------------------------------------------------------- */

enum { FORMAT_DIGITS_MAX = 340, FORMAT_TEXT = 1024 };

/* "[-]digits[.digits]" with commas between the thousands, and `zeros` behind it. */
static bool put_grouped(struct sql_run *r, const char *text, size_t zeros, struct sql_value *out)
{
	size_t sign = text[0] == '-', whole = strcspn(text + sign, ".");
	buf_clear(&r->work);
	buf_append(&r->work, text, sign);
	for (size_t i = 0; i < whole; i++) {
		if (i && (whole - i) % 3 == 0) buf_char(&r->work, ',');
		buf_char(&r->work, text[sign + i]);
	}
	buf_str(&r->work, text + sign + whole);
	if (zeros && !text[sign + whole]) buf_char(&r->work, '.');
	while (zeros--) buf_char(&r->work, '0');
	return sql_worked(r, out);
}

static bool formats(const struct sql_value *digits, struct sql_run *r, struct sql_value *out)
{
	out->null = digits->i < 0;
	return digits->i <= FORMAT_DIGITS_MAX || sql_bad(r, "format_number writes at most %d digits", FORMAT_DIGITS_MAX);
}

CALL(format_integer)
{
	char text[BASE_TEXT];
	if (!formats(&a[1], r, out)) return false;
	if (out->null) return true;
	snprintf(text, sizeof text, "%lld", (long long)a[0].i);
	return put_grouped(r, text, (size_t)a[1].i, out);
}

/* The fewest digits that give the number, then zeros; what must be rounded is rounded from its exact value. */
CALL(format_double)
{
	char text[FORMAT_TEXT];
	int64_t digits;
	int exponent, wanted = (int)MIN(a[1].i, (int64_t)FORMAT_DIGITS_MAX);
	double v = a[0].d;
	if (!formats(&a[1], r, out)) return false;
	if (out->null) return true;
	if (!isfinite(v)) return sql_put(r, out, &STR(isnan(v) ? "NaN" : v < 0 ? "-∞" : "∞"), 1);
	sql_double_digits(v, &digits, &exponent);
	int shown = MIN(wanted, MAX(-exponent, 0));
	if (exponent > 0)
		snprintf(text, sizeof text, "%lld%0*d", (long long)digits, exponent, 0);
	else
		snprintf(text, sizeof text, "%.*f", shown, v);
	return put_grouped(r, text, (size_t)(wanted - shown), out);
}

CALL(format_decimal)
{
	char text[SQL_DECIMAL_TEXT + 2];
	if (!formats(&a[1], r, out)) return false;
	if (out->null) return true;
	int scale = n->args[0]->type.scale, shown = (int)MIN((int64_t)scale, a[1].i);
	sql_int128 v = sql_decimal_drop(a[0].dec, scale - shown, true);
	bool lost_sign = v == 0 && a[0].dec < 0;
	text[0] = '-';
	text[lost_sign + sql_decimal_text(v, shown, text + lost_sign)] = 0;
	return put_grouped(r, text, (size_t)(a[1].i - shown), out);
}

static bool bind_format(struct sql_binder *b, struct sql_node *n)
{
	struct sql_type t = n->args[0]->type;
	bool real = !sql_is_integer(t) && t.base != SQL_DECIMAL;
	n->type = SQL_TYPE(SQL_STRING);
	n->call = real ? format_double : t.base == SQL_DECIMAL ? format_decimal : format_integer;
	return (!real || sql_coerce(b, n, 0, SQL_TYPE(SQL_DOUBLE))) && sql_coerce(b, n, 1, SQL_TYPE(SQL_INT));
}

/* --- Hashes ------------------------------------------------------------------------------------------------------ */

CALL(crc32)
{
	return out->i = deflate_crc32(a[0].s.data, a[0].s.len), true;
}

static bool digest(struct sql_run *r, enum hash_digest kind, struct str s, struct sql_value *out)
{
	char hex[HASH_DIGEST_HEX_MAX];
	return sql_put(r, out, &(struct str){hex, hash_digest_hex(kind, s.data, s.len, hex)}, 1);
}
CALL(md5)
{
	return digest(r, HASH_MD5, a[0].s, out);
}
CALL(sha1)
{
	return digest(r, HASH_SHA1, a[0].s, out);
}
CALL(sha2)
{
	static const struct {
		int64_t bits;
		enum hash_digest kind;
	} kinds[] = {
	    {0, HASH_SHA256}, {224, HASH_SHA224}, {256, HASH_SHA256}, {384, HASH_SHA384}, {512, HASH_SHA512}};
	for (size_t k = 0; k < ARRAY_COUNT(kinds); k++)
		if (kinds[k].bits == a[1].i) return digest(r, kinds[k].kind, a[0].s, out);
	return out->null = true, true;
}

enum { HASH_SEED = 42, DECIMAL_IN_LONG = 18 };

/* The bytes that Spark hashes a value by: a number's as its machine holds it, of a long decimal the shortest big-endian
 * two's complement. */
static struct str hashed_bytes(struct sql_type t, const struct sql_value *v, unsigned char room[16])
{
	static const double one_nan = NAN;
	int64_t i = t.base == SQL_BOOLEAN ? v->b : v->i;
	size_t len = t.base == SQL_BIGINT ? 8 : 4;
	if (t.base == SQL_STRING) return v->s;
	if (t.base == SQL_DOUBLE) {
		double d = isnan(v->d) ? one_nan : v->d + 0.0;
		memcpy(&i, &d, sizeof i);
		len = 8;
	}
	if (t.base == SQL_DECIMAL && t.precision <= DECIMAL_IN_LONG) {
		i = (int64_t)v->dec;
		len = 8;
	}
	if (t.base == SQL_DECIMAL && t.precision > DECIMAL_IN_LONG) {
		len = 1;
		while (len < 16 && v->dec >> (8 * len - 1) != 0 && v->dec >> (8 * len - 1) != -1) len++;
		for (size_t k = 0; k < len; k++) room[k] = (unsigned char)(v->dec >> (8 * (len - 1 - k)));
		return (struct str){(const char *)room, len};
	}
	memcpy(room, &i, len);
	return (struct str){(const char *)room, len};
}

/* Each value's hash seeds the next one's; nulls change nothing. */
static bool chain(const struct sql_node *n, struct sql_run *r, uint64_t (*hash)(const void *p, size_t len, uint64_t seed),
		  struct sql_value *out)
{
	unsigned char room[16];
	uint64_t h = HASH_SEED;
	for (size_t k = 0; k < n->count; k++) {
		if (!sql_eval(n->args[k], r, out)) return false;
		if (out->null) continue;
		struct str s = hashed_bytes(n->args[k]->type, out, room);
		h = hash(s.data, s.len, h);
	}
	*out = (struct sql_value){.i = (int64_t)h};
	return true;
}
static uint64_t murmur3_of(const void *p, size_t len, uint64_t seed)
{
	return (uint64_t)(int32_t)hash_murmur3_bytewise(p, len, (uint32_t)seed);
}
static bool murmur3(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return chain(n, r, murmur3_of, out);
}
static bool xxhash64(const struct sql_node *n, struct sql_run *r, struct sql_value *out)
{
	return chain(n, r, hash_xxh64, out);
}

static bool bind_hash(struct sql_binder *b, struct sql_node *n)
{
	n->type = SQL_TYPE(n->eval == murmur3 ? SQL_INT : SQL_BIGINT);
	for (size_t k = 0; k < n->count; k++)
		if (!sql_is_scalar(n->args[k]->type))
			return sql_fail(b->e, n->args[k]->at, "vectors and arrays cannot be hashed");
	return true;
}

const struct sql_function sql_codec_functions[] = {
	{"hex", .min = 1, .max = 1, .bind = bind_hex},
	{"bin", .min = 1, .max = 1, .call = bin, .bind = bind_bin},
	{"conv", "sii:s", conv},
	{"base64", "t:s", base64},
	{"url_encode", "s:s", url_encode},
	{"url_decode", "s:s", url_decode},
	{"format_number", .min = 2, .max = 2, .bind = bind_format},
	{"crc32", "t:l", crc32},
	{"md5", "t:s", md5},
	{"sha", "t:s", sha1},
	{"sha1", "t:s", sha1},
	{"sha2", "ti:s", sha2},
	{"hash", .min = 1, .max = SQL_ANY_NUMBER, .eval = murmur3, .bind = bind_hash},
	{"xxhash64", .min = 1, .max = SQL_ANY_NUMBER, .eval = xxhash64, .bind = bind_hash},
	{0},
};
