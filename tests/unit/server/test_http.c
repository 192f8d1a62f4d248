/* The HTTP layer alone: an application of a few lines behind real sockets. */
#include "tests/support/http_client.h"

#include "base/clock.h"
#include "server/http.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BODY_MAX = 1 << 20, URI_MAX = 8192, SECOND_MS = 1000, HOLD_MS = 200 };

static struct http *http;
static _Atomic int told, ended;
static struct arena arena;

/* --- The application ---------------------------------------------------------------------------------------------- */

static void answer(struct http_request *rq, int status, struct str body)
{
	rq->reply.status = status;
	rq->reply.type = "text/plain";
	buf_append(&rq->reply.body, body.data, body.len);
}

static bool is_path(const struct http_request *rq, const char *path) { return str_is(rq->target, path); }

static bool app_begin(void *ctx QN_UNUSED, struct http_request *rq)
{
	told++;
	rq->body_max = BODY_MAX;
	rq->body_limit = "limits.test";
	if (!is_path(rq, "/refused")) return true;
	answer(rq, 404, STR("refused"));
	return false;
}

static void app_fault(void *ctx QN_UNUSED, struct http_request *rq, const struct err *e)
{
	if (!rq->body_limit) told++; /* begin was not called */
	http_reply_clear(rq);
	answer(rq, err_status(e->code), STR(e->detail));
}

static void *resume_soon(void *ctx)
{
	struct http_request *rq = ctx;
	usleep(20000);
	if (rq->reply.stream) {
		buf_str(&rq->reply.body, "two ");
		rq->reply.stream_end = true;
	} else {
		answer(rq, 200, STR("later"));
	}
	http_resume(rq);
	return NULL;
}

static void in_thread(struct http_request *rq)
{
	pthread_t t;
	assert_int_equal(pthread_create(&t, NULL, resume_soon, rq), 0);
	pthread_detach(t);
}

static bool app_run(void *ctx QN_UNUSED, struct http_request *rq)
{
	if (is_path(rq, "/hold")) usleep(HOLD_MS * 1000);
	if (is_path(rq, "/later")) {
		http_suspend(rq);
		in_thread(rq);
		return false;
	}
	answer(rq, 200, (struct str){rq->body.data, rq->body.len});
	rq->reply.stream = is_path(rq, "/stream");
	if (rq->reply.stream) buf_str(&rq->reply.body, "one ");
	if (is_path(rq, "/target")) buf_append(&rq->reply.body, rq->target.data, rq->target.len);
	if (is_path(rq, "/accept"))
		buf_printf(&rq->reply.body, "%.*s", (int)http_get(rq, HTTP_ACCEPT).len, http_get(rq, HTTP_ACCEPT).data);
	http_reply_headerf(rq, "X-Length", "%zu", rq->body.len);
	http_reply_header(rq, "X-Bad", "a\r\nb: c");
	return true;
}

static void app_drained(void *ctx QN_UNUSED, struct http_request *rq) { in_thread(rq); }

static void app_end(void *ctx QN_UNUSED, struct http_request *rq QN_UNUSED) { ended++; }

static const struct http_app app = {
	.size = 64, .begin = app_begin, .fault = app_fault, .run = app_run, .drained = app_drained, .end = app_end};

static struct http *start_threads(unsigned threads)
{
	struct err e;
	struct http *h;
	err_init(&e);
	struct http_options o = {.listen = "127.0.0.1:0",
				 .threads = threads,
				 .connections_max = 2000,
				 .connection_memory = 16 << 10,
				 .uri_max = URI_MAX,
				 .backlog = 64,
				 .idle_s = 30,
				 .header_s = 2,
				 .request_s = 60,
				 .answer_max = 64 << 20,
				 .app = app};
	assert_ok(http_start(&o, &h, &e), &e);
	return h;
}

static int start(void **state QN_UNUSED)
{
	http = start_threads(2);
	return 0;
}

static int stop(void **state QN_UNUSED)
{
	http_stop(http);
	arena_release(&arena);
	assert_int_equal(told, ended);
	return 0;
}

