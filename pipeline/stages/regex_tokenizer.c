/* Spark's RegexTokenizer. Patterns that are one character class decided by single bytes (\W+, \s+, [^a-z0-9]+ …), the
 * usual ones, are asked of 64 bytes at once; everything else asks PCRE2. Both give the same tokens (see
 * tests/unit/pipeline). */
#include "pipeline/byte_class.h"
#include "pipeline/ports.h"
#include "pipeline/regex.h"
#include "pipeline/term.h"
#include "pipeline/text.h"

struct regex_tokenizer_params {
	struct ports ports;
	int64_t min_token_length;
	bool gaps, to_lowercase;
	struct str pattern;
	/* Made by check(). */
	struct regex *regex;
	bool by_bytes;
	bool takes_nul;           /* by_bytes: NUL is a token's byte too; texts with one go to the regular expression */
	struct byte_class tokens; /* by_bytes: the bytes of tokens but for NUL, which ends the text here */
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
	for (int c = 1; c < 256; c++) p->tokens.member[c] = (matches[c] != 0) != p->gaps;
	byte_class_prepare(&p->tokens);
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

/* --- By bytes ------------------------------------------------------------------------------------------------- */

enum { SLOT_MATCH, SLOT_LOWERED, SLOT_TEXT, COPIED = 16 };

/* A copy of the text, lower-cased if that is asked, with room to look at behind it: what is there ends a token. NULL: text
 * that is not ASCII needs more to be lower-cased. */
static const unsigned char *padded(struct str text, bool lower, struct scratch *sc)
{
	unsigned char *room = scratch_room(sc, SLOT_TEXT, text.len + BYTE_CLASS_BLOCK);
	memset(room + text.len, 0, BYTE_CLASS_BLOCK);
	if (lower) return text_copy_lower_ascii(text, room) ? room : NULL;
	if (text.len) memcpy(room, text.data, text.len);
	return room;
}

/* Appends where tokens begin and end, in turn, within a block. */
static size_t add_edges(const struct byte_class *tokens, const unsigned char *text, size_t at, uint64_t *last, uint32_t *edges,
			size_t count)
{
	uint64_t in = byte_class_mask(tokens, text + at), turns = in ^ (in << 1 | *last);
	*last = in >> (BYTE_CLASS_BLOCK - 1);
	for (; turns; turns &= turns - 1) edges[count++] = (uint32_t)at + (uint32_t)__builtin_ctzll(turns);
	return count;
}

/* Tokens are written one space apart, so that n-grams of neighbours are spans too; a fixed number of bytes at a time, for
 * most tokens are short. */
static char *write_tokens(const unsigned char *text, const uint32_t *edges, size_t tokens, char *to, struct column *out)
{
	struct span *span = column_elem_room(out, tokens);
	uint32_t at = (uint32_t)(to - out->text);
	for (size_t k = 0; k < tokens; k++) {
		uint32_t begin = edges[2 * k], size = edges[2 * k + 1] - begin;
		for (uint32_t done = 0; done < size; done += COPIED) memcpy(to + done, text + begin + done, COPIED);
		to[size] = ' ';
		span[k] = (struct span){at, size};
		to += size + 1;
		at += size + 1;
	}
	return to;
}

static bool tokens_by_bytes(const struct regex_tokenizer_params *p, const unsigned char *text, size_t len, struct column *out)
{
	uint32_t edges[BYTE_CLASS_BLOCK + 1];
	uint64_t last = 0; /* the bit before this block */
	size_t count = 0;
	char *start = buf_reserve(&out->own, len + COPIED + 1), *to = start;
	if (!start) return false;
	out->text = out->own.data;
	for (size_t at = 0; at <= len; at += BYTE_CLASS_BLOCK) {
		count = add_edges(&p->tokens, text, at, &last, edges, count);
		to = write_tokens(text, edges, count / 2, to, out);
		if (count % 2) edges[0] = edges[count - 1];
		count %= 2; /* a token that goes on in the next block */
	}
	buf_commit(&out->own, (size_t)(to - start));
	column_row_end(out);
	return true;
}

/* --- By the regular expression -------------------------------------------------------------------------------- */

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
	if (!sc->slot[SLOT_MATCH]) {
		sc->slot[SLOT_MATCH] = regex_match_create(p->regex);
		sc->drop[SLOT_MATCH] = (void (*)(void *))regex_match_free;
	}
	return sc->slot[SLOT_MATCH];
}

/* --- Rows ----------------------------------------------------------------------------------------------------- */

static struct str lowered(struct str text, struct scratch *sc)
{
	struct buf *room = term_room(sc, SLOT_LOWERED);
	buf_clear(room);
	text_lower(text, TEXT_ROOT, room);
	return (struct str){room->data ? room->data : "", room->len};
}

static bool tokenize(const struct regex_tokenizer_params *p, struct str text, struct scratch *sc, struct column *out)
{
	bool by_bytes = p->by_bytes && !(p->takes_nul && text.len && memchr(text.data, 0, text.len));
	const unsigned char *copy = by_bytes ? padded(text, p->to_lowercase, sc) : NULL;
	if (p->to_lowercase && !copy) {
		text = lowered(text, sc);
		if (by_bytes) copy = padded(text, false, sc);
	}
	if (by_bytes) return tokens_by_bytes(p, copy, text.len, out);
	return (p->gaps ? tokens_between : tokens_matched)(p, match_of(p, sc), text, out);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the text is null");
		bool ok = tokenize(s->params, column_str_at(in, i), sc, out);
		if (!ok || !buf_ok(&out->own))
			return stage_data_error(s, b, i, e,
						buf_ok(&out->own) ? "matching the pattern takes too many steps" :
								    "the batch's text is over the limit");
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
