/* The columns of CSV files: names from the header as Spark makes them, types by CSVInferSchema's rules (dates and timestamps stay
 * strings, decimals become doubles). */
#ifndef QUERN_DATA_CSV_INFER_H
#define QUERN_DATA_CSV_INFER_H

#include "data/source_format.h"

QN_MUST bool csv_infer(const struct source_config *c, const struct source_range *ranges, size_t count, struct schema *out,
		       struct err *e);

#endif
