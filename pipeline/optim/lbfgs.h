/* Minimises f(x) = loss(x) + ½ Σ l2[j]·x[j]² + Σ l1[j]·|x[j]| over all ranks, where loss is smooth and convex.
 *
 * Without l1: L-BFGS (Nocedal & Wright, algorithm 7.5) with strong Wolfe steps. With l1: OWL-QN (Andrew & Gao:
 * "Scalable training of L1-regularized log-linear models", ICML 2007). Both go step for step as Breeze's LBFGS and
 * OWLQN do in Spark, so that a model that is not fully converged is still Spark's.
 *
 * Each rank owns a slice of x, of the gradient and of the history (slices.h, history.h); the loss is the caller's and
 * may use any collective. x, the value and the path are the same bits for any number of ranks. A checkpoint taken at an
 * iteration's end continues as if nothing had happened, on any number of ranks.
 *
 * It ends, in this order, as Breeze's FirstOrderMinimizer does (defaultConvergenceCheck, which is what Spark's `tol`
 * means):
 *   - max_iter iterations are done;
 *   - the values of the last 20 iterations lie within tol·|f(x0)| of each other;
 *   - ‖gradient‖ ≤ max(tol·|f(x)|, 1e-8), where the gradient is the pseudo-gradient when there is l1;
 *   - the line search failed twice in a row, the second time along the gradient; and, only where `certify` is set: the
 *     gap (below) is at most tol·|reference|.
 *
 * The gap. With l2 > 0, f is strongly convex, so f(x) - min f ≤ Σ gradient[j]² / (2·l2[j]); for an L2-penalised
 * linear model this is its duality gap. Coordinates without l2 count with `curvature` instead, which makes their
 * share an estimate. One step that proves itself good enough saves the 20 that Breeze needs to see nothing happen. /
 */
#ifndef QUERN_PIPELINE_LBFGS_H
#define QUERN_PIPELINE_LBFGS_H

#include "pipeline/optim/history.h"

struct lbfgs;

struct lbfgs_problem {
	size_t n;
	void *ctx;
	/* Collective. x and g are this rank's slice (slices of comm_slice(n)); fills g and the value, on every rank. */
	bool (*loss)(void *ctx, const double *x, double *g, double *value, struct err *e);
	const double *l2, *l1; /* this rank's slices, or NULL */
	/* After the start (iteration 0) and after every iteration, on every rank; NULL: none. False (with e) ends it
	 * all. */
	bool (*stepped)(void *ctx, struct lbfgs *s, struct err *e);
};

struct lbfgs_options {
	size_t memory; /* pairs kept; Spark: 10 */
	size_t max_iter;
	double tol;
	bool certify;
	double curvature; /* of coordinates without l2, for the gap */
};

enum lbfgs_end {
	LBFGS_RUNNING,
	LBFGS_MAX_ITERATIONS,
	LBFGS_VALUES,
	LBFGS_GRADIENT,
	LBFGS_CERTIFIED,
	LBFGS_SEARCH_FAILED,
};

/* A point and what is known there; the vectors are this rank's slices. */
struct lbfgs_point {
	double *x, *g;        /* g: gradient of loss and l2 */
	double *p;            /* pseudo-gradient; g itself where there is no l1 */
	double value, smooth; /* f, and f without l1 */
};

struct lbfgs {
	struct lbfgs_problem problem;
	struct lbfgs_options options;
	struct slices slices;
	struct history history;
	struct lbfgs_point now, next; /* the iterate, and the step that is being tried */
	double *d;                    /* direction */
	double norm, gap;             /* ‖p‖ and the gap, now */
	double start_norm;            /* ‖g‖ at the start */
	size_t iteration, evaluations;
	bool failed_once; /* the last line search failed: the history was forgotten */
	enum lbfgs_end end;
	double *values; /* f at the start and after each iteration: [iteration + 1] */
	size_t values_cap;
};

/* Collective. The problem's slices are borrowed until lbfgs_release. x starts at 0: write this rank's slice of the
 * start into s->now.x before lbfgs_minimize. */
void lbfgs_init(struct lbfgs *s, struct comm *c, const struct lbfgs_problem *problem,
		const struct lbfgs_options *options);
void lbfgs_release(struct lbfgs *s);
/* Collective. From s->now.x, or from where lbfgs_unpack left off, to the end; s->end says why. */
QN_MUST bool lbfgs_minimize(struct lbfgs *s, struct err *e);
/* Collective; within `stepped`. The whole state as bytes, on every rank. */
QN_MUST bool lbfgs_pack(struct lbfgs *s, struct buf *out, struct err *e);
/* Before lbfgs_minimize, after lbfgs_init with the same problem. False: these bytes are of another problem. */
QN_MUST bool lbfgs_unpack(struct lbfgs *s, struct cursor *in);

#endif
