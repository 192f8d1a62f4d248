/* How alike texts are, and what they are made of. */
#include "pipeline/sql/sql_function.h"
#include "pipeline/sql/sql_text.h"

#define CALL(name)                                                                                                   \
	static bool name(QN_UNUSED const struct sql_node *n, QN_UNUSED struct sql_run *r, const struct sql_value *a, \
			 struct sql_value *out)

/* --- LEVENSHTEIN ------------------------------------------------------------------------------------------------- */

/* From the distances of every beginning of b to a beginning of a, those to the one longer by c (Wagner and Fischer, 1974). */
static void next_distances(int32_t *row, struct str c, const struct str *b, size_t length)
{
	int32_t corner = row[0]++;
	for (size_t j = 1; j <= length; j++) {
		int32_t changed = corner + !str_eq(c, b[j - 1]);
		corner = row[j];
		row[j] = MIN(changed, MIN(corner, row[j - 1]) + 1);
	}
}

static struct str *code_points(struct sql_run *r, struct str s, size_t length)
{
	struct str *out = arena_alloc(&r->text, (length + 1) * sizeof *out);
	for (size_t k = 0, at = 0; k < length; k++) {
		size_t len = sql_byte_of((struct str){s.data + at, s.len - at}, 1);
		out[k] = (struct str){s.data + at, len};
		at += len;
	}
	return out;
}

CALL(levenshtein)
{
	bool swap = a[0].s.len < a[1].s.len;
	struct str s = a[swap].s, shorter = a[!swap].s, c;
	size_t steps = (size_t)sql_length(s), length = (size_t)sql_length(shorter);
	if (length && steps > SQL_EDIT_STEPS_MAX / length)
		return sql_bad(r, "levenshtein of texts of %zu and %zu characters takes over %d steps", steps, length,
			       SQL_EDIT_STEPS_MAX);
	struct str *points = code_points(r, shorter, length);
	int32_t *row = arena_alloc(&r->text, (length + 1) * sizeof *row);
	for (size_t j = 0; j <= length; j++) row[j] = (int32_t)j;
	for (; s.len; s = (struct str){s.data + c.len, s.len - c.len}) {
		c = (struct str){s.data, sql_byte_of(s, 1)};
		next_distances(row, c, points, length);
	}
	out->i = n->count > 2 && row[length] > a[2].i ? -1 : row[length];
	return true;
}

/* --- SOUNDEX ----------------------------------------------------------------------------------------------------- */

static char upper_letter(char c)
{
	char up = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	return up >= 'A' && up <= 'Z' ? up : 0;
}

/* American Soundex: vowels part equal codes, H and W do not; what is no letter does. Text that begins with none stays. */
CALL(soundex)
{
	static const char codes[] = "01230127022455012623017202"; /* of A to Z; 7: H and W */
	struct str s = a[0].s;
	char first = s.len ? upper_letter(s.data[0]) : 0, made[] = "?000", last;
	out->s = s;
	if (!first) return true;
	made[0] = first;
	last = codes[first - 'A'];
	for (size_t i = 1, at = 1; i < s.len && at < 4; i++) {
		char c = upper_letter(s.data[i]), code = c ? codes[c - 'A'] : '0';
		if (code == '7') continue;
		if (code != '0' && code != last) made[at++] = code;
		last = code;
	}
	return sql_put(r, out, &STR(made), 1);
}

/* --- Parts of texts ---------------------------------------------------------------------------------------------- */

/* ISO/IEC 7812-1's check digit. */
CALL(luhn_check)
{
	struct str s = a[0].s;
	unsigned sum = 0;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[s.len - 1 - i];
		if (c < '0' || c > '9') return out->b = false, true;
		unsigned v = (c - '0') * (1 + i % 2);
		sum = (sum + v / 10 + v % 10) % 10;
	}
	return out->b = s.len && sum == 0, true;
}

/* The place of a text among those between commas, from 1; 0: it is not there. */
CALL(find_in_set)
{
	struct str part = a[0].s, set = a[1].s;
	int64_t k = 1;
	if (sql_find(part, STR(","), 0) <= part.len) return true;
	for (size_t at = 0, end; at <= set.len; at = end + 1, k++) {
		end = MIN(sql_find(set, STR(","), at), set.len);
		if (str_eq(part, (struct str){set.data + at, end - at})) return out->i = k, true;
	}
	return true;
}

const struct sql_function sql_similarity_functions[] = {
	{"levenshtein", "ss?i:i", levenshtein},
	{"soundex", "s:s", soundex},
	{"luhn_check", "s:b", luhn_check},
	{"find_in_set", "ss:i", find_in_set},
	{0},
};
