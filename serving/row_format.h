/* Private to serving/: what the two formats of row_stream bring, and the stream's state. */
#ifndef QUERN_SERVING_ROW_FORMAT_H
#define QUERN_SERVING_ROW_FORMAT_H

#include "data/csv_options.h"
#include "serving/row_stream.h"
#include "serving/scorer.h"

/* A field as it came in. */
struct row_field {
	struct str name;  /* valid during the call that hands it over */
	struct str json;  /* its value's JSON text; data NULL: it came as text */
	struct str text;  /* data NULL: null */
	int slot;         /* column of the pipeline with this name, or SCHEMA_COLUMN_NONE */
};

enum row_next { ROW_NEXT_ERROR, ROW_NEXT_RECORD, ROW_NEXT_MORE };

/* A format of incoming rows. */
struct row_input {
	const char *name;
	bool numbered; /* faults point at the row by number: it is no document of its own */
	/* Takes the next record from *p. ROW_NEXT_MORE: none ends before `end` (which with st->end is the end of
	 * all). */
	enum row_next (*next)(struct row_stream *st, const char **p, const char *end, struct str *record,
			      struct err *e);
	enum json_row_result (*read)(struct row_stream *st, struct str record, struct err *e);
	/* Hands over each field of a record that was read before. */
	void (*fields)(struct row_stream *st, struct str record, void (*each)(void *ctx, const struct row_field *f),
		       void *ctx);
};
extern const struct row_input row_ndjson, row_csv, row_elements;

/* A format of answers. at: row of the batch, or SCORER_DROPPED. */
struct row_output {
	const char *name;
	bool problems; /* a bad row may be answered by a problem object */
	void (*answer)(struct row_stream *st, const struct view *v, size_t at, struct str record);
	/* After the last row; v is what would answer the next one. NULL: nothing. */
	void (*finish)(struct row_stream *st, const struct view *v);
};
extern const struct row_output row_answer_ndjson, row_answer_csv;

/* Field of a CSV header. */
struct row_csv_field {
	struct str name;
	int slot;  /* as in struct row_field */
	bool read; /* into the batch */
};

/* Column of a CSV answer that came in. */
struct row_echo {
	struct str name;
	struct row_field value; /* of the row at hand */
};

struct row_stream {
	const struct predictor *predictor;
	struct predictor_scratch *scratch;
	struct row_stream_options options;
	const struct row_input *input;
	const struct row_output *output;
	struct scorer scorer;
	struct arena arena;    /* header names */
	struct arena row_arena;
	struct buf *out;       /* of the feed at hand */
	struct buf tail;       /* an unfinished record of the last feed */
	bool begun, end;       /* the byte order mark is behind; nothing follows the bytes at hand */
	uint64_t refused;
	struct {               /* CSV in */
		struct csv_record record;
		const char *parsed; /* the text that record was parsed from */
		struct row_csv_field *fields;
		size_t count;       /* 0: the header has not come */
	} csv;
	struct {               /* CSV out */
		bool begun;         /* the header is written */
		struct row_echo *echo;
		size_t count, cap;
	} table;
	uint8_t *came;         /* [input.count]: input columns that are there for good, for scorer.came */
	uint8_t *hidden;       /* [fields of the answer]: its name came in */
	size_t hidden_count;
};

/* Is the incoming field replaced by a column that the view answers? */
static inline bool row_replaced(const struct row_stream *st, const struct view *v, int slot)
{
	return slot >= (int)st->predictor->input.count && v->plan.live[slot];
}

#endif
