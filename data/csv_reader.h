/* The records of a byte range of a CSV file, blank lines and comments left out. With multiLine a record may span lines and a
 * range must begin at a record (source_format.cut); else lines are cut first and parsed each for itself, as Spark does. */
#ifndef QUERN_DATA_CSV_READER_H
#define QUERN_DATA_CSV_READER_H

#include "data/csv_options.h"

struct csv_reader {
	const struct csv_options *options;
	struct csv_format format;
	struct window window;
	struct lines lines;
	struct csv_record record; /* the record at hand */
	struct str raw;           /* its text */
	uint64_t at;              /* its offset in the file */
	uint64_t line;            /* within the range, from 1 */
	uint64_t lines_seen;      /* multiLine: line ends passed */
	uint64_t end;
	bool first;
	int comment;
};

enum csv_result { CSV_ERROR, CSV_END, CSV_RECORD };

QN_MUST bool csv_reader_open(struct csv_reader *r, const struct source_config *c, const struct source_range *range,
			     struct err *e);
/* Fields, raw and so on are valid until the next call. */
enum csv_result csv_reader_next(struct csv_reader *r, struct err *e);
void csv_reader_close(struct csv_reader *r);

#endif
