/* One Postgres server process of one cluster folder: finding, starting, stopping it. It runs in a session of its own,
 * so that it outlives us and our terminal's signals, and under an account that is not root's. */
#ifndef QUERN_STORE_POSTMASTER_H
#define QUERN_STORE_POSTMASTER_H

#include "base/err.h"

#include <limits.h>
#include <sys/types.h>

/* The account that server programs run as: ours, or when we are root the first of quern, postgres and nobody that
 * exists. */
struct account {
	uid_t uid;
	gid_t gid;
};
struct account account_unprivileged(void);

struct postmaster {
	char bin[PATH_MAX];     /* folder of the server programs */
	char cluster[PATH_MAX]; /* data folder, absolute */
	char run[PATH_MAX];     /* folder of the socket */
	char log[PATH_MAX];     /* what it says before its own log is open */
	struct account account;
	pid_t pid;  /* 0: not running as far as we know */
	bool child; /* of ours, to be reaped */
};

/* Runs a server program to its end; its output goes to p->log. */
QN_MUST bool postmaster_run_tool(const struct postmaster *p, const char *const argv[], struct err *e);
/* True when the cluster's postmaster lives; sets pid to the one there is, or 0. */
bool postmaster_alive(struct postmaster *p);
/* Starts it and waits until it takes connections. */
QN_MUST bool postmaster_start(struct postmaster *p, struct err *e);
/* Waits until a postmaster that lives takes connections. */
QN_MUST bool postmaster_wait(struct postmaster *p, struct err *e);
/* Fast shutdown, and an immediate one when that takes too long. */
void postmaster_stop(struct postmaster *p);

#endif
