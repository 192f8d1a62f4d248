/* A fitted pipeline compiled for serving: stages the response does not need are pruned, buffers preallocated, labels and
 * response fields resolved. Immutable; any number of threads, each with its own struct predictor_scratch. Gives exactly what
 * pipeline_apply gives on a batch (the same code runs). No heap allocation per row once scratch is warm. */
#ifndef QUERN_SERVING_PREDICTOR_H
#define QUERN_SERVING_PREDICTOR_H

#include "pipeline/pipeline.h"

struct predictor;
struct predictor_scratch;

enum predictor_output { PREDICT_RESPONSE, PREDICT_FULL };

struct predictor_limits {
	size_t instances_max, answer_bytes_max;
};

/* Takes the container's bytes; name and version are for Quern-Model. */
QN_MUST bool predictor_create(const void *container, size_t len, const char *name, int version, struct predictor **out,
			      struct err *e);
void predictor_destroy(struct predictor *p);
const char *predictor_label(const struct predictor *p); /* "name:version" */
const struct pipeline *predictor_pipeline(const struct predictor *p);

struct predictor_scratch *predictor_scratch_create(const struct predictor *p);
void predictor_scratch_destroy(struct predictor_scratch *s);

struct predictor_request {
	const char *body;
	size_t len;
	enum predictor_output output;
	bool strict; /* unknown fields are faults */
	struct predictor_limits limits;
};
/* application/json: one object → one object, {"instances":[…]} → {"predictions":[…]}. Appends to out. Faults: ERR_invalid_json,
 * ERR_invalid with pointers (/text, /instances/3/age), ERR_data, ERR_too_large. */
QN_MUST bool predictor_json(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			    struct buf *out, struct err *e);
/* Rows as text, format "ndjson" or "csv": one answer a line, in order; a bad row's answer is a problem object on its line
 * (ndjson) or fails the whole (csv header faults). */
QN_MUST bool predictor_lines(const struct predictor *p, struct predictor_scratch *s, const struct predictor_request *r,
			     const char *format, struct buf *out, struct err *e);

#endif