static struct http_answer say(const char *text)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, text);
	struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
	http_client_close(&c);
	return a;
}

static void assert_body(struct http_answer a, const char *want) { assert_string_equal(a.body.data, want); }

/* --- Framing ------------------------------------------------------------------------------------------------------ */

#define HOST "Host: h\r\n"

/* One row: bytes, the status of the first answer, whether the connection is closed after it, how many answers come in
 * all. */
static const struct {
	const char *what, *bytes;
	int status;
	bool closes;
	int answers;
} framing[] = {
	{"plain GET", "GET /x HTTP/1.1\r\n" HOST "\r\n", 200, false, 1},
	{"two lengths, equal", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400,
	 true, 1},
	{"two lengths, smuggling",
	 "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 40\r\n\r\nhelloGET /y HTTP/1.1\r\n" HOST
	 "\r\n",
	 400, true, 1},
	{"two lengths, long first", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 40\r\nContent-Length: 5\r\n\r\nhello",
	 400, true, 1},
	{"length and chunked",
	 "POST /x HTTP/1.1\r\n" HOST
	 "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /y HTTP/1.1\r\n" HOST "\r\n",
	 400, true, 1},
	{"gzip, chunked", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400, true,
	 1},
	{"xchunked", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400, true, 1},
	{"identity", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 400, true, 1},
	{"chunked twice",
	 "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400,
	 true, 1},
	{"chunked in 1.0", "POST /x HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true, 1},
	{"CHUNKED", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: CHUNKED\r\n\r\n2\r\nab\r\n0\r\n\r\n", 200, false,
	 1},
	{"blank before the colon", "POST /x HTTP/1.1\r\n" HOST "Content-Length : 5\r\n\r\nhello", 400, true, 1},
	{"name with a control byte", "GET /x HTTP/1.1\r\n" HOST "X\x01Y: 1\r\n\r\n", 400, true, 1},
	{"name with parentheses", "GET /x HTTP/1.1\r\n" HOST "X(Y): 1\r\n\r\n", 400, true, 1},
	{"empty name", "GET /x HTTP/1.1\r\n" HOST ": 1\r\n\r\n", 400, true, 1},
	{"empty name, then a second request", "GET /x HTTP/1.1\r\n" HOST ": 1\r\nGET /y HTTP/1.1\r\n" HOST "\r\n", 400,
	 true, 1},
	{"folded line", "GET /x HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\n", 400, true, 1},
	{"carriage return in a value", "GET /x HTTP/1.1\r\n" HOST "X: a\rb\r\n\r\n", 400, true, 1},
	{"bare line feeds", "GET /x HTTP/1.1\n" HOST "X: 1\n\n", 200, false, 1},
	{"blanks around a value", "GET /x HTTP/1.1\r\n" HOST "X: \t a \r\nY:\r\nZ: \r\n\r\n", 200, false, 1},
	{"length +5", "POST /x HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello", 400, true, 1},
	{"length -1", "POST /x HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n", 400, true, 1},
	{"length 0x5", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\nhello", 400, true, 1},
	{"length 5, 5", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 5, 5\r\n\r\nhello", 400, true, 1},
	{"length 1e20", "POST /x HTTP/1.1\r\n" HOST "Content-Length: 100000000000000000000\r\n\r\n", 413, true, 1},
	{"no Host", "GET /x HTTP/1.1\r\n\r\n", 400, true, 1},
	{"no Host in 1.0", "GET /x HTTP/1.0\r\n\r\n", 200, true, 1},
	{"two Hosts", "GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, true, 1},
	{"two Content-Types", "GET /x HTTP/1.1\r\n" HOST "Content-Type: a/b\r\nContent-Type: c/d\r\n\r\n", 400, true,
	 1},
	{"NUL in the target", "GET /a%00b HTTP/1.1\r\n" HOST "\r\n", 400, true, 1},
	{"NUL in the query", "GET /a?b=%00 HTTP/1.1\r\n" HOST "\r\n", 400, true, 1},
	{"8-bit byte in the target", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, true, 1},
	{"target without /", "GET x HTTP/1.1\r\n" HOST "\r\n", 400, true, 1},
	{"absolute target", "GET http://h/target HTTP/1.1\r\n" HOST "\r\n", 200, false, 1},
	{"chunk size of nonsense", "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400, true,
	 1},
	{"bytes after the body are the next request",
	 "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nabGET /y HTTP/1.1\r\n" HOST "\r\n", 200, false, 2},
	{"refused without a body", "GET /refused HTTP/1.1\r\n" HOST "\r\nGET /y HTTP/1.1\r\n" HOST "\r\n", 404, false,
	 2},
	{"refused with a small body",
	 "POST /refused HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabcGET /y HTTP/1.1\r\n" HOST "\r\n", 404, false,
	 2},
	{"refused, chunked",
	 "POST /refused HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 404, true, 1},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true, 1},
};

static void framing_matrix(void **state QN_UNUSED)
{
	for (size_t i = 0; i < ARRAY_COUNT(framing); i++) {
		struct http_client c = http_client_open(http_address(http));
		http_client_say(&c, framing[i].bytes);
		struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
		if (a.status != framing[i].status) fail_msg("%s: %d", framing[i].what, a.status);
		bool close = str_is(http_answer_get(&a, "Connection"), "close");
		if (close != framing[i].closes) fail_msg("%s: Connection: close is %d", framing[i].what, close);
		for (int n = 1; n < framing[i].answers; n++)
			if (http_client_read(&c, &arena, false, 5 * SECOND_MS).status != 200)
				fail_msg("%s: answer %d", framing[i].what, n + 1);
		if (framing[i].closes && !http_client_closed(&c, 5 * SECOND_MS))
			fail_msg("%s: not closed", framing[i].what);
		http_client_close(&c);
	}
}

static void nul_bytes_in_the_head(void **state QN_UNUSED)
{
	static const char in_value[] = "GET /x HTTP/1.1\r\n" HOST "X: a\0b\r\nY: 1\r\n\r\n";
	static const char last[] = "GET /x HTTP/1.1\r\n" HOST "X: a\0b\r\n\r\n";
	static const char first[] = "GET /x HTTP/1.1\r\n" HOST "\0X: a\r\n\r\n";
	static const struct str heads[] = {
		{in_value, sizeof in_value - 1}, {last, sizeof last - 1}, {first, sizeof first - 1}};
	for (size_t i = 0; i < ARRAY_COUNT(heads); i++) {
		struct http_client c = http_client_open(http_address(http));
		http_client_send(&c, heads[i].data, heads[i].len);
		assert_int_equal(http_client_read(&c, &arena, false, 5 * SECOND_MS).status, 400);
		http_client_close(&c);
	}
}

/* --- Bodies ------------------------------------------------------------------------------------------------------- */

static void bodies_come_whole(void **state QN_UNUSED)
{
	assert_body(say("POST /x HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhello"), "hello");
	assert_body(say("POST /x HTTP/1.1\r\n" HOST
			"Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\nT: v\r\n\r\n"),
		    "hello");
	char *big = arena_zalloc(&arena, BODY_MAX + 1, 1);
	memset(big, 'x', BODY_MAX);
	struct http_answer a = http_client_call(http_address(http), &arena, "POST", "/x", "",
						(struct str){big, BODY_MAX});
	assert_int_equal(a.status, 200);
	assert_int_equal(a.body.len, BODY_MAX);
}

static void too_large_by_length_is_answered_before_the_body(void **state QN_UNUSED)
{
	struct http_answer a = say("POST /x HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\n\r\n");
	assert_int_equal(a.status, 413);
	assert_non_null(strstr(a.body.data, "limits.test"));
	assert_true(str_is(http_answer_get(&a, "Connection"), "close"));
	a = say("POST /x HTTP/1.1\r\n" HOST "Content-Length: 1048577\r\nExpect: 100-continue\r\n\r\n");
	assert_int_equal(a.status, 413);
}

/* The client sends all of it before it reads: the answer must not be lost to a reset. */
static void too_large_is_answered_to_a_client_that_only_sends(void **state QN_UNUSED)
{
	size_t len = 8u << 20;
	char *big = arena_zalloc(&arena, len, 1);
	struct http_answer a = http_client_call(http_address(http), &arena, "POST", "/x", "", (struct str){big, len});
	assert_int_equal(a.status, 413);
}

static void too_large_by_chunks_is_answered_at_the_limit(void **state QN_UNUSED)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, "POST /x HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n");
	char *chunk = arena_zalloc(&arena, 65536, 1);
	for (int i = 0; i <= BODY_MAX / 65536; i++) {
		http_client_say(&c, "10000\r\n");
		http_client_send(&c, chunk, 65536);
		http_client_say(&c, "\r\n");
	}
	struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
	assert_int_equal(a.status, 413);
	assert_true(http_client_closed(&c, 5 * SECOND_MS));
	http_client_close(&c);
}

static void expect_continue(void **state QN_UNUSED)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, "POST /x HTTP/1.1\r\n" HOST "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n");
	usleep(50000);
	http_client_say(&c, "ab");
	struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
	assert_int_equal(a.status, 200);
	assert_body(a, "ab");
	http_client_close(&c);
}

/* --- Heads -------------------------------------------------------------------------------------------------------- */

static void long_targets_and_heads(void **state QN_UNUSED)
{
	char *target = arena_zalloc(&arena, 40001, 1);
	memset(target, 'a', 40000);
	target[0] = '/';
	target[URI_MAX] = 0;
	assert_int_equal(http_client_call(http_address(http), &arena, "GET", target, "", (struct str){0}).status, 200);
	target[URI_MAX] = 'a';
	target[URI_MAX + 1] = 0;
	assert_int_equal(http_client_call(http_address(http), &arena, "GET", target, "", (struct str){0}).status, 414);
	target[URI_MAX + 1] = 'a';
	char *header = arena_printf(&arena, "X-Big: %s\r\n", target);
	assert_int_equal(http_client_call(http_address(http), &arena, "GET", "/x", header, (struct str){0}).status,
			 431);
}

static void too_many_parameters(void **state QN_UNUSED)
{
	for (size_t count = 50; count <= 3200; count *= 4) {
		char *target = arena_zalloc(&arena, 2 * count + 4, 1);
		memcpy(target, "/x?", 3);
		for (size_t i = 0; i < count; i++) memcpy(target + 3 + 2 * i, "a&", 2);
		int64_t begin = clock_mono_ns();
		struct http_answer a = http_client_call(http_address(http), &arena, "GET", target, "", (struct str){0});
		assert_int_equal(a.status, count <= 50 ? 200 : 400);
		assert_true(clock_mono_ns() - begin < 5 * INT64_C(1000000000));
	}
}

static void headers_are_found_and_joined(void **state QN_UNUSED)
{
	assert_body(say("GET /accept HTTP/1.1\r\n" HOST "accept: a/b\r\nACCEPT: c/d\r\n\r\n"), "a/b, c/d");
	struct http_answer a = say("POST /x HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc");
	assert_true(str_eq(http_answer_get(&a, "X-Length"), STR("3")));
	assert_null(http_answer_get(&a, "X-Bad").data);
}

static void request_ids(void **state QN_UNUSED)
{
	struct http_answer a = say("GET /x HTTP/1.1\r\n" HOST "X-Request-Id: abc-1.2\r\n\r\n");
	assert_true(str_is(http_answer_get(&a, "X-Request-Id"), "abc-1.2"));
	a = say("GET /x HTTP/1.1\r\n" HOST "X-Request-Id: a\"b c\r\n\r\n");
	assert_int_equal(http_answer_get(&a, "X-Request-Id").len, 16);
}

static void head_has_no_body(void **state QN_UNUSED)
{
	struct http_answer a = http_client_call(http_address(http), &arena, "HEAD", "/target", "", (struct str){0});
	assert_int_equal(a.status, 200);
	assert_true(str_is(http_answer_get(&a, "Content-Length"), "7"));
}

static void pipelined_requests_are_answered_in_order(void **state QN_UNUSED)
{
	enum { DEEP = 200 };
	struct http_client c = http_client_open(http_address(http));
	struct buf all = BUF_INIT(1 << 20);
	for (int i = 0; i < DEEP; i++)
		buf_printf(&all, "POST %s HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\n%04d",
			   i % 50 == 7 ? "/later" : "/x", i);
	http_client_send(&c, all.data, all.len);
	for (int i = 0; i < DEEP; i++) {
		struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
		char want[16];
		snprintf(want, sizeof want, "%04d", i);
		assert_body(a, i % 50 == 7 ? "later" : want);
	}
	buf_release(&all);
	http_client_close(&c);
}

/* --- Suspending and streams --------------------------------------------------------------------------------------- */

static void suspended_requests_are_resumed(void **state QN_UNUSED)
{
	enum { CLIENTS = 100 };
	struct http_client c[CLIENTS];
	for (int i = 0; i < CLIENTS; i++) {
		c[i] = http_client_open(http_address(http));
		http_client_say(&c[i], "GET /later HTTP/1.1\r\n" HOST "\r\n");
	}
	for (int i = 0; i < CLIENTS; i++) {
		assert_body(http_client_read(&c[i], &arena, false, 5 * SECOND_MS), "later");
		http_client_close(&c[i]);
	}
}

static void streams_are_refilled(void **state QN_UNUSED)
{
	assert_body(say("GET /stream HTTP/1.1\r\n" HOST "\r\n"), "one two ");
	assert_int_equal(http_client_call(http_address(http), &arena, "HEAD", "/stream", "", (struct str){0}).status,
			 200);
}

/* Resets at every phase leave no request behind. */
static void clients_that_go_away(void **state QN_UNUSED)
{
	static const char *const cut[] = {"G",
					  "GET /x HT",
					  "GET /x HTTP/1.1\r\nHos",
					  "POST /x HTTP/1.1\r\n" HOST "Content-Length: 9\r\n\r\nab",
					  "GET /later HTTP/1.1\r\n" HOST "\r\n",
					  "GET /stream HTTP/1.1\r\n" HOST "\r\n"};
	for (size_t i = 0; i < 20 * ARRAY_COUNT(cut); i++) {
		struct http_client c = http_client_open(http_address(http));
		struct linger reset = {.l_onoff = 1};
		http_client_say(&c, cut[i % ARRAY_COUNT(cut)]);
		setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
		if (i % 3) usleep(1000);
		http_client_close(&c);
	}
	for (int i = 0; i < 500 && (http_requests(http) || http_connections(http)); i++) usleep(10000);
	assert_int_equal(http_connections(http), 0);
	assert_int_equal(http_requests(http), 0);
}

/* Requests that all are there at once, as many as epoll gives at a time and twice that. */
static void clients_in_step(void **state QN_UNUSED)
{
	enum { STEP = 128, CLIENTS = 2 * STEP };
	static struct http_client c[CLIENTS];
	struct http *one = start_threads(1);
	struct http_client holder = http_client_open(http_address(one));
	for (int i = 0; i < CLIENTS; i++) c[i] = http_client_open(http_address(one));
	for (int n = STEP; n <= CLIENTS; n += STEP) {
		http_client_say(&holder, "GET /hold HTTP/1.1\r\n" HOST "\r\n");
		usleep(HOLD_MS / 4 * 1000);
		for (int i = 0; i < n; i++) http_client_say(&c[i], "GET /x HTTP/1.1\r\n" HOST "\r\n");
		assert_int_equal(http_client_read(&holder, &arena, false, 5 * SECOND_MS).status, 200);
		for (int i = 0; i < n; i++)
			if (http_client_read(&c[i], &arena, false, 5 * SECOND_MS).status != 200)
				fail_msg("client %d of %d is not answered", i + 1, n);
	}
	for (int i = 0; i < CLIENTS; i++) http_client_close(&c[i]);
	http_client_close(&holder);
	http_stop(one);
}

/* --- Deadlines ---------------------------------------------------------------------------------------------------- */

static void headers_that_drip_are_cut_off(void **state QN_UNUSED)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, "GET /x HTTP/1.1\r\n" HOST "X: ");
	int64_t started = clock_mono_ns();
	bool open = true;
	while (open && clock_mono_ns() - started < INT64_C(10) * 1000000000) {
		open = http_client_say(&c, "a") && !http_client_closed(&c, 100);
	}
	assert_false(open);
	assert_true(clock_mono_ns() - started < INT64_C(7) * 1000000000);
	http_client_close(&c);
}

