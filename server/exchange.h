/* One request on its way through the server, and what handlers are.
 *
 * A handler reads x->rq, x->target and x->params, fills the reply (server/reply.h) and says how it went. It may run
 * more than once: after MUST_BLOCK it is called anew, after PARKED (with x->again set) to look again.
 */
#ifndef QUERN_SERVER_EXCHANGE_H
#define QUERN_SERVER_EXCHANGE_H

#include "server/crew.h"
#include "server/http.h"
#include "server/negotiate.h"
#include "server/target.h"
#include "server/waiters.h"

struct server;
struct lane;
struct route;

enum { EXCHANGE_PARAMS_MAX = 3 };

struct exchange {
	struct http_request *rq;
	struct server *server;
	struct lane *lane; /* of the thread that runs the handler now */
	const struct route *route;
	struct target target;
	struct str params[EXCHANGE_PARAMS_MAX]; /* of the path, in order */
	enum media media;                       /* of the body */
	enum coding coding;
	bool decoded; /* rq->body is no longer compressed */

	/* For handlers that wait: */
	bool again;
	struct waiter waiter;
	uint64_t mark;
	int64_t deadline_ns;
	char job_id[UUID_TEXT_SIZE];
	int64_t seq;         /* the last event sent */
	int64_t sent_ns;     /* when something was sent last */
	bool streams, ended; /* counts as a client of events; its stream has ended */

	struct crew_task task;
};

enum outcome {
	ANSWERED,   /* the reply is there */
	MUST_BLOCK, /* on an HTTP thread: call again on one that may wait */
	PARKED,     /* with the waiters; x is not the handler's any more */
};
typedef enum outcome route_handler(struct exchange *x);

/* A waiting handler's last act: PARKED, or ANSWERED where the server stops (then the reply must be there). */
enum outcome exchange_park(struct exchange *x, int64_t deadline_ns);

#endif
