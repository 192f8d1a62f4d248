#include "trainer/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

void frame_encode(const struct frame *f, struct buf *out)
{
	buf_u32(out, f->type);
	buf_u32(out, f->index);
	buf_u64(out, f->count);
	buf_f64(out, f->value);
	buf_u8(out, f->flag);
	buf_block(out, f->text.data, MIN(f->text.len, (size_t)FRAME_TEXT_MAX));
}

bool frame_decode(const void *bytes, size_t len, struct frame *out)
{
	struct cursor in = CURSOR(bytes, len);
	uint32_t type = cursor_u32(&in);
	struct frame f = {.index = cursor_u32(&in)};
	f.count = cursor_u64(&in);
	f.value = cursor_f64(&in);
	uint8_t flag = cursor_u8(&in);
	f.text.data = cursor_block(&in, &f.text.len);
	if (in.bad || cursor_left(&in) || flag > 1 || f.text.len > FRAME_TEXT_MAX) return false;
	if (type == 0 || type >= FRAME_TYPE_END) return false;
	f.type = (enum frame_type)type;
	f.flag = flag;
	*out = f;
	return true;
}

bool frame_send(int fd, const struct frame *f, struct err *e)
{
	struct buf b = BUF_INIT(FRAME_BYTES_MAX);
	ssize_t n;
	frame_encode(f, &b);
	CHECK(buf_ok(&b));
	do n = send(fd, b.data, b.len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	bool ok = n == (ssize_t)b.len || err_errno(e, "talking to the other end");
	buf_release(&b);
	return ok;
}

enum frame_got frame_receive(int fd, bool wait, char bytes[FRAME_BYTES_MAX], struct frame *out)
{
	ssize_t n;
	do n = recv(fd, bytes, FRAME_BYTES_MAX, MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT));
	while (n < 0 && errno == EINTR);
	if (n < 0) return errno == EAGAIN ? FRAME_NONE : FRAME_CLOSED;
	if (n == 0) return FRAME_CLOSED;
	if (n > FRAME_BYTES_MAX || !frame_decode(bytes, (size_t)n, out)) return FRAME_MALFORMED;
	return FRAME_READY;
}

/* --- Errors ------------------------------------------------------------------------------------------------------ */

void frame_error_text(const struct err *from, struct buf *out)
{
	size_t kept = MIN(from->fault_count, (size_t)ERR_FAULTS_MAX);
	buf_u32(out, from->code);
	buf_block(out, from->detail, strlen(from->detail));
	buf_u32(out, (uint32_t)kept);
	for (size_t i = 0; i < kept; i++) {
		buf_block(out, from->faults[i].pointer, strlen(from->faults[i].pointer));
		buf_block(out, from->faults[i].detail, strlen(from->faults[i].detail));
	}
}

void frame_text_clean(char *s, size_t len)
{
	bool valid = str_utf8_valid(s, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < 0x20 || c == 0x7f) s[i] = ' ';
		else if (c >= 0x80 && !valid) s[i] = '?';
	}
}

/* The next block as clean text that fits an err's member; false when there is none. */
static bool read_text(struct cursor *in, char *out, size_t out_size)
{
	size_t len;
	const char *s = cursor_block(in, &len);
	if (in->bad) return false;
	len = MIN(len, out_size - 1);
	if (len) memcpy(out, s, len);
	out[len] = 0;
	frame_text_clean(out, len);
	return true;
}

void frame_error_read(struct str text, struct err *to)
{
	struct cursor in = CURSOR(text.data, text.len);
	char pointer[ERR_POINTER_MAX], detail[ERR_DETAIL_MAX], what[ERR_DETAIL_MAX];
	uint32_t code = cursor_u32(&in);
	bool ok = code != ERR_NONE && code < ERR_CODE_COUNT && read_text(&in, detail, sizeof detail);
	uint32_t faults = cursor_u32(&in);
	err_init(to);
	for (uint32_t i = 0; ok && i < MIN(faults, (uint32_t)ERR_FAULTS_MAX); i++) {
		ok = read_text(&in, pointer, sizeof pointer) && read_text(&in, what, sizeof what);
		if (ok) err_fault(to, pointer, "%s", what);
	}
	if (ok && !in.bad) err_set(to, (enum err_code)code, "%s", detail);
	else err_set(to, ERR_internal, "a worker reported a malformed error");
}
