/* What the http*.c files share; everyone else sees http.h. */
#ifndef QUERN_SERVER_HTTP_PRIVATE_H
#define QUERN_SERVER_HTTP_PRIVATE_H

#include "server/http.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/socket.h>

enum {
	HTTP_PARAMETERS_MAX = 100,     /* in a target; no call takes a tenth of that */
	HTTP_SPARE_MAX = 64,           /* requests kept per thread for the next ones */
	HTTP_SWALLOW_BYTES = 64 << 10, /* a refused body up to this is read, so that the connection can stay */
	HTTP_STREAM_BLOCK = 8 << 10,
	HTTP_RATE_BYTES = 1024, /* per second, over HTTP_RATE_SECONDS, that a body or an answer must move */
	HTTP_RATE_SECONDS = 10,
	HTTP_LINGER_MAX = 256, /* closed connections whose unread bytes are still taken */
	HTTP_LINGER_SECONDS = 2,
	HTTP_LINGER_BYTES = 64 << 20,
	HTTP_ACCEPTS_A_ROUND = 64,
	HTTP_PAUSE_MS = 100, /* no descriptors, or at the connection limit: look again after this */
	HTTP_SWEEP_MS = 1000,
	HTTP_SWEEP_SLICE = 256, /* connections looked at under one hold of the lock */
};

/* --- Connections -------------------------------------------------------------------------------------------------- */

/* What a connection is doing, as the keeper sees it. */
enum http_doing {
	HTTP_IDLE,    /* between requests; headers may be coming */
	HTTP_READING, /* a body is coming */
	HTTP_WORKING, /* the application has it, or a stream is being sent */
	HTTP_WRITING, /* an answer is going */
};

struct http_conn {
	int fd;
	bool linger; /* close only after the client had time to read the answer */
	struct http_thread *thread;
	struct http_flow *flow; /* the request under way */
	/* (count << 2 | doing): written by the HTTP thread alone, so that a step costs one store; times are the
	 * keeper's. */
	_Atomic uint32_t step;
	/* The keeper's: */
	uint32_t seen_step;
	int64_t seen_ns, moved_ns; /* when the step was first seen; when the window of the rate began, or headers began
				      to come */
	uint64_t moved_bytes;
	struct http_conn *prev, *next;
};

static inline void http_conn_step(struct http_conn *c, enum http_doing doing)
{
	uint32_t count = (atomic_load_explicit(&c->step, memory_order_relaxed) >> 2) + 1;
	atomic_store_explicit(&c->step, count << 2 | doing, memory_order_relaxed);
}

/* --- Requests ----------------------------------------------------------------------------------------------------- */

enum http_phase {
	FLOW_HEADERS,  /* until the handler's first call */
	FLOW_BODY,     /* body is collected */
	FLOW_REFUSED,  /* the reply is there; the rest of a small body is read and dropped */
	FLOW_APP,      /* suspended */
	FLOW_ANSWERED, /* resumed, to be queued at the next call */
	FLOW_SENDING,
};

struct http_flow {
	struct http_request rq; /* first: one is cast to the other */
	enum http_phase phase;
	bool told;     /* the application knows of it and will be told of its end */
	bool too_long; /* the target */
	struct MHD_Connection *mhd;
	struct http_conn *conn;
	struct http_thread *thread;
	struct buf target;
	size_t stream_sent; /* of reply.body */
	struct http_flow *next;
	max_align_t app[];
};

/* --- Threads ------------------------------------------------------------------------------------------------------ */

/* An accepted connection on its way to the thread that will serve it. */
struct http_arrival {
	int fd;
	struct sockaddr_storage from;
	socklen_t from_len;
	struct http_arrival *next;
};

struct http_thread {
	struct http *http;
	unsigned index;
	struct MHD_Daemon *daemon;
	struct http_flow *spare;
	size_t spare_count;
	uint64_t id_seed, id_count;
	_Atomic size_t connections, requests; /* connections: from when they are dealt out, before they are opened */
	size_t opened;                        /* connections that libmicrohttpd took, ever */

	pthread_t loop;
	bool loop_runs;
	_Atomic bool stopping;
	int wake_fd;
	struct http_arrival *_Atomic arrivals; /* a stack: anyone pushes, the loop takes all */
} __attribute__((aligned(64)));

struct http_linger {
	int fd;
	int64_t until_ns;
	uint64_t bytes;
};

struct http {
	struct http_options options;
	char address[80];
	struct http_thread *threads;
	_Atomic bool draining, stopping;

	int listen_fd, wake_fd;
	pthread_t keeper;
	bool keeper_runs;
	pthread_mutex_t lock;            /* conns, lingers */
	struct http_conn *conns, *sweep; /* sweep: whom the keeper looks at next */
	struct http_linger lingers[HTTP_LINGER_MAX];
	size_t linger_count;
};

/* http_listen.c: a bound, listening socket, and its address in words. */
QN_MUST bool http_listen_open(const char *listen, unsigned backlog, int *fd, char *address, size_t size, struct err *e);

/* http_loop.c: the thread of one daemon. */
QN_MUST bool http_loop_start(struct http_thread *t, struct err *e);
void http_loop_stop(struct http_thread *t);
/* Any thread. The descriptor is the loop's from now on. */
void http_loop_give(struct http_thread *t, int fd, const struct sockaddr_storage *from, socklen_t from_len);
void http_loop_wake(struct http_thread *t);

/* http_flow.c */
struct http_flow *http_flow_take(struct http_thread *t, struct MHD_Connection *mhd, const char *target);
void http_flow_give(struct http_flow *f);
void http_flow_free_spares(struct http_thread *t);
static inline struct http_flow *http_flow_of(struct http_request *rq) { return (struct http_flow *)rq; }

/* http_body.c: the handler's calls while the request comes in. */
enum MHD_Result http_body_begin(struct http_flow *f, const char *method, const char *version);
enum MHD_Result http_body_take(struct http_flow *f, const char *data, size_t *size);

/* http_send.c */
enum MHD_Result http_send(struct http_flow *f);
/* In the middle of a body libmicrohttpd takes no answer: writes it to the socket itself. The connection must then be
 * ended. */
void http_send_raw(struct http_flow *f);

/* http_keeper.c: accepts, enforces deadlines, lingers. */
QN_MUST bool http_keeper_start(struct http *h, struct err *e);
void http_keeper_stop(struct http *h);
void http_keeper_wake(struct http *h);
void http_keeper_add(struct http *h, struct http_conn *c);
/* Takes the connection off the list; its descriptor is not used again, but for lingering. */
void http_keeper_remove(struct http *h, struct http_conn *c);

#endif
