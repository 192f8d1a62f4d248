#include "pipeline/optim/line_search.h"

#include <math.h>

enum { STEPS_MAX = 10, BACKTRACKS_MAX = 20 };
static const double SUFFICIENT_DECREASE = 1e-4, CURVATURE = 0.9, GROWTH = 1.5, MARGIN = 0.1;
static const double BACKTRACKING_GROWTH = 2.1, STEP_MIN = 1e-10, STEP_MAX = 1e10;

double line_search_begin(struct line_search *ls, double value, double slope, double t)
{
	struct line_point start = {0, value, slope};
	*ls = (struct line_search){.start = start, .low = start, .t = t};
	return t;
}

/* The minimiser of the cubic through both points' values and slopes, kept off the ends (N&W equation 3.59). */
static double interpolate(struct line_point l, struct line_point r)
{
	double d1 = l.slope + r.slope - 3 * (l.value - r.value) / (l.t - r.t);
	double d2 = sqrt(d1 * d1 - l.slope * r.slope), width = r.t - l.t;
	double t = r.t - width * (r.slope + d2 - d1) / (r.slope - l.slope + 2 * d2);
	double lowest = l.t + MARGIN * width, highest = l.t + (1 - MARGIN) * width;
	if (!(t >= lowest)) return lowest; /* also where the cubic has no minimum: d2 is not a number */
	return t > highest ? highest : t;
}

/* Also where the value is not a number. */
static bool too_high(struct line_point start, struct line_point c)
{
	return !(c.value <= start.value + SUFFICIENT_DECREASE * c.t * start.slope);
}

static bool flat(struct line_point start, struct line_point c)
{
	return fabs(c.slope) <= CURVATURE * fabs(start.slope);
}

/* Out of steps: Breeze gives up here, but the best step so far decreases f enough, which is all that progress needs.
 * It is tried once more, so that the caller stands where it says. */
static enum line_search_verdict settle(struct line_search *ls)
{
	if (ls->low.t == 0) return LINE_SEARCH_FAILED;
	ls->t = ls->low.t;
	ls->phase = LINE_SEARCH_SETTLE;
	return LINE_SEARCH_TRY;
}

static enum line_search_verdict try_between(struct line_search *ls)
{
	if (ls->steps >= STEPS_MAX) return settle(ls);
	ls->t = ls->low.t > ls->high.t ? interpolate(ls->high, ls->low) : interpolate(ls->low, ls->high);
	return LINE_SEARCH_TRY;
}

static enum line_search_verdict zoom_from(struct line_search *ls, struct line_point low, struct line_point high)
{
	ls->low = low;
	ls->high = high;
	ls->phase = LINE_SEARCH_ZOOM;
	ls->steps = 0;
	return try_between(ls);
}

/* Invariant: [low, high] holds a step that will do; low is the best one so far; low.slope points to high. */
static enum line_search_verdict zoom(struct line_search *ls, struct line_point c)
{
	if (too_high(ls->start, c) || c.value >= ls->low.value) {
		ls->high = c;
	} else {
		if (flat(ls->start, c)) return LINE_SEARCH_DONE;
		if (c.slope * (ls->high.t - ls->low.t) >= 0) ls->high = ls->low;
		ls->low = c;
	}
	return try_between(ls);
}

static enum line_search_verdict bracket(struct line_search *ls, struct line_point c)
{
	bool first = ls->steps == 1;
	if (!isfinite(c.value)) ls->t = c.t / 2;
	else if (too_high(ls->start, c) || (!first && c.value >= ls->low.value)) return zoom_from(ls, ls->low, c);
	else if (flat(ls->start, c)) return LINE_SEARCH_DONE;
	else if (c.slope >= 0) return zoom_from(ls, c, ls->low);
	else {
		ls->low = c;
		ls->t = c.t * GROWTH;
	}
	return ls->steps < STEPS_MAX ? LINE_SEARCH_TRY : settle(ls);
}

enum line_search_verdict line_search_feed(struct line_search *ls, double value, double slope)
{
	struct line_point c = {ls->t, value, slope};
	ls->steps++;
	if (ls->phase == LINE_SEARCH_SETTLE) return LINE_SEARCH_DONE;
	return ls->phase == LINE_SEARCH_ZOOM ? zoom(ls, c) : bracket(ls, c);
}

double backtracking_begin(struct backtracking *b, double value, double slope, double t, double shrink)
{
	*b = (struct backtracking){.start = {0, value, slope}, .t = t, .shrink = shrink};
	return t;
}

enum line_search_verdict backtracking_feed(struct backtracking *b, double value, double slope)
{
	struct line_point c = {b->t, value, slope};
	bool steep = slope < CURVATURE * b->start.slope;
	if (!too_high(b->start, c) && flat(b->start, c)) return LINE_SEARCH_DONE;
	b->t *= !too_high(b->start, c) && steep ? BACKTRACKING_GROWTH : b->shrink;
	bool out = b->t < STEP_MIN || b->t > STEP_MAX || b->steps++ >= BACKTRACKS_MAX;
	return out ? LINE_SEARCH_FAILED : LINE_SEARCH_TRY;
}
