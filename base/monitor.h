/* A lock with a condition whose waits follow the monotonic clock: what a thread needs that works when there is news or when it is
 * time. Enter before anything below is called; leave after. */
#ifndef QUERN_BASE_MONITOR_H
#define QUERN_BASE_MONITOR_H

#include "base/check.h"

#include <pthread.h>

struct monitor {
	pthread_mutex_t lock;
	pthread_cond_t news;
};

void monitor_init(struct monitor *m);
void monitor_destroy(struct monitor *m);
void monitor_enter(struct monitor *m);
void monitor_leave(struct monitor *m);
/* One of those who wait looks again. */
void monitor_signal(struct monitor *m);
/* Until a signal (or for no reason, as conditions do); false: clock_mono_ns() has reached until_ns. */
bool monitor_wait(struct monitor *m, int64_t until_ns);

#endif
