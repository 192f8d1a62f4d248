#include "pipeline/formula.h"

#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>

/* Columns, "." for all others; of an interaction several. Or the intercept. Deleted: behind a minus. */
struct formula_item {
	const struct str *names;
	size_t count;
	bool is_intercept, value; /* 0 or 1 */
	bool deleted;
};

struct items {
	struct formula_item *items;
	size_t count, cap;
};

struct parser {
	const char *at, *end;
	struct arena *arena;
	unsigned depth;
	char *why;
};

static bool fail(char *why, const char *what)
{
	snprintf(why, FORMULA_WHY_SIZE, "%s", what);
	return false;
}

static bool too_many(char *why)
{
	snprintf(why, FORMULA_WHY_SIZE, "the formula has over %d terms", FORMULA_TERMS_MAX);
	return false;
}

static bool push(struct parser *p, struct items *to, struct formula_item item)
{
	if (to->count == FORMULA_TERMS_MAX) return too_many(p->why);
	if (to->count == to->cap) {
		size_t cap = to->cap ? to->cap * 2 : 4;
		struct formula_item *grown = arena_alloc(p->arena, cap * sizeof *grown);
		if (to->count) memcpy(grown, to->items, to->count * sizeof *grown);
		to->items = grown;
		to->cap = cap;
	}
	to->items[to->count++] = item;
	return true;
}

/* --- What operators do ------------------------------------------------------------------------------------------- */

static bool add(struct parser *p, struct items *left, const struct items *right)
{
	for (size_t k = 0; k < right->count; k++)
		if (!push(p, left, right->items[k])) return false;
	return true;
}

static bool subtract(struct parser *p, struct items *left, const struct items *right)
{
	for (size_t k = 0; k < right->count; k++) {
		struct formula_item item = right->items[k];
		if (item.deleted) return fail(p->why, "what is behind a minus cannot be taken away again");
		item.deleted = true;
		if (!push(p, left, item)) return false;
	}
	return true;
}

/* Every pair; the intercept and deletions meet nothing. */
static bool interact(struct parser *p, const struct items *left, const struct items *right, struct items *out)
{
	for (size_t i = 0; i < left->count; i++)
		for (size_t k = 0; k < right->count; k++) {
			const struct formula_item *x = &left->items[i], *y = &right->items[k];
			if (x->is_intercept || y->is_intercept || x->deleted || y->deleted) continue;
			struct str *names = arena_alloc(p->arena, (x->count + y->count) * sizeof *names);
			memcpy(names, x->names, x->count * sizeof *names);
			memcpy(names + x->count, y->names, y->count * sizeof *names);
			if (!push(p, out, (struct formula_item){.names = names, .count = x->count + y->count}))
				return false;
		}
	return true;
}

/* a * b is a + b + a:b. */
static bool cross(struct parser *p, struct items *left, const struct items *right)
{
	struct items both = {0};
	return interact(p, left, right, &both) && add(p, left, right) && add(p, left, &both);
}

/* --- Grammar ----------------------------------------------------------------------------------------------------- */

static bool parse_sum(struct parser *p, struct items *out);

static void skip_blanks(struct parser *p)
{
	while (p->at < p->end && (*p->at == ' ' || (*p->at >= '\t' && *p->at <= '\r'))) p->at++;
}

