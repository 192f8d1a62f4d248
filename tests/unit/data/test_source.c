/* Sources: the right files and no others, whole whatever the compression, and every record once however the bytes are cut. */
#include "tests/unit/data/data_support.h"

#include "data/json_row_write.h"
#include "data/rows.h"
#include "data/shard.h"
#include "data/source_spec.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

/* --- Cuts ------------------------------------------------------------ */

static bool show(void *ctx, struct batch *b, struct err *e)
{
	struct json_writer w = JSON_WRITER(ctx);
	(void)e;
	for (size_t i = 0; i < b->rows; i++) {
		w.comma = false;
		json_row_write(&w, b, NULL, i);
	}
	return true;
}

/* The rows of the ranges that the offsets cut text into. */
static void read_ranges(const struct source_config *c, const struct schema *schema, const char *text, size_t len,
			const uint64_t *offsets, size_t count, struct buf *out)
{
	struct source_report report = {0};
	struct batch b;
	struct err e;
	err_init(&e);
	batch_init(&b, schema);
	struct source_reading r = {.config = c, .schema = schema, .b = &b, .sink = show, .ctx = out, .report = &report};
	for (size_t i = 0; i + 1 < count; i++) {
		struct source_range range = {.name = "text", .fd = -1, .text = text, .size = len, .begin = offsets[i],
					     .end = offsets[i + 1]};
		assert_ok(c->format->read(&r, &range, &e), &e);
	}
	assert_ok(rows_flush(&r, &e), &e);
	batch_release(&b);
}

/* Every place a text can be cut at, in two and in three, gives the rows of the whole. */
static void cut_everywhere(const char *format, const char *options, const char *text, size_t len)
{
	struct source_env env = {0};
	struct source_config c;
	struct schema schema = SCHEMA_INIT;
	struct buf whole = BUF_INIT(1 << 20), parts = BUF_INIT(1 << 20);
	struct err e;
	err_init(&e);
	assert_ok(source_config_parse(&c, STR(format), data_json(options), "", &env, &data_arena, &e), &e);
	struct source_range all = {.name = "text", .fd = -1, .text = text, .size = len, .end = len};
	assert_ok(c.format->infer(&c, &all, 1, &schema, &e), &e);
	read_ranges(&c, &schema, text, len, (uint64_t[]){0, len}, 2, &whole);
	for (size_t a = 0; a <= len; a++) {
		for (size_t b = a; b <= len; b += 1 + b % 3) {
			uint64_t cuts[] = {0, a, b, len};
			if (c.format->cut) assert_ok(c.format->cut(&c, &all, cuts + 1, 2, &e), &e);
			buf_clear(&parts);
			read_ranges(&c, &schema, text, len, cuts, 4, &parts);
			if (strcmp(buf_cstr(&parts), buf_cstr(&whole)) != 0)
				fail_msg("cut at %zu and %zu: %s, whole: %s", a, b, parts.data, whole.data);
		}
	}
	assert_true(whole.len > 0);
	schema_release(&schema);
	buf_release(&whole);
	buf_release(&parts);
}

