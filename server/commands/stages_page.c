#include "server/commands/stages_page.h"

#include "pipeline/catalogue.h"

#include <stdlib.h>

enum { ENTRIES_MAX = 512, CELL_MAX = 1 << 16 };

static const char preamble[] =
	"# Stages and evaluators\n"
	"\n"
	"What `pipeline` and `evaluate` of a job may hold, with every parameter. Names, defaults and meanings are Spark ML's;\n"
	"[spark-differences.md](spark-differences.md) tells where they are not. A default of – means unset.\n"
	"\n"
	"`quern stages NAME` says the same of one, `GET /stages` of the stages. This page is made:\n"
	"`build/quern stages --markdown >docs/stages.md`.\n";

static int by_name(const void *a, const void *b)
{
	const struct catalogue_entry *x = a, *y = b;
	int member = strcmp(y->member, x->member); /* stages first */
	return member ? member : strcmp(x->name, y->name);
}

static size_t list_entries(struct catalogue_entry *out)
{
	size_t n = 0;
	while (n < ENTRIES_MAX && catalogue_at(n, &out[n])) n++;
	qsort(out, n, sizeof *out, by_name);
	return n;
}

/* A bar would end the cell, `<` begin HTML. Code knows no escapes but that of the bar. */
static const char in_code[] = "|", in_text[] = "|<*";

static void put(struct buf *out, const char *text, const char *special)
{
	for (; *text; text++) {
		if (strchr(special, *text)) buf_char(out, '\\');
		buf_char(out, *text);
	}
}

static void put_default(struct buf *out, const struct field *f)
{
	if (!f->fallback) {
		buf_str(out, f->required ? "required" : "–");
		return;
	}
	buf_char(out, '`');
	put(out, f->fallback, in_code);
	buf_char(out, '`');
}

static void put_parameter(struct buf *out, const struct field *f)
{
	struct buf bounds = BUF_INIT(CELL_MAX);
	field_bounds(f, &bounds);
	buf_printf(out, "| `%s` | `%s` | ", f->name, field_type_name(f->type));
	put_default(out, f);
	buf_str(out, " | ");
	put(out, buf_cstr(&bounds), in_text);
	buf_str(out, bounds.len ? " | " : "| ");
	put(out, f->help, in_text);
	buf_str(out, " |\n");
	buf_release(&bounds);
}

static void put_entry(struct buf *out, const struct catalogue_entry *c)
{
	buf_printf(out, "\n### %s\n\n", c->name);
	put(out, c->help, in_text);
	buf_printf(out, "\n\n%s: ", c->kind);
	put(out, c->inputs, in_text);
	buf_str(out, " → ");
	put(out, c->outputs, in_text);
	buf_str(out, "\n\n| parameter | type | default | bounds | what |\n|---|---|---|---|---|\n");
	for (const struct field *f = c->params; f->name; f++) put_parameter(out, f);
}

void stages_page(struct buf *out)
{
	struct catalogue_entry *entries = mem_zalloc(ENTRIES_MAX, sizeof *entries);
	size_t n = list_entries(entries);
	const char *member = "";
	buf_str(out, preamble);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(member, entries[i].member) != 0)
			buf_str(out, strcmp(entries[i].member, "stage") == 0 ? "\n## Stages\n" : "\n## Evaluators\n");
		member = entries[i].member;
		put_entry(out, &entries[i]);
	}
	mem_free(entries);
}
