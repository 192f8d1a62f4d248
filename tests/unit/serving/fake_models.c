#include "tests/unit/serving/fake_models.h"

#include <pthread.h>
#include <stdio.h>

enum { FAKE_MODELS = 8, FAKE_VERSIONS = 64, FAKE_ALIASES = 4, FAKE_NAME = 32, FAKE_TARGET = 128 };

struct fake_model {
	char name[FAKE_NAME];
	struct str containers[FAKE_VERSIONS + 1]; /* by version; data NULL: none */
	char aliases[FAKE_ALIASES][FAKE_NAME], targets[FAKE_ALIASES][FAKE_TARGET];
	size_t alias_count;
};

static struct {
	pthread_mutex_t lock;
	struct fake_model models[FAKE_MODELS];
	size_t count;
	int64_t revision;
	unsigned loads;
	bool away;
} fake = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct fake_model *find(const char *name)
{
	for (size_t i = 0; i < fake.count; i++)
		if (strcmp(fake.models[i].name, name) == 0) return &fake.models[i];
	return NULL;
}

static struct fake_model *find_or_add(const char *name)
{
	struct fake_model *m = find(name);
	if (m) return m;
	CHECK(fake.count < FAKE_MODELS);
	m = &fake.models[fake.count++];
	*m = (struct fake_model){0};
	snprintf(m->name, sizeof m->name, "%s", name);
	return m;
}

void fake_models_reset(void)
{
	pthread_mutex_lock(&fake.lock);
	fake.count = 0;
	fake.loads = 0;
	fake.away = false;
	fake.revision++;
	pthread_mutex_unlock(&fake.lock);
}

void fake_models_add(const char *name, int version, struct str container)
{
	CHECK(version >= 1 && version <= FAKE_VERSIONS);
	pthread_mutex_lock(&fake.lock);
	find_or_add(name)->containers[version] = container;
	fake.revision++;
	pthread_mutex_unlock(&fake.lock);
}

void fake_models_remove(const char *name, int version) { fake_models_add(name, version, (struct str){0}); }

void fake_models_alias(const char *name, const char *alias, const char *target)
{
	pthread_mutex_lock(&fake.lock);
	struct fake_model *m = find_or_add(name);
	size_t i = 0;
	while (i < m->alias_count && strcmp(m->aliases[i], alias) != 0) i++;
	CHECK(i < FAKE_ALIASES);
	if (!target && i < m->alias_count) {
		m->alias_count--;
		memcpy(m->aliases[i], m->aliases[m->alias_count], FAKE_NAME);
		memcpy(m->targets[i], m->targets[m->alias_count], FAKE_TARGET);
	} else if (target) {
		snprintf(m->aliases[i], FAKE_NAME, "%s", alias);
		snprintf(m->targets[i], FAKE_TARGET, "%s", target);
		m->alias_count = MAX(m->alias_count, i + 1);
	}
	fake.revision++;
	pthread_mutex_unlock(&fake.lock);
}

void fake_models_away(bool away)
{
	pthread_mutex_lock(&fake.lock);
	fake.away = away;
	pthread_mutex_unlock(&fake.lock);
}

unsigned fake_models_loads(void)
{
	pthread_mutex_lock(&fake.lock);
	unsigned loads = fake.loads;
	pthread_mutex_unlock(&fake.lock);
	return loads;
}

/* --- store/model.h ------------------------------------------------------------------------------------------------ */

static void fill(const struct fake_model *from, struct arena *a, struct model_target *to)
{
	*to = (struct model_target){.name = arena_strdup(a, from->name)};
	to->versions = arena_zalloc(a, FAKE_VERSIONS, sizeof *to->versions);
	to->aliases = arena_zalloc(a, FAKE_ALIASES, sizeof *to->aliases);
	for (int v = 1; v <= FAKE_VERSIONS; v++) {
		if (!from->containers[v].data) continue;
		to->versions[to->version_count++] = v;
		to->latest = v;
	}
	for (; to->alias_count < from->alias_count; to->alias_count++)
		to->aliases[to->alias_count] =
			(struct model_alias){.alias = arena_strdup(a, from->aliases[to->alias_count]),
					 .target = arena_strdup(a, from->targets[to->alias_count])};
}

bool model_targets(struct store *s, struct arena *a, struct model_target **out, size_t *count, int64_t *revision,
		   struct err *e)
{
	(void)s;
	pthread_mutex_lock(&fake.lock);
	bool ok = !fake.away || err_set(e, ERR_unavailable, "the fake is away");
	if (ok) {
		*out = arena_zalloc(a, FAKE_MODELS, sizeof **out);
		for (size_t i = 0; i < fake.count; i++) fill(&fake.models[i], a, &(*out)[i]);
		*count = fake.count;
		*revision = fake.revision;
	}
	pthread_mutex_unlock(&fake.lock);
	return ok;
}

bool model_load(struct store *s, const char *name, int version, struct buf *out, struct err *e)
{
	(void)s;
	pthread_mutex_lock(&fake.lock);
	const struct fake_model *m = find(name);
	bool ok = !fake.away || err_set(e, ERR_unavailable, "the fake is away");
	if (ok && (!m || !m->containers[version].data)) ok = err_set(e, ERR_not_found, "no such version");
	if (ok) {
		buf_append(out, m->containers[version].data, m->containers[version].len);
		fake.loads++;
		ok = buf_ok(out) || err_set(e, ERR_too_large, "over the limit");
	}
	pthread_mutex_unlock(&fake.lock);
	return ok;
}
