/* Rows through a fitted pipeline with an LSH stage, for its searches: `quern neighbors` and `quern similarity`. */
#ifndef QUERN_SERVER_COMMANDS_HASHED_ROWS_H
#define QUERN_SERVER_COMMANDS_HASHED_ROWS_H

#include "pipeline/lsh_search.h"
#include "serving/predictor.h"

struct hashed_rows {
	struct predictor *predictor;
	const struct stage *stage;
	struct schema schema; /* what is read back of a row: the vector, its hashes, the column of distances */
};

/* The LSH stage whose outputCol is output_col, or the last one where that is NULL. distance_col, where given, must not
 * be a column of the rows. */
QN_MUST bool hashed_rows_open(struct hashed_rows *h, const char *model, const char *output_col,
			      const char *distance_col, struct err *e);
void hashed_rows_close(struct hashed_rows *h);

/* A vector of the stage's inputCol as JSON; it lives in the batch, which the caller releases, as its first column's
 * first row. */
QN_MUST bool hashed_rows_key(const struct hashed_rows *h, const char *text, struct batch *out, struct err *e);

/* Each row of the file, in order, with its text as `quern apply --output full` shows it: {…}. A row that cannot be
 * hashed ends the run, one that the pipeline drops is not there. file and format as for rows_input_open. */
typedef bool hashed_rows_each(void *ctx, struct lsh_row row, struct str text, struct err *e);
QN_MUST bool hashed_rows_read(const struct hashed_rows *h, const char *file, const char *format, hashed_rows_each *each,
			      void *ctx, struct err *e);

#endif
