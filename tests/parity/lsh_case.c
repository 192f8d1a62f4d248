/* What Spark's approxNearestNeighbors and approxSimilarityJoin found among a case's own rows. */
#include "pipeline/lsh_search.h"
#include "tests/parity/parity.h"

/* The case's rows, hashed. */
struct hashed {
	const struct stage *stage;
	const struct batch *rows;
	const struct column *vectors, *hashes, *ids;
};

static struct lsh_row row_at(const struct hashed *h, size_t i)
{
	return lsh_row_at(h->stage, h->vectors, h->hashes, i);
}

static struct hashed hashed_rows(const struct pipeline *p, const struct batch *b)
{
	const struct stage *s = &p->stages[0];
	int id = schema_find(&p->schema, STR("id"));
	assert_true(p->count == 1 && lsh_is(s) && id >= 0);
	return (struct hashed){s, b, &b->columns[s->in[0].slot], &b->columns[s->out[0].slot], &b->columns[id]};
}

/* {"key", "n", "rows": [[id, distance]]} */
static enum outcome compare_neighbors(struct run *r, const struct json *c, const struct hashed *h, const struct json *search)
{
	struct column key;
	struct lsh_nearest n;
	struct err e;
	enum outcome o = PASSED;
	err_init(&e);
	column_init(&key, COL_VECTOR);
	fixture_put(&key, json_get(search, "key"));
	assert_ok(lsh_nearest_init(&n, h->stage, column_vec_at(&key, 0), (size_t)json_get(search, "n")->integer, &e), &e);
	for (size_t i = 0; i < h->rows->rows; i++) lsh_nearest_offer(&n, row_at(h, i), STR(""));
	lsh_nearest_sort(&n);
	const struct json *rows = json_get(search, "rows");
	if (n.count != rows->count) o = failed(r, "%zu neighbours, Spark has %zu", n.count, rows->count);
	for (size_t k = 0; o == PASSED && k < n.count; k++) {
		const struct json *row = json_at(rows, k);
		int64_t id = h->ids->i64[n.kept[k].row];
		double distance = fixture_number(json_at(row, 1));
		if (id != json_at(row, 0)->integer || !fixture_close(n.kept[k].distance, distance, slack_of(c)))
			o = failed(r, "neighbour %zu is %lld at %.17g, Spark's is %lld at %.17g", k, (long long)id,
				   n.kept[k].distance, (long long)json_at(row, 0)->integer, distance);
	}
	lsh_nearest_release(&n);
	column_release(&key);
	return o;
}

/* {"threshold", "rows": [[idA, idB, distance]]} of the rows with themselves, sorted by both ids as the rows are. */
static enum outcome compare_pairs(struct run *r, const struct json *c, const struct hashed *h, const struct json *join)
{
	struct lsh_index x;
	struct err e;
	double threshold = fixture_number(json_get(join, "threshold"));
	const struct json *pair = json_get(join, "rows")->child;
	enum outcome o = PASSED;
	err_init(&e);
	lsh_index_init(&x, h->stage);
	for (size_t i = 0; i < h->rows->rows; i++) assert_ok(lsh_index_add(&x, row_at(h, i), &e), &e);
	lsh_index_seal(&x);
	for (size_t i = 0; i < h->rows->rows; i++) {
		const struct lsh_match *found;
		size_t count = lsh_index_find(&x, row_at(h, i), threshold, &found);
		for (size_t k = 0; o == PASSED && k < count; k++, pair = pair ? pair->next : NULL) {
			int64_t a = h->ids->i64[i], b = h->ids->i64[found[k].row];
			if (!pair || json_at(pair, 0)->integer != a || json_at(pair, 1)->integer != b ||
			    !fixture_close(found[k].distance, fixture_number(json_at(pair, 2)), slack_of(c)))
				o = failed(r, "the pair %lld, %lld at %.17g is not the next of Spark's", (long long)a,
					   (long long)b, found[k].distance);
		}
	}
	if (o == PASSED && pair) o = failed(r, "Spark finds more pairs");
	lsh_index_release(&x);
	return o;
}

enum outcome lsh_case(struct run *r, const struct json *c, const struct pipeline *p, const struct batch *b)
{
	const struct json *model = json_get(c, "model");
	const struct json *searches = json_get(model, "approxNearestNeighbors");
	const struct json *joins = json_get(model, "approxSimilarityJoin");
	enum outcome o = PASSED;
	if (!searches && !joins) return PASSED;
	struct hashed h = hashed_rows(p, b);
	for (const struct json *m = searches ? searches->child : NULL; m && o == PASSED; m = m->next)
		o = compare_neighbors(r, c, &h, m);
	for (const struct json *m = joins ? joins->child : NULL; m && o == PASSED; m = m->next)
		o = compare_pairs(r, c, &h, m);
	return o;
}
