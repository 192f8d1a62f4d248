/* Spark's NGram: runs of n tokens joined by one space. Where the tokens lie one space apart in their text already, as
 * the tokenizers write them, an n-gram is a longer span of the same bytes. */
#include "pipeline/ports.h"

struct ngram_params {
	struct ports ports;
	int64_t n;
};

static const struct field params[] = {
	PORTS_SINGLE,
	{.name = "n",
	 .type = FIELD_INT,
	 .offset = offsetof(struct ngram_params, n),
	 .fallback = "2",
	 .min = 1,
	 .max = INT32_MAX,
	 .help = "Tokens in an n-gram."},
	FIELD_END,
};

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	return ports_bind(s, schema, COL_BIT(COL_STRINGS), COL_STRINGS, NULL, e);
}

static bool one_space_apart(const struct column *in, size_t rows)
{
	if (in->elem_null) return false;
	for (size_t i = 0; i < rows; i++)
		for (uint64_t k = in->off[i] + 1; k < in->off[i + 1]; k++) {
			uint32_t end = in->span[k - 1].off + in->span[k - 1].len;
			if (in->span[k].off != end + 1 || in->text[end] != ' ') return false;
		}
	return true;
}

static void share_row(const struct column *in, uint64_t first, uint64_t end, uint64_t n, struct column *out)
{
	for (uint64_t k = first; k + n <= end; k++) {
		uint32_t from = in->span[k].off, last = in->span[k + n - 1].off + in->span[k + n - 1].len;
		column_elem_span(out, (struct span){from, last - from});
	}
	column_row_end(out);
}

/* A null token is written as Java writes it. */
static struct str token_at(const struct column *in, uint64_t k)
{
	if (column_elem_is_null(in, k)) return STR("null");
	return (struct str){in->text + in->span[k].off, in->span[k].len};
}

/* All tokens of the row are written once, a space apart; the n-grams are spans of that. */
static void join_row(const struct column *in, uint64_t first, uint64_t end, uint64_t n, struct column *out)
{
	size_t from = out->own.len, len = 0;
	if (n > end - first) return column_row_end(out);
	for (uint64_t k = first; k < end; k++) len += token_at(in, k).len + 1;
	char *to = buf_reserve(&out->own, len), *at = to;
	if (!to) return;
	for (uint64_t k = first; k < end; k++) {
		struct str token = token_at(in, k);
		if (token.len) memcpy(at, token.data, token.len);
		at += token.len;
		*at++ = ' ';
		if (k + 1 < first + n) continue;
		column_elem_span(out, (struct span){(uint32_t)from, (uint32_t)(out->own.len + (size_t)(at - to) - 1 - from)});
		from += token_at(in, k + 1 - n).len + 1;
	}
	buf_commit(&out->own, len);
	out->text = out->own.data;
	column_row_end(out);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	const struct ngram_params *p = s->params;
	const struct column *in = stage_in(s, b, 0);
	struct column *out = stage_out(s, b, 0);
	(void)sc;
	bool share = one_space_apart(in, b->rows);
	if (share) column_share_bytes(out, in);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
		(share ? share_row : join_row)(in, in->off[i], in->off[i + 1], (uint64_t)p->n, out);
		if (!buf_ok(&out->own)) return stage_data_error(s, b, i, e, "the batch's text is over the limit");
	}
	return true;
}

const struct stage_type ngram_stage = {
	.name = "NGram",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Joins runs of n tokens by a space.",
	.inputs = "array<string>",
	.outputs = "array<string>",
	.params = params,
	.params_size = sizeof(struct ngram_params),
	.check = ports_check,
	.columns = columns,
	.apply = apply,
};
