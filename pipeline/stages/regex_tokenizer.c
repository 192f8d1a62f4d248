/* Spark's RegexTokenizer. Patterns that are one character class decided by single bytes (\W+, \s+, [^a-z0-9]+ …), the
 * usual ones, run as a table over bytes; everything else asks PCRE2. Both give the same tokens (see
 * tests/unit/pipeline). */
#include "pipeline/ports.h"
#include "pipeline/regex.h"
#include "pipeline/text.h"

struct regex_tokenizer_params {
	struct ports ports;
	int64_t min_token_length;
	bool gaps, to_lowercase;
	struct str pattern;
	/* Made by check(). */
	struct regex *regex;
	bool by_bytes;
	bool takes_nul;     /* by_bytes: NUL is a token's byte too; texts with one go to the regular expression */
	uint8_t bytes[256]; /* by_bytes: a token's byte as it is written, lower-cased where asked; 0: no token's byte */
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "minTokenLength",
	 .type = FIELD_INT,
	 .offset = offsetof(struct regex_tokenizer_params, min_token_length),
	 .fallback = "1",
	 .min = 0,
	 .max = INT32_MAX,
	 .help = "Shorter tokens (in UTF-16 units) are dropped."},
	{.name = "gaps",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct regex_tokenizer_params, gaps),
	 .fallback = "true",
	 .help = "The pattern matches gaps between tokens; false: it matches the tokens."},
	{.name = "pattern",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct regex_tokenizer_params, pattern),
	 .fallback = "\"\\\\s+\"",
	 .help = "Java regular expression."},
	{.name = "toLowercase",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct regex_tokenizer_params, to_lowercase),
	 .fallback = "true",
	 .help = "Lower-case the text before it is split."},
	FIELD_END,
};

/* Which bytes make tokens. */
static void make_bytes(struct regex_tokenizer_params *p)
{
	bool plus;
	const uint8_t *matches = regex_byte_class(p->regex, &plus);
	/* With the least length 1 empty tokens vanish, so gaps of one or of several characters split alike. */
	p->by_bytes = matches && p->min_token_length == 1 && (p->gaps || plus);
	if (!p->by_bytes) return;
	p->takes_nul = (matches[0] != 0) != p->gaps;
	for (int c = 0; c < 256; c++) {
		unsigned char written = p->to_lowercase ? text_lower_ascii((unsigned char)c) : (unsigned char)c;
		bool token = (matches[written] != 0) != p->gaps;
		p->bytes[c] = token ? written : 0;
	}
}

static bool check(const struct stage *s, struct err *e)
{
	struct regex_tokenizer_params *p = s->params;
	char why[256];
	bool ok = ports_check(s, e);
	if (!regex_compile(p->pattern, &p->regex, why)) return stage_fault(s, e, "pattern", "%s", why);
	make_bytes(p);
	return ok;
}

static void release(struct stage *s)
{
	struct regex_tokenizer_params *p = s->params;
	regex_free(p->regex);
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return ports_bind(s, schema, COL_BIT(COL_STRING), COL_STRINGS, NULL, e);
}

/* Tokens are written one space apart, so that n-grams of neighbours are spans too. */
static bool tokens_by_bytes(const struct regex_tokenizer_params *p, struct str text, struct column *out)
{
	char *start = buf_reserve(&out->own, text.len + 1), *to = start;
	if (!start) return false;
	out->text = out->own.data;
	uint32_t base = (uint32_t)out->own.len;
	const unsigned char *in = (const unsigned char *)text.data, *end = in + text.len;
	while (in < end) {
		while (in < end && !p->bytes[*in]) in++;
		char *token = to;
		for (unsigned char c; in < end && (c = p->bytes[*in]); in++) *to++ = (char)c;
		if (to == token) break;
		column_elem_span(out, (struct span){base + (uint32_t)(token - start), (uint32_t)(to - token)});
		*to++ = ' ';
	}
	buf_commit(&out->own, (size_t)(to - start));
	column_row_end(out);
	return true;
}

