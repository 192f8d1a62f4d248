#include "server/http_guard.h"

#include <strings.h>

static const struct {
	const char *name;
	size_t len;
	bool repeats;
} known[HTTP_HEADER_COUNT] = {
#define HTTP_HEADER(id, name_, repeats_) [HTTP_##id] = {name_, sizeof(name_) - 1, repeats_},
#include "server/http_header.def"
#undef HTTP_HEADER
};

/* tchar of RFC 9110, 5.6.2. */
static const bool token_bytes[256] = {
	['!'] = true,         ['#' ... '\''] = true, ['*'] = true,         ['+'] = true, ['-'] = true, ['.'] = true,
	['0' ... '9'] = true, ['A' ... 'Z'] = true,  ['^' ... 'z'] = true, ['|'] = true, ['~'] = true,
};

static bool is_token(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!token_bytes[(unsigned char)s.data[i]]) return false;
	return s.len > 0;
}

static enum http_header lookup(struct str name)
{
	for (size_t i = 0; i < HTTP_HEADER_COUNT; i++)
		if (known[i].len == name.len && (known[i].name[0] | 0x20) == (name.data[0] | 0x20) &&
		    strncasecmp(known[i].name, name.data, name.len) == 0)
			return (enum http_header)i;
	return HTTP_HEADER_COUNT;
}

static struct str join(struct arena *a, struct str first, struct str second)
{
	char *p = arena_alloc(a, first.len + 2 + second.len + 1);
	memcpy(p, first.data, first.len);
	memcpy(p + first.len, ", ", 2);
	memcpy(p + first.len + 2, second.data, second.len);
	p[first.len + 2 + second.len] = 0;
	return (struct str){p, first.len + 2 + second.len};
}

/* Between head->at and p must be line ends alone, of min to max bytes. */
static void follow(struct http_head *head, const char *p, ptrdiff_t min, ptrdiff_t max)
{
	if (head->at && (p - head->at < min || p - head->at > max))
		head->fault = "the head has a folded line, a NUL byte or an empty name";
}

void http_guard_header(struct http_head *head, struct str name, struct str value)
{
	follow(head, name.data, 1, 2);
	if (head->at) head->at = value.data + value.len;
	if (!is_token(name)) {
		head->fault = "a header name has a byte that names may not have";
		return;
	}
	if (memchr(value.data, '\r', value.len)) head->fault = "a header value has a carriage return";
	enum http_header h = lookup(name);
	if (h == HTTP_HEADER_COUNT) return;
	struct str *slot = &head->values[h];
	if (!slot->data) *slot = value;
	else if (known[h].repeats) *slot = join(head->arena, *slot, value);
	else head->fault = "a header that may occur once occurs twice";
}

static bool read_length(struct str s, uint64_t *out)
{
	uint64_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		if (s.data[i] < '0' || s.data[i] > '9') return false;
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, s.data[i] - '0', &n)) return false;
	}
	*out = n;
	return s.len > 0;
}

const char *http_guard_framing(struct http_head *head, const char *end, bool http_1_0)
{
	follow(head, end, 2, 4);
	if (head->fault) return head->fault;
	struct str length = head->values[HTTP_CONTENT_LENGTH], coding = head->values[HTTP_TRANSFER_ENCODING];
	if (length.data && coding.data) return "Content-Length and Transfer-Encoding in one request";
	if (length.data && !read_length(length, &head->length)) return "Content-Length is no number";
	if (coding.data && (http_1_0 || coding.len != 7 || strncasecmp(coding.data, "chunked", 7) != 0))
		return "the only Transfer-Encoding is chunked, in HTTP/1.1";
	if (!head->values[HTTP_HOST].data && !http_1_0) return "the Host header is missing";
	return NULL;
}

const char *http_guard_target(struct str *target)
{
	struct str t = *target;
	for (size_t i = 0; i < t.len; i++) {
		unsigned char c = (unsigned char)t.data[i];
		if (c <= 0x20 || c >= 0x7f) return "the request target has a byte that must be percent-encoded";
		if (c == '%' && i + 2 < t.len && t.data[i + 1] == '0' && t.data[i + 2] == '0')
			return "the request target has %00 in it";
	}
	if (t.len > 7 && strncasecmp(t.data, "http://", 7) == 0) {
		const char *path = memchr(t.data + 7, '/', t.len - 7);
		if (!path) return "the request target has no path";
		t = (struct str){path, t.len - (size_t)(path - t.data)};
	}
	if (t.len == 0 || t.data[0] != '/') return "the request target must begin with /";
	*target = t;
	return NULL;
}
