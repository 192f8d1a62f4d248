#include "server/metrics.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdatomic.h>
#include <stdio.h>

static const int statuses[] = {200, 202, 204, 304, 400, 404, 405, 406, 409, 413, 414, 415, 422, 429, 500, 503};
enum { STATUSES = ARRAY_COUNT(statuses) + 1 }; /* the last one: any other */

static const double bucket_s[] = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
				  0.05,   0.1,     0.25,   0.5,   1,      2.5,   10};
enum { BUCKETS = ARRAY_COUNT(bucket_s) + 1 };

/* One writer; a reader may see a moment between two additions. */
typedef _Atomic uint64_t counter;
static void add(counter *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

struct cell {
	counter by_status[STATUSES], by_bucket[BUCKETS], sum_ns;
};

struct metrics_lane {
	counter in_bytes, out_bytes;
	struct cell cells[]; /* one a row */
};

struct metrics {
	const struct metrics_row *rows;
	size_t row_count;
	struct metrics_lane **lanes;
	unsigned lane_count;
};

struct metrics *metrics_create(const struct metrics_row *rows, size_t row_count, unsigned lanes)
{
	struct metrics *m = mem_zalloc(1, sizeof *m);
	*m = (struct metrics){.rows = rows, .row_count = row_count, .lane_count = lanes};
	m->lanes = mem_zalloc(lanes, sizeof *m->lanes);
	for (unsigned i = 0; i < lanes; i++)
		m->lanes[i] = mem_zalloc(1, sizeof(struct metrics_lane) + row_count * sizeof(struct cell));
	return m;
}

void metrics_destroy(struct metrics *m)
{
	if (!m) return;
	for (unsigned i = 0; i < m->lane_count; i++) mem_free(m->lanes[i]);
	mem_free(m->lanes);
	mem_free(m);
}

struct metrics_lane *metrics_lane(struct metrics *m, unsigned index) { return m->lanes[index]; }

void metrics_count(struct metrics_lane *l, size_t row, int status, int64_t ns, uint64_t in_bytes, uint64_t out_bytes)
{
	struct cell *c = &l->cells[row];
	size_t s = 0, b = 0;
	while (s < STATUSES - 1 && statuses[s] != status) s++;
	while (b < BUCKETS - 1 && (double)ns > bucket_s[b] * 1e9) b++;
	add(&c->by_status[s], 1);
	add(&c->by_bucket[b], 1);
	add(&c->sum_ns, (uint64_t)ns);
	add(&l->in_bytes, in_bytes);
	add(&l->out_bytes, out_bytes);
}

/* --- Text --------------------------------------------------------------------------------------------------------- */

static void value(struct buf *out, double v)
{
	char text[STR_NUMBER_MAX];
	buf_char(out, ' ');
	buf_append(out, text, str_from_double(v, text));
	buf_char(out, '\n');
}

static void family(struct buf *out, const char *type, const char *name, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void metrics_more(struct buf *out, const char *name, const char *labels, double v)
{
	buf_printf(out, "%s%s", name, labels);
	value(out, v);
}

void metrics_sample(struct buf *out, const char *type, const char *name, const char *help, const char *labels, double v)
{
	family(out, type, name, help);
	metrics_more(out, name, labels, v);
}

static uint64_t sum(const struct metrics *m, size_t row, size_t offset)
{
	uint64_t n = 0;
	for (unsigned i = 0; i < m->lane_count; i++)
		n += *(const counter *)((const char *)&m->lanes[i]->cells[row] + offset);
	return n;
}

static void write_requests(const struct metrics *m, struct buf *out)
{
	static const char name[] = "quern_http_requests_total";
	family(out, "counter", name, "Requests answered, by route, method and status.");
	for (size_t r = 0; r < m->row_count; r++)
		for (size_t s = 0; s < STATUSES; s++) {
			uint64_t n = sum(m, r, offsetof(struct cell, by_status) + s * sizeof(counter));
			if (n == 0) continue;
			buf_printf(out, "%s{route=\"%s\",method=\"%s\",code=\"", name, m->rows[r].route,
				   m->rows[r].method);
			if (s < STATUSES - 1) buf_printf(out, "%d\"}", statuses[s]);
			else buf_str(out, "other\"}");
			value(out, (double)n);
		}
}

static void write_durations(const struct metrics *m, struct buf *out)
{
	static const char name[] = "quern_http_request_duration_seconds";
	family(out, "histogram", name,
	       "From the request line to the end of the answer, by route and method; waiting included.");
	for (size_t r = 0; r < m->row_count; r++) {
		char labels[256];
		uint64_t n = 0;
		snprintf(labels, sizeof labels, "route=\"%s\",method=\"%s\"", m->rows[r].route, m->rows[r].method);
		for (size_t b = 0; b < BUCKETS; b++)
			n += sum(m, r, offsetof(struct cell, by_bucket) + b * sizeof(counter));
		if (n == 0) continue;
		uint64_t below = 0;
		for (size_t b = 0; b < BUCKETS; b++) {
			below += sum(m, r, offsetof(struct cell, by_bucket) + b * sizeof(counter));
			if (b < BUCKETS - 1) buf_printf(out, "%s_bucket{%s,le=\"%g\"}", name, labels, bucket_s[b]);
			else buf_printf(out, "%s_bucket{%s,le=\"+Inf\"}", name, labels);
			value(out, (double)below);
		}
		buf_printf(out, "%s_sum{%s}", name, labels);
		value(out, (double)sum(m, r, offsetof(struct cell, sum_ns)) / 1e9);
		buf_printf(out, "%s_count{%s}", name, labels);
		value(out, (double)below);
	}
}

void metrics_write(const struct metrics *m, struct buf *out)
{
	uint64_t in_bytes = 0, out_bytes = 0;
	for (unsigned i = 0; i < m->lane_count; i++) {
		in_bytes += m->lanes[i]->in_bytes;
		out_bytes += m->lanes[i]->out_bytes;
	}
	write_requests(m, out);
	write_durations(m, out);
	metrics_sample(out, "counter", "quern_http_request_bytes_total", "Bytes of request bodies.", "",
		       (double)in_bytes);
	metrics_sample(out, "counter", "quern_http_response_bytes_total", "Bytes of answers' bodies.", "",
		       (double)out_bytes);
}
