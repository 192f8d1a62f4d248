#include "serving/model_table.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES_SHOWN = 20 };

int model_target_version(const char *json)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	struct err e;
	err_init(&e);
	const struct json *v = json && json_parse(&a, json, strlen(json), &root, &e) ? json_get(root, "version") : NULL;
	int version = v && v->is_int && v->integer > 0 && v->integer <= INT32_MAX ? (int)v->integer : 0;
	arena_release(&a);
	return version;
}

/* --- Making ------------------------------------------------------------------------------------------------------- */

static struct str keep(struct model_table *t, const char *s) { return STR(arena_strdup(&t->arena, s)); }

static int by_name(const void *a, const void *b)
{
	return str_cmp(((const struct table_model *)a)->name, ((const struct table_model *)b)->name);
}

static const struct table_version *version_of(const struct table_model *m, int version)
{
	size_t lo = 0, hi = m->version_count;
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		if (m->versions[mid].version < version) lo = mid + 1;
		else hi = mid;
	}
	return lo < m->version_count && m->versions[lo].version == version ? &m->versions[lo] : NULL;
}

static const struct table_alias *alias_of(const struct table_model *m, struct str name)
{
	for (size_t i = 0; i < m->alias_count; i++)
		if (str_eq(m->aliases[i].name, name)) return &m->aliases[i];
	return NULL;
}

static void fill_model(struct model_table *t, struct table_model *m, const struct model_target *from)
{
	m->name = keep(t, from->name);
	m->version_count = from->version_count;
	m->versions = arena_zalloc(&t->arena, MAX(from->version_count, (size_t)1), sizeof *m->versions);
	for (size_t i = 0; i < from->version_count; i++) m->versions[i].version = from->versions[i];
	m->alias_count = from->alias_count;
	m->aliases = arena_alloc(&t->arena, MAX(from->alias_count, (size_t)1) * sizeof *m->aliases);
	for (size_t i = 0; i < from->alias_count; i++)
		m->aliases[i] = (struct table_alias){keep(t, from->aliases[i].alias),
						     model_target_version(from->aliases[i].target)};
	m->newest = version_of(m, from->latest);
	const struct table_alias *production = alias_of(m, STR("production"));
	m->served = !production ? m->newest : production->version ? version_of(m, production->version) : NULL;
}

static struct table_model *model_of(const struct model_table *t, struct str name)
{
	struct table_model key = {.name = name};
	return t->count ? bsearch(&key, t->models, t->count, sizeof key, by_name) : NULL;
}

static void fill_held(struct model_table *t, struct model_held *h)
{
	struct table_model *m = model_of(t, STR(predictor_name(h->predictor)));
	const struct table_version *v = m ? version_of(m, predictor_version(h->predictor)) : NULL;
	if (!v) return;
	m->versions[v - m->versions].held = h;
	t->held[h->slot] = h;
	h->refs++;
}

struct model_table *model_table_create(const struct model_target *targets, size_t count, struct model_held *const *held,
				       size_t held_count, const char *fallback)
{
	static atomic_ulong ids;
	struct model_table *t = mem_zalloc(1, sizeof *t);
	t->id = atomic_fetch_add(&ids, 1) + 1;
	t->models = arena_zalloc(&t->arena, MAX(count, (size_t)1), sizeof *t->models);
	t->count = count;
	for (size_t i = 0; i < count; i++) fill_model(t, &t->models[i], &targets[i]);
	qsort(t->models, count, sizeof *t->models, by_name);
	t->held = arena_zalloc(&t->arena, MAX(held_count, (size_t)1), sizeof(struct model_held *));
	t->held_count = held_count;
	for (size_t i = 0; i < held_count; i++)
		if (held[i]) fill_held(t, held[i]);
	if (fallback && *fallback) t->fallback = keep(t, fallback);
	return t;
}

void model_table_free(struct model_table *t)
{
	arena_release(&t->arena);
	mem_free(t);
}

bool model_table_points_to(const struct table_model *m, const struct table_version *v)
{
	bool aliased = false;
	for (size_t i = 0; i < m->alias_count; i++) aliased |= m->aliases[i].version == v->version;
	return aliased || v == m->served;
}

bool model_table_wants(const struct model_table *t, const struct predictor *p)
{
	const struct table_model *m = model_of(t, STR(predictor_name(p)));
	const struct table_version *v = m ? version_of(m, predictor_version(p)) : NULL;
	return v && model_table_points_to(m, v);
}

/* --- Finding ------------------------------------------------------------------------------------------------------ */

#define TEXT(s) (int)MIN((s).len, (size_t)MODEL_NAME_MAX), (s).data

static bool ambiguous(const struct model_table *t, struct err *e)
{
	char names[ERR_DETAIL_MAX / 2] = "";
	size_t at = 0;
	for (size_t i = 0; i < t->count && i < NAMES_SHOWN && at < sizeof names - 1; i++)
		at += (size_t)snprintf(names + at, sizeof names - at, "%s%.*s", i ? ", " : "", TEXT(t->models[i].name));
	return err_set(e, ERR_ambiguous_model, "no model is named and there are %zu: %s%s", t->count, names,
		       t->count > NAMES_SHOWN ? ", …" : "");
}

static const struct table_model *find_model(const struct model_table *t, struct str name, struct err *e)
{
	const struct table_model *m = NULL;
	if (!name.data) name = t->fallback;
	if (name.data) {
		m = model_of(t, name);
		if (!m) err_set(e, ERR_no_model, "there is no model \"%.*s\"", TEXT(name));
	} else if (t->count == 1) m = t->models;
	else if (t->count == 0) err_set(e, ERR_no_model, "no model is stored yet");
	else ambiguous(t, e);
	return m;
}

static bool split(const struct table_model *m, struct str alias, struct err *e)
{
	return err_set(e, ERR_conflict,
		       "alias \"%.*s\" of model \"%.*s\" splits over versions, which is not served yet: name a version",
		       TEXT(alias), TEXT(m->name));
}

static const struct table_version *find_alias(const struct table_model *m, struct str name, struct err *e)
{
	const struct table_alias *a = alias_of(m, name);
	const struct table_version *v = a && a->version ? version_of(m, a->version) : NULL;
	if (!a) err_set(e, ERR_not_found, "model \"%.*s\" has no alias \"%.*s\"", TEXT(m->name), TEXT(name));
	else if (!a->version) split(m, name, e);
	else if (!v)
		err_set(e, ERR_not_found, "alias \"%.*s\" of model \"%.*s\" points to version %d, which does not exist",
			TEXT(name), TEXT(m->name), a->version);
	return v;
}

static const struct table_version *find_version(const struct table_model *m, int version, struct err *e)
{
	const struct table_version *v = version_of(m, version);
	if (!v) err_set(e, ERR_not_found, "model \"%.*s\" has no version %d", TEXT(m->name), version);
	return v;
}

static const struct table_version *find_served(const struct table_model *m, struct err *e)
{
	if (m->served) return m->served;
	if (alias_of(m, STR("production"))) return find_alias(m, STR("production"), e);
	err_set(e, ERR_not_found, "model \"%.*s\" has no version", TEXT(m->name));
	return NULL;
}

bool model_table_find(const struct model_table *t, const struct model_ref *ref, const struct table_model **m,
		      const struct table_version **v, struct err *e)
{
	const struct table_model *model = find_model(t, ref->name, e);
	if (!model) return false;
	const struct table_version *version;
	if (ref->version) version = find_version(model, ref->version, e);
	else version = ref->alias.data ? find_alias(model, ref->alias, e) : find_served(model, e);
	if (!version) return false;
	*m = model;
	*v = version;
	return true;
}
