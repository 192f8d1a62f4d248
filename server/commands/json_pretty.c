#include "server/commands/json_pretty.h"

static bool is_container(const struct json *v)
{
	return v->type == JSON_ARRAY || v->type == JSON_OBJECT;
}

static void put_key(struct buf *out, const struct json *m, bool object)
{
	struct json_writer w = JSON_WRITER(out);
	if (!object) return;
	json_keyn(&w, m->key);
	buf_char(out, ' ');
}

static void put_flat(struct buf *out, const struct json *v)
{
	bool object = v->type == JSON_OBJECT;
	struct json_writer w = JSON_WRITER(out);
	if (!is_container(v)) {
		json_value(&w, v);
		return;
	}
	buf_char(out, object ? '{' : '[');
	for (const struct json *m = v->child; m; m = m->next) {
		put_key(out, m, object);
		put_flat(out, m);
		if (m->next) buf_str(out, ", ");
	}
	buf_char(out, object ? '}' : ']');
}

static void new_line(struct buf *out, size_t depth)
{
	buf_printf(out, "\n%*s", (int)(2 * depth), "");
}

static size_t column(const struct buf *out)
{
	size_t n = 0;
	while (n < out->len && out->data[out->len - 1 - n] != '\n') n++;
	return n;
}

/* Takes back what was put when it passed the line's end. */
static bool put_on_line(struct buf *out, const struct json *v)
{
	size_t mark = out->len;
	/* Its text in the document is never longer: not even worth trying. */
	if (is_container(v) && v->raw.len > JSON_PRETTY_COLUMNS) return false;
	put_flat(out, v);
	if (column(out) < JSON_PRETTY_COLUMNS || !is_container(v)) return true;
	out->len = mark;
	return false;
}

static bool is_plain_list(const struct json *v)
{
	for (const struct json *m = v->child; m; m = m->next)
		if (is_container(m)) return false;
	return v->type == JSON_ARRAY;
}

static void fill_lines(struct buf *out, const struct json *v, size_t depth)
{
	for (const struct json *m = v->child; m; m = m->next) {
		size_t mark = out->len;
		if (m != v->child) buf_char(out, ' ');
		put_flat(out, m);
		if (m->next) buf_char(out, ',');
		if (column(out) <= JSON_PRETTY_COLUMNS || m == v->child) continue;
		out->len = mark;
		new_line(out, depth);
		put_flat(out, m);
		if (m->next) buf_char(out, ',');
	}
}

static void put(struct buf *out, const struct json *v, size_t depth)
{
	bool object = v->type == JSON_OBJECT;
	if (put_on_line(out, v)) return;
	buf_char(out, object ? '{' : '[');
	if (is_plain_list(v)) {
		new_line(out, depth + 1);
		fill_lines(out, v, depth + 1);
	} else
		for (const struct json *m = v->child; m; m = m->next) {
			new_line(out, depth + 1);
			put_key(out, m, object);
			put(out, m, depth + 1);
			if (m->next) buf_char(out, ',');
		}
	new_line(out, depth);
	buf_char(out, object ? '}' : ']');
}

void json_pretty(struct buf *out, const struct json *v)
{
	put(out, v, 0);
}
