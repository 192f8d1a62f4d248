#include "pipeline/labels.h"

#include "pipeline/text.h"

#include <math.h>
#include <stdlib.h>

const char *const labels_orders[] = {"frequencyDesc", "frequencyAsc", "alphabetDesc", "alphabetAsc", NULL};

void labels_count(struct map *counts, const struct column *c, size_t i)
{
	char text[STR_NUMBER_MAX];
	struct str label;
	bool is_nan = c->type == COL_DOUBLE && isnan(c->f64[i]);
	if (!is_nan && text_of_cell(c, i, text, &label)) map_put(counts, label, NULL)->value++;
}

struct labels_counts *labels_counts_create(size_t count)
{
	struct labels_counts *c = mem_zalloc(1, sizeof *c);
	c->count = count;
	c->maps = mem_zalloc(count, sizeof *c->maps);
	return c;
}

void labels_counts_destroy(void *counts)
{
	struct labels_counts *c = counts;
	for (size_t k = 0; k < c->count; k++) map_release(&c->maps[k]);
	mem_free(c->maps);
	mem_free(c);
}

void labels_counts_pack(const struct stage *s, void *counts, struct buf *out)
{
	const struct labels_counts *c = counts;
	(void)s;
	for (size_t k = 0; k < c->count; k++) {
		buf_u64(out, c->maps[k].count);
		for (size_t i = 0; i < c->maps[k].count; i++) {
			const struct map_entry *x = &c->maps[k].entries[i];
			buf_block(out, x->key.data, x->key.len);
			buf_u64(out, x->value);
		}
	}
}

bool labels_counts_merge(struct stage *s, void *into, struct cursor *in, struct err *e)
{
	struct labels_counts *c = into;
	(void)s, (void)e;
	for (size_t k = 0; k < c->count; k++)
		for (uint64_t n = cursor_u64(in); n > 0 && !in->bad; n--) {
			size_t len;
			const char *key = cursor_block(in, &len);
			map_put(&c->maps[k], (struct str){key, len}, NULL)->value += cursor_u64(in);
		}
	return true;
}

static int by_label(const void *a, const void *b)
{
	return str_cmp(((const struct map_entry *)a)->key, ((const struct map_entry *)b)->key);
}
static int by_label_desc(const void *a, const void *b)
{
	return -by_label(a, b);
}
static int by_count(const void *a, const void *b)
{
	uint64_t x = ((const struct map_entry *)a)->value, y = ((const struct map_entry *)b)->value;
	return x != y ? (x > y) - (x < y) : by_label(a, b);
}
static int by_count_desc(const void *a, const void *b)
{
	uint64_t x = ((const struct map_entry *)a)->value, y = ((const struct map_entry *)b)->value;
	return x != y ? (x < y) - (x > y) : by_label(a, b);
}

static int (*const comparisons[])(const void *a, const void *b) = {by_count_desc, by_count, by_label_desc, by_label};

void labels_order(struct map *counts, struct str order, struct map *labels)
{
	size_t k = 0;
	while (!str_is(order, labels_orders[k])) k++;
	if (counts->count) qsort(counts->entries, counts->count, sizeof *counts->entries, comparisons[k]);
	for (size_t i = 0; i < counts->count; i++) map_put(labels, counts->entries[i].key, NULL)->value = i;
}

struct attrs *labels_attrs(struct arena *a, const struct map *labels, bool keep, struct str name)
{
	struct attrs *attrs = arena_zalloc(a, 1, sizeof *attrs);
	attrs->size = 1;
	attrs->list = arena_zalloc(a, 1, sizeof *attrs->list);
	attrs->list[0] = attr_of(ATTR_NOMINAL, name);
	struct str_list *values = &attrs->list[0].values;
	values->items = arena_zalloc(a, labels->count + 1, sizeof *values->items);
	for (size_t i = 0; i < labels->count; i++) values->items[values->count++] = labels->entries[i].key;
	if (keep) values->items[values->count++] = STR("__unknown");
	return attrs;
}

void labels_encode(const struct map *labels, struct buf *out)
{
	buf_u64(out, labels->count);
	for (size_t i = 0; i < labels->count; i++)
		buf_block(out, labels->entries[i].key.data, labels->entries[i].key.len);
}

bool labels_decode(struct map *labels, struct cursor *in, struct err *e)
{
	size_t count = cursor_count(in, sizeof(uint64_t));
	for (size_t i = 0; i < count && !in->bad; i++) {
		size_t len;
		bool made = false;
		const char *key = cursor_block(in, &len);
		if (in->bad) break;
		map_put(labels, (struct str){key, len}, &made)->value = i;
		if (!made || !str_utf8_valid(key, len))
			return err_set(e, ERR_bad_model, "labels occur twice or are no UTF-8");
	}
	return !in->bad;
}
