/* What Spark's scalers share: the numbers that one learns, a row or two of one number for each entry of a vector, and
 * (x - shift) * scale, entry by entry, as StandardScalerModel.getTransformFunc computes it.
 */
#ifndef QUERN_PIPELINE_SCALER_H
#define QUERN_PIPELINE_SCALER_H

#include "pipeline/ports.h"

enum { SCALER_LEARNED_MAX = 2 };

/* The fitted state of a scaler. */
struct scaler {
	size_t size;
	double *learned[SCALER_LEARNED_MAX]; /* [size] each; NULL beyond those that there are */
	double *scale;                       /* [size] made of them by the stage; not among the bytes */
};

/* Room for `learned` rows of size zeros, and for scale; the arena's. */
void scaler_room(struct stage *s, size_t size, size_t learned);
/* For stage_type.columns, .encode: vectors to vectors, of which the length is known once fitted. */
QN_MUST bool scaler_columns(struct stage *s, struct schema *schema, struct err *e);
void scaler_encode(const struct stage *s, struct buf *out);
/* ERR_bad_model. The caller then makes scale. */
QN_MUST bool scaler_decode(struct stage *s, size_t learned, struct cursor *in, struct err *e);
/* A member for each row learned, under these names. */
void scaler_state(const struct stage *s, const char *const *names, struct json_writer *w);
/* 1 / v; `zero` where v is 0. */
void scaler_reciprocals(double *to, const double *v, size_t size, double zero);

struct scaling {
	size_t size;
	const double *shift, *scale; /* [size]; NULL: none */
};
/* Of the stage's first input into its first output, in place too. With a shift rows come out dense, else as they are.
 * ERR_data where a row is null or of another length. */
QN_MUST bool scaling_apply(const struct stage *s, struct batch *b, struct scratch *sc, const struct scaling *by,
			   struct err *e);
/* ERR_data where row i of the stage's first input is null or has not `size` entries. */
QN_MUST bool scaling_check_row(const struct stage *s, const struct batch *b, size_t i, size_t size, struct err *e);

#endif
