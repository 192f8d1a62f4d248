/* What every test uses: cmocka, paths, assertions on struct err. */
#ifndef QUERN_TESTS_SUPPORT_H
#define QUERN_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

/* Fails the test with the error's sentence and faults unless ok. */
#define assert_ok(ok, e) support_assert_ok((ok), (e), #ok, __FILE__, __LINE__)
void support_assert_ok(bool ok, const struct err *e, const char *what, const char *file, int line);

/* Where the program was built (QUERN_BUILD) and the source tree's root (QUERN_SOURCE). */
const char *support_build(void);
const char *support_source(void);
/* Path of a file of the shared data, or NULL after skip() has said "skipped: no ../shared/data". */
const char *support_shared(struct arena *a, const char *relative);
/* Whole file; the test fails when it cannot be read. */
struct str support_read(struct arena *a, const char *path);
/* A new empty folder below TMPDIR that support_tmp_remove deletes with everything in it. */
char *support_tmp(struct arena *a);
void support_tmp_remove(const char *dir);

#endif
