/* What the files of serving/ that answer rows share. */
#ifndef QUERN_SERVING_PREDICTOR_PRIVATE_H
#define QUERN_SERVING_PREDICTOR_PRIVATE_H

#include "data/json_row.h"
#include "serving/answer.h"
#include "serving/predictor.h"

/* Something to answer: which stages run for it, and how it is written. */
struct view {
	struct pipeline_plan plan;
	struct answer answer;
};

struct predictor {
	struct pipeline pipeline;
	struct schema input;  /* the pipeline's input columns: the first ones of its schema */
	uint8_t *required;    /* [input.count]: the response is made of it */
	struct view response;
	char *name, *label;
	int version;
};

struct predictor_scratch {
	struct batch batch;   /* over the pipeline's schema */
	struct pipeline_scratch stages;
	struct json_row reader;
	struct buf text;      /* of the JSON scanner */
	struct column element; /* for answer_cell */
	struct view full;     /* of the last PREDICT_FULL; empty: none yet */
	uint8_t *came;        /* [input.count + 1]: the input columns it was made for; last: whether they are kept */
	uint8_t *came_now;    /* the same, for the rows in the batch */
	struct str *rows;     /* [BATCH_ROWS]: texts of the rows in the batch; NULL until there is more than one */
};

/* What may be said about a request's rows as they are read. */
struct row_rules {
	enum predictor_output output;
	bool strict;  /* unknown members are faults */
	bool lenient; /* members that are missing are null, rather than faults */
};

/* Empties the batch's input columns for the next rows; pipeline_apply does the others. */
void predictor_clear(struct predictor_scratch *s);
/* Reads one row whose first token was taken from scan. Faults point below s->reader's prefix and index; a row with
 * faults is taken back. */
enum json_row_result predictor_read(const struct predictor *p, struct predictor_scratch *s,
					const struct row_rules *rules, struct json_scan *scan, enum json_tok first,
					struct err *e);
/* What PREDICT_FULL answers for the rows in the batch. came (flags, [input.count]) or NULL: the columns that hold
 * something; keep_input: the input columns stay readable, and columns come before the response's fields, as rows
 * look that Spark's transform leaves. */
const struct view *predictor_full(const struct predictor *p, struct predictor_scratch *s, const uint8_t *came,
				  bool keep_input);
QN_MUST bool predictor_apply(const struct view *v, struct predictor_scratch *s, struct err *e);
/* After predictor_apply failed on a batch of one row: e gets a fault at the row, or at its field where one alone is
 * the cause. */
bool predictor_blame(const struct predictor *p, const struct predictor_scratch *s, struct err *e);

#endif
