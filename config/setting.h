/* The settings as a table (settings.def): their names in file, environment and flags, and their values from text and to
 * it.
 *
 * Private to this folder. Thread-safety: the table is constant; a struct config has one writer.
 */
#ifndef QUERN_CONFIG_SETTING_H
#define QUERN_CONFIG_SETTING_H

#include "base/str.h"
#include "config/config.h"

enum setting_type { TYPE_TEXT, TYPE_COUNT, TYPE_SECONDS, TYPE_BYTES, TYPE_FLAG, TYPE_LIST };

struct setting {
	const char *section, *name, *fallback, *help; /* section "": top level */
	enum setting_type type;
	size_t offset; /* in struct config */
	double min, max;
};

/* The place of a setting in the table: AT_trainer_leaseSeconds; AT__listen at the top level. */
enum {
#define SETTING(type, section, name, fallback, min, max, help) AT_##section##_##name,
#include "config/settings.def"
#undef SETTING
	SETTING_COUNT,
};
extern const struct setting settings[SETTING_COUNT];

enum { SETTING_NAME_MAX = 96 };
void setting_key(const struct setting *s, char out[SETTING_NAME_MAX]);      /* limits.bodyBytes */
void setting_variable(const struct setting *s, char out[SETTING_NAME_MAX]); /* QUERN_LIMITS_BODY_BYTES */
/* NULL: there is no such setting. */
const struct setting *setting_by_key(const char *key);
const struct setting *setting_by_variable(struct str name);
/* Whether a variable's name begins as those of some section do: then it can be nobody else's. */
bool setting_in_section(struct str variable);
/* Adds the fault that there is no such key, with the nearest one where there is one. Returns false. */
bool setting_unknown(const char *key, const char *where, struct err *e);

/* Sets the value that text says; a LIST gets one more element. A fault has `where` for its pointer. */
bool setting_assign(const struct setting *s, struct config *c, const char *text, const char *where, struct err *e);
/* A LIST becomes empty; other types keep their value. */
void setting_clear(const struct setting *s, struct config *c);
/* As YAML; passwords of Postgres URLs and keyword strings become ***. */
void setting_write(const struct setting *s, const struct config *c, struct buf *out);

#endif
