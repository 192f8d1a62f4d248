/* The peer of /predict: what libmicrohttpd alone can do, as its manual says for the best throughput, with the limits of
 * `quern serve`; the handler reads the body of a POST and answers a constant.
 *
 *     bare_mhd THREADS        prints "listening PORT" and serves until SIGTERM */
#include "base/check.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECTIONS_MAX = 10000, CONNECTION_MEMORY = 32 << 10, IDLE_SECONDS = 30, BACKLOG = 1024 };

static enum MHD_Result handle(void *cls QN_UNUSED, struct MHD_Connection *c, const char *url QN_UNUSED,
			      const char *method QN_UNUSED, const char *version QN_UNUSED, const char *data QN_UNUSED,
			      size_t *size, void **slot)
{
	static char answer[] = "{\"sentiment\":0.96}";
	static int seen;
	if (!*slot) {
		*slot = &seen;
		return MHD_YES;
	}
	if (*size) {
		*size = 0;
		return MHD_YES;
	}
	struct MHD_Response *r = MHD_create_response_from_buffer(sizeof answer - 1, answer, MHD_RESPMEM_PERSISTENT);
	MHD_add_response_header(r, "Content-Type", "application/json");
	enum MHD_Result queued = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return queued;
}

int main(int argc, char **argv)
{
	unsigned threads = argc > 1 ? (unsigned)atoi(argv[1]) : 1;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	sigset_t end;
	int got;
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	struct MHD_OptionItem pool[] = {{MHD_OPTION_THREAD_POOL_SIZE, threads, NULL}, {MHD_OPTION_END, 0, NULL}};
	if (threads < 2) pool[0].option = MHD_OPTION_END;
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
						handle, NULL, MHD_OPTION_SOCK_ADDR, &at, MHD_OPTION_CONNECTION_LIMIT,
						(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
						(unsigned)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
						(size_t)CONNECTION_MEMORY, MHD_OPTION_LISTEN_BACKLOG_SIZE,
						(unsigned)BACKLOG, MHD_OPTION_ARRAY, pool, MHD_OPTION_END);
	if (!d) {
		fprintf(stderr, "bare_mhd: libmicrohttpd does not start\n");
		return 1;
	}
	printf("listening %u\n", MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT)->port);
	fflush(stdout);
	sigwait(&end, &got);
	MHD_stop_daemon(d);
	return 0;
}
