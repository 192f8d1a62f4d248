/* A fitted pipeline compiled for serving: stages the response does not need are pruned, buffers preallocated, labels
 * and response fields resolved. Immutable; any number of threads, each with its own struct predictor_scratch. Gives
 * exactly what pipeline_apply gives on a batch (the same code runs). No heap allocation per row once scratch is
 * warm.
 *
 * A row whose answer a stage drops (handleInvalid "skip") answers null. */
#ifndef QUERN_SERVING_PREDICTOR_H
#define QUERN_SERVING_PREDICTOR_H

#include "pipeline/pipeline.h"

struct predictor;
struct predictor_scratch;

/* PREDICT_FULL: beside the response's fields every column that can be made of the inputs that came. */
enum predictor_output { PREDICT_RESPONSE, PREDICT_FULL };

/* Bytes of a body. Its text must fit a column, and is up to three times as long once ill-formed UTF-8 in CSV was mended. */
enum { PREDICTOR_BODY_MAX = COLUMN_TEXT_MAX / 4 };

struct predictor_limits {
	size_t instances_max, answer_bytes_max;
};

/* Takes the container's bytes; name and version are for Quern-Model. */
QN_MUST bool predictor_create(const void *container, size_t len, const char *name, int version, struct predictor **out,
			      struct err *e);
/* Scratches made for it may live on, if only to be destroyed. NULL is fine. */
void predictor_destroy(struct predictor *p);
const char *predictor_label(const struct predictor *p); /* "name:version" */
const char *predictor_name(const struct predictor *p);
int predictor_version(const struct predictor *p);
const struct pipeline *predictor_pipeline(const struct predictor *p);
/* Answers a made-up row, so that the model's pages are there before the first request. */
void predictor_warm(const struct predictor *p);

struct predictor_scratch *predictor_scratch_create(const struct predictor *p);
void predictor_scratch_destroy(struct predictor_scratch *s); /* NULL is fine */

struct predictor_request {
	const char *body;
	size_t len;
	enum predictor_output output;
	bool strict; /* unknown fields are faults */
	struct predictor_limits limits;
};
/* application/json: one object → one object, {"instances":[…]} → {"predictions":[…]}. Appends to out; what it
 * appended before a failure is the caller's to drop. Faults: ERR_invalid_json, ERR_invalid and ERR_data with
 * pointers (/text, /instances/3/age), ERR_too_large. */
QN_MUST bool predictor_json(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
				struct buf *out, struct err *e);
/* Rows as text, format "ndjson" or "csv": one answer a line, in order and in the same format; csv has a header both
 * ways. A bad row's answer is a problem object on its line (ndjson) or fails the whole (csv: pointers /3/age count
 * rows from 0). For bodies that come in pieces: serving/row_stream.h. */
QN_MUST bool predictor_lines(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			     const char *format, struct buf *out, struct err *e);

#endif
