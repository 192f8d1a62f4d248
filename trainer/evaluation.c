#include "trainer/evaluation.h"

#include "base/map.h"

#include <stdio.h>

/* The same metric over other columns gets a number: areaUnderROC, areaUnderROC_2. */
static void write_metric(const struct evaluator *ev, struct map *seen, struct json_writer *w)
{
	char name[96];
	struct map_entry *times = map_put(seen, STR(ev->metric_name), NULL);
	times->value++;
	if (times->value == 1) snprintf(name, sizeof name, "%s", ev->metric_name);
	else snprintf(name, sizeof name, "%s_%llu", ev->metric_name, (unsigned long long)times->value);
	json_key(w, name);
	json_double(w, ev->value);
}

/* An evaluator's detail is members of an object; the first evaluator to give a member gives it. */
static void write_detail(const struct evaluator *ev, struct map *seen, struct json_writer *w)
{
	struct arena a = ARENA_INIT;
	struct json *root;
	struct err e;
	err_init(&e);
	const char *text = arena_printf(&a, "{%.*s}", (int)ev->detail.len, ev->detail.len ? ev->detail.data : "");
	bool ok = json_parse(&a, text, strlen(text), &root, &e);
	CHECK(ok);
	for (const struct json *m = root->child; m; m = m->next) {
		bool made;
		map_put(seen, m->key, &made);
		if (!made) continue;
		json_keyn(w, m->key);
		json_value(w, m);
	}
	arena_release(&a);
}

void evaluation_write(const struct evaluator *evaluators, size_t count, struct buf *metrics, struct buf *evaluation)
{
	struct json_writer m = JSON_WRITER(metrics), d = JSON_WRITER(evaluation);
	struct map names = MAP_INIT, members = MAP_INIT;
	json_object_begin(&m);
	json_object_begin(&d);
	for (size_t i = 0; i < count; i++) {
		write_metric(&evaluators[i], &names, &m);
		write_detail(&evaluators[i], &members, &d);
	}
	json_object_end(&m);
	json_object_end(&d);
	map_release(&names);
	map_release(&members);
}
