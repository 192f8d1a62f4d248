#include "server/commands/cli_config.h"
#include "server/commands/commands.h"

#include "base/log.h"
#include "server/server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum {
	STARTING_WAIT_MS = 5, /* between looks while the service comes up */
	RETRY_WAIT_MS = 500,  /* between attempts to reach Postgres at start */
	IDLE_WAIT_MS = 1000,
};

/* Waits for SIGTERM, SIGINT or SIGHUP, which all threads block; 0: none came in time. */
static int next_signal(const sigset_t *set, int timeout_ms)
{
	struct timespec t = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
	int signal = sigtimedwait(set, NULL, &t);
	return signal > 0 ? signal : 0;
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* A second SIGTERM or SIGINT, while the first is being obeyed, ends the process at once. */
static void on_second_signal(int signal QN_UNUSED) { _exit(CLI_FAILED); }

static void unblock_second_signal(void)
{
	struct sigaction act = {.sa_handler = on_second_signal};
	sigset_t set;
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void reload(struct server *s, const struct cli_config *cli)
{
	struct config c;
	struct err e;
	err_init(&e);
	if (!cli_config_again(cli, &c, &e)) {
		log_err(LOG_ERROR, "reload refused", &e);
		return;
	}
	server_reload(s, &c);
	config_release(&c);
	log_info("reloaded",
		 "log.level and log.requests are as configured now; other settings count from the next start");
}

/* Brings everything up and then waits for the end. False: it could not be brought up. */
static bool run(struct server *s, const sigset_t *signals, const struct cli_config *cli, struct err *e)
{
	bool up = false, announced = false, again;
	char told[ERR_DETAIL_MAX] = "";
	for (;;) {
		if (!up && !(up = server_bring_up(s, &again, e))) {
			if (!again) return false;
			/* Once, not twice a second. */
			if (strcmp(told, e->detail) != 0) log_err(LOG_WARN, "starting", e);
			memcpy(told, e->detail, sizeof told);
			err_init(e);
		}
		if (up && !announced && server_ready(s, e)) {
			printf("quern ready http://%s\n", http_address(s->http));
			fflush(stdout);
			announced = true;
		}
		err_init(e);
		int signal = next_signal(signals, announced ? IDLE_WAIT_MS : up ? STARTING_WAIT_MS : RETRY_WAIT_MS);
		if (signal == SIGHUP) reload(s, cli);
		else if (signal) return true;
	}
}

int command_serve(int argc QN_UNUSED, char **argv)
{
	struct cli_config c;
	struct server *s;
	struct err e;
	sigset_t signals;
	int code;
	err_init(&e);
	if (!cli_config_read(&c, "serve", "Runs the service: HTTP, training, models.", argv, &code)) return code;
	block_signals(&signals);
	bool ok = server_start(&c.config, &s, &e);
	if (ok) {
		log_info("listening", "http://%s", http_address(s->http));
		ok = run(s, &signals, &c, &e);
		if (ok) log_info("stopping", "answering what has come in, saving what is being trained");
		unblock_second_signal();
		server_stop(s);
	}
	code = ok ? CLI_DONE : cli_failed(&c.common, &e);
	if (e.code == ERR_bad_request) code = CLI_USAGE;
	config_release(&c.config);
	return code;
}
