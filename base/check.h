/* Checks and attributes that every file may use.
 *
 * CHECK is for what cannot happen unless Quern itself is wrong; it stays on in release builds. It is never used
 * for input, SQL results, peers or the network: those get a struct err.
 */
#ifndef QUERN_BASE_CHECK_H
#define QUERN_BASE_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QN_MUST __attribute__((warn_unused_result))
#define QN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define QN_UNUSED __attribute__((unused))
#define QN_NORETURN __attribute__((noreturn))

#define ARRAY_COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

QN_NORETURN void check_failed(const char *file, int line, const char *what);

#define CHECK(cond) ((cond) ? (void)0 : check_failed(__FILE__, __LINE__, #cond))

#endif
