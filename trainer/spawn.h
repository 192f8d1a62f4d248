/* Starts quern-worker: its own session, no signals blocked, an environment of what it needs and nothing else (a
 * server's may hold a database's password), and only the descriptors of trainer/worker_job.h beside stdin, stdout and
 * stderr. */
#ifndef QUERN_TRAINER_SPAWN_H
#define QUERN_TRAINER_SPAWN_H

#include "base/err.h"
#include "trainer/worker_job.h"

#include <sys/types.h>

/* fds[i] becomes descriptor WORKER_SOCKET + i; -1: closed. They stay the caller's. The calling thread must live as long
 * as the worker: PDEATHSIG follows the thread. */
QN_MUST bool spawn_worker(const char *path, unsigned rank, const int fds[WORKER_FD_COUNT], pid_t *pid, struct err *e);

#endif
