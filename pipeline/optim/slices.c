#include "pipeline/optim/slices.h"

#include "base/mem.h"

#include <string.h>

enum { GATHER_BYTES_MAX = 1 << 30 };

void slices_init(struct slices *s, struct comm *c, size_t n, size_t width_max)
{
	*s = (struct slices){.comm = c, .n = n, .width_max = width_max, .all = BUF_INIT(GATHER_BYTES_MAX)};
	comm_slice(c, n, &s->lo, &s->hi);
	s->len = s->hi - s->lo;
	s->chunks = (s->len + COMM_CHUNK - 1) / COMM_CHUNK;
	s->partial = mem_zalloc(MAX(s->chunks * width_max, (size_t)1), sizeof *s->partial);
}

void slices_release(struct slices *s)
{
	mem_free(s->partial);
	buf_release(&s->all);
	*s = (struct slices){0};
}

bool slices_sum(struct slices *s, size_t width, double *out, struct err *e)
{
	struct str parts[COMM_RANKS_MAX];
	CHECK(width <= s->width_max);
	if (!s->comm->ops->gather(s->comm, s->partial, s->chunks * width * sizeof *out, &s->all, parts, e))
		return false;
	memset(out, 0, width * sizeof *out);
	for (unsigned r = 0; r < s->comm->size; r++)
		for (size_t at = 0; at < parts[r].len; at += width * sizeof *out)
			for (size_t k = 0; k < width; k++) {
				double sum;
				memcpy(&sum, parts[r].data + at + k * sizeof sum, sizeof sum);
				out[k] += sum;
			}
	return true;
}

bool slices_collect(struct slices *s, const double *v, struct buf *out, struct err *e)
{
	struct str parts[COMM_RANKS_MAX];
	return s->comm->ops->gather(s->comm, v, s->len * sizeof *v, out, parts, e);
}

typedef double pair __attribute__((vector_size(16), aligned(8)));

double slices_dot(const double *a, const double *b, size_t n)
{
	pair even = {0, 0}, odd = {0, 0};
	size_t i = 0;
	for (; i + 4 <= n; i += 4) {
		even += *(const pair *)(a + i) * *(const pair *)(b + i);
		odd += *(const pair *)(a + i + 2) * *(const pair *)(b + i + 2);
	}
	double sum = (even[0] + odd[0]) + (even[1] + odd[1]);
	for (; i < n; i++) sum += a[i] * b[i];
	return sum;
}
