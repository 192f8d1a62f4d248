#include "server/commands/resource.h"

#include "server/commands/cli.h"
#include "server/commands/text_table.h"

enum { RESOURCE_CALL_S = 60 };

const struct resource_verb *resource_verb_find(const struct resource_verb *verbs, const char *name)
{
	for (; verbs->verb; verbs++)
		if (strcmp(verbs->verb, name) == 0) return verbs;
	return NULL;
}

static bool print_body(const struct buf *body, struct err *e)
{
	if (body->len == 0) return true;
	if (body->data[body->len - 1] == '\n') return cli_write(body->data, body->len, e);
	return cli_write_line(body, e);
}

bool resource_call(struct client *c, const char *method, const char *path, struct err *e)
{
	struct client_answer answer;
	struct client_call call = {.method = method, .path = path, .timeout_s = RESOURCE_CALL_S};
	bool ok = client_run(c, &call, &answer, e) && print_body(&answer.body, e);
	buf_release(&answer.body);
	return ok;
}

/* --- Lists -------------------------------------------------------------------------------------------------------- */

static const struct json *member_of(const struct json *item, const char *path)
{
	char key[64];
	while (item && *path) {
		size_t n = strcspn(path, ".");
		CHECK(n < sizeof key);
		memcpy(key, path, n);
		key[n] = 0;
		item = json_get(item, key);
		path += n + (path[n] == '.');
	}
	return item;
}

static bool print_table(const struct json *items, const struct resource_column *columns, struct err *e)
{
	const char *headers[TEXT_TABLE_COLUMNS_MAX + 1] = {NULL};
	struct text_table t;
	for (size_t i = 0; columns[i].header; i++) headers[i] = columns[i].header;
	text_table_begin(&t, headers);
	for (const struct json *item = items->child; item; item = item->next)
		for (size_t i = 0; columns[i].header; i++) text_table_json(&t, member_of(item, columns[i].member));
	return text_table_end(&t, e);
}

static bool show_list(const struct buf *body, const char *plural, const struct resource_column *columns, struct err *e)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	bool ok = json_parse(&a, body->data, body->len, &root, e);
	if (ok) {
		const struct json *items = json_get(root, plural);
		ok = items ? print_table(items, columns, e)
			   : err_set(e, ERR_internal, "the service's answer has no \"%s\"", plural);
	}
	arena_release(&a);
	return ok;
}

bool resource_list(struct client *c, const char *path, const char *plural, const struct resource_column *columns,
		   bool json, struct err *e)
{
	struct client_answer answer;
	struct client_call call = {.method = "GET", .path = path, .timeout_s = RESOURCE_CALL_S};
	bool ok = client_run(c, &call, &answer, e) &&
		  (json ? print_body(&answer.body, e) : show_list(&answer.body, plural, columns, e));
	buf_release(&answer.body);
	return ok;
}
