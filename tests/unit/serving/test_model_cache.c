/* The cache over a store in memory: what is served when, what is loaded when, and readers on many threads while
 * models change. */
#include "serving/model_cache.h"
#include "tests/golden/golden.h"
#include "tests/unit/serving/fake_models.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

enum { VERSIONS = 20, READERS = 3, SWAPS = 150, WAIT_MS = 10000 };

struct fixture {
	struct golden models[VERSIONS + 1]; /* [v] answers {"v<v>":…} */
	struct model_cache *cache;
	struct model_reader *reader;
};

/* --- Fixture ------------------------------------------------------------------------------------------------------ */

static int set_up_group(void **state)
{
	struct fixture *f = mem_zalloc(1, sizeof *f);
	for (int v = 1; v <= VERSIONS; v++) {
		char text[512];
		snprintf(text, sizeof text,
			 "{\"rows\":{\"format\":\"inline\",\"schema\":[{\"name\":\"text\",\"type\":\"string\"}],"
			 "\"rows\":[{\"text\":\"a\"}]},"
			 "\"pipeline\":[{\"stage\":\"Tokenizer\",\"inputCol\":\"text\",\"outputCol\":\"words\"}],"
			 "\"response\":{\"v%d\":\"words\"}}",
			 v);
		golden_fit_text(&f->models[v], text);
	}
	*state = f;
	return 0;
}

static int tear_down_group(void **state)
{
	struct fixture *f = *state;
	for (int v = 1; v <= VERSIONS; v++) golden_release(&f->models[v]);
	mem_free(f);
	return 0;
}

static struct str container(const struct fixture *f, int v)
{
	return (struct str){f->models[v].container.data, f->models[v].container.len};
}

static void start(struct fixture *f, const char *fallback, size_t versions_in_memory)
{
	struct err e;
	err_init(&e);
	size_t each = f->models[VERSIONS].container.len;
	struct model_cache_options o = {
		.default_model = fallback, .poll_s = 3600, .memory_max = versions_in_memory * each + each / 2};
	assert_ok(model_cache_start(&o, &f->cache, &e), &e);
	f->reader = model_reader_create(f->cache);
}

static void stop(struct fixture *f)
{
	model_reader_destroy(f->reader);
	model_cache_stop(f->cache);
	fake_models_reset();
}

static struct str name_of(const char *name) { return name ? STR(name) : (struct str){0}; }

enum { WRONG = -2 };

/* Answers with what was acquired and says which version it was by the answer's own member; 0: refused with *code;
 * WRONG: the answer is not that version's. On any thread, so without assertions. */
static int ask(struct model_reader *r, const char *name, int version, const char *alias, bool wait, bool *loading,
	       enum err_code *code)
{
	const struct predictor *p;
	struct predictor_scratch *s;
	struct err e;
	int answered = 0;
	err_init(&e);
	bool ok = wait ? model_acquire_wait(r, name_of(name), version, name_of(alias), &p, &s, &e) :
			 model_acquire(r, name_of(name), version, name_of(alias), &p, &s, loading, &e);
	*code = e.code;
	if (!ok) return 0;
	struct buf out = BUF_INIT(4096);
	struct predictor_request rq = {.body = "{\"text\":\"a b\"}", .len = 14, .limits = GOLDEN_LIMITS};
	ok = predictor_json(p, s, &rq, &out, &e) && sscanf(buf_cstr(&out), "{\"v%d\":[\"a\",\"b\"]}", &answered) == 1 &&
	     answered == predictor_version(p) && (!version || answered == version);
	buf_release(&out);
	model_release(r);
	*code = e.code;
	return ok ? answered : WRONG;
}

static int now(struct fixture *f, const char *name, int version, const char *alias)
{
	bool loading = false;
	enum err_code code;
	int v = ask(f->reader, name, version, alias, false, &loading, &code);
	return v ? v : loading ? -1 : 0;
}

static int waiting(struct fixture *f, const char *name, int version, const char *alias, enum err_code *code)
{
	bool loading;
	return ask(f->reader, name, version, alias, true, &loading, code);
}

static void until(struct fixture *f, const char *name, int version)
{
	for (int ms = 0; ms < WAIT_MS; ms += 2) {
		if (now(f, name, 0, NULL) == version) return;
		usleep(2000);
	}
	fail_msg("version %d of %s is not served", version, name);
}

/* --- One reader --------------------------------------------------------------------------------------------------- */

