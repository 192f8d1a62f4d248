/* Spark's StopWordsRemover: drops tokens that are in a list. The 14 lists are stop_words.txt, in the program. */
#include "base/embed.h"
#include "base/map.h"
#include "pipeline/ports.h"
#include "pipeline/text.h"

struct stop_words_remover_params {
	struct ports ports;
	struct str_list words;
	bool case_sensitive;
	struct str locale;
	/* Made by check(). */
	struct map set; /* the words, lower-cased unless case_sensitive */
	enum text_locale lower;
};

static const struct field params[] = {
	PORTS_SINGLE,
	PORTS_SEVERAL,
	{.name = "stopWords",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct stop_words_remover_params, words),
	 .help = "The words to drop; Spark's 181 English ones where not given."},
	{.name = "caseSensitive",
	 .type = FIELD_BOOL,
	 .offset = offsetof(struct stop_words_remover_params, case_sensitive),
	 .fallback = "false",
	 .help = "Compare tokens as they are; false: both sides lower-cased."},
	{.name = "locale",
	 .type = FIELD_STRING,
	 .offset = offsetof(struct stop_words_remover_params, locale),
	 .fallback = "\"en_US\"",
	 .help = "Locale for lower-casing, as Java names it."},
	FIELD_END,
};

extern const struct embed_file stop_words_files[];

static void add_word(struct stop_words_remover_params *p, struct str word)
{
	struct buf lowered = BUF_INIT((size_t)1 << 20);
	if (!p->case_sensitive) {
		text_lower(word, p->lower, &lowered);
		word = (struct str){lowered.data ? lowered.data : "", lowered.len};
	}
	map_put(&p->set, word, NULL);
	buf_release(&lowered);
}

/* The lines behind [language], up to the next one. */
static void add_list(struct stop_words_remover_params *p, const char *language)
{
	const char *at = strstr((const char *)stop_words_files[0].data, language);
	CHECK(at);
	for (at = strchr(at, '\n') + 1; *at && *at != '['; at = strchr(at, '\n') + 1)
		add_word(p, (struct str){at, strcspn(at, "\n")});
}

static bool check(const struct stage *s, struct err *e)
{
	struct stop_words_remover_params *p = s->params;
	bool known, ok = ports_check(s, e);
	p->lower = text_locale_find(p->locale, &known);
	if (!known)
		ok = stage_fault(s, e, "locale", "\"%.*s\" is not a locale, such as en_US or tr", (int)MIN(p->locale.len, (size_t)64),
				 p->locale.data);
	if (stage_given(s, "stopWords"))
		for (size_t i = 0; i < p->words.count; i++) add_word(p, p->words.items[i]);
	else add_list(p, "[english]");
	return ok;
}

static void release(struct stage *s)
{
	struct stop_words_remover_params *p = s->params;
	map_release(&p->set);
}

static bool columns(struct stage *s, struct schema *schema, struct err *e)
{
	bool ok = true;
	for (size_t k = 0; k < ports_count(s); k++) {
		struct column_def def = {.name = ports_output(s, k), .type = COL_STRINGS};
		ok &= stage_input(s, schema, ports_input_param(s), ports_input(s, k), COL_BIT(COL_STRINGS), e) >= 0;
		ok &= stage_output(s, schema, ports_output_param(s), &def, e) >= 0;
	}
	return ok;
}

static bool is_stop_word(const struct stop_words_remover_params *p, struct str token, struct buf *lowered)
{
	if (!p->case_sensitive) {
		buf_clear(lowered);
		text_lower(token, p->lower, lowered);
		token = (struct str){lowered->data ? lowered->data : "", lowered->len};
	}
	return map_find(&p->set, token) != NULL;
}

/* Null tokens stay. The tokens that stay are spans of the input's text. */
static void filter_row(const struct stop_words_remover_params *p, const struct column *in, size_t i, struct column *out,
		       struct buf *lowered)
{
	for (uint64_t k = in->off[i]; k < in->off[i + 1]; k++) {
		struct str token = {in->text + in->span[k].off, in->span[k].len};
		if (column_elem_is_null(in, k)) column_elem_null(out);
		else if (!is_stop_word(p, token, lowered)) column_elem_span(out, in->span[k]);
	}
	column_row_end(out);
}

static void drop_buf(void *b)
{
	buf_release(b);
	mem_free(b);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	if (!sc->slot[0]) {
		struct buf *made = scratch_room(sc, 0, sizeof *made);
		*made = BUF_INIT(BATCH_BYTES_MAX);
		sc->drop[0] = drop_buf;
	}
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *in = stage_in(s, b, k);
		struct column *out = stage_out(s, b, k);
		column_share_bytes(out, in);
		for (size_t i = 0; i < b->rows; i++) {
			if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
			filter_row(s->params, in, i, out, sc->slot[0]);
		}
	}
	return true;
}

const struct stage_type stop_words_remover_stage = {
	.name = "StopWordsRemover",
	.version = 1,
	.kind = STAGE_TRANSFORMER,
	.help = "Drops tokens that are in a list of stop words.",
	.inputs = "array<string>",
	.outputs = "array<string>",
	.params = params,
	.params_size = sizeof(struct stop_words_remover_params),
	.check = check,
	.columns = columns,
	.apply = apply,
	.release = release,
};
