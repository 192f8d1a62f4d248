/* Memory: allocation that cannot fail quietly, and arenas.
 *
 * Sizes that come from outside pass a named limit before they come here, so running out of memory is not an input
 * error: mem_* end the process with a clear line on stderr (exit code MEM_EXIT_OOM, which the supervisor reads as out
 * of memory).
 *
 * An arena owns many small things that die together. Nothing in it is freed alone; arena_reset keeps the memory for the
 * next use. Not thread-safe: one owner at a time.
 */
#ifndef QUERN_BASE_MEM_H
#define QUERN_BASE_MEM_H

#include "base/check.h"

enum { MEM_EXIT_OOM = 86 };

void *mem_alloc(size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1)));
void *mem_zalloc(size_t count, size_t size) __attribute__((malloc, returns_nonnull, alloc_size(1, 2)));
void *mem_realloc(void *p, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_strdup(const char *s) __attribute__((malloc, returns_nonnull));
void mem_free(void *p); /* NULL is fine */

/* Grows *p so that it holds at least `need` elements, doubling; keeps what is there. */
#define MEM_GROW(p, cap, need)                                                                                         \
	do {                                                                                                           \
		if ((need) > (cap)) {                                                                                  \
			size_t cap_ = (cap) ? (size_t)(cap)*2 : 16;                                                    \
			if (cap_ < (size_t)(need)) cap_ = (need);                                                      \
			(p) = mem_realloc((p), cap_, sizeof *(p));                                                     \
			(cap) = cap_;                                                                                  \
		}                                                                                                      \
	} while (0)

struct arena_chunk;
struct arena {
	struct arena_chunk *chunks; /* newest first */
	size_t bytes;               /* held from the system */
};

#define ARENA_INIT ((struct arena){0})
void arena_release(struct arena *a);
void arena_reset(struct arena *a);
/* Aligned to 16, not cleared. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull, alloc_size(2)));
void *arena_zalloc(struct arena *a, size_t count, size_t size) __attribute__((returns_nonnull));
void *arena_copy(struct arena *a, const void *p, size_t size) __attribute__((returns_nonnull));
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
char *arena_strndup(struct arena *a, const char *s, size_t len) __attribute__((returns_nonnull));
char *arena_printf(struct arena *a, const char *fmt, ...) QN_PRINTF(2, 3);

#endif