static void every_cut_gives_every_record_once(void **state)
{
	(void)state;
	static const struct {
		const char *format, *options, *text;
	} cases[] = {
		{"csv", "{}", "a,b\nc,d\ne,f\n"},
		{"csv", "{\"header\":true}", "x,y\n1,2\n3,4\n5,6"},
		{"csv", "{\"header\":true}", "\n \n#no\nx,y\r\n1,2\r\n\r\n3,4\r5,6\r\r\n7,8\n\r"},
		{"csv", "{\"header\":true}", "\xef\xbb\xbfx\n\"1\"\n2\n"},
		{"csv", "{\"header\":true,\"multiLine\":true,\"escape\":\"\\\"\"}", "x,y\n\"1\n\n\",2\n3,\"4\"\"\r\n\"\r\n\n\n5,6"},
		{"csv", "{\"multiLine\":true}", "\xef\xbb\xbf\"a\nb\",c\r\n\"d\"\r\n#\n"},
		{"csv", "{\"lineSep\":\"|\",\"comment\":\"#\"}", "a\n,b|#c|d,e||f,\rg|"},
		{"jsonl", "{}", "{\"a\":1}\n\n{\"a\":2}\r\n{\"a\":3}\r{\"a\":4}"},
		{"text", "{}", "one\ntwo\r\n\r\n\rthree\n\n"},
		{"text", "{\"lineSep\":\",\"}", "one,two,,three"},
		{"text", "{\"wholetext\":true}", "one\ntwo\n"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		cut_everywhere(cases[i].format, cases[i].options, cases[i].text, strlen(cases[i].text));
}

static void shards_are_a_function_of_size(void **state)
{
	(void)state;
	assert_int_equal(shard_count(0), 1);
	assert_int_equal(shard_count(SHARD_SMALL_BYTES), 1);
	assert_int_equal(shard_count(SHARD_SMALL_BYTES + 1), 2);
	assert_int_equal(shard_count(SHARD_LARGE_FROM - 1), 8);
	assert_int_equal(shard_count(SHARD_LARGE_FROM), 8);
	assert_int_equal(shard_count(SHARD_LARGE_FROM + 1), 9);
	assert_int_equal(shard_count((uint64_t)1 << 40), 256);
	assert_int_equal(shard_begin(10, 3, 3), 10);
	assert_int_equal(shard_begin(UINT64_MAX, 256, 256), UINT64_MAX);
}

/* Windows: a file longer than one, cut in shards, against the same rows made by hand. */
static void long_files_are_read_whole(void **state)
{
	(void)state;
	static const char *const options[] = {"{\"header\":true,\"escape\":\"\\\"\"}",
					      "{\"header\":true,\"escape\":\"\\\"\",\"multiLine\":true}"};
	struct buf csv = BUF_INIT(1 << 26), want = BUF_INIT(1 << 26);
	char dots[97];
	memset(dots, '.', 96);
	dots[96] = 0;
	buf_str(&csv, "n,text\r\n");
	for (int i = 0; i < 100000; i++) {
		buf_printf(&csv, "%d,\"row, \"\"%d\"\" %.*s\"\r\n", i, i, i % 97, dots);
		buf_printf(&want, "{\"n\":\"%d\",\"text\":\"row, \\\"%d\\\" %.*s\"}\n", i, i, i % 97, dots);
	}
	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		struct taken t = data_rows("csv", options[i], csv.data, csv.len);
		assert_true(t.shards > 1);
		assert_true(strcmp(t.rows, buf_cstr(&want)) == 0);
	}
	buf_release(&csv);
	buf_release(&want);
}

/* --- Files ------------------------------------------------------------ */

static void make_files(void)
{
	mkdir(arena_printf(&data_arena, "%s/in", data_dir), 0700);
	mkdir(arena_printf(&data_arena, "%s/in/deep", data_dir), 0700);
	data_write_str("in/b.csv", "2\n");
	data_write_str("in/a.csv", "1\n");
	data_write_str("in/c.txt", "3\n");
	data_write_str("in/_hidden.csv", "9\n");
	data_write_str("in/.dot.csv", "9\n");
	data_write_str("in/deep/d.csv", "4\n");
	data_write_str("in/br[a]ce.csv", "5\n");
}

static const char *rows_of(const char *uri)
{
	return data_must_take(arena_printf(&data_arena, "{\"format\":\"text\",\"uri\":\"%s\"}", uri)).rows;
}

static void uris_find_files(void **state)
{
	(void)state;
	make_files();
	assert_string_equal(rows_of("file:in/a.csv"), "{\"value\":\"1\"}\n");
	assert_string_equal(rows_of(arena_printf(&data_arena, "file:%s/in/a.csv", data_dir)), "{\"value\":\"1\"}\n");
	assert_string_equal(rows_of(arena_printf(&data_arena, "file://%s/in/a.csv", data_dir)), "{\"value\":\"1\"}\n");
	assert_string_equal(rows_of("file:in/?.csv"), "{\"value\":\"1\"}\n{\"value\":\"2\"}\n");
	assert_string_equal(rows_of("file:in/{c.txt,a.csv}"), "{\"value\":\"1\"}\n{\"value\":\"3\"}\n");
	assert_string_equal(rows_of("file:in/*/d.*"), "{\"value\":\"4\"}\n");
	assert_string_equal(rows_of("file:in/br[a]ce.csv"), "{\"value\":\"5\"}\n");
	/* A folder: its files, without hidden ones. */
	assert_string_equal(rows_of("file:in"), "{\"value\":\"1\"}\n{\"value\":\"2\"}\n{\"value\":\"5\"}\n{\"value\":\"3\"}\n");
}

static void nothing_outside_the_roots_is_opened(void **state)
{
	(void)state;
	make_files();
	assert_int_equal(symlink("/etc/passwd", arena_printf(&data_arena, "%s/in/out.csv", data_dir)), 0);
	assert_int_equal(symlink("a.csv", arena_printf(&data_arena, "%s/in/inside.csv", data_dir)), 0);
	assert_int_equal(symlink("/etc", arena_printf(&data_arena, "%s/etc", data_dir)), 0);
	assert_int_equal(mkfifo(arena_printf(&data_arena, "%s/fifo", data_dir), 0600), 0);
	static const struct {
		const char *uri, *part;
	} cases[] = {
		{"file:in/out.csv", "leads out"},     {"file:etc/passwd", "leads out"},   {"file:etc/passw?", "leads out"},
		{"file:/etc/passwd", "not below"},    {"file:///etc/passwd", "not below"}, {"file:../x", "climb"},
		{"file:in/../../etc/passwd", "climb"}, {"file:none.csv", "no such file"},  {"file:no*.csv", "no such file"},
		{"file:fifo", "not a regular"},	      {"file://host/x", "no host"},	   {"http://h/x", "file: URIs"},
		{"in/a.csv", "scheme"},		      {"file:", "empty"},		   {"file:a\\u0000b", "NUL"},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
		data_wants_fault(arena_printf(&data_arena, "{\"format\":\"text\",\"uri\":\"%s\"}", cases[i].uri), "/source/uri",
				 cases[i].part);
	assert_string_equal(rows_of("file:in/inside.csv"), "{\"value\":\"1\"}\n");
	unlink(arena_printf(&data_arena, "%s/in/out.csv", data_dir));
	unlink(arena_printf(&data_arena, "%s/fifo", data_dir));
}

static void sources_are_checked_whole(void **state)
{
	(void)state;
	data_write_str("rows", "a,b\n");
	data_wants_fault("{\"uri\":\"file:rows\"}", "/source/format", NULL);
	data_wants_fault("{\"format\":\"xml\",\"uri\":\"file:rows\"}", "/source/format", "csv");
	data_wants_fault("{\"format\":\"csv\"}", "/source/uri", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":\"file:rows\",\"rows\":[]}", "/source/rows", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":\"file:rows\",\"extra\":1}", "/source/extra", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":7,\"options\":{\"header\":3}}", "/source/options/header", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":\"file:rows\",\"options\":[]}", "/source/options", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":\"file:rows\",\"schema\":[{\"name\":\"v\",\"type\":\"vector\"}]}",
			 "/source/schema/0/type", NULL);
	data_wants_fault("{\"format\":\"csv\",\"uri\":\"file:rows\",\"schema\":[]}", "/source/schema", NULL);
	data_wants_fault("{\"format\":\"text\",\"uri\":\"file:rows\",\"options\":{\"mode\":\"FAILFAST\"}}",
			 "/source/options/mode", NULL);
}

static void a_missing_file_may_come_later(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct schema s = SCHEMA_INIT;
	struct err e;
	err_init(&e);
	const struct json *spec = data_json("{\"format\":\"csv\",\"uri\":\"file:later.csv\"}");
	assert_ok(source_check(spec, "/source", &env, false, &s, &e), &e);
	assert_int_equal(s.count, 0);
	assert_false(source_check(spec, "/source", &env, true, &s, &e));
}

/* --- Compression ------------------------------------------------------------ */

static struct str gzip(const void *in, size_t len)
{
	z_stream z = {0};
	size_t room = len + 1024;
	char *out = arena_alloc(&data_arena, room);
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (Bytef *)(uintptr_t)in;
	z.avail_in = (uInt)len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	struct str made = {out, z.total_out};
	deflateEnd(&z);
	return made;
}

static struct str zstd(const void *in, size_t len)
{
	size_t room = ZSTD_compressBound(len);
	char *out = arena_alloc(&data_arena, room);
	ZSTD_CCtx *z = ZSTD_createCCtx();
	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	struct str made = {out, ZSTD_compress2(z, out, room, in, len)};
	ZSTD_freeCCtx(z);
	return made;
}

static struct str twice(struct str a, struct str b)
{
	char *both = arena_alloc(&data_arena, a.len + b.len);
	memcpy(both, a.data, a.len);
	memcpy(both + a.len, b.data, b.len);
	return (struct str){both, a.len + b.len};
}

static struct str long_text(void)
{
	struct buf b = BUF_INIT(1 << 24);
	for (int i = 0; i < 60000; i++) buf_printf(&b, "line %d of many\n", i);
	struct str text = {arena_strndup(&data_arena, b.data, b.len), b.len};
	buf_release(&b);
	return text;
}

static void compressed_files_are_read_whole(void **state)
{
	(void)state;
	struct str text = long_text(), small = STR("one\ntwo\n");
	data_write("plain.txt", text.data, text.len);
	const char *want = rows_of("file:plain.txt");
	struct str gz = gzip(text.data, text.len), zst = zstd(text.data, text.len);
	data_write("a.txt.gz", gz.data, gz.len);
	data_write("a.txt.zst", zst.data, zst.len);
	assert_string_equal(rows_of("file:a.txt.gz"), want);
	assert_string_equal(rows_of("file:a.txt.zst"), want);
	/* Several members or frames are one text. */
	struct str gz2 = twice(gzip(small.data, 4), gzip(small.data + 4, 4)),
		   zst2 = twice(zstd(small.data, 5), zstd(small.data + 5, 3));
	data_write("b.gz", gz2.data, gz2.len);
	data_write("b.zst", zst2.data, zst2.len);
	assert_string_equal(rows_of("file:b.gz"), "{\"value\":\"one\"}\n{\"value\":\"two\"}\n");
	assert_string_equal(rows_of("file:b.zst"), "{\"value\":\"one\"}\n{\"value\":\"two\"}\n");
	/* Nothing inside is nothing. */
	gz = gzip("", 0);
	data_write("c.gz", gz.data, gz.len);
	assert_string_equal(rows_of("file:c.gz"), "");
}

static void wants_open_error(const char *name, const char *part)
{
	struct taken t;
	struct err e;
	err_init(&e);
	if (data_take(data_spec("text", name, "{}"), &t, &e)) fail_msg("%s was read", name);
	assert_int_equal(e.code, ERR_source);
	if (!strstr(e.detail, part)) fail_msg("%s: %s", name, e.detail);
}

static void damaged_files_are_errors(void **state)
{
	(void)state;
	struct str text = long_text();
	struct str packed[] = {gzip(text.data, text.len), zstd(text.data, text.len)};
	const char *names[] = {"cut.gz", "cut.zst"};
	for (size_t k = 0; k < 2; k++) {
		static const size_t cut_at[] = {0, 1, 9, 20, 1000};
		for (size_t i = 0; i < ARRAY_COUNT(cut_at); i++) {
			data_write(names[k], packed[k].data, cut_at[i]);
			wants_open_error(names[k], "in the middle");
		}
		data_write(names[k], packed[k].data, packed[k].len - 1);
		wants_open_error(names[k], "in the middle");
		char *bad = arena_copy(&data_arena, packed[k].data, packed[k].len);
		bad[packed[k].len / 2] ^= 0x10;
		data_write(names[k], bad, packed[k].len);
		wants_open_error(names[k], "damaged");
		data_write(names[k], "not compressed at all", 21);
		wants_open_error(names[k], "damaged");
		struct str tail = twice(packed[k], STR("rubbish behind it"));
		data_write(names[k], tail.data, tail.len);
		wants_open_error(names[k], "damaged");
	}
}

static void bombs_meet_a_limit(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct source *s;
	struct err e;
	size_t big = 32 << 20;
	char *zeros = mem_zalloc(big, 1);
	struct str gz = gzip(zeros, big), zst = zstd(zeros, big);
	mem_free(zeros);
	data_write("bomb.gz", gz.data, gz.len);
	data_write("bomb.zst", zst.data, zst.len);
	env.inflated_bytes_max = 1 << 20;
	const char *names[] = {"bomb.gz", "bomb.zst"};
	for (size_t i = 0; i < 2; i++) {
		err_init(&e);
		assert_false(source_open(data_json(data_spec("text", names[i], "{}")), &env, &s, &e));
		assert_int_equal(e.code, ERR_source);
		assert_non_null(strstr(e.detail, "once inflated"));
	}
}

static void other_encodings_become_utf8(void **state)
{
	(void)state;
	static const struct {
		const char *encoding, *bytes;
		size_t len;
	} cases[] = {
		{"UTF-16LE", "h\0\xe9\0\n\0=\xd8\x00\xde", 10},
		{"UTF-16", "\xff\xfeh\0\xe9\0\n\0=\xd8\x00\xde", 12},
		{"UTF-16", "\0h\0\xe9\0\n\xd8=\xde\x00", 10},
		{"UTF-16BE", "\xfe\xff\0h\0\xe9\0\n\xd8=\xde\x00", 12},
	};
	for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
		data_write("wide", cases[i].bytes, cases[i].len);
		struct taken t = data_must_take(
		    data_spec("text", "wide", arena_printf(&data_arena, "{\"encoding\":\"%s\"}", cases[i].encoding)));
		assert_string_equal(t.rows, "{\"value\":\"h\xc3\xa9\"}\n{\"value\":\"\xf0\x9f\x98\x80\"}\n");
	}
	data_write("wide", "a\0\0\xd8", 4);
	assert_string_equal(data_must_take(data_spec("text", "wide", "{\"encoding\":\"UTF-16LE\"}")).rows,
			    "{\"value\":\"a\xef\xbf\xbd\"}\n");
}

/* --- Plans ------------------------------------------------------------ */

static void plans_travel_as_bytes(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct source *s, *other;
	struct buf plan = BUF_INIT(1 << 20), a = BUF_INIT(1 << 26), b = BUF_INIT(1 << 26);
	struct source_report report = {0};
	struct batch batch;
	struct err e;
	err_init(&e);
	struct str text = long_text(), gz = gzip(text.data, text.len);
	data_write("plan.csv.gz", gz.data, gz.len);
	const char *spec = data_spec("csv", "plan.csv.gz", "{\"inferSchema\":true,\"sep\":\" \"}");
	assert_ok(source_open(data_json(spec), &env, &s, &e), &e);
	source_encode(s, &plan);
	assert_ok(source_decode(plan.data, plan.len, &env, &other, &e), &e);
	assert_string_equal(data_schema_text(source_schema(other)), "_c0:string,_c1:int,_c2:string,_c3:string");
	assert_int_equal(source_bytes(other), text.len);
	batch_init(&batch, source_schema(s));
	for (size_t i = 0; i < source_shard_count(s); i++) {
		assert_ok(source_read(s, i, NULL, &batch, show, &a, &report, &e), &e);
		assert_ok(source_read(other, i, NULL, &batch, show, &b, &report, &e), &e);
	}
	assert_true(a.len > 0 && a.len == b.len && memcmp(a.data, b.data, a.len) == 0);
	/* Any damage is an error or another plan, never a crash. */
	source_close(other);
	for (size_t len = 0; len < plan.len; len++) {
		err_init(&e);
		assert_false(source_decode(plan.data, len, &env, &other, &e));
	}
	batch_release(&batch);
	source_close(s);
	buf_release(&plan);
	buf_release(&a);
	buf_release(&b);
}

static void a_plan_notices_a_changed_file(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct source_report report = {0};
	struct source *s;
	struct batch b;
	struct err e;
	err_init(&e);
	data_write_str("moving.txt", "one\ntwo\n");
	assert_ok(source_open(data_json(data_spec("text", "moving.txt", "{}")), &env, &s, &e), &e);
	data_write_str("moving.txt", "one\n");
	batch_init(&b, source_schema(s));
	assert_false(source_read(s, 0, NULL, &b, show, NULL, &report, &e));
	assert_int_equal(e.code, ERR_source);
	batch_release(&b);
	source_close(s);
}

static void spooled_input_is_removed(void **state)
{
	(void)state;
	struct source_env env = data_env();
	struct source *s;
	struct err e;
	err_init(&e);
	struct str gz = gzip("a\n", 2);
	data_write("gone.gz", gz.data, gz.len);
	mkdir(arena_printf(&data_arena, "%s/spool", data_dir), 0700);
	env.spool_dir = arena_printf(&data_arena, "%s/spool", data_dir);
	env.memory_max = 8; /* an eighth of it is less than the text: it goes to a file */
	assert_ok(source_open(data_json(data_spec("text", "gone.gz", "{}")), &env, &s, &e), &e);
	assert_int_not_equal(rmdir(env.spool_dir), 0);
	source_close(s);
	/* Small input stays in memory; its descriptor goes with the source. */
	int before = dup(0), after;
	close(before);
	env.memory_max = 1 << 20;
	assert_ok(source_open(data_json(data_spec("text", "gone.gz", "{}")), &env, &s, &e), &e);
	assert_int_equal(rmdir(env.spool_dir), 0);
	source_close(s);
	after = dup(0);
	close(after);
	assert_int_equal(before, after);
}

/* --- Requests ------------------------------------------------------------ */

static void texts_are_read_by_name(void **state)
{
	(void)state;
	struct schema s = SCHEMA_INIT;
	struct source_report report = {0};
	struct buf out = BUF_INIT(1 << 16);
	struct batch b;
	struct err e;
	err_init(&e);
	assert_ok(schema_parse(&s, data_json("[{\"name\":\"a\",\"type\":\"double\"},{\"name\":\"b\",\"type\":\"string\"},"
					     "{\"name\":\"made\",\"type\":\"double\"}]"), "", &e), &e);
	batch_init(&b, &s);
	const char csv[] = "b,other,a\nx,1,2.5\ny,2,\n", json[] = "{\"b\":\"x\",\"zz\":1}\n";
	uint8_t wanted[] = {1, 1, 0};
	assert_ok(source_read_text("csv", csv, strlen(csv), data_json("{\"header\":true}"), wanted, &b, show, &out,
				   &report, &e),
		  &e);
	assert_string_equal(buf_cstr(&out), "{\"a\":2.5,\"b\":\"x\"}{\"a\":null,\"b\":\"y\"}");
	buf_clear(&out);
	assert_ok(source_read_text("jsonl", json, strlen(json), NULL, wanted, &b, show, &out, &report, &e), &e);
	assert_string_equal(buf_cstr(&out), "{\"a\":null,\"b\":\"x\"}");
	assert_false(source_read_text("csv", csv, strlen(csv), data_json("{\"header\":2}"), wanted, &b, show, &out, &report, &e));
	assert_string_equal(e.faults[0].pointer, "/options/header");
	batch_release(&b);
	schema_release(&s);
	buf_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(every_cut_gives_every_record_once, data_arena_reset),
		cmocka_unit_test_teardown(shards_are_a_function_of_size, data_arena_reset),
		cmocka_unit_test_teardown(long_files_are_read_whole, data_arena_reset),
		cmocka_unit_test_teardown(uris_find_files, data_arena_reset),
		cmocka_unit_test_teardown(nothing_outside_the_roots_is_opened, data_arena_reset),
		cmocka_unit_test_teardown(sources_are_checked_whole, data_arena_reset),
		cmocka_unit_test_teardown(a_missing_file_may_come_later, data_arena_reset),
		cmocka_unit_test_teardown(compressed_files_are_read_whole, data_arena_reset),
		cmocka_unit_test_teardown(damaged_files_are_errors, data_arena_reset),
		cmocka_unit_test_teardown(bombs_meet_a_limit, data_arena_reset),
		cmocka_unit_test_teardown(other_encodings_become_utf8, data_arena_reset),
		cmocka_unit_test_teardown(plans_travel_as_bytes, data_arena_reset),
		cmocka_unit_test_teardown(a_plan_notices_a_changed_file, data_arena_reset),
		cmocka_unit_test_teardown(spooled_input_is_removed, data_arena_reset),
		cmocka_unit_test_teardown(texts_are_read_by_name, data_arena_reset),
	};
	return cmocka_run_group_tests(tests, data_dir_make, data_dir_remove);
}
