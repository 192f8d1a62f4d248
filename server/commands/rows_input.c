#include "server/commands/rows_input.h"

#include "data/inflate.h"
#include "serving/row_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

enum { ROWS_PIECE = 1 << 20 };
#define ROWS_ANSWER_BYTES_MAX ((size_t)4 << 30) /* of one piece's rows */

const char *const rows_formats[] = {"ndjson", "csv", NULL};

static const struct {
	const char *ending, *format;
} endings[] = {{".ndjson", "ndjson"}, {".jsonl", "ndjson"}, {".json", "ndjson"}, {".csv", "csv"}};

static bool ends_with(struct str s, const char *ending)
{
	size_t n = strlen(ending);
	return s.len >= n && strncasecmp(s.data + s.len - n, ending, n) == 0;
}

const char *rows_format_of(const char *file)
{
	struct str name = STR(file);
	if (ends_with(name, ".gz")) name.len -= strlen(".gz");
	else if (ends_with(name, ".zst")) name.len -= strlen(".zst");
	for (size_t i = 0; i < ARRAY_COUNT(endings); i++)
		if (ends_with(name, endings[i].ending)) return endings[i].format;
	return NULL;
}

/* --- Pieces ------------------------------------------------------------------------------------------------------- */

/* A plain file is taken as it comes, so that rows of a pipe are answered when they come. */
static bool read_piece(struct rows_input *in, struct err *e)
{
	if (in->inflate) {
		if (!inflate_read(in->inflate, in->piece, ROWS_PIECE, &in->len, e)) return false;
		in->end = in->len < ROWS_PIECE;
		return true;
	}
	ssize_t n;
	do n = read(in->fd, in->piece, ROWS_PIECE);
	while (n < 0 && errno == EINTR);
	if (n < 0) return err_errno(e, "reading %s", in->name);
	in->len = (size_t)n;
	in->end = n == 0;
	return true;
}

static const char *format_by_first_byte(const struct rows_input *in)
{
	size_t i = 0;
	while (i < in->len && memchr(" \t\r\n", in->piece[i], 4)) i++;
	return i == in->len || in->piece[i] == '{' ? "ndjson" : "csv";
}

bool rows_input_open(struct rows_input *in, const char *file, const char *format, struct err *e)
{
	bool is_stdin = !file || strcmp(file, "-") == 0;
	*in = (struct rows_input){.name = is_stdin ? "standard input" : file, .first = true};
	in->fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	if (in->fd < 0) return err_errno(e, "opening %s", in->name);
	enum inflate_kind kind = inflate_kind_of(STR(in->name));
	if (!is_stdin && kind != INFLATE_NONE) in->inflate = inflate_open(kind, in->fd, in->name);
	in->piece = mem_alloc(ROWS_PIECE);
	if (!read_piece(in, e)) {
		rows_input_close(in);
		return false;
	}
	in->format = format ? format : is_stdin ? NULL : rows_format_of(file);
	if (!in->format) in->format = format_by_first_byte(in);
	return true;
}

bool rows_input_next(struct rows_input *in, struct str *piece, bool *end, struct err *e)
{
	if (!in->first && !read_piece(in, e)) return false;
	in->first = false;
	*piece = (struct str){in->piece, in->len};
	*end = in->end;
	return true;
}

bool rows_input_run(struct rows_input *in, struct row_stream *st,
		    bool (*sink)(void *ctx, const struct buf *answers, struct err *e), void *ctx, struct err *e)
{
	struct buf out = BUF_INIT(ROWS_ANSWER_BYTES_MAX);
	struct str piece;
	bool ok = true;
	for (bool end = false; ok && !end;) {
		buf_clear(&out);
		ok = rows_input_next(in, &piece, &end, e) && row_stream_feed(st, piece.data, piece.len, end, &out, e);
		/* What came before the failure was answered. */
		struct err lost;
		err_init(&lost);
		if (!sink(ctx, &out, ok ? e : &lost)) ok = false;
	}
	buf_release(&out);
	return ok;
}

void rows_input_close(struct rows_input *in)
{
	inflate_close(in->inflate);
	if (in->fd > STDIN_FILENO) close(in->fd);
	mem_free(in->piece);
	*in = (struct rows_input){.fd = -1};
}
