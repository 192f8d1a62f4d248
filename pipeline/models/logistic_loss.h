/* The mean weighted log loss of LogisticRegression and its gradient, in the solver's space, over all ranks: the
 * callback of optim/lbfgs.h.
 *
 * One walk over the rows: a row's margins, then its share of the gradient while it is in cache. */
#ifndef QUERN_PIPELINE_LOGISTIC_LOSS_H
#define QUERN_PIPELINE_LOGISTIC_LOSS_H

#include "pipeline/models/logistic_space.h"

struct logistic_loss {
	struct logistic_walk *walk;
	const struct logistic_space *space;
	double *w;       /* shared, [n]: coefficients and intercepts in the rows' own scale */
	double *sum;     /* shared, [leaf_len] */
	double *offset;  /* [sets]: where the margins start: intercept - Σ w·mean */
	double *margin;  /* [sets], of a row */
	size_t leaf_len; /* gradient by coefficient, by class, and the loss */
	/* Wide problems: a place's weights and its gradient of the shard at hand, side by side: [active][2][sets].
	 * What a row reads and what it adds to then share cache lines, of which most rows miss many. Between shards
	 * the gradients are 0. NULL: weights are in w, the gradient in the leaf. */
	double *pairs;
};

/* Collective. Everything is borrowed. */
void logistic_loss_init(struct logistic_loss *l, struct logistic_walk *walk, const struct logistic_space *space);
void logistic_loss_release(struct logistic_loss *l);
/* Collective. x and g: this rank's slice of the variables. */
QN_MUST bool logistic_loss(struct logistic_loss *l, const double *x, double *g, double *value, struct err *e);
/* Collective: after it l->w and l->offset are those of x on every rank. */
QN_MUST bool logistic_loss_place(struct logistic_loss *l, const double *x, struct err *e);

#endif
