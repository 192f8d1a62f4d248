/* A store of models in memory, in the place of store/model.c: what Postgres would say is what the test sets.
 * Thread-safe. */
#ifndef QUERN_TESTS_FAKE_MODELS_H
#define QUERN_TESTS_FAKE_MODELS_H

#include "store/model.h"

void fake_models_reset(void);
/* Another version of a model, with its number; the bytes are borrowed. */
void fake_models_add(const char *name, int version, struct str container);
void fake_models_remove(const char *name, int version);
/* target: JSON; NULL: no alias. */
void fake_models_alias(const char *name, const char *alias, const char *target);
void fake_models_away(bool away); /* every call fails with ERR_unavailable */
unsigned fake_models_loads(void); /* containers read so far */

#endif
