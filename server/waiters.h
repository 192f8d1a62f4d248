/* Requests that wait for a job to change: long polls and event streams.
 *
 * To miss no change: take the mark, look, and park with the mark; a change in between wakes at once. Being woken says
 * only "look again": it comes for a change, for the time that was asked for, and every second or so without a reason,
 * because NOTIFY is a hint and other processes' progress is not announced. The more wait, the rarer the last:
 * WAITERS_LOOKS_A_SECOND in all.
 */
#ifndef QUERN_SERVER_WAITERS_H
#define QUERN_SERVER_WAITERS_H

#include "base/clock.h"
#include "base/err.h"

enum { WAITERS_LOOK_MS = 1000, WAITERS_LOOKS_A_SECOND = 200 };

struct waiters;

struct waiter {
	struct waiter *prev, *next;
	char key[UUID_TEXT_SIZE];
	int64_t due_ns;
};

/* wake is called without locks held, on any thread; the waiter is the callee's again. */
QN_MUST bool waiters_start(void (*wake)(void *ctx, struct waiter *w), void *ctx, struct waiters **out, struct err *e);
uint64_t waiters_mark(struct waiters *ws, const char *key);
/* From here on the waiter is not the caller's, unless false is returned: no one waits any more. deadline: monotonic. */
QN_MUST bool waiters_park(struct waiters *ws, struct waiter *w, const char *key, uint64_t mark, int64_t deadline_ns);
/* key NULL: anything may have changed. Any thread. */
void waiters_notify(struct waiters *ws, const char *key);
size_t waiters_count(struct waiters *ws);
/* Wakes all; nobody can park afterwards. */
void waiters_close(struct waiters *ws);
void waiters_destroy(struct waiters *ws); /* NULL is fine */

#endif
