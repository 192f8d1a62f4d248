#include "store/query.h"

#include "base/mem.h"
#include "schemas/schemas.h"

#include <pthread.h>
#include <string.h>

static const char *const names[QUERY_COUNT] = {
#define QUERY(name) #name,
#include "store/query.def"
#undef QUERY
};

static const char *texts[QUERY_COUNT];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static const char mark[] = "-- name: ";

static enum query query_find(const char *name, size_t len)
{
	for (int q = 0; q < QUERY_COUNT; q++)
		if (strlen(names[q]) == len && memcmp(names[q], name, len) == 0) return (enum query)q;
	return QUERY_COUNT;
}

/* Cuts a file at its marks. The pieces live as long as the program. */
static void read_file(const char *text)
{
	const char *p = strstr(text, mark);
	while (p) {
		const char *name = p + sizeof mark - 1;
		const char *body = name + strcspn(name, "\n");
		const char *next = strstr(body, mark);
		enum query q = query_find(name, (size_t)(body - name));
		CHECK(q != QUERY_COUNT); /* a statement without a row in query.def */
		CHECK(!texts[q]);
		texts[q] = next ? strndup(body, (size_t)(next - body)) : mem_strdup(body);
		CHECK(texts[q]);
		p = next;
	}
}

static void read_all(void)
{
	for (const struct embed_file *f = schemas_sql_queries; f->name; f++) read_file((const char *)f->data);
	for (int q = 0; q < QUERY_COUNT; q++) CHECK(texts[q]); /* a row without a statement */
}

const char *query_name(enum query q) { return names[q]; }

const char *query_text(enum query q)
{
	pthread_once(&once, read_all);
	return texts[q];
}
