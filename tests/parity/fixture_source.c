/* Rows of a fixture that are a file of the shared data: CSV or libsvm, compressed, small. */
#include "data/inflate.h"
#include "tests/parity/fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOURCE_BYTES_MAX = 1 << 26, CELLS_MAX = 64, FEATURES_MAX = 256 };

struct source {
	struct arena arena;
	const struct json *spec;
	struct fixture_table *table;
	struct str header[CELLS_MAX];
	size_t cells;
};

static bool read_text(struct source *s, struct str *text, char why[256])
{
	struct str file = json_get(s->spec, "file")->string;
	const char *shared = getenv("QUERN_SHARED");
	char *path =
		shared ? arena_printf(&s->arena, "%s/%.*s", shared, (int)file.len, file.data) :
			 arena_printf(&s->arena, "%s/../shared/data/%.*s", support_source(), (int)file.len, file.data);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct err e;
	if (fd < 0) {
		snprintf(why, 256, "no ../shared/data (%.*s)", (int)file.len, file.data);
		return false;
	}
	err_init(&e);
	char *data = arena_alloc(&s->arena, SOURCE_BYTES_MAX);
	struct inflate *z = inflate_open(INFLATE_GZIP, fd, path);
	assert_ok(inflate_read(z, data, SOURCE_BYTES_MAX, &text->len, &e), &e);
	inflate_close(z);
	close(fd);
	text->data = data;
	return true;
}

static bool next_line(struct str *text, struct str *line)
{
	if (text->len == 0) return false;
	const char *end = memchr(text->data, '\n', text->len);
	*line = (struct str){text->data, end ? (size_t)(end - text->data) : text->len};
	text->data += MIN(line->len + 1, text->len);
	text->len -= MIN(line->len + 1, text->len);
	return true;
}

static struct str unquoted(struct str s)
{
	bool quoted = s.len >= 2 && s.data[0] == '"' && s.data[s.len - 1] == '"';
	return quoted ? (struct str){s.data + 1, s.len - 2} : s;
}

static size_t split(struct str line, char sep, struct str cells[CELLS_MAX])
{
	size_t n = 0;
	for (bool more = true; more;) {
		assert_true(n < CELLS_MAX);
		const char *end = memchr(line.data, sep, line.len);
		cells[n].data = line.data;
		cells[n].len = end ? (size_t)(end - line.data) : line.len;
		more = end != NULL;
		if (more) line = (struct str){end + 1, line.len - cells[n].len - 1};
		cells[n] = unquoted(cells[n]);
		n++;
	}
	return n;
}

static double to_number(struct str s)
{
	double v;
	if (s.len && s.data[0] == '+') s = (struct str){s.data + 1, s.len - 1};
	assert_true(str_to_double(s, &v));
	return v;
}

/* What a label's text stands for: its row in the map, else the number it is. */
static double mapped(const struct json *map, struct str text)
{
	for (const struct json *m = map ? map->child : NULL; m; m = m->next)
		if (str_eq(m->key, text)) return m->number;
	return to_number(text);
}

static struct str cell_named(const struct source *s, const struct str *cells, struct str name)
{
	size_t k = 0;
	while (k < s->cells && !str_eq(s->header[k], name)) k++;
	assert_true(k < s->cells);
	return cells[k];
}

static void put_csv_row(struct source *s, struct str line)
{
	struct str cells[CELLS_MAX];
	double values[CELLS_MAX];
	split(line, json_get(s->spec, "sep") ? json_get(s->spec, "sep")->string.data[0] : ',', cells);
	for (const struct json *f = json_get(s->spec, "fields")->child; f; f = f->next) {
		struct column *c = &s->table->rows.columns[schema_find(&s->table->schema, json_get(f, "name")->string)];
		const struct json *columns = json_get(f, "columns");
		size_t n = 0;
		for (const struct json *name = columns ? columns->child : NULL; name; name = name->next)
			values[n++] = to_number(cell_named(s, cells, name->string));
		if (columns) column_dense(c, values, n);
		else column_double(c, mapped(json_get(f, "map"), cell_named(s, cells, json_get(f, "column")->string)));
	}
}

/* "label i:v i:v …" with indices from 1. */
static void put_libsvm_row(struct source *s, struct str line)
{
	struct str cells[CELLS_MAX];
	uint32_t idx[CELLS_MAX];
	double val[CELLS_MAX];
	size_t cell_count = split(line, ' ', cells), n = 0;
	for (size_t k = 1; k < cell_count && cells[k].len; k++) {
		const char *colon = memchr(cells[k].data, ':', cells[k].len);
		assert_non_null(colon);
		size_t at = (size_t)(colon - cells[k].data);
		idx[n] = (uint32_t)to_number((struct str){cells[k].data, at}) - 1;
		val[n++] = to_number((struct str){colon + 1, cells[k].len - at - 1});
	}
	struct schema *schema = &s->table->schema;
	struct column *columns = s->table->rows.columns;
	column_sparse(&columns[schema_find(schema, STR("features"))],
		      (uint32_t)json_get(s->spec, "numFeatures")->integer, idx, val, n);
	column_double(&columns[schema_find(schema, STR("label"))], mapped(json_get(s->spec, "labelMap"), cells[0]));
}

static void read_header(struct source *s, struct str *text)
{
	const struct json *columns = json_get(s->spec, "columns");
	struct str line;
	if (json_get(s->spec, "header") && json_get(s->spec, "header")->boolean) {
		assert_true(next_line(text, &line));
		s->cells = split(line, ',', s->header);
	}
	for (const struct json *c = columns ? columns->child : NULL; c; c = c->next) s->header[s->cells++] = c->string;
}

bool fixture_read_source(struct fixture_table *t, const struct json *source, char why[256])
{
	struct source s = {.spec = source, .table = t};
	const struct json *take = json_get(source, "take");
	size_t from = take ? (size_t)json_get(take, "from")->integer : 0,
	       step = take ? (size_t)json_get(take, "step")->integer : 1;
	size_t count = take ? (size_t)json_get(take, "count")->integer : SIZE_MAX, number = 0;
	bool svm = str_is(json_get(source, "format")->string, "libsvm");
	struct str text, line;
	if (!read_text(&s, &text, why)) {
		arena_release(&s.arena);
		fixture_release(t);
		return false;
	}
	if (!svm) read_header(&s, &text);
	for (; t->rows.rows < count && next_line(&text, &line); number++) {
		if (line.len == 0 || number < from || (number - from) % step != 0) continue;
		(svm ? put_libsvm_row : put_csv_row)(&s, line);
		t->rows.rows++;
	}
	arena_release(&s.arena);
	return true;
}
