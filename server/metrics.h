/* Counters of the HTTP side, and Prometheus text (exposition format 0.0.4). Each HTTP thread counts in a lane of its
 * own without locks; reading sums the lanes. */
#ifndef QUERN_SERVER_METRICS_H
#define QUERN_SERVER_METRICS_H

#include "base/buf.h"

struct metrics;
struct metrics_lane;

/* A row of the tables: a route of the router, the last one for what no route answered. */
struct metrics_row {
	const char *method, *route;
};

struct metrics *metrics_create(const struct metrics_row *rows, size_t row_count, unsigned lanes);
void metrics_destroy(struct metrics *m);
struct metrics_lane *metrics_lane(struct metrics *m, unsigned index);
void metrics_count(struct metrics_lane *l, size_t row, int status, int64_t ns, uint64_t in_bytes, uint64_t out_bytes);
void metrics_write(const struct metrics *m, struct buf *out);

/* One family with one sample: "# HELP", "# TYPE", the value. labels: "" or {a="b"} whole. */
void metrics_sample(struct buf *out, const char *type, const char *name, const char *help, const char *labels,
		    double value);
/* One more sample of the family that came last. */
void metrics_more(struct buf *out, const char *name, const char *labels, double value);

#endif
