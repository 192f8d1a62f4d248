#include "pipeline/lsh_search.h"

#include <math.h>
#include <stdlib.h>

struct lsh_row lsh_row_at(const struct stage *s, const struct column *vectors, const struct column *hashes, size_t i)
{
	CHECK(hashes->off[i + 1] - hashes->off[i] == lsh_tables(s));
	return (struct lsh_row){column_vec_at(vectors, i), hashes->f64 + hashes->off[i]};
}

static const struct lsh_family *family_of(const struct stage *s) { return ((const struct lsh_state *)s->state)->family; }

/* --- Nearest neighbours ------------------------------------------------------------------------------------------ */

bool lsh_nearest_init(struct lsh_nearest *n, const struct stage *s, struct vec key, size_t most, struct err *e)
{
	CHECK(most > 0);
	*n = (struct lsh_nearest){.stage = s, .key = key, .most = most};
	n->hashes = mem_zalloc(lsh_tables(s), sizeof *n->hashes);
	const char *why = family_of(s)->hash(s, key, n->hashes);
	return !why || err_set(e, ERR_data, "the key: %s", why);
}

void lsh_nearest_release(struct lsh_nearest *n)
{
	for (size_t i = 0; i < n->count; i++) mem_free((char *)n->kept[i].text.data);
	mem_free(n->kept);
	mem_free(n->hashes);
	*n = (struct lsh_nearest){0};
}

/* NaN is farther than anything, as Spark sorts it. */
static int compare_neighbors(const void *a, const void *b)
{
	const struct lsh_neighbor *x = a, *y = b;
	int nan = (int)isnan(x->distance) - (int)isnan(y->distance);
	if (nan) return nan;
	int far = (x->distance > y->distance) - (x->distance < y->distance);
	return far ? far : (x->row > y->row) - (x->row < y->row);
}

static void sift_up(struct lsh_neighbor *heap, size_t i)
{
	for (size_t up; i > 0 && compare_neighbors(&heap[up = (i - 1) / 2], &heap[i]) < 0; i = up) {
		struct lsh_neighbor was = heap[up];
		heap[up] = heap[i];
		heap[i] = was;
	}
}

static void sift_down(struct lsh_neighbor *heap, size_t count)
{
	for (size_t i = 0, down; (down = 2 * i + 1) < count; i = down) {
		if (down + 1 < count && compare_neighbors(&heap[down + 1], &heap[down]) > 0) down++;
		if (compare_neighbors(&heap[i], &heap[down]) >= 0) return;
		struct lsh_neighbor was = heap[down];
		heap[down] = heap[i];
		heap[i] = was;
	}
}

static bool share_a_hash(const double *a, const double *b, size_t tables)
{
	for (size_t t = 0; t < tables; t++)
		if (a[t] == b[t]) return true;
	return false;
}

void lsh_nearest_offer(struct lsh_nearest *n, struct lsh_row row, struct str text)
{
	struct lsh_neighbor new = {.row = n->offered++};
	if (!share_a_hash(row.hashes, n->hashes, lsh_tables(n->stage))) return;
	new.distance = family_of(n->stage)->distance(row.vector, n->key);
	bool full = n->count == n->most;
	if (full && compare_neighbors(&new, &n->kept[0]) > 0) return;
	char *copy = mem_alloc(text.len + 1);
	if (text.len) memcpy(copy, text.data, text.len);
	new.text = (struct str){copy, text.len};
	if (full) {
		mem_free((char *)n->kept[0].text.data);
		n->kept[0] = new;
		sift_down(n->kept, n->count);
	} else {
		MEM_GROW(n->kept, n->cap, n->count + 1);
		n->kept[n->count++] = new;
		sift_up(n->kept, n->count - 1);
	}
}

void lsh_nearest_sort(struct lsh_nearest *n)
{
	if (n->count) qsort(n->kept, n->count, sizeof *n->kept, compare_neighbors);
}

