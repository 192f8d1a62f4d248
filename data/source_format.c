#include "data/source_format.h"

#include "base/rng.h"
#include "data/pointer.h"

enum { SAMPLING_SEED = 1 };

const struct source_format *const source_formats[] = {
#define SOURCE(stem) &stem##_source,
#include "data/sources.def"
#undef SOURCE
	NULL,
};

/* Spark takes the modes in any case; these are the ones people write. */
const char *const source_modes[] = {"PERMISSIVE", "DROPMALFORMED", "FAILFAST", "permissive", "dropmalformed", "failfast", NULL};

const struct source_format *source_format_find(struct str name)
{
	for (const struct source_format *const *f = source_formats; *f; f++)
		if (str_is(name, (*f)->name)) return *f;
	return NULL;
}

enum source_mode source_mode_of(const struct source_options *o)
{
	for (size_t i = 0; o->mode.data && source_modes[i]; i++)
		if (str_is(o->mode, source_modes[i])) return (enum source_mode)(i % 3);
	return SOURCE_PERMISSIVE;
}

int source_line_sep(const struct source_options *o)
{
	return o->line_sep.len ? (unsigned char)o->line_sep.data[0] : LINES_ANY_END;
}

struct str source_encoding(const struct source_options *o) { return o->encoding.len ? o->encoding : o->charset; }

bool source_sampled(const struct source_options *o, uint64_t n)
{
	return o->sampling_ratio >= 1 || rng_unit(rng_at(SAMPLING_SEED, n)) < o->sampling_ratio;
}

bool source_options_check(const struct source_options *o, const char *pointer, struct err *e)
{
	bool ok = true;
	if (o->line_sep.data && (o->line_sep.len != 1 || (unsigned char)o->line_sep.data[0] >= 0x80))
		ok = err_fault(e, pointer_key(pointer, "lineSep").text,
			       "must be one ASCII character; leave it out for \\n, \\r\\n and \\r");
	if (o->encoding.len && o->charset.len && !str_eq(o->encoding, o->charset))
		ok = err_fault(e, pointer_key(pointer, "charset").text, "encoding and charset are the same option and must agree");
	return ok;
}

int source_corrupt_slot(const struct source_config *c, const struct schema *s)
{
	const struct source_options *o = c->options;
	int slot = o->corrupt_column.len ? schema_find_first(s, o->corrupt_column) : SCHEMA_COLUMN_NONE;
	return slot >= 0 && s->columns[slot].type == COL_STRING ? slot : SCHEMA_COLUMN_NONE;
}

bool source_range_open(const struct source_config *c, const struct source_range *range, uint64_t from, struct window *w,
		       struct err *e)
{
	if (range->fd >= 0)
		return window_open_file(w, range->fd, from, range->size, c->record_bytes_max, range->name, e);
	window_open_text(w, range->text, from, range->size, range->name);
	return true;
}

bool source_lines_open(const struct source_config *c, const struct source_range *range, struct window *w, struct lines *l,
		       struct err *e)
{
	if (!source_range_open(c, range, lines_seek(range->begin), w, e)) return false;
	if (lines_open(l, w, source_line_sep(c->options), range->begin, range->end, e)) return true;
	window_close(w);
	return false;
}
