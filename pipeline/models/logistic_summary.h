/* How a fitted LogisticRegression does on its own training rows: Spark's training summary. Kept as counts, from
 * which the metrics follow when somebody asks. */
#ifndef QUERN_PIPELINE_LOGISTIC_SUMMARY_H
#define QUERN_PIPELINE_LOGISTIC_SUMMARY_H

#include "pipeline/eval/confusion.h"
#include "pipeline/eval/curve.h"
#include "pipeline/models/logistic_rows.h"

/* Curves are drawn of at most so many rows: they need 24 bytes of each on every rank. */
enum { LOGISTIC_CURVE_ROWS_MAX = 1 << 20, LOGISTIC_CURVE_BINS = 100 };

struct logistic_summary {
	struct confusion_cell *cells;
	size_t cell_count;
	struct curve_point
		*points; /* two classes: by falling probability of class 1; none past LOGISTIC_CURVE_ROWS_MAX */
	size_t point_count;
};

/* Collective, once the stage's state is filled. Memory is of the stage's arena. */
QN_MUST bool logistic_summary_make(struct stage *s, struct fit *f, const struct logistic_columns *c, double rows,
				   struct logistic_summary *out, struct err *e);
/* Spark's accessors as members of an object being written. */
void logistic_summary_write(const struct logistic_summary *m, struct json_writer *w);

void logistic_summary_encode(const struct logistic_summary *m, struct buf *out);
QN_MUST bool logistic_summary_decode(struct logistic_summary *m, struct arena *a, struct cursor *in);

#endif