static void idle_connections_stay(void **state QN_UNUSED)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, "GET /x HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(http_client_read(&c, &arena, false, 5 * SECOND_MS).status, 200);
	assert_false(http_client_closed(&c, 4 * SECOND_MS));
	http_client_say(&c, "GET /x HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(http_client_read(&c, &arena, false, 5 * SECOND_MS).status, 200);
	http_client_close(&c);
}

/* --- Addresses ---------------------------------------------------------------------------------------------------- */

static void addresses(void **state QN_UNUSED)
{
	static const struct {
		const char *listen;
		bool ok, loopback;
	} rows[] = {{"127.0.0.1:80", true, true},
		    {"127.9.9.9:0", true, true},
		    {"[::1]:8080", true, true},
		    {"localhost:1", true, true},
		    {"0.0.0.0:80", true, false},
		    {"[::]:80", true, false},
		    {"10.0.0.1:80", true, false},
		    {"127.0.0.1", false, false},
		    {":80", false, false},
		    {"::1:80", false, false},
		    {"127.0.0.1:65536", false, false},
		    {"127.0.0.1:-1", false, false},
		    {"127.0.0.1:http", false, false},
		    {"", false, false}};
	for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
		struct err e;
		err_init(&e);
		bool loopback = false;
		assert_int_equal(http_listen_loopback(rows[i].listen, &loopback, &e), rows[i].ok);
		assert_int_equal(loopback, rows[i].loopback);
	}
	struct err e;
	err_init(&e);
	struct http_options o = {
		.listen = http_address(http), .threads = 1, .connections_max = 10, .backlog = 1, .app = app};
	struct http *second;
	assert_false(http_start(&o, &second, &e));
	assert_non_null(strstr(e.detail, "in use"));
}

