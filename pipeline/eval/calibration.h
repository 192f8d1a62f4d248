/* Are probabilities what they say? Rows by predicted probability, in ten bins of equal width. */
#ifndef QUERN_PIPELINE_CALIBRATION_H
#define QUERN_PIPELINE_CALIBRATION_H

#include "base/json.h"

enum { CALIBRATION_BINS = 10 };

struct calibration {
	struct {
		double predicted, positive, weight; /* Σ w·p, Σ w of rows where it came true, Σ w */
	} bins[CALIBRATION_BINS];
	bool improbable; /* a value outside [0, 1] came: these are no probabilities */
};

void calibration_add(struct calibration *c, double p, bool positive, double weight);
void calibration_merge(struct calibration *c, const struct calibration *other);
/* "calibration":[[mean predicted, share that came true, weight],…] by bins that have weight; nothing where
 * improbable. */
void calibration_write(const struct calibration *c, struct json_writer *w);

#endif
