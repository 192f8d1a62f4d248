#include "server/commands/hashed_file.h"

#include "server/commands/model_file.h"
#include "server/commands/rows_input.h"

bool hashed_file_model(const char *model, const char *output_col, struct predictor **p, struct hashed_rows *h,
		       struct err *e)
{
	struct str name = output_col ? STR(output_col) : (struct str){0};
	*p = NULL;
	*h = (struct hashed_rows){0};
	return model_file_open(model, p, e) && (hashed_rows_init(h, *p, name, e) || err_wrap(e, "%s", model));
}

bool hashed_file_read(const struct hashed_rows *h, const char *file, const char *format, hashed_rows_each *each,
		      void *ctx, struct err *e)
{
	struct rows_input in;
	struct str piece;
	if (!rows_input_open(&in, file, format, e)) return false;
	struct hashed_reader_options o = {
		.input = in.format,
		.rows_max = SIZE_MAX,
		.record_bytes_max = ROWS_RECORD_BYTES_MAX,
		.shown_bytes_max = SIZE_MAX,
		.each = each,
		.ctx = ctx,
	};
	struct predictor_scratch *s = predictor_scratch_create(h->predictor);
	struct hashed_reader *r = hashed_reader_open(h, s, &o);
	bool ok = true;
	for (bool end = false; ok && !end;)
		ok = rows_input_next(&in, &piece, &end, e) && hashed_reader_feed(r, piece, end, e);
	if (!ok) err_wrap(e, "%s", in.name);
	hashed_reader_close(r);
	predictor_scratch_destroy(s);
	rows_input_close(&in);
	return ok;
}
