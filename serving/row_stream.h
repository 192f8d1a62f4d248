/* Rows as a stream of bytes through a predictor: NDJSON or CSV in pieces of any size, answers as NDJSON or CSV,
 * order kept. Memory is bounded by a piece, a batch and the longest record. Behind prediction requests of many lines
 * and `quern apply`.
 *
 * CSV is RFC 4180 with a header both ways: nothing between separators is null, "" is the empty string; blank lines
 * are skipped. A row that cannot be answered is a problem object on its line where answers are NDJSON, and ends the
 * stream where they are CSV. One thread at a time. */
#ifndef QUERN_SERVING_ROW_STREAM_H
#define QUERN_SERVING_ROW_STREAM_H

#include "serving/predictor.h"

struct row_stream;

struct row_stream_options {
	/* "ndjson" or "csv"; input also "elements": those of a JSON array that was scanned before, without its brackets. */
	const char *input, *output;
	enum predictor_output answer;
	bool strict;  /* unknown fields are faults */
	bool whole;   /* a row that cannot be answered ends the stream, as it does where answers are CSV */
	bool lenient; /* NDJSON: members that are missing are null, as in sources; else they are faults */
	/* With PREDICT_FULL: answers carry the fields that came in too, the columns made after them, then those
	 * fields of the response whose names are not taken. A column made replaces what came under its name. */
	bool echo;
	const char *prefix;  /* of the pointers of rows that have numbers: not NDJSON's; NULL: "" */
	/* Where given: what is wrong with rows is added here, each answers null, and the stream goes on. */
	struct err *faults;
	size_t rows_max;         /* ERR_too_large past it */
	size_t record_bytes_max; /* of one row's text */
};

/* Predictor and scratch are borrowed until the stream is closed. */
struct row_stream *row_stream_open(const struct predictor *p, struct predictor_scratch *s,
				   const struct row_stream_options *o);
/* Takes the next bytes and appends the answers of all rows that end in them; end: nothing follows. Pieces of about a
 * mebibyte fill batches well. After a failure the stream can only be closed. */
QN_MUST bool row_stream_feed(struct row_stream *st, const char *bytes, size_t len, bool end, struct buf *out,
			     struct err *e);
uint64_t row_stream_rows(const struct row_stream *st);
uint64_t row_stream_refused(const struct row_stream *st); /* rows answered by a problem */
void row_stream_close(struct row_stream *st);             /* NULL is fine */

#endif
