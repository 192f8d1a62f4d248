#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

QN_NORETURN static void out_of_memory(size_t size)
{
	char line[96];
	int n = snprintf(line, sizeof line, "quern: out of memory asking for %zu bytes\n", size);
	ssize_t ignored = write(STDERR_FILENO, line, (size_t)n);
	(void)ignored;
	_exit(MEM_EXIT_OOM);
}

void *mem_alloc(size_t size)
{
	void *p = malloc(size ? size : 1);
	if (!p) out_of_memory(size);
	return p;
}

void *mem_zalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);
	if (!p) out_of_memory(count * size);
	return p;
}

void *mem_realloc(void *old, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory(SIZE_MAX);
	void *p = realloc(old, bytes ? bytes : 1);
	if (!p) out_of_memory(bytes);
	return p;
}

char *mem_strdup(const char *s)
{
	size_t size = strlen(s) + 1;
	return memcpy(mem_alloc(size), s, size);
}

void mem_free(void *p) { free(p); }

/* --- Arena --------------------------------------------------------------------------------------- */

enum { ARENA_ALIGN = 16, ARENA_CHUNK = 4096 };

struct arena_chunk {
	struct arena_chunk *older;
	size_t size, used;
	_Alignas(ARENA_ALIGN) unsigned char bytes[];
};

static struct arena_chunk *chunk_add(struct arena *a, size_t size)
{
	struct arena_chunk *c = mem_alloc(sizeof *c + size);
	*c = (struct arena_chunk){.older = a->chunks, .size = size};
	a->chunks = c;
	a->bytes += sizeof *c + size;
	return c;
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	if (size > SIZE_MAX / 2) out_of_memory(size);
	size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
	if (!c || c->size - c->used < need)
		c = chunk_add(a, MAX(need, c ? MIN(c->size * 2, (size_t)1 << 20) : (size_t)ARENA_CHUNK));
	void *p = c->bytes + c->used;
	c->used += need;
	return p;
}

void *arena_zalloc(struct arena *a, size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes)) out_of_memory(SIZE_MAX);
	return memset(arena_alloc(a, bytes), 0, bytes);
}

void *arena_copy(struct arena *a, const void *p, size_t size)
{
	void *to = arena_alloc(a, size);
	if (size) memcpy(to, p, size);
	return to;
}

char *arena_strndup(struct arena *a, const char *s, size_t len)
{
	char *to = arena_alloc(a, len + 1);
	if (len) memcpy(to, s, len);
	to[len] = 0;
	return to;
}

char *arena_strdup(struct arena *a, const char *s) { return arena_strndup(a, s, strlen(s)); }

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list args, again;
	va_start(args, fmt);
	va_copy(again, args);
	int n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	CHECK(n >= 0);
	char *to = arena_alloc(a, (size_t)n + 1);
	vsnprintf(to, (size_t)n + 1, fmt, again);
	va_end(again);
	return to;
}

static void drop_chunks(struct arena *a, struct arena_chunk *keep)
{
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;
		a->chunks = c->older;
		if (c != keep) {
			a->bytes -= sizeof *c + c->size;
			mem_free(c);
		}
	}
}

void arena_release(struct arena *a)
{
	drop_chunks(a, NULL);
	*a = ARENA_INIT;
}

/* Only the largest chunk is kept: after some uses it alone is large enough. */
void arena_reset(struct arena *a)
{
	struct arena_chunk *largest = a->chunks;
	for (struct arena_chunk *c = a->chunks; c; c = c->older)
		if (c->size > largest->size) largest = c;
	drop_chunks(a, largest);
	if (!largest) return;
	largest->older = NULL;
	largest->used = 0;
	a->chunks = largest;
}
