#include "data/rows.h"

#include "data/lines.h"
#include "data/utf8.h"

#include <stdio.h>

void rows_init(struct rows *r, struct source_reading *reading, const struct source_range *range, int sep)
{
	int corrupt = source_corrupt_slot(reading->config, reading->schema);
	*r = (struct rows){.reading = reading, .range = range, .sep = sep, .mode = source_mode_of(reading->config->options)};
	if (corrupt >= 0 && source_wants(reading, (size_t)corrupt)) r->corrupt = &reading->b->columns[corrupt];
}

static uint64_t file_line(struct rows *r, uint64_t line)
{
	if (!r->lines_known) r->lines_before = lines_before(r->range->fd, r->range->text, r->sep, r->range->begin);
	r->lines_known = true;
	return r->lines_before + line;
}

static void report(struct rows *r, const char *why, uint64_t line)
{
	struct source_report *rep = r->reading->report;
	rep->malformed++;
	if (rep->kept == SOURCE_MALFORMED_KEPT) return;
	struct source_malformed *m = &rep->first[rep->kept++];
	m->line = file_line(r, line);
	snprintf(m->why, sizeof m->why, "%s", why);
}

bool rows_flush(struct source_reading *reading, struct err *e)
{
	struct batch *b = reading->b;
	if (b->rows == 0) return true;
	uint64_t rows = b->rows;
	b->first_row = reading->next_row;
	bool ok = reading->sink(reading->ctx, b, e);
	batch_clear(b);
	reading->next_row += rows;
	reading->text = 0;
	return ok;
}

static bool malformed(struct rows *r, const char *why, uint64_t line, struct err *e)
{
	report(r, why, line);
	if (r->mode == SOURCE_DROPMALFORMED) batch_truncate(r->reading->b, r->reading->b->rows);
	return r->mode != SOURCE_FAILFAST || err_set(e, ERR_source, "line %llu of %s: %s (mode FAILFAST)",
						     (unsigned long long)file_line(r, line), r->range->name, why);
}

bool rows_add(struct rows *r, const char *why, uint64_t line, struct str raw, struct err *e)
{
	struct source_reading *reading = r->reading;
	if (why && !malformed(r, why, line, e)) return false;
	if (why && r->mode == SOURCE_DROPMALFORMED) return true;
	if (r->corrupt && why) utf8_column_str(r->corrupt, raw.data, raw.len);
	else if (r->corrupt) column_null(r->corrupt);
	reading->b->rows++;
	reading->text += raw.len;
	reading->report->rows++;
	bool full = reading->b->rows == BATCH_ROWS || reading->text >= BATCH_BYTES_TARGET;
	return !full || rows_flush(reading, e);
}
