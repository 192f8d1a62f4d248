#include "data/block.h"

#include "data/column_parts.h"

/* --- Tight copies ------------------------------------------------------------ */

/* The stretch of text that the spans cover, and the sum of their lengths. */
struct extent {
	size_t begin, end, sum;
};

static struct extent text_extent(const struct column *c, size_t spans)
{
	struct extent x = {SIZE_MAX, 0, 0};
	for (size_t i = 0; i < spans; i++) {
		struct span s = c->span[i];
		if (s.len == 0) continue;
		if (s.off < x.begin) x.begin = s.off;
		if ((size_t)s.off + s.len > x.end) x.end = (size_t)s.off + s.len;
		x.sum += s.len;
	}
	if (x.end == 0) x.begin = 0;
	return x;
}

static size_t span_total(const struct column *c)
{
	bool spans = COL_BIT(c->type) & (COL_BIT(COL_STRING) | COL_BIT(COL_STRINGS));
	return spans ? column_element(c, c->rows) : 0;
}

/* One allocation of just the right size; struct buf's own growth would leave slack. */
static void text_room(struct column *to, size_t len)
{
	to->own.data = mem_alloc(len + 1);
	to->own.cap = to->own.len = len;
	to->own.data[len] = 0;
	to->text = to->own.data;
}

/* Where spans overlap or lie close, the stretch they cover is copied whole; else span by span. */
static void copy_text(struct column *to, const struct column *from)
{
	size_t n = span_total(from), at = 0;
	struct extent x = text_extent(from, n);
	if (x.sum == 0) {
		if (n) memset(to->span, 0, n * sizeof *to->span);
		return;
	}
	if (x.end - x.begin <= x.sum) {
		text_room(to, x.end - x.begin);
		memcpy(to->own.data, from->text + x.begin, to->own.len);
		for (size_t i = 0; i < n; i++) to->span[i].off = to->span[i].len ? to->span[i].off - (uint32_t)x.begin : 0;
		return;
	}
	text_room(to, x.sum);
	for (size_t i = 0; i < n; i++) {
		memcpy(to->own.data + at, from->text + from->span[i].off, from->span[i].len);
		to->span[i].off = (uint32_t)at;
		at += from->span[i].len;
	}
}

static void set_counts(struct column *to, const struct column *from)
{
	to->rows = from->rows;
	to->f64_count = from->f64_count;
	to->span_count = from->span_count;
	to->valid = from->valid ? to->valid_room : NULL;
	to->elem_null = from->elem_null ? to->elem_null_room : NULL;
}

static void copy_tight(struct column *to, const struct column *from)
{
	column_init(to, from->type);
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++) {
		size_t used = column_part_used(from, p);
		if (used == 0) continue;
		void *array = mem_alloc(used * p->width);
		memcpy(array, column_part_data(from, p), used * p->width);
		*column_part_array(to, p) = array;
		*column_part_cap(to, p) = used;
	}
	set_counts(to, from);
	copy_text(to, from);
}

/* Does the column hold hardly more than its rows need? */
static bool is_tight(const struct column *c)
{
	struct extent x = text_extent(c, span_total(c));
	size_t used = MIN(x.sum, x.end - x.begin), held = c->own.cap;
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++) {
		if (!(p->types & COL_BIT(c->type))) continue;
		used += column_part_used(c, p) * p->width;
		held += *column_part_cap((struct column *)c, p) * p->width;
	}
	return (x.sum == 0 || c->text == c->own.data) && held <= used + used / 16 + 64;
}

/* --- Blocks and batches ------------------------------------------------------------ */

static void begin(struct block *to, const struct batch *b)
{
	*to = (struct block){.rows = b->rows, .first_row = b->first_row};
	to->columns = mem_zalloc(b->column_count + 1, sizeof *to->columns);
	if (!b->row_ids) return;
	to->row_ids = mem_alloc(b->rows * sizeof *to->row_ids);
	memcpy(to->row_ids, b->row_ids, b->rows * sizeof *to->row_ids);
}

void block_copy(struct block *to, const struct batch *b, const uint8_t *keep)
{
	begin(to, b);
	for (size_t i = 0; i < b->column_count; i++) {
		if (!keep[i] || b->columns[i].rows == 0) continue;
		CHECK(b->columns[i].rows == b->rows);
		struct block_column *k = &to->columns[to->column_count++];
		k->slot = i;
		copy_tight(&k->column, &b->columns[i]);
	}
}

void block_take(struct block *to, struct batch *b, const uint8_t *keep)
{
	begin(to, b);
	for (size_t i = 0; i < b->column_count; i++) {
		struct column *c = &b->columns[i];
		if (!keep[i] || c->rows == 0) continue;
		CHECK(c->rows == b->rows);
		struct block_column *k = &to->columns[to->column_count++];
		k->slot = i;
		if (!is_tight(c)) {
			copy_tight(&k->column, c);
		} else {
			k->column = *c;
			column_init(c, c->type);
		}
	}
}

