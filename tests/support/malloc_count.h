/* Heap allocations of the whole process so far, counted by malloc, calloc, realloc and friends of our own that stand before the C
 * library's. Links into programs that are not built with a sanitizer (there it counts nothing and malloc_counts is false). */
#ifndef QUERN_TESTS_MALLOC_COUNT_H
#define QUERN_TESTS_MALLOC_COUNT_H

#include <stdbool.h>
#include <stddef.h>

bool malloc_counts(void);
size_t malloc_count(void);

#endif