static void test_serves_what_there_is(void **state)
{
	struct fixture *f = *state;
	fake_models_add("m", 1, container(f, 1));
	fake_models_add("m", 2, container(f, 2));
	start(f, NULL, 10);
	assert_true(model_cache_ready(f->cache));
	assert_int_equal(now(f, NULL, 0, NULL), 2);
	assert_int_equal(now(f, "m", 2, NULL), 2);
	assert_int_equal(now(f, "m", 0, "production"), -1);
	fake_models_alias("m", "production", "{\"version\":1}");
	model_cache_wake(f->cache);
	until(f, "m", 1);
	assert_int_equal(now(f, "m", 0, "production"), 1);
	fake_models_alias("m", "production", NULL);
	model_cache_wake(f->cache);
	until(f, "m", 2);
	stop(f);
}

/* Version 1 is not what anything points to: it comes when asked for, once. */
static void test_loads_on_demand(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	fake_models_add("m", 1, container(f, 1));
	fake_models_add("m", 2, container(f, 2));
	start(f, NULL, 10);
	assert_int_equal(fake_models_loads(), 1);
	assert_int_equal(now(f, "m", 1, NULL), -1);
	assert_int_equal(waiting(f, "m", 1, NULL, &code), 1);
	assert_int_equal(now(f, "m", 1, NULL), 1);
	assert_int_equal(fake_models_loads(), 2);
	stop(f);
}

/* A model made a moment ago is found by whoever waits, without any notice. */
static void test_asks_before_saying_no(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	start(f, NULL, 10);
	assert_int_equal(now(f, "m", 0, NULL), -1);
	assert_int_equal(waiting(f, "m", 0, NULL, &code), 0);
	assert_int_equal(code, ERR_no_model);
	fake_models_add("m", 3, container(f, 3));
	assert_int_equal(waiting(f, "m", 0, NULL, &code), 3);
	assert_int_equal(waiting(f, "m", 4, NULL, &code), 0);
	assert_int_equal(code, ERR_not_found);
	fake_models_add("other", 1, container(f, 1));
	assert_int_equal(waiting(f, "other", 0, NULL, &code), 1);
	assert_int_equal(waiting(f, NULL, 0, NULL, &code), 0);
	assert_int_equal(code, ERR_ambiguous_model);
	stop(f);
}

static void test_default_model(void **state)
{
	struct fixture *f = *state;
	fake_models_add("a", 1, container(f, 1));
	fake_models_add("b", 2, container(f, 2));
	start(f, "b", 10);
	assert_int_equal(now(f, NULL, 0, NULL), 2);
	stop(f);
}

static void test_goes_on_while_postgres_is_away(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	fake_models_add("m", 1, container(f, 1));
	fake_models_add("m", 2, container(f, 2));
	fake_models_away(true);
	start(f, NULL, 10);
	assert_false(model_cache_ready(f->cache));
	assert_int_equal(waiting(f, "m", 0, NULL, &code), 0);
	assert_int_equal(code, ERR_unavailable);
	fake_models_away(false);
	assert_int_equal(waiting(f, "m", 0, NULL, &code), 2);
	assert_true(model_cache_ready(f->cache));
	fake_models_away(true);
	model_cache_wake(f->cache);
	assert_int_equal(waiting(f, "nobody", 0, NULL, &code), 0);
	assert_int_equal(code, ERR_unavailable);
	assert_int_equal(waiting(f, "m", 1, NULL, &code), 0);
	assert_int_equal(code, ERR_unavailable);
	assert_int_equal(now(f, "m", 0, NULL), 2);
	stop(f);
}

static void test_memory_is_bounded(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	for (int v = 1; v <= 5; v++) fake_models_add("m", v, container(f, v));
	start(f, NULL, 3);
	for (int v = 1; v <= 4; v++) assert_int_equal(waiting(f, "m", v, NULL, &code), v);
	/* 5, 1, 2 had to go for 3 and 4 to come beside one other. */
	assert_int_equal(now(f, "m", 4, NULL), 4);
	assert_int_equal(now(f, "m", 3, NULL), 3);
	assert_int_equal(now(f, "m", 1, NULL), -1);
	assert_int_equal(waiting(f, "m", 0, NULL, &code), 5);
	stop(f);
}

static void test_gone_versions_go(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	fake_models_add("m", 1, container(f, 1));
	fake_models_add("m", 2, container(f, 2));
	start(f, NULL, 10);
	fake_models_remove("m", 2);
	model_cache_wake(f->cache);
	until(f, "m", 1);
	assert_int_equal(waiting(f, "m", 2, NULL, &code), 0);
	assert_int_equal(code, ERR_not_found);
	stop(f);
}