static bool take(struct parser *p, char c)
{
	skip_blanks(p);
	bool there = p->at < p->end && *p->at == c;
	p->at += there;
	return there;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A letter, or a point before a letter or _; then letters, digits, points and _. */
static bool take_name(struct parser *p, struct str *out)
{
	skip_blanks(p);
	const char *from = p->at;
	bool pointed = p->end - from > 1 && *from == '.' && (is_letter(from[1]) || from[1] == '_');
	if (from == p->end || !(is_letter(*from) || pointed)) return false;
	while (p->at < p->end && (is_letter(*p->at) || is_digit(*p->at) || *p->at == '.' || *p->at == '_')) p->at++;
	*out = (struct str){from, (size_t)(p->at - from)};
	return true;
}

static bool parse_term(struct parser *p, struct items *out)
{
	struct str name;
	bool one;
	if (take(p, '(')) {
		if (++p->depth > FORMULA_DEPTH_MAX) return fail(p->why, "brackets are nested too deep");
		if (!parse_sum(p, out) || !take(p, ')')) return false;
		p->depth--;
		return true;
	}
	if ((one = take(p, '1')) || take(p, '0'))
		return push(p, out, (struct formula_item){.is_intercept = true, .value = one});
	if (!take_name(p, &name)) {
		if (!take(p, '.')) return false;
		name = STR(".");
	}
	return push(p, out, (struct formula_item){.names = arena_copy(p->arena, &name, sizeof name), .count = 1});
}

static bool parse_power(struct parser *p, struct items *out)
{
	int degree = 0;
	if (!parse_term(p, out)) return false;
	if (!take(p, '^')) return true;
	skip_blanks(p);
	if (p->at < p->end && *p->at == '0') return false;
	for (; p->at < p->end && is_digit(*p->at); p->at++)
		if ((degree = degree * 10 + (*p->at - '0')) > FORMULA_DEGREE_MAX)
			return fail(p->why, "a power is over 32");
	struct items base = {0};
	if (!add(p, &base, out)) return false;
	for (int k = 1; k < degree; k++)
		if (!cross(p, out, &base)) return false;
	return degree > 0;
}

static bool parse_interaction(struct parser *p, struct items *out)
{
	if (!parse_power(p, out)) return false;
	while (take(p, ':')) {
		struct items right = {0}, both = {0};
		if (!parse_power(p, &right) || !interact(p, out, &right, &both)) return false;
		*out = both;
	}
	return true;
}

static bool parse_factor(struct parser *p, struct items *out)
{
	if (!parse_interaction(p, out)) return false;
	while (take(p, '*')) {
		struct items right = {0};
		if (!parse_interaction(p, &right) || !cross(p, out, &right)) return false;
	}
	return true;
}

static bool parse_sum(struct parser *p, struct items *out)
{
	bool minus;
	if (!parse_factor(p, out)) return false;
	while ((minus = take(p, '-')) || take(p, '+')) {
		struct items right = {0};
		if (!parse_factor(p, &right) || !(minus ? subtract : add)(p, out, &right)) return false;
	}
	return true;
}

bool formula_parse(struct str text, struct arena *a, struct formula *out, char why[FORMULA_WHY_SIZE])
{
	struct parser p = {.at = text.data, .end = text.data + text.len, .arena = a, .why = why};
	struct items items = {0};
	*out = (struct formula){.intercept = true};
	why[0] = 0;
	if (text.len > FORMULA_TEXT_MAX) return fail(why, "the formula is over 65536 bytes");
	take_name(&p, &out->label);
	bool ok = take(&p, '~') && parse_sum(&p, &items);
	skip_blanks(&p);
	if (!ok || p.at != p.end) {
		if (!why[0])
			snprintf(why, FORMULA_WHY_SIZE, "could not be read from position %zu on",
				 (size_t)(p.at - text.data) + 1);
		return false;
	}
	out->items = items.items;
	out->count = items.count;
	for (size_t k = 0; k < items.count; k++)
		if (items.items[k].is_intercept) out->intercept = items.items[k].value != items.items[k].deleted;
	return true;
}

/* --- Resolving --------------------------------------------------------------------------------------------------- */

/* Sets of columns by their slots. */
struct slots {
	int *items;
	size_t count;
};
struct resolver {
	const struct formula *formula;
	const struct schema *schema;
	struct arena *arena;
	struct slots dot;
	struct slots *terms;
	size_t count, cap;
	char *why;
};

static int by_slot(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

/* The same for a:b and b:a. */
static struct str key_of(struct resolver *r, struct slots s, bool as_set)
{
	int *sorted = arena_copy(r->arena, s.items, s.count * sizeof *sorted);
	if (as_set) qsort(sorted, s.count, sizeof *sorted, by_slot);
	return (struct str){(const char *)sorted, s.count * sizeof *sorted};
}

static bool is_first(struct resolver *r, struct map *seen, struct slots s, bool as_set)
{
	bool made;
	map_put(seen, key_of(r, s, as_set), &made);
	return made;
}

/* Numbers, booleans, texts and vectors but the label. */
static void find_dot(struct resolver *r)
{
	unsigned types = COL_SCALAR | COL_BIT(COL_VECTOR);
	r->dot.items = arena_alloc(r->arena, (r->schema->count + 1) * sizeof *r->dot.items);
	for (size_t c = 0; c < r->schema->count; c++) {
		const struct column_def *def = &r->schema->columns[c];
		bool named = schema_find(r->schema, def->name) == (int)c; /* no later column took the name over */
		if (named && (types & COL_BIT(def->type)) && !str_eq(def->name, r->formula->label))
			r->dot.items[r->dot.count++] = (int)c;
	}
}

struct expansion {
	struct slots *items;
	size_t count, cap;
};

/* slot before every one of the rest, unless it is among it already. */
static bool prepend(struct resolver *r, int slot, const struct expansion *rest, struct expansion *out)
{
	for (size_t k = 0; k < rest->count; k++) {
		struct slots s = {arena_alloc(r->arena, (rest->items[k].count + 1) * sizeof(int)), 1};
		s.items[0] = slot;
		for (size_t m = 0; m < rest->items[k].count; m++)
			if (rest->items[k].items[m] != slot) s.items[s.count++] = rest->items[k].items[m];
		if (out->count == FORMULA_TERMS_MAX) return too_many(r->why);
		MEM_GROW(out->items, out->cap, out->count + 1);
		out->items[out->count++] = s;
	}
	return true;
}

/* Each set of columns once, in order of their sizes. */
static void tidy(struct resolver *r, struct expansion *x)
{
	struct map seen = MAP_INIT;
	size_t kept = 0;
	for (size_t k = 0; k < x->count; k++)
		if (is_first(r, &seen, x->items[k], true)) x->items[kept++] = x->items[k];
	map_release(&seen);
	x->count = kept;
	for (size_t k = 1; k < kept; k++) {
		struct slots s = x->items[k];
		size_t at = k;
		for (; at > 0 && x->items[at - 1].count > s.count; at--) x->items[at] = x->items[at - 1];
		x->items[at] = s;
	}
}

static bool find_slot(struct resolver *r, struct str name, bool must, int *slot)
{
	*slot = schema_find(r->schema, name);
	if (*slot >= 0 || !must) return true;
	snprintf(r->why, FORMULA_WHY_SIZE, "there is no column \"%.*s\" at this point of the pipeline",
		 (int)MIN(name.len, (size_t)100), name.data);
	return false;
}

/* The columns of an item with . spelled out; from the last name to the first, as Spark does. */
static bool expand(struct resolver *r, const struct formula_item *item, struct expansion *out)
{
	*out = (struct expansion){.items = mem_zalloc(1, sizeof *out->items), .count = 1, .cap = 1};
	bool ok = true;
	for (size_t k = item->count; k-- > 0 && ok;) {
		struct expansion rest = *out;
		bool dot = str_is(item->names[k], ".");
		int slot = 0;
		*out = (struct expansion){0};
		if (!dot) ok = find_slot(r, item->names[k], !item->deleted, &slot);
		if (ok && !dot && slot >= 0) ok = prepend(r, slot, &rest, out);
		for (size_t d = 0; ok && dot && d < r->dot.count; d++) ok = prepend(r, r->dot.items[d], &rest, out);
		mem_free(rest.items);
		tidy(r, out);
	}
	return ok;
}

static bool include(struct resolver *r, struct slots s)
{
	if (r->count == FORMULA_TERMS_MAX) return too_many(r->why);
	MEM_GROW(r->terms, r->cap, r->count + 1);
	r->terms[r->count++] = s;
	return true;
}

static void remove_all(struct resolver *r, const struct expansion *gone)
{
	struct map keys = MAP_INIT;
	size_t kept = 0;
	for (size_t k = 0; k < gone->count; k++) map_put(&keys, key_of(r, gone->items[k], true), NULL);
	for (size_t k = 0; k < r->count; k++)
		if (!map_find(&keys, key_of(r, r->terms[k], true))) r->terms[kept++] = r->terms[k];
	r->count = kept;
	map_release(&keys);
}

static bool resolve_item(struct resolver *r, const struct formula_item *item, struct map *interactions)
{
	struct expansion x;
	if (item->is_intercept) return true;
	bool ok = expand(r, item, &x);
	if (ok && item->deleted) remove_all(r, &x);
	for (size_t k = 0; ok && !item->deleted && k < x.count; k++)
		if (item->count == 1 || is_first(r, interactions, x.items[k], true)) ok = include(r, x.items[k]);
	mem_free(x.items);
	return ok;
}

bool formula_resolve(const struct formula *f, const struct schema *schema, struct arena *a, struct formula_terms *out,
		     char why[FORMULA_WHY_SIZE])
{
	struct resolver r = {.formula = f, .schema = schema, .arena = a, .why = why};
	struct map interactions = MAP_INIT, seen = MAP_INIT;
	bool ok = true;
	find_dot(&r);
	for (size_t k = 0; k < f->count && ok; k++) ok = resolve_item(&r, &f->items[k], &interactions);
	*out = (struct formula_terms){.items = arena_zalloc(a, r.count + 1, sizeof *out->items)};
	for (size_t k = 0; k < r.count && ok; k++) {
		if (!is_first(&r, &seen, r.terms[k], false)) continue;
		struct str_list *t = &out->items[out->count++];
		t->items = arena_zalloc(a, r.terms[k].count, sizeof *t->items);
		for (; t->count < r.terms[k].count; t->count++) {
			struct str name = schema->columns[r.terms[k].items[t->count]].name;
			t->items[t->count] = (struct str){arena_strndup(a, name.data, name.len), name.len};
		}
	}
	mem_free(r.terms);
	map_release(&interactions);
	map_release(&seen);
	return ok;
}

void formula_write(struct str label, const struct formula_terms *t, bool intercept, struct buf *out)
{
	buf_str(out, "ResolvedRFormula(label=");
	buf_append(out, label.data, label.len);
	buf_str(out, ", terms=[");
	for (size_t k = 0; k < t->count; k++) {
		const struct str_list *names = &t->items[k];
		if (k) buf_char(out, ',');
		if (names->count > 1) buf_char(out, '{');
		for (size_t m = 0; m < names->count; m++) {
			if (m) buf_char(out, ',');
			buf_append(out, names->items[m].data, names->items[m].len);
		}
		if (names->count > 1) buf_char(out, '}');
	}
	buf_printf(out, "], hasIntercept=%s)", intercept ? "true" : "false");
}
