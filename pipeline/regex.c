#define PCRE2_CODE_UNIT_WIDTH 8
#include "pipeline/regex.h"

#include "pipeline/regex_java.h"

#include <pcre2.h>
#include <stdio.h>

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	uint8_t bytes[256];
	bool has_bytes, plus;
};

static bool compile(struct regex *r, const struct buf *pattern, char why[REGEX_WHY_SIZE])
{
	int code;
	PCRE2_SIZE at;
	r->code = pcre2_compile((PCRE2_SPTR)(pattern->data ? pattern->data : ""), pattern->len,
				PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &code, &at, NULL);
	if (!r->code) {
		PCRE2_UCHAR text[160];
		pcre2_get_error_message(code, text, sizeof text);
		snprintf(why, REGEX_WHY_SIZE, "%s", (const char *)text);
		return false;
	}
	pcre2_jit_compile(r->code, PCRE2_JIT_COMPLETE); /* where it fails, the interpreter serves */
	r->limits = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(r->limits, REGEX_MATCH_MAX);
	pcre2_set_heap_limit(r->limits, REGEX_HEAP_MAX);
	return true;
}

static void set_bytes(struct regex *r, const struct regex_translation *t)
{
	r->has_bytes = t->is_class;
	r->plus = t->plus;
	for (int c = 0; c < 256; c++) r->bytes[c] = c < 128 ? t->set.ascii[c >> 6] >> (c & 63) & 1 : t->set.wide;
}

bool regex_compile(struct str java, struct regex **out, char why[REGEX_WHY_SIZE])
{
	if (java.len > REGEX_PATTERN_MAX) {
		snprintf(why, REGEX_WHY_SIZE, "the pattern is over %d bytes", REGEX_PATTERN_MAX);
		return false;
	}
	struct regex_translation t;
	struct regex *r = mem_zalloc(1, sizeof *r);
	bool ok = regex_java_translate(java, &t, why) && compile(r, &t.pcre, why);
	if (ok) {
		set_bytes(r, &t);
		*out = r;
	} else regex_free(r);
	buf_release(&t.pcre);
	return ok;
}

const uint8_t *regex_byte_class(const struct regex *r, bool *plus)
{
	*plus = r->plus;
	return r->has_bytes ? r->bytes : NULL;
}

void regex_free(struct regex *r)
{
	if (!r) return;
	pcre2_code_free(r->code);
	pcre2_match_context_free(r->limits);
	mem_free(r);
}

struct regex_match *regex_match_create(const struct regex *r)
{
	return (struct regex_match *)pcre2_match_data_create_from_pattern(r->code, NULL);
}

void regex_match_free(struct regex_match *m) { pcre2_match_data_free((pcre2_match_data *)m); }

int regex_find(const struct regex *r, struct regex_match *m, struct str s, size_t from, size_t *begin, size_t *end)
{
	pcre2_match_data *data = (pcre2_match_data *)m;
	PCRE2_SPTR text = (PCRE2_SPTR)(s.data ? s.data : "");
	int rc = pcre2_match(r->code, text, s.len, from, PCRE2_NO_UTF_CHECK, data, r->limits);
	/* The compiled code has a small stack of its own; the interpreter's is the heap. */
	if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
		rc = pcre2_match(r->code, text, s.len, from, PCRE2_NO_UTF_CHECK | PCRE2_NO_JIT, data, r->limits);
	if (rc == PCRE2_ERROR_NOMATCH) return 0;
	if (rc < 0) return -1;
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer(data);
	*begin = v[0];
	*end = v[1];
	return 1;
}

unsigned regex_groups(const struct regex *r)
{
	uint32_t count = 0;
	pcre2_pattern_info(r->code, PCRE2_INFO_CAPTURECOUNT, &count);
	return count;
}

bool regex_group(const struct regex_match *m, unsigned k, size_t *begin, size_t *end)
{
	/* PCRE2 only reads it. */
	const PCRE2_SIZE *v = pcre2_get_ovector_pointer((pcre2_match_data *)(uintptr_t)m);
	if (v[2 * k] == PCRE2_UNSET) return false;
	*begin = v[2 * k];
	*end = v[2 * k + 1];
	return true;
}
