/* A progress bar on standard error, one line drawn over and over; nothing where that is no terminal. */
#ifndef QUERN_SERVER_COMMANDS_METER_H
#define QUERN_SERVER_COMMANDS_METER_H

#include "base/check.h"

struct meter {
	bool shown;     /* standard error is a terminal */
	int64_t drawn_ns;
};

void meter_init(struct meter *m);
/* what: "reviews: fitting". rows_total 0: not known. */
void meter_draw(struct meter *m, const char *what, double fraction, uint64_t rows, uint64_t rows_total);
/* Clears the line. */
void meter_end(struct meter *m);

#endif
