/* Rows counted by label and prediction, and Spark's MulticlassMetrics of them. Any double is a class; -0.0 is 0.0. */
#ifndef QUERN_PIPELINE_CONFUSION_H
#define QUERN_PIPELINE_CONFUSION_H

#include "base/json.h"
#include "base/map.h"

enum { CONFUSION_CELLS_MAX = 1 << 20 };

struct confusion_cell {
	double label, prediction, weight;
};

struct confusion {
	struct confusion_cell *cells; /* by first appearance; after confusion_finish by (label, prediction) */
	size_t count, cap;
	struct map places; /* (label, prediction) → index of the cell */
	/* After confusion_finish: classes are the labels that occur, ascending. */
	size_t classes;
	double *label;                  /* [classes] */
	double *total, *right, *wrong;  /* [classes] weight of the label, of it predicted so, of others predicted so */
	double weight, missed;                 /* of all rows, of all wrong ones */
};

void confusion_release(struct confusion *c);
void confusion_clear(struct confusion *c); /* keeps the memory */
/* False past CONFUSION_CELLS_MAX pairs. */
QN_MUST bool confusion_add(struct confusion *c, double label, double prediction, double weight);
/* Once, when everything was added. */
void confusion_finish(struct confusion *c);

/* Of class k, once finished. */
double confusion_precision(const struct confusion *c, size_t k); /* 0 where nothing was predicted so */
double confusion_recall(const struct confusion *c, size_t k);
double confusion_false_positive_rate(const struct confusion *c, size_t k); /* NaN where there is no other label */
double confusion_f_measure(const struct confusion *c, size_t k, double beta);
/* Number of the class with this label; c->classes where there is none. */
size_t confusion_class(const struct confusion *c, double label);
double confusion_accuracy(const struct confusion *c);
double confusion_hamming_loss(const struct confusion *c);

/* "labels":[…],"confusionMatrix":[[…],…] (a row a label, a column a prediction, over all that occur as either) and
 * "byLabel":[{label, precision, recall, f1, falsePositiveRate, weight}]; nothing beyond 100 labels. */
void confusion_write(const struct confusion *c, struct json_writer *w);

#endif
