/* What the API shows of a running job, put together from the frames of its ranks. Indices and texts in frames are
 * hostile. */
#ifndef QUERN_TRAINER_PROGRESS_H
#define QUERN_TRAINER_PROGRESS_H

#include "base/json.h"
#include "trainer/frame.h"

enum { PROGRESS_HISTORY_MAX = 1000 };

enum progress_state { PROGRESS_PENDING, PROGRESS_RUNNING, PROGRESS_SUCCEEDED };

struct progress_stage {
	struct str name;
	enum progress_state state;
	uint64_t iteration;
	double *history; /* objective by iteration, the first PROGRESS_HISTORY_MAX */
	size_t history_count, history_cap;
	int64_t begin_ns, ns;
};

struct progress_shard {
	enum progress_state state;
	unsigned rank;
	uint64_t rows;
};

struct progress {
	const char *phase; /* static */
	double fraction;   /* never falls */
	uint64_t bytes;
	struct progress_stage *stages;
	size_t stage_count, stages_ended;
	struct progress_shard *shards;
	size_t shard_count, shards_ended;
	struct arena arena;
};

/* spec: the job's specification as text; it was checked before. */
void progress_init(struct progress *p, const char *spec, size_t len);
void progress_release(struct progress *p);
/* Takes in a PLAN, PHASE, STAGE or ROWS frame; others and malformed ones are ignored. True when something visible
 * changed. */
bool progress_frame(struct progress *p, unsigned rank, const struct frame *f, int64_t now_ns);
void progress_succeeded(struct progress *p);
/* total is 0 while it is unknown. */
void progress_rows(const struct progress *p, uint64_t *done, uint64_t *total);
/* [{"index","stage","state","iteration","objectiveHistory","seconds"}] */
void progress_stages(const struct progress *p, struct json_writer *w);
/* [{"index","worker","state","rows"}] */
void progress_shards(const struct progress *p, struct json_writer *w);

#endif
