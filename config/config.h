/* Settings: defaults < file < QUERN_… environment < flags. settings.def has a row for each; the only door to libyaml.
 *
 * A struct config is filled once at start and only read afterwards.
 */
#ifndef QUERN_CONFIG_CONFIG_H
#define QUERN_CONFIG_CONFIG_H

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

enum { CONFIG_FILE_BYTES_MAX = 1 << 20, CONFIG_LIST_MAX = 64 };

#define CONFIG_CAT_(section, name) section##_##name
#define CONFIG_MEMBER_(section, name) CONFIG_CAT_(section, name)
#define CONFIG_TYPE_TEXT const char *
#define CONFIG_TYPE_COUNT uint64_t
#define CONFIG_TYPE_SECONDS unsigned
#define CONFIG_TYPE_BYTES uint64_t
#define CONFIG_TYPE_FLAG bool
#define CONFIG_TYPE_LIST const char *const *

/* Members are section_name; those at the top level _name: config._listen, config.limits_bodyBytes. TEXT is "" where
 * unset, never NULL; LIST ends with NULL. */
struct config {
	struct arena arena;
#define SETTING(type, section, name, fallback, min, max, help) CONFIG_TYPE_##type section##_##name;
#include "config/settings.def"
#undef SETTING
};

struct config_input {
	const char *file;         /* --config F; NULL: none */
	char *const *environment; /* environ; NULL: none */
	char *const *flags;       /* NULL-terminated: "--limits.bodyBytes=1MiB", "--listen", "127.0.0.1:0", … */
};

/* Every fault is listed: its pointer is "file:line", the variable's name or the flag; its text names the key.
 * Short flags of `quern serve`: --listen --database --data-dir --file-root (repeatable) --roles --config. */
QN_MUST bool config_load(struct config *c, const struct config_input *in, struct err *e);
void config_release(struct config *c);
/* As YAML with every value; passwords in URLs are masked. */
void config_print(const struct config *c, struct buf *out);
bool config_has_role(const struct config *c, const char *role);

#endif