/* A container that cannot be read harms nobody else, and is not read again for each request. */
static void test_a_broken_model(void **state)
{
	struct fixture *f = *state;
	enum err_code code;
	fake_models_add("good", 1, container(f, 1));
	fake_models_add("bad", 1, STR("QUERNPIP but not really"));
	start(f, NULL, 10);
	assert_true(model_cache_ready(f->cache));
	assert_int_equal(now(f, "good", 0, NULL), 1);
	assert_int_equal(waiting(f, "bad", 0, NULL, &code), 0);
	assert_int_equal(code, ERR_internal);
	unsigned loads = fake_models_loads();
	assert_int_equal(waiting(f, "bad", 0, NULL, &code), 0);
	assert_int_equal(fake_models_loads(), loads);
	stop(f);
}

/* What is pinned stays whole, whatever becomes of the model. */
static void test_pinned_stays(void **state)
{
	struct fixture *f = *state;
	const struct predictor *p;
	struct predictor_scratch *s;
	struct err e;
	struct buf out = BUF_INIT(4096);
	bool loading;
	err_init(&e);
	fake_models_add("m", 1, container(f, 1));
	start(f, NULL, 10);
	assert_ok(model_acquire(f->reader, name_of("m"), 0, name_of(NULL), &p, &s, &loading, &e), &e);
	struct model_reader *other = model_reader_create(f->cache);
	enum err_code code;
	fake_models_remove("m", 1);
	fake_models_add("m", 2, container(f, 2));
	assert_int_equal(ask(other, "m", 2, NULL, true, &loading, &code), 2);
	usleep(200000); /* several rounds of reclaiming */
	struct predictor_request rq = {.body = "{\"text\":\"a b\"}", .len = 14, .limits = GOLDEN_LIMITS};
	assert_ok(predictor_json(p, s, &rq, &out, &e), &e);
	assert_string_equal(buf_cstr(&out), "{\"v1\":[\"a\",\"b\"]}");
	model_release(f->reader);
	model_reader_destroy(other);
	buf_release(&out);
	assert_int_equal(now(f, "m", 0, NULL), 2);
	stop(f);
}

/* --- Many readers ------------------------------------------------------------------------------------------------- */

struct hammer {
	struct fixture *f;
	atomic_bool stop;
	atomic_ulong answers, refusals, wrong;
};

static void *hammer_main(void *ctx)
{
	struct hammer *h = ctx;
	struct model_reader *r = model_reader_create(h->f->cache);
	unsigned turn = 0;
	while (!atomic_load(&h->stop)) {
		bool loading = false;
		enum err_code code;
		int version = turn % 16 == 0 ? (int)(turn / 16 % VERSIONS) + 1 : 0;
		int v = ask(r, "m", version, NULL, turn++ % 64 == 0, &loading, &code);
		/* What is served is always in memory; another version may have to be loaded first, or not be there
		 * yet. */
		bool absent = loading || code == ERR_unavailable || code == ERR_not_found;
		bool right = v > 0 || (v == 0 && version > 0 && absent);
		atomic_fetch_add(!right ? &h->wrong : v ? &h->answers : &h->refusals, 1);
	}
	model_reader_destroy(r);
	return NULL;
}

static void test_readers_while_models_change(void **state)
{
	struct fixture *f = *state;
	struct hammer h = {.f = f};
	pthread_t threads[READERS];
	fake_models_add("m", 1, container(f, 1));
	start(f, NULL, 4);
	for (int i = 0; i < READERS; i++) assert_int_equal(pthread_create(&threads[i], NULL, hammer_main, &h), 0);
	for (int i = 0; i < SWAPS; i++) {
		char target[64];
		int v = i % VERSIONS + 1;
		snprintf(target, sizeof target, "{\"version\":%d}", v);
		fake_models_add("m", v, container(f, v));
		fake_models_alias("m", "production", target);
		model_cache_wake(f->cache);
		until(f, "m", v);
	}
	atomic_store(&h.stop, true);
	for (int i = 0; i < READERS; i++) pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&h.wrong), 0);
	assert_true(atomic_load(&h.answers) > SWAPS);
	stop(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_serves_what_there_is),
		cmocka_unit_test(test_loads_on_demand),
		cmocka_unit_test(test_asks_before_saying_no),
		cmocka_unit_test(test_default_model),
		cmocka_unit_test(test_goes_on_while_postgres_is_away),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_gone_versions_go),
		cmocka_unit_test(test_a_broken_model),
		cmocka_unit_test(test_pinned_stays),
		cmocka_unit_test(test_readers_while_models_change),
	};
	return cmocka_run_group_tests(tests, set_up_group, tear_down_group);
}
