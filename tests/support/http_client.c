#include "tests/support/http_client.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_MAX = 1 << 30, CALL_TIMEOUT_MS = 30000 };

struct http_client http_client_open(const char *address)
{
	const char *colon = strrchr(address, ':');
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(colon + 1))};
	char host[64] = "";
	memcpy(host, address, (size_t)(colon - address));
	assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
	struct http_client c = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .in = BUF_INIT(ANSWER_MAX)};
	assert_int_equal(connect(c.fd, (struct sockaddr *)&to, sizeof to), 0);
	return c;
}

void http_client_close(struct http_client *c)
{
	close(c->fd);
	buf_release(&c->in);
}

bool http_client_send(struct http_client *c, const void *bytes, size_t len)
{
	for (const char *p = bytes; len > 0;) {
		ssize_t n = send(c->fd, p, len, MSG_NOSIGNAL);
		if (n <= 0) return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

/* Receives some more; false at the end, on an error or at the deadline. */
static bool more(struct http_client *c, int64_t until_ns)
{
	char block[16 << 10];
	int64_t left_ms = (until_ns - clock_mono_ns()) / 1000000;
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	if (left_ms < 0 || poll(&p, 1, (int)left_ms) <= 0) return false;
	ssize_t n = recv(c->fd, block, sizeof block, 0);
	if (n > 0) buf_append(&c->in, block, (size_t)n);
	return n > 0;
}

static void drop(struct http_client *c, size_t len)
{
	memmove(c->in.data, c->in.data + len, c->in.len - len);
	c->in.len -= len;
}

static bool need(struct http_client *c, size_t len, int64_t until)
{
	while (c->in.len < len)
		if (!more(c, until)) return false;
	return true;
}

/* Length of what ends with `mark`, mark included; 0: it does not come. */
static size_t until_mark(struct http_client *c, const char *mark, int64_t until)
{
	for (;;) {
		char *at = c->in.len ? memmem(c->in.data, c->in.len, mark, strlen(mark)) : NULL;
		if (at) return (size_t)(at - c->in.data) + strlen(mark);
		if (!more(c, until)) return 0;
	}
}

static bool read_chunks(struct http_client *c, struct buf *body, int64_t until)
{
	for (;;) {
		size_t line = until_mark(c, "\r\n", until);
		if (line == 0) return false;
		size_t size = strtoul(c->in.data, NULL, 16);
		drop(c, line);
		if (!need(c, size + 2, until)) return false;
		buf_append(body, c->in.data, size);
		drop(c, size + 2);
		if (size == 0) return true;
	}
}

static bool read_body(struct http_client *c, const struct http_answer *answer, struct buf *body, int64_t until)
{
	struct str length = http_answer_get(answer, "Content-Length");
	if (http_answer_get(answer, "Transfer-Encoding").data) return read_chunks(c, body, until);
	if (!length.data) {
		while (more(c, until)) {}
		buf_append(body, c->in.data, c->in.len);
		drop(c, c->in.len);
		return true;
	}
	size_t size = strtoul(length.data, NULL, 10);
	if (!need(c, size, until)) return false;
	buf_append(body, c->in.data, size);
	drop(c, size);
	return true;
}

struct http_answer http_client_read(struct http_client *c, struct arena *a, bool head_only, int timeout_ms)
{
	int64_t until = clock_mono_ns() + (int64_t)timeout_ms * 1000000;
	struct http_answer answer = {0};
	size_t head = until_mark(c, "\r\n\r\n", until);
	if (head == 0) return answer;
	answer.head = (struct str){arena_strndup(a, c->in.data, head), head};
	int status = atoi(answer.head.data + strlen("HTTP/1.1 "));
	drop(c, head);
	if (status == 100) return http_client_read(c, a, head_only, timeout_ms);
	struct buf body = BUF_INIT(ANSWER_MAX);
	if (head_only || status == 204 || status == 304 || read_body(c, &answer, &body, until)) answer.status = status;
	answer.body = (struct str){arena_strndup(a, body.data, body.len), body.len};
	buf_release(&body);
	return answer;
}

bool http_client_closed(struct http_client *c, int timeout_ms)
{
	int64_t until = clock_mono_ns() + (int64_t)timeout_ms * 1000000;
	size_t before = c->in.len;
	struct pollfd p = {.fd = c->fd, .events = POLLIN};
	while (more(c, until)) {}
	return c->in.len == before && poll(&p, 1, 0) == 1;
}

struct str http_answer_get(const struct http_answer *answer, const char *name)
{
	size_t len = strlen(name);
	const char *p = answer->head.data;
	while (p && (p = strstr(p, "\r\n"))) {
		p += 2;
		if (strncasecmp(p, name, len) != 0 || p[len] != ':') continue;
		p += len + 1;
		p += strspn(p, " ");
		return (struct str){p, strcspn(p, "\r")};
	}
	return (struct str){0};
}

struct http_answer http_client_call(const char *address, struct arena *a, const char *method, const char *target,
				    const char *headers, struct str body)
{
	struct http_client c = http_client_open(address);
	struct buf out = BUF_INIT(ANSWER_MAX);
	buf_printf(&out, "%s %s HTTP/1.1\r\nHost: test\r\n%s", method, target, headers);
	if (body.data) buf_printf(&out, "Content-Length: %zu\r\n", body.len);
	buf_str(&out, "\r\n");
	buf_append(&out, body.data, body.len);
	http_client_send(&c, out.data, out.len);
	struct http_answer answer = http_client_read(&c, a, strcmp(method, "HEAD") == 0, CALL_TIMEOUT_MS);
	buf_release(&out);
	http_client_close(&c);
	return answer;
}
