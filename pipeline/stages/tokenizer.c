/* Spark's Tokenizer: lower-case, then split at every single blank of Java's \s. */
#include "pipeline/ports.h"
#include "pipeline/text.h"

struct tokenizer_params {
	struct ports ports;
};

static const struct field params[] = {PORTS_SINGLE, FIELD_END};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return ports_bind(s, schema, COL_BIT(COL_STRING), COL_STRINGS, NULL, e);
}

static bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

/* Java's split: empty tokens are kept but for trailing ones; text without a blank is one token, the empty text too. The
 * bytes of text stay, blanks become spaces, so that neighbours lie one space apart. */
static void split(struct column *out, char *text, size_t from, size_t len)
{
	size_t end = from + len, first = out->span_count, start = from;
	for (size_t i = from; i < end; i++) {
		if (!is_blank(text[i])) continue;
		text[i] = ' ';
		column_elem_span(out, (struct span){(uint32_t)start, (uint32_t)(i - start)});
		start = i + 1;
	}
	column_elem_span(out, (struct span){(uint32_t)start, (uint32_t)(end - start)});
	bool has_blank = out->span_count > first + 1;
	while (has_blank && out->span_count > first && out->span[out->span_count - 1].len == 0) out->span_count--;
	column_row_end(out);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the text is null");
		size_t from = out->own.len;
		text_lower(column_str_at(in, i), TEXT_ROOT, &out->own);
		buf_char(&out->own, ' ');
		if (!buf_ok(&out->own)) return stage_data_error(s, b, i, e, "the batch's text is over the limit");
		out->text = out->own.data;
		split(out, out->own.data, from, out->own.len - 1 - from);
	}
	return true;
}

const struct stage_type tokenizer_stage = {
	.name = "Tokenizer",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Lower-cases text and splits it at every white-space character.",
	.inputs = "string",
	.outputs = "array<string>",
	.params = params,
	.params_size = sizeof(struct tokenizer_params),
	.check = ports_check,
	.columns = columns,
	.apply = apply,
};
