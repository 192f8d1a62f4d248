#include "config/config.h"

#include "base/log.h"
#include "config/config_file.h"
#include "config/setting.h"

#include <stdio.h>

enum layer { LAYER_NONE, LAYER_FILE, LAYER_ENVIRONMENT, LAYER_FLAGS };

/* What is being filled, and which layer set each setting where, for lists and for rules across settings. */
struct loading {
	struct config *c;
	struct err *e;
	struct {
		enum layer layer;
		const char *where;
	} set[SETTING_COUNT];
};

/* A layer's first element of a list replaces what lower layers gave; text NULL leaves it empty. */
static void put(struct loading *l, enum layer layer, const struct setting *s, const char *text, const char *where)
{
	size_t i = (size_t)(s - settings);
	if (l->set[i].layer != layer) setting_clear(s, l->c);
	if (text) setting_assign(s, l->c, text, where, l->e);
	l->set[i].layer = layer;
	l->set[i].where = arena_strdup(&l->c->arena, where);
}

static void load_defaults(struct loading *l)
{
	for (const struct setting *s = settings; s < settings + SETTING_COUNT; s++) {
		setting_clear(s, l->c);
		bool ok = s->type == TYPE_LIST || setting_assign(s, l->c, s->fallback, "settings.def", l->e);
		CHECK(ok);
	}
}

static void put_from_file(void *ctx, const struct config_value *v)
{
	struct loading *l = ctx;
	const struct setting *s = setting_by_key(v->key);
	if (!s) setting_unknown(v->key, v->where, l->e);
	else if (v->in_list && s->type != TYPE_LIST)
		err_fault(l->e, v->where, "%s takes one value, not a list", v->key);
	else put(l, LAYER_FILE, s, v->text, v->where);
}

/* Lists of paths are parted by colons, as in PATH. */
static void put_variable(struct loading *l, const struct setting *s, const char *name, const char *value)
{
	if (s->type != TYPE_LIST || !*value) {
		put(l, LAYER_ENVIRONMENT, s, s->type == TYPE_LIST ? NULL : value, name);
		return;
	}
	char *copy = mem_strdup(value), *rest = copy, *part;
	while ((part = strsep(&rest, ":"))) put(l, LAYER_ENVIRONMENT, s, part, name);
	mem_free(copy);
}

static void load_environment(struct loading *l, char *const *environment)
{
	for (; environment && *environment; environment++) {
		const char *equals = strchr(*environment, '=');
		char name[SETTING_NAME_MAX];
		if (strncmp(*environment, "QUERN_", 6) != 0 || !equals) continue;
		struct str given = {*environment, (size_t)(equals - *environment)};
		const struct setting *s = setting_by_variable(given);
		snprintf(name, sizeof name, "%.*s", (int)MIN(given.len, sizeof name), given.data);
		if (s) put_variable(l, s, name, equals + 1);
		else if (setting_in_section(given)) err_fault(l->e, name, "there is no setting of this name");
	}
}

static const struct {
	const char *flag, *key;
} short_flags[] = {{"listen", "listen"},     {"database", "database.url"}, {"data-dir", "dataDir"},
		   {"file-root", "fileRoots"}, {"roles", "roles"}};

static const char *flag_key(const char *name)
{
	for (size_t i = 0; i < ARRAY_COUNT(short_flags); i++)
		if (strcmp(name, short_flags[i].flag) == 0) return short_flags[i].key;
	return name;
}

/* --name=value, or --name and value in the next argument. Returns the last argument that it used. */
static char *const *load_flag(struct loading *l, char *const *flags)
{
	const char *flag = *flags, *value = strchr(flag, '=');
	char where[SETTING_NAME_MAX];
	snprintf(where, sizeof where, "%.*s", value ? (int)MIN(value - flag, (int)sizeof where) : (int)sizeof where,
		 flag);
	if (strncmp(flag, "--", 2) != 0) {
		err_fault(l->e, where, "is not a flag");
		return flags;
	}
	if (value) value++;
	else if (flags[1] && strncmp(flags[1], "--", 2) != 0) value = *++flags;
	else {
		err_fault(l->e, where, "needs a value");
		return flags;
	}
	const char *key = flag_key(where + 2);
	const struct setting *s = setting_by_key(key);
	if (s) put(l, LAYER_FLAGS, s, value, where);
	else if (strcmp(key, "config") != 0) setting_unknown(key, where, l->e);
	return flags;
}

/* --- Rules over more than one value -------------------------------------------------------------- */

static bool rule_fault(struct loading *l, size_t setting, const char *why)
{
	char key[SETTING_NAME_MAX];
	setting_key(&settings[setting], key);
	return err_fault(l->e, l->set[setting].where ? l->set[setting].where : key, "%s %s", key, why);
}

/* JOBS.md, clause 3: two heartbeats may be lost before the lease is. */
static void check_lease(struct loading *l)
{
	const struct config *c = l->c;
	if (c->trainer_leaseSeconds >= 3 * c->trainer_heartbeatSeconds) return;
	bool by_heartbeat = l->set[AT_trainer_heartbeatSeconds].layer >= l->set[AT_trainer_leaseSeconds].layer;
	if (by_heartbeat) rule_fault(l, AT_trainer_heartbeatSeconds, "must be at most a third of trainer.leaseSeconds");
	else rule_fault(l, AT_trainer_leaseSeconds, "must be at least three times trainer.heartbeatSeconds");
}

static void check_roles(struct loading *l)
{
	char *roles = mem_strdup(l->c->_roles), *rest = roles, *role;
	bool ok = true;
	while ((role = strsep(&rest, ","))) ok &= strcmp(role, "api") == 0 || strcmp(role, "train") == 0;
	if (!ok) rule_fault(l, AT__roles, "must be api, train, or api,train");
	mem_free(roles);
}

static void check_log_level(struct loading *l)
{
	enum log_level level;
	if (!log_level_parse(l->c->log_level, &level))
		rule_fault(l, AT_log_level, "must be debug, info, warn or error");
}

/* --- The whole ----------------------------------------------------------------------------------- */

bool config_load(struct config *c, const struct config_input *in, struct err *e)
{
	*c = (struct config){0};
	struct loading l = {.c = c, .e = e};
	load_defaults(&l);
	bool ok = !in->file || config_file_read(in->file, put_from_file, &l, e);
	load_environment(&l, in->environment);
	for (char *const *flag = in->flags; flag && *flag; flag++) flag = load_flag(&l, flag);
	ok = ok && !err_is(e);
	/* Values that were refused would make rules over several of them lie. */
	if (ok) {
		check_lease(&l);
		check_roles(&l);
		check_log_level(&l);
		ok = !err_is(e);
	}
	if (!ok) config_release(c);
	return ok;
}

void config_release(struct config *c)
{
	arena_release(&c->arena);
	*c = (struct config){0};
}

bool config_has_role(const struct config *c, const char *role) { return strstr(c->_roles, role) != NULL; }

void config_print(const struct config *c, struct buf *out)
{
	const char *section = "";
	for (const struct setting *s = settings; s < settings + SETTING_COUNT; s++) {
		if (strcmp(section, s->section) != 0) buf_printf(out, "%s:\n", s->section);
		section = s->section;
		buf_printf(out, "%s%s: ", *section ? "  " : "", s->name);
		setting_write(s, c, out);
		buf_printf(out, "  # %s\n", s->help);
	}
}
