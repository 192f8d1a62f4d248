/* Checkpoints of a job: where its fit stood, as bytes, and the files that keep them.
 *
 *     magic "QUERNCKP" · u32 version · u64 fingerprint · u32 stage · block fitted · block solver · SHA-256 of all
 * before
 *
 * The fingerprint says what was being trained on what; a checkpoint of something else is not resumed. A file is written
 * under another name, fsynced and renamed, so a name ending in .ckpt is whole unless the disk lies; the digest catches
 * that too.
 */
#ifndef QUERN_TRAINER_CHECKPOINT_H
#define QUERN_TRAINER_CHECKPOINT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { CHECKPOINTS_KEPT = 2 };

struct checkpoint {
	uint64_t fingerprint;
	uint32_t stage;    /* whose solver's bytes these are */
	struct str fitted; /* pipeline_encode_fitted */
	struct str solver; /* may be empty: the stage starts anew */
};

void checkpoint_encode(const struct checkpoint *c, struct buf *out);
/* False when the bytes are cut, changed or of another version. The strs of *out point into bytes. */
QN_MUST bool checkpoint_decode(const void *bytes, size_t len, struct checkpoint *out);

/* Writes the next file below dir (made when missing) and removes all but the last CHECKPOINTS_KEPT. */
QN_MUST bool checkpoint_write(const char *dir, const void *bytes, size_t len, struct err *e);
/* Opens the newest file that checkpoint_decode accepts, read-only; -1 when there is none. */
int checkpoint_newest(const char *dir);

#endif
