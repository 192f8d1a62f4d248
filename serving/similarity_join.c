#include "serving/similarity_join.h"

void similarity_join_init(struct similarity_join *j, const struct stage *s, double threshold, similarity_pair *pair,
			  void *ctx)
{
	*j = (struct similarity_join){.threshold = threshold, .pair = pair, .ctx = ctx, .a = MAP_INIT, .b = MAP_INIT};
	lsh_index_init(&j->index, s);
}

void similarity_join_release(struct similarity_join *j)
{
	lsh_index_release(&j->index);
	map_release(&j->a);
	map_release(&j->b);
}

static bool join_row(struct similarity_join *j, struct lsh_row row, struct str text, struct err *e)
{
	const struct lsh_match *found;
	size_t count = lsh_index_find(&j->index, row, j->threshold, &found);
	bool ok = true;
	for (size_t k = 0; ok && k < count; k++)
		ok = j->pair(j->ctx, text, j->b.entries[found[k].row].key, found[k].distance, e);
	return ok;
}

bool similarity_join_take_a(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	struct similarity_join *j = ctx;
	bool made;
	map_put(&j->a, text, &made);
	return !made || join_row(j, row, text, e);
}

bool similarity_join_take_b(void *ctx, struct lsh_row row, struct str text, struct err *e)
{
	struct similarity_join *j = ctx;
	bool made;
	map_put(&j->b, text, &made);
	return !made || lsh_index_add(&j->index, row, e);
}

void similarity_join_seal(struct similarity_join *j) { lsh_index_seal(&j->index); }

bool similarity_join_itself(struct similarity_join *j, struct err *e)
{
	bool ok = true;
	for (size_t i = 0; ok && i < j->b.count; i++)
		ok = join_row(j, lsh_index_row(&j->index, i), j->b.entries[i].key, e);
	return ok;
}
