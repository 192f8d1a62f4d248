/* The rows a rank holds while it trains: blocks of columns by logical shard, in memory up to a budget, then in a spool file.
 *
 * A dataset is filled batch by batch, then scanned any number of times, always in order (shard, row). Only the columns that
 * later stages need are kept. storageLevel: MEMORY_ONLY never spools (passing the budget is ERR_out_of_memory),
 * MEMORY_AND_DISK spools past the budget, DISK_ONLY always.
 * One rank's thread at a time.
 */
#ifndef QUERN_DATA_DATASET_H
#define QUERN_DATA_DATASET_H

#include "data/batch.h"

enum storage_level { STORAGE_MEMORY_AND_DISK, STORAGE_MEMORY_ONLY, STORAGE_DISK_ONLY };

struct dataset;

struct dataset_options {
	size_t shard_count;  /* of the job, over all ranks */
	uint64_t memory_max; /* bytes of blocks kept in memory by this rank */
	enum storage_level level;
	const char *spool_dir; /* an unlinked file is made in it when needed */
};

struct dataset *dataset_create(const struct schema *schema, const struct dataset_options *o);
void dataset_destroy(struct dataset *d);
/* Appends a batch's rows to shard b->shard; keep[i] says which columns are stored (others come back as empty slots). */
QN_MUST bool dataset_append(struct dataset *d, const struct batch *b, const uint8_t *keep, struct err *e);
uint64_t dataset_rows(const struct dataset *d, size_t shard);
uint64_t dataset_bytes(const struct dataset *d);   /* in memory */
uint64_t dataset_spooled(const struct dataset *d); /* on disk */
/* Calls each with every block of the shard as a batch: borrowed, valid during the call. A block in memory is passed as it
 * lies (no copy); the callee may change values in place only through dataset_rewrite. */
QN_MUST bool dataset_scan(struct dataset *d, size_t shard, bool (*each)(void *ctx, const struct batch *b, struct err *e),
			  void *ctx, struct err *e);
/* Passes every block of the shard through `step`, which may change, add and drop columns and rows; what remains of the
 * columns in keep replaces the block. Memory stays about one block above what it was. */
QN_MUST bool dataset_rewrite(struct dataset *d, size_t shard, const uint8_t *keep,
			     bool (*step)(void *ctx, struct batch *b, struct err *e), void *ctx, struct err *e);

#endif