void block_give(struct block *from, struct batch *b)
{
	batch_clear(b);
	b->rows = from->rows;
	b->first_row = from->first_row;
	if (from->row_ids) {
		MEM_GROW(b->row_ids_room, b->row_ids_cap, from->rows);
		memcpy(b->row_ids_room, from->row_ids, from->rows * sizeof *from->row_ids);
		b->row_ids = b->row_ids_room;
	}
	for (size_t i = 0; i < from->column_count; i++) {
		struct block_column *k = &from->columns[i];
		struct column *c = &b->columns[k->slot];
		column_release(c);
		if (from->mapped) {
			copy_tight(c, &k->column);
		} else {
			*c = k->column;
			column_init(&k->column, c->type);
		}
	}
	block_release(from);
}

void block_view(const struct block *k, struct batch *b)
{
	for (size_t i = 0; i < b->column_count; i++) column_init(&b->columns[i], b->schema->columns[i].type);
	for (size_t i = 0; i < k->column_count; i++) b->columns[k->columns[i].slot] = k->columns[i].column;
	b->rows = k->rows;
	b->first_row = k->first_row;
	b->row_ids = k->row_ids;
}

size_t block_bytes(const struct block *k)
{
	size_t bytes = k->column_count * sizeof *k->columns + (k->row_ids ? k->rows * sizeof *k->row_ids : 0);
	for (size_t i = 0; i < k->column_count; i++) bytes += column_bytes(&k->columns[i].column);
	return bytes;
}

void block_release(struct block *k)
{
	for (size_t i = 0; i < k->column_count && !k->mapped; i++) column_release(&k->columns[i].column);
	if (!k->mapped) mem_free(k->row_ids);
	mem_free(k->columns);
	*k = (struct block){0};
}

/* --- Bytes ------------------------------------------------------------ */

static void encode_head(const struct block_column *k, struct buf *out)
{
	buf_u64(out, k->slot);
	buf_u64(out, k->column.type);
	for (size_t p = 0; p < COLUMN_PARTS; p++) buf_u64(out, column_part_used(&k->column, &column_parts[p]));
	buf_u64(out, k->column.own.len);
}

static void encode_arrays(const struct column *c, struct buf *out)
{
	for (const struct column_part *p = column_parts; p < column_parts + COLUMN_PARTS; p++) {
		buf_align(out, sizeof(uint64_t));
		buf_append(out, column_part_data(c, p), column_part_used(c, p) * p->width);
	}
	buf_align(out, sizeof(uint64_t));
	buf_append(out, c->own.data, c->own.len);
}

void block_encode(const struct block *k, struct buf *out)
{
	buf_u64(out, k->rows);
	buf_u64(out, k->first_row);
	buf_u64(out, k->row_ids != NULL);
	buf_u64(out, k->column_count);
	for (size_t i = 0; i < k->column_count; i++) encode_head(&k->columns[i], out);
	if (k->row_ids) buf_append(out, k->row_ids, k->rows * sizeof *k->row_ids);
	for (size_t i = 0; i < k->column_count; i++) encode_arrays(&k->columns[i].column, out);
}

/* used: entries of each array, then the bytes of text. */
static void map_arrays(struct column *c, size_t rows, const uint64_t *used, struct cursor *in)
{
	c->rows = rows;
	for (size_t i = 0; i < COLUMN_PARTS; i++) {
		const struct column_part *p = &column_parts[i];
		cursor_align(in, sizeof(uint64_t));
		if (used[i]) *column_part_array(c, p) = (void *)(uintptr_t)cursor_bytes(in, used[i] * p->width);
	}
	cursor_align(in, sizeof(uint64_t));
	c->own.len = used[COLUMN_PARTS];
	c->own.data = (char *)(uintptr_t)cursor_bytes(in, c->own.len);
	c->text = c->own.data;
	c->valid = c->valid_room;
	c->elem_null = c->elem_null_room;
	c->f64_count = c->span_count = column_element(c, rows);
}

void block_map(struct block *k, const void *bytes, size_t len)
{
	struct cursor head = CURSOR(bytes, len), in;
	*k = (struct block){.mapped = true, .rows = cursor_u64(&head), .first_row = cursor_u64(&head)};
	bool has_ids = cursor_u64(&head);
	k->column_count = cursor_u64(&head);
	k->columns = mem_zalloc(k->column_count + 1, sizeof *k->columns);
	in = head;
	cursor_bytes(&in, k->column_count * (COLUMN_PARTS + 3) * sizeof(uint64_t));
	if (has_ids) k->row_ids = (uint64_t *)(uintptr_t)cursor_bytes(&in, k->rows * sizeof *k->row_ids);
	for (size_t i = 0; i < k->column_count; i++) {
		uint64_t used[COLUMN_PARTS + 1];
		k->columns[i].slot = cursor_u64(&head);
		column_init(&k->columns[i].column, (enum col_type)cursor_u64(&head));
		for (size_t p = 0; p <= COLUMN_PARTS; p++) used[p] = cursor_u64(&head);
		map_arrays(&k->columns[i].column, k->rows, used, &in);
	}
	CHECK(!head.bad && !in.bad);
}
