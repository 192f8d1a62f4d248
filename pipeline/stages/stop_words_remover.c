/* Spark's StopWordsRemover: drops tokens that are in a list. The 14 lists of Spark's loadDefaultStopWords are
 * stop_words.txt. */
#include "pipeline/ports.h"
#include "pipeline/term.h"
#include "pipeline/text.h"
#include "pipeline/word_set.h"
#include "pipeline/words.h"

struct stop_words_remover_params {
	struct ports ports;
	struct str_list words;
	struct str language;
	bool case_sensitive;
	struct str locale;
	/* Made by check(). */
	struct word_set set; /* the words, lower-cased unless case_sensitive */
	enum text_locale lower;
};

static const char *const languages[] = {"danish",  "dutch",     "english", "finnish",   "french",
					"german",  "hungarian", "italian", "norwegian", "portuguese",
					"russian", "spanish",   "swedish", "turkish",   NULL};
static const struct field params[] = {
	PORTS_SINGLE,
	PORTS_SEVERAL,
	{.name = "stopWords",
	 .type = FIELD_STRINGS,
	 .offset = offsetof(struct stop_words_remover_params, words),
	 .help = "The words to drop; the list of `language` where not given."},
	{.name = "language",
	 .type = FIELD_ENUM,
	 .offset = offsetof(struct stop_words_remover_params, language),
	 .fallback = "\"english\"",
	 .choices = languages,
	 .help = "Whose list to take where stopWords is not given: Spark's loadDefaultStopWords(language)."},
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

static void add_word(void *params_, struct str word)
{
	struct stop_words_remover_params *p = params_;
	struct buf lowered = BUF_INIT((size_t)1 << 20);
	if (!p->case_sensitive) {
		text_lower(word, p->lower, &lowered);
		word = (struct str){lowered.data ? lowered.data : "", lowered.len};
	}
	word_set_add(&p->set, word);
	buf_release(&lowered);
}

/* Calls add for each word of Spark's list of the language: the lines behind [language], up to the next one. */
static void each_default(struct str language, void (*add)(void *ctx, struct str word), void *ctx)
{
	struct str text = words_text("stop_words.txt"), line;
	bool within = false;
	while (words_line(&text, &line)) {
		if (line.len > 0 && line.data[0] == '[')
			within = str_eq((struct str){line.data + 1, line.len - 2}, language);
		else if (within) add(ctx, line);
	}
}

/* Calls add for each stop word, as given. */
static void each_word(const struct stop_words_remover_params *p, bool given, void (*add)(void *ctx, struct str word),
		      void *ctx)
{
	if (!given) each_default(p->language, add, ctx);
	for (size_t i = 0; given && i < p->words.count; i++) add(ctx, p->words.items[i]);
}

static bool check(const struct stage *s, struct err *e)
{
	struct stop_words_remover_params *p = s->params;
	bool ok = ports_check(s, e);
	if (!text_locale_known(p->locale))
		ok = stage_fault(s, e, "locale", "\"%.*s\" is not a locale, such as en_US or tr",
				 (int)MIN(p->locale.len, (size_t)64), p->locale.data);
	p->lower = text_locale_find(p->locale);
	each_word(p, stage_given(s, "stopWords"), add_word, p);
	word_set_prepare(&p->set);
	return ok;
}

static void release(struct stage *s)
{
	struct stop_words_remover_params *p = s->params;
	word_set_release(&p->set);
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

static struct str lower(const struct stop_words_remover_params *p, struct str token, struct buf *lowered)
{
	buf_clear(lowered);
	text_lower(token, p->lower, lowered);
	return (struct str){lowered->data ? lowered->data : "", lowered->len};
}

/* Mostly the text that a row's tokens lie in comes lower-cased already, which is cheaper seen of all than of each. */
static bool is_lower_row(const struct column *in, uint64_t first, uint64_t end)
{
	size_t from = SIZE_MAX, to = 0;
	for (uint64_t k = first; k < end; k++) {
		from = MIN(from, (size_t)in->span[k].off);
		to = MAX(to, (size_t)in->span[k].off + in->span[k].len);
	}
	return from >= to || text_is_lower_ascii((struct str){in->text + from, to - from});
}

static struct str token_at(const struct column *in, uint64_t k)
{
	return (struct str){in->text + in->span[k].off, in->span[k].len};
}

/* Null tokens stay. */
static void filter_slowly(const struct stop_words_remover_params *p, const struct column *in, size_t i, bool as_it_is,
			  struct buf *lowered, struct column *out)
{
	for (uint64_t k = in->off[i]; k < in->off[i + 1]; k++) {
		struct str token = token_at(in, k);
		if (column_elem_is_null(in, k)) column_elem_null(out);
		else if (!word_set_has(&p->set, as_it_is ? token : lower(p, token, lowered)))
			column_elem_span(out, in->span[k]);
	}
}

/* Every token is written, and the next one over it where it is to go: no branch waits for which ones these are. */
static void filter_quickly(const struct stop_words_remover_params *p, const struct column *in, size_t i, struct column *out)
{
	uint64_t first = in->off[i], count = in->off[i + 1] - first;
	struct span *to = column_elem_room(out, count);
	size_t kept = 0;
	for (uint64_t k = first; k < first + count; k++) {
		to[kept] = in->span[k];
		kept += !word_set_has(&p->set, token_at(in, k));
	}
	out->span_count -= count - kept;
}

/* The tokens that stay are spans of the input's text. */
static void filter_row(const struct stop_words_remover_params *p, const struct column *in, size_t i, struct column *out,
		       struct buf *lowered)
{
	bool as_it_is = p->case_sensitive || is_lower_row(in, in->off[i], in->off[i + 1]);
	if (as_it_is && !in->elem_null) filter_quickly(p, in, i, out);
	else filter_slowly(p, in, i, as_it_is, lowered, out);
	column_row_end(out);
}

static bool apply(const struct stage *s, struct batch *b, struct scratch *sc, struct err *e)
{
	struct buf *lowered = term_room(sc, 0);
	for (size_t k = 0; k < s->in_count; k++) {
		const struct column *in = stage_in(s, b, k);
		struct column *out = stage_out(s, b, k);
		column_share_bytes(out, in);
		for (size_t i = 0; i < b->rows; i++) {
			if (!column_valid(in, i)) return stage_data_error(s, b, i, e, "the array is null");
			filter_row(s->params, in, i, out, lowered);
		}
	}
	return true;
}

static void write_word(void *w, struct str word) { json_str(w, word); }

static void state(const struct stage *s, struct json_writer *w)
{
	json_key(w, "stopWords");
	json_array_begin(w);
	each_word(s->params, stage_given(s, "stopWords"), write_word, w);
	json_array_end(w);
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
	.state = state,
};
