/* Rows through a fitted pipeline with an LSH stage, for its searches: the commands `quern neighbors` and `quern
 * similarity`, and the calls of serving/search.h. One thread at a time. */
#ifndef QUERN_SERVING_HASHED_ROWS_H
#define QUERN_SERVING_HASHED_ROWS_H

#include "pipeline/lsh_search.h"
#include "serving/predictor.h"

struct hashed_rows {
	const struct predictor *predictor; /* borrowed */
	const struct stage *stage;
	struct schema schema; /* what is read back of a row: the vector, its hashes, the column of distances */
	struct schema key;    /* one column of vectors */
};

/* The LSH stage whose outputCol is output_col, or the last one where its data is NULL. ERR_conflict: the pipeline has
 * none at all; ERR_invalid: none of that outputCol. */
QN_MUST bool hashed_rows_init(struct hashed_rows *h, const struct predictor *p, struct str output_col, struct err *e);
/* The rows must not have this column. */
QN_MUST bool hashed_rows_distance(struct hashed_rows *h, struct str name, struct err *e);
void hashed_rows_release(struct hashed_rows *h);

/* A vector of the stage's inputCol as JSON; it lives in the batch, which the caller releases whatever comes back, as its
 * first column's first row. Faults point at /key. */
QN_MUST bool hashed_rows_key(const struct hashed_rows *h, struct str text, struct batch *out, struct err *e);

/* Takes a row with its text as `quern apply --output full` shows it: {…}. */
typedef bool hashed_rows_each(void *ctx, struct lsh_row row, struct str text, struct err *e);

struct hashed_reader_options {
	const char *input;       /* as struct row_stream_options has them */
	const char *prefix;
	struct err *faults;      /* NULL: a row that cannot be hashed ends the run */
	size_t rows_max;
	size_t record_bytes_max;
	size_t shown_bytes_max;  /* of the rows' texts, all together; SIZE_MAX: any */
	hashed_rows_each *each;  /* of the rows in order, without those that the pipeline drops */
	void *ctx;
};

struct hashed_reader;
/* Everything is borrowed until it is closed. */
struct hashed_reader *hashed_reader_open(const struct hashed_rows *h, struct predictor_scratch *s,
					 const struct hashed_reader_options *o);
/* The next bytes; end: nothing follows. After a failure the reader can only be closed. */
QN_MUST bool hashed_reader_feed(struct hashed_reader *r, struct str piece, bool end, struct err *e);
void hashed_reader_close(struct hashed_reader *r); /* NULL is fine */

/* What the searches answer. The row's object with one member more: */
void hashed_rows_write_neighbor(const struct lsh_neighbor *n, struct str distance_col, struct buf *out);
/* {"datasetA":{…},"datasetB":{…},"<distance_col>":D} */
void hashed_rows_write_pair(struct str a, struct str b, double distance, struct str distance_col, struct buf *out);

#endif
