/* Who holds leases: a fresh id for every start of a process, and the ids of earlier processes of the same data dir.
 *
 * The file <data dir>/owner holds one id a line and is locked as long as its process lives. So whoever gets the lock
 * knows that the processes that wrote the other lines are dead, and their workers with them (PDEATHSIG): their leases
 * can be given up at once instead of being waited out. A line goes only after its leases are released. Where another
 * process holds the lock, this one has an id all the same, releases nothing and removes nobody's folders.
 */
#ifndef QUERN_TRAINER_OWNER_H
#define QUERN_TRAINER_OWNER_H

#include "base/clock.h"
#include "base/err.h"

enum { OWNER_PREVIOUS_MAX = 64 };

struct owner {
	char id[UUID_TEXT_SIZE];
	char previous[OWNER_PREVIOUS_MAX][UUID_TEXT_SIZE];
	size_t previous_count;
	int fd; /* -1: another process holds the data dir */
};

QN_MUST bool owner_open(const char *data_dir, struct owner *out, struct err *e);
/* The leases of the previous ones were released: only this one's line stays. */
void owner_forget_previous(struct owner *o);
void owner_close(struct owner *o);

#endif
