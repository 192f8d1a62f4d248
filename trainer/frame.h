/* What a rank and its launcher say to each other, over one SOCK_SEQPACKET pair a rank: the kernel keeps the bounds of a
 * frame and never hands over half a one. Everything large travels beside it through shared memory files
 * (trainer/worker_job.h).
 *
 * All frames have the same shape; the table says what its parts mean. Bytes that come in are hostile: a worker reads
 * untrusted data and may be subverted.
 */
#ifndef QUERN_TRAINER_FRAME_H
#define QUERN_TRAINER_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { FRAME_BYTES_MAX = 48 << 10, FRAME_TEXT_MAX = 32 << 10 };

enum frame_type {
	/*                   index    count                 value      flag   text                       */
	FRAME_PLAN = 1,   /* shards   bytes of the source                                                */
	FRAME_PHASE,      /*                                                  "reading" …                */
	FRAME_STAGE,      /* stage    iteration             objective         "running", "succeeded"     */
	FRAME_ROWS,       /* shard    rows so far                      ended                             */
	FRAME_LOG,        /*                                                  one line                   */
	FRAME_CHECKPOINT, /*          bytes in the outbox                                                */
	FRAME_SAVED,      /* to the rank, once what is in the outbox was dealt with                      */
	FRAME_RESULT,     /*          bytes in the outbox                                                */
	FRAME_ERROR,      /*                                                  frame_error_text           */
	FRAME_TYPE_END,
};

struct frame {
	enum frame_type type;
	uint32_t index;
	uint64_t count;
	double value;
	bool flag;
	struct str text; /* cut at FRAME_TEXT_MAX when sent */
};

/* Bytes of a frame and back. A decoded text points into bytes. */
void frame_encode(const struct frame *f, struct buf *out);
QN_MUST bool frame_decode(const void *bytes, size_t len, struct frame *out);

/* Blocks until the socket takes it. Fails when the other end is gone. */
QN_MUST bool frame_send(int fd, const struct frame *f, struct err *e);

enum frame_got { FRAME_NONE, FRAME_READY, FRAME_CLOSED, FRAME_MALFORMED };
/* Reads one frame; FRAME_NONE where none has come and wait is false. out->text points into bytes. */
enum frame_got frame_receive(int fd, bool wait, char bytes[FRAME_BYTES_MAX], struct frame *out);

/* Makes text of a rank fit for people and JSON, in place: no control characters, valid UTF-8. */
void frame_text_clean(char *s, size_t len);

/* A struct err as the text of a frame, and back (an ERR_internal when the text is malformed). */
void frame_error_text(const struct err *from, struct buf *out);
void frame_error_read(struct str text, struct err *to);

#endif
