/* Files of rows through a model file's LSH stage, for `quern neighbors` and `quern similarity`. */
#ifndef QUERN_SERVER_COMMANDS_HASHED_FILE_H
#define QUERN_SERVER_COMMANDS_HASHED_FILE_H

#include "serving/hashed_rows.h"

/* output_col may be NULL. The predictor is the caller's to destroy, after hashed_rows_release; both whatever comes back. */
QN_MUST bool hashed_file_model(const char *model, const char *output_col, struct predictor **p, struct hashed_rows *h,
			       struct err *e);
/* Each row of the file, in order; one that cannot be hashed ends the run. file and format as for rows_input_open. */
QN_MUST bool hashed_file_read(const struct hashed_rows *h, const char *file, const char *format, hashed_rows_each *each,
			      void *ctx, struct err *e);

#endif
