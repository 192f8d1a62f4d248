#include "pipeline/eval/calibration.h"

void calibration_add(struct calibration *c, double p, bool positive, double weight)
{
	if (!(p >= 0 && p <= 1)) {
		c->improbable = true;
		return;
	}
	size_t k = MIN((size_t)(p * CALIBRATION_BINS), (size_t)CALIBRATION_BINS - 1);
	c->bins[k].predicted += weight * p;
	c->bins[k].positive += positive ? weight : 0;
	c->bins[k].weight += weight;
}

void calibration_merge(struct calibration *c, const struct calibration *other)
{
	for (size_t k = 0; k < CALIBRATION_BINS; k++) {
		c->bins[k].predicted += other->bins[k].predicted;
		c->bins[k].positive += other->bins[k].positive;
		c->bins[k].weight += other->bins[k].weight;
	}
	c->improbable |= other->improbable;
}

void calibration_write(const struct calibration *c, struct json_writer *w)
{
	if (c->improbable) return;
	json_key(w, "calibration");
	json_array_begin(w);
	for (size_t k = 0; k < CALIBRATION_BINS; k++) {
		if (!(c->bins[k].weight > 0)) continue;
		json_array_begin(w);
		json_double(w, c->bins[k].predicted / c->bins[k].weight);
		json_double(w, c->bins[k].positive / c->bins[k].weight);
		json_double(w, c->bins[k].weight);
		json_array_end(w);
	}
	json_array_end(w);
}