static void draining_closes_after_the_answer(void **state QN_UNUSED)
{
	struct http_client c = http_client_open(http_address(http));
	http_client_say(&c, "GET /later HTTP/1.1\r\n" HOST "\r\n");
	usleep(5000);
	http_drain(http);
	struct http_answer a = http_client_read(&c, &arena, false, 5 * SECOND_MS);
	assert_int_equal(a.status, 200);
	assert_true(str_is(http_answer_get(&a, "Connection"), "close"));
	assert_true(http_client_closed(&c, 5 * SECOND_MS));
	http_client_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(framing_matrix),
		cmocka_unit_test(nul_bytes_in_the_head),
		cmocka_unit_test(bodies_come_whole),
		cmocka_unit_test(too_large_by_length_is_answered_before_the_body),
		cmocka_unit_test(too_large_is_answered_to_a_client_that_only_sends),
		cmocka_unit_test(too_large_by_chunks_is_answered_at_the_limit),
		cmocka_unit_test(expect_continue),
		cmocka_unit_test(long_targets_and_heads),
		cmocka_unit_test(too_many_parameters),
		cmocka_unit_test(headers_are_found_and_joined),
		cmocka_unit_test(request_ids),
		cmocka_unit_test(head_has_no_body),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(suspended_requests_are_resumed),
		cmocka_unit_test(streams_are_refilled),
		cmocka_unit_test(clients_that_go_away),
		cmocka_unit_test(clients_in_step),
		cmocka_unit_test(headers_that_drip_are_cut_off),
		cmocka_unit_test(idle_connections_stay),
		cmocka_unit_test(addresses),
		cmocka_unit_test(draining_closes_after_the_answer),
	};
	return cmocka_run_group_tests_name("http", tests, start, stop);
}
