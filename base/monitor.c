#include "base/monitor.h"

#include <time.h>

void monitor_init(struct monitor *m)
{
	pthread_condattr_t attr;
	pthread_mutex_init(&m->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&m->news, &attr);
	pthread_condattr_destroy(&attr);
}

void monitor_destroy(struct monitor *m)
{
	pthread_cond_destroy(&m->news);
	pthread_mutex_destroy(&m->lock);
}

void monitor_enter(struct monitor *m) { pthread_mutex_lock(&m->lock); }

void monitor_leave(struct monitor *m) { pthread_mutex_unlock(&m->lock); }

void monitor_signal(struct monitor *m) { pthread_cond_signal(&m->news); }

bool monitor_wait(struct monitor *m, int64_t until_ns)
{
	enum { SECOND_NS = 1000000000 };
	const struct timespec until = {.tv_sec = until_ns / SECOND_NS, .tv_nsec = until_ns % SECOND_NS};
	return pthread_cond_timedwait(&m->news, &m->lock, &until) == 0;
}
