#include "server/commands/meter.h"

#include "base/clock.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, DRAW_MS = 100 };

void meter_init(struct meter *m) { *m = (struct meter){.shown = isatty(STDERR_FILENO) == 1}; }

void meter_draw(struct meter *m, const char *what, double fraction, uint64_t rows, uint64_t rows_total)
{
	int64_t now = clock_mono_ns();
	if (!m->shown || (m->drawn_ns && now - m->drawn_ns < (int64_t)DRAW_MS * 1000000)) return;
	m->drawn_ns = now;
	if (!(fraction >= 0)) fraction = 0;
	if (fraction > 1) fraction = 1;
	int full = (int)(fraction * BAR_WIDTH);
	fprintf(stderr, "\r\033[K[%.*s%*s] %3.0f %%  %.60s", full, "==============================", BAR_WIDTH - full,
		"", fraction * 100, what);
	if (rows_total)
		fprintf(stderr, "  %llu of %llu rows", (unsigned long long)rows, (unsigned long long)rows_total);
	else if (rows) fprintf(stderr, "  %llu rows", (unsigned long long)rows);
	fflush(stderr);
}

void meter_end(struct meter *m)
{
	if (m->shown && m->drawn_ns) fputs("\r\033[K", stderr);
	m->drawn_ns = 0;
}
