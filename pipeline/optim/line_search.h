/* How far to go along a descent direction. Automata over numbers: the caller evaluates, so that every rank walks the
 * same path with the same numbers.
 *
 *     line_search_begin(&ls, f0, slope0, t0); while (line_search_feed(&ls, f(ls.t), slope(ls.t)) == LINE_SEARCH_TRY) ;
 *
 * line_search: strong Wolfe conditions. Nocedal & Wright, Numerical Optimization (2nd edition), algorithms 3.5 and 3.6,
 * with the constants and the safeguarded cubic of Breeze's StrongWolfeLineSearch, which Spark's L-BFGS uses: c1 = 1e-4,
 * c2 = 0.9, growth 1.5, at most 10 steps each of bracketing and of zooming; after those the best step that decreases
 * the value enough is taken.
 *
 * backtracking: Breeze's BacktrackingLineSearch, which Spark's OWL-QN uses: shrinks until the value has decreased
 * enough and the slope is flat enough, grows by 2.1 while the slope is still too steep, at most 20 times. */
#ifndef QUERN_PIPELINE_LINE_SEARCH_H
#define QUERN_PIPELINE_LINE_SEARCH_H

#include "base/check.h"

enum line_search_phase { LINE_SEARCH_BRACKET, LINE_SEARCH_ZOOM, LINE_SEARCH_SETTLE };
enum line_search_verdict { LINE_SEARCH_TRY, LINE_SEARCH_DONE, LINE_SEARCH_FAILED };

struct line_point {
	double t, value, slope;
};

struct line_search {
	struct line_point start, low, high;
	double t; /* to be tried next; the answer when done */
	enum line_search_phase phase;
	unsigned steps; /* of the present phase */
};

/* value and slope at t = 0 (slope < 0) and the first step to try. Returns it. */
double line_search_begin(struct line_search *ls, double value, double slope, double t);
enum line_search_verdict line_search_feed(struct line_search *ls, double value, double slope);

struct backtracking {
	struct line_point start;
	double t, shrink;
	unsigned steps;
};

double backtracking_begin(struct backtracking *b, double value, double slope, double t, double shrink);
enum line_search_verdict backtracking_feed(struct backtracking *b, double value, double slope);

#endif