/* --- Similar pairs ----------------------------------------------------------------------------------------------- */

struct lsh_entry {
	double hash;
	uint32_t row;
};

void lsh_index_init(struct lsh_index *x, const struct stage *s)
{
	*x = (struct lsh_index){.stage = s};
	column_init(&x->vectors, COL_VECTOR);
}

void lsh_index_release(struct lsh_index *x)
{
	column_release(&x->vectors);
	mem_free(x->hashes);
	mem_free(x->entries);
	mem_free(x->found);
	*x = (struct lsh_index){0};
}

bool lsh_index_add(struct lsh_index *x, struct lsh_row row, struct err *e)
{
	size_t rows = x->vectors.rows, tables = lsh_tables(x->stage);
	if (rows == UINT32_MAX) return err_set(e, ERR_too_large, "more than %u rows to join", UINT32_MAX);
	MEM_GROW(x->hashes, x->hashes_cap, (rows + 1) * tables);
	memcpy(x->hashes + rows * tables, row.hashes, tables * sizeof *x->hashes);
	column_vec(&x->vectors, row.vector);
	return true;
}

struct lsh_row lsh_index_row(const struct lsh_index *x, size_t i)
{
	return (struct lsh_row){column_vec_at(&x->vectors, i), x->hashes + i * lsh_tables(x->stage)};
}

/* A NaN is in no bucket; they all go to the end. */
static int compare_entries(const void *a, const void *b)
{
	const struct lsh_entry *x = a, *y = b;
	int nan = (int)isnan(x->hash) - (int)isnan(y->hash);
	if (nan) return nan;
	int greater = (x->hash > y->hash) - (x->hash < y->hash);
	return greater ? greater : (x->row > y->row) - (x->row < y->row);
}

void lsh_index_seal(struct lsh_index *x)
{
	size_t rows = x->vectors.rows, tables = lsh_tables(x->stage);
	x->entries = mem_alloc(MAX(rows * tables, (size_t)1) * sizeof *x->entries);
	for (size_t t = 0; t < tables; t++) {
		struct lsh_entry *of_table = x->entries + t * rows;
		for (size_t i = 0; i < rows; i++)
			of_table[i] = (struct lsh_entry){x->hashes[i * tables + t], (uint32_t)i};
		if (rows) qsort(of_table, rows, sizeof *of_table, compare_entries);
	}
}

/* The first entry of the table that is not before the hash. */
static size_t bucket_begin(const struct lsh_entry *of_table, size_t rows, double hash)
{
	struct lsh_entry first = {hash, 0};
	size_t low = 0, high = rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_entries(&of_table[middle], &first) < 0) low = middle + 1;
		else high = middle;
	}
	return low;
}

static int compare_matches(const void *a, const void *b)
{
	uint32_t x = ((const struct lsh_match *)a)->row, y = ((const struct lsh_match *)b)->row;
	return (x > y) - (x < y);
}

size_t lsh_index_find(struct lsh_index *x, struct lsh_row row, double threshold, const struct lsh_match **out)
{
	size_t rows = x->vectors.rows, tables = lsh_tables(x->stage), found = 0;
	for (size_t t = 0; t < tables; t++) {
		const struct lsh_entry *of_table = x->entries + t * rows;
		for (size_t k = bucket_begin(of_table, rows, row.hashes[t]);
		     k < rows && of_table[k].hash == row.hashes[t]; k++) {
			uint32_t other = of_table[k].row;
			/* A pair that an earlier table has shown already. */
			if (share_a_hash(x->hashes + other * tables, row.hashes, t)) continue;
			double d = family_of(x->stage)->distance(row.vector, column_vec_at(&x->vectors, other));
			if (!(d < threshold)) continue;
			MEM_GROW(x->found, x->found_cap, found + 1);
			x->found[found++] = (struct lsh_match){other, d};
		}
	}
	if (found) qsort(x->found, found, sizeof *x->found, compare_matches);
	*out = x->found;
	return found;
}