static void add_token(const struct regex_tokenizer_params *p, struct str text, size_t begin, size_t end,
		      struct column *out)
{
	struct str token = {text.data + begin, end - begin};
	if (p->min_token_length > 1 ? text_utf16_length(token) < (size_t)p->min_token_length :
				      token.len < (size_t)p->min_token_length)
		return;
	column_elem(out, token.data, token.len);
	buf_char(&out->own, ' ');
	out->text = out->own.data;
}

/* After an empty match Java looks on from the next character. */
static size_t after_empty(struct str text, size_t at)
{
	do at++;
	while (at < text.len && ((unsigned char)text.data[at] & 0xc0) == 0x80);
	return at;
}

static bool tokens_matched(const struct regex_tokenizer_params *p, struct regex_match *m, struct str text,
			   struct column *out)
{
	size_t from = 0, begin, end;
	int found = 0;
	while (from <= text.len && (found = regex_find(p->regex, m, text, from, &begin, &end)) > 0) {
		add_token(p, text, begin, end, out);
		from = end > begin ? end : after_empty(text, end);
	}
	column_row_end(out);
	return found >= 0;
}

/* Java's Pattern.split: an empty match at the start makes no token, trailing empty tokens go, text without a match is
 * one token. */
static bool tokens_between(const struct regex_tokenizer_params *p, struct regex_match *m, struct str text,
			   struct column *out)
{
	size_t from = 0, last = 0, begin, end, kept = out->span_count;
	bool any = false;
	int found = 0;
	while (from <= text.len && (found = regex_find(p->regex, m, text, from, &begin, &end)) > 0) {
		from = end > begin ? end : after_empty(text, end);
		if (end == 0 || (begin == end && begin == text.len)) continue;
		add_token(p, text, last, begin, out);
		if (begin > last) kept = out->span_count;
		last = end;
		any = true;
	}
	add_token(p, text, last, text.len, out);
	if (any && last == text.len) out->span_count = kept;
	column_row_end(out);
	return found >= 0;
}

static struct regex_match *match_of(const struct regex_tokenizer_params *p, struct scratch *sc)
{
	if (!sc->slot[0]) {
		sc->slot[0] = regex_match_create(p->regex);
		sc->drop[0] = (void (*)(void *))regex_match_free;
	}
	return sc->slot[0];
}

/* The text as the pattern sees it: itself (the byte table lower-cases ASCII), or lower-cased in the scratch. */
static struct str prepared(const struct regex_tokenizer_params *p, bool by_bytes, struct str text, struct buf *lowered)
{
	if (!p->to_lowercase || (by_bytes && text_is_ascii(text))) return text;
	buf_clear(lowered);
	text_lower(text, TEXT_ROOT, lowered);
	return (struct str){lowered->data ? lowered->data : "", lowered->len};
}

static void drop_buf(void *b)
{
	buf_release(b);
	mem_free(b);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct regex_tokenizer_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	if (!sc->slot[1]) {
		struct buf *made = scratch_room(sc, 1, sizeof *made);
		*made = BUF_INIT(BATCH_BYTES_MAX);
		sc->drop[1] = drop_buf;
	}
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the text is null");
		struct str text = column_str_at(in, i);
		bool by_bytes = p->by_bytes && !(p->takes_nul && text.len && memchr(text.data, 0, text.len));
		text = prepared(p, by_bytes, text, sc->slot[1]);
		bool ok = by_bytes  ? tokens_by_bytes(p, text, out) :
			  p->gaps ? tokens_between(p, match_of(p, sc), text, out) :
				    tokens_matched(p, match_of(p, sc), text, out);
		if (!ok || !buf_ok(&out->own))
			return stage_data_error(s, b, i, e,
						ok ? "the batch's text is over the limit" :
						     "matching the pattern takes too many steps");
	}
	return true;
}

const struct stage_type regex_tokenizer_stage = {
	.name = "RegexTokenizer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Splits text at a regular expression, or takes its matches for tokens.",
	.inputs = "string",
	.outputs = "array<string>",
	.params = params,
	.params_size = sizeof(struct regex_tokenizer_params),
	.check = check,
	.columns = columns,
	.apply = apply,
	.release = release,
};
