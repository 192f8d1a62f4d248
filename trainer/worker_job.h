/* What a launcher hands to quern-worker: descriptors at fixed numbers, and one document that all ranks read.
 *
 *     quern-worker RANK LAUNCHER_PID
 *
 *     3 socket   frames (trainer/frame.h)
 *     4 gang     the shared memory (trainer/gang.h)
 *     5 job      this document, a memfd
 *     6 outbox   a memfd for what is too large for a frame: FRAME_CHECKPOINT and FRAME_RESULT say how many bytes of it
 * count 7 resume   the checkpoint to go on from; may be closed
 */
#ifndef QUERN_TRAINER_WORKER_JOB_H
#define QUERN_TRAINER_WORKER_JOB_H

#include "base/buf.h"
#include "base/err.h"
#include "data/source.h"

enum worker_fd { WORKER_SOCKET = 3, WORKER_GANG, WORKER_JOB, WORKER_OUTBOX, WORKER_RESUME, WORKER_FD_END };
enum { WORKER_FD_COUNT = WORKER_FD_END - WORKER_SOCKET };

/* Exit codes beside MEM_EXIT_OOM: done; failed and said why; cannot even say why. */
enum { WORKER_EXIT_DONE = 0, WORKER_EXIT_FAILED = 1, WORKER_EXIT_USAGE = 2 };

struct worker_job {
	struct str spec;         /* as spec_write gives it */
	const char *spool_dir;
	const char **file_roots; /* NULL-terminated, or NULL */
	size_t record_bytes_max, columns_max, inline_rows_max;
	uint64_t memory_max;     /* of all ranks and what they share */
	uint32_t checkpoint_s;
};

void worker_job_encode(const struct worker_job *j, struct buf *out);
/* Strings point into bytes or live in the arena. */
QN_MUST bool worker_job_decode(const void *bytes, size_t len, struct arena *a, struct worker_job *out);

/* The bytes of a descriptor from 0, mapped read-only and private; len 0 maps nothing. NULL with e filled on failure. */
const void *worker_map(int fd, size_t len, struct err *e);
void worker_unmap(const void *p, size_t len);
QN_MUST bool worker_file_size(int fd, size_t *size, struct err *e);
/* Writes the bytes from 0 on. The file never shrinks, so a reader that has it mapped is safe. */
QN_MUST bool worker_file_fill(int fd, const void *bytes, size_t len, struct err *e);

#endif
