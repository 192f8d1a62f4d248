#include "data/csv_reader.h"

#include <string.h>

bool csv_reader_open(struct csv_reader *r, const struct source_config *c, const struct source_range *range, struct err *e)
{
	const struct csv_options *o = c->options;
	*r = (struct csv_reader){.options = o, .end = range->end, .first = range->begin == 0, .comment = csv_options_comment(o)};
	csv_options_format(o, c->columns_max, &r->format);
	return o->multi_line ? source_range_open(c, range, range->begin, &r->window, e) :
			       source_lines_open(c, range, &r->window, &r->lines, e);
}

void csv_reader_close(struct csv_reader *r)
{
	csv_record_release(&r->record);
	window_close(&r->window);
}

static bool is_comment(const struct csv_reader *r, const char *p) { return (unsigned char)*p == r->comment; }

static enum csv_result next_line(struct csv_reader *r, struct err *e)
{
	for (;;) {
		enum lines_result got = lines_next(&r->lines, &r->raw, e);
		if (got != LINES_LINE) return got == LINES_END ? CSV_END : CSV_ERROR;
		if (lines_blank(r->raw) || is_comment(r, r->raw.data)) continue;
		const char *end = r->raw.data + r->raw.len;
		csv_parse(&r->format, r->raw.data, end, r->window.stop, &r->record);
		r->line = r->lines.count;
		r->at = r->lines.at;
		return CSV_RECORD;
	}
}

/* --- multiLine ------------------------------------------------------------ */

static bool is_newline(const struct csv_reader *r, char c) { return c == r->format.newline[0] || c == r->format.newline[1]; }

static uint64_t newlines(const struct csv_reader *r, const char *p, const char *end)
{
	uint64_t n = 0;
	char newline = r->format.newline[0];
	while (p < end && (p = memchr(p, newline, (size_t)(end - p)))) {
		n++;
		p++;
	}
	return n;
}

/* The end of the record (or comment) at the window's p, with everything up to it and a following \n seen. NULL: an error. */
static const char *record_end(struct csv_reader *r, struct err *e)
{
	struct window *w = &r->window;
	for (;;) {
		const char *end = w->p;
		if (w->p < w->stop && is_comment(r, w->p)) while (end < w->stop && !is_newline(r, *end)) end++;
		else end = csv_parse(&r->format, w->p, w->stop, w->stop, &r->record);
		if (w->at_end || end + 1 < w->stop) return end;
		if (window_more(w, e)) continue;
		if (e->code == ERR_source)
			err_set(e, ERR_source,
				"%s: the record at byte %llu is longer than limits.recordBytes; is a quote not closed?",
				w->name, (unsigned long long)window_offset(w));
		return NULL;
	}
}

static enum csv_result next_record(struct csv_reader *r, struct err *e)
{
	struct window *w = &r->window;
	for (;;) {
		/* A file's first record begins at 0, even behind a byte order mark. */
		r->at = r->first ? 0 : window_offset(w);
		if (r->at >= r->end) return CSV_END;
		r->first = false;
		const char *end = record_end(r, e);
		if (!end) return CSV_ERROR;
		if (w->p == w->stop) return CSV_END;
		bool skip = end == w->p || is_comment(r, w->p);
		r->line = r->lines_seen + 1;
		r->raw = (struct str){w->p, (size_t)(end - w->p)};
		w->p = end;
		if (w->p < w->stop && *w->p++ == '\r' && w->p < w->stop && *w->p == '\n' && is_newline(r, '\r')) w->p++;
		r->lines_seen += newlines(r, r->raw.data, end) + (end < w->stop);
		if (!skip) return CSV_RECORD;
	}
}

enum csv_result csv_reader_next(struct csv_reader *r, struct err *e)
{
	return r->options->multi_line ? next_record(r, e) : next_line(r, e);
}
