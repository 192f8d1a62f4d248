/* Rows from a file or standard input, piece by piece; .gz and .zst are inflated. */
#ifndef QUERN_SERVER_COMMANDS_ROWS_INPUT_H
#define QUERN_SERVER_COMMANDS_ROWS_INPUT_H

#include "base/err.h"
#include "base/str.h"

struct inflate;
struct buf;
struct row_stream;

#define ROWS_RECORD_BYTES_MAX ((size_t)64 << 20) /* of one row's text */

struct rows_input {
	const char *name;   /* for messages */
	const char *format; /* "ndjson" or "csv" */
	int fd;
	struct inflate *inflate; /* NULL: plain */
	char *piece;
	size_t len;
	bool first, end;
};

extern const char *const rows_formats[]; /* "ndjson", "csv", NULL */

/* "ndjson" or "csv" by the name's ending; NULL: it does not tell. */
const char *rows_format_of(const char *file);
/* file NULL or "-": standard input. format NULL: by the file's ending, else by the first byte ({ begins ndjson).
 * Reads the first piece. */
QN_MUST bool rows_input_open(struct rows_input *in, const char *file, const char *format, struct err *e);
/* The next piece, valid until the next call; *end: nothing follows. */
QN_MUST bool rows_input_next(struct rows_input *in, struct str *piece, bool *end, struct err *e);
/* Every piece through the stream, and what it answers, piece by piece, to sink; what came before a failure too. */
QN_MUST bool rows_input_run(struct rows_input *in, struct row_stream *st,
			    bool (*sink)(void *ctx, const struct buf *answers, struct err *e), void *ctx, struct err *e);
void rows_input_close(struct rows_input *in);

#endif
