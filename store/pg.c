#include "store/pg.h"

#include "base/clock.h"
#include "store/pg_error.h"

#include <errno.h>
#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_BINARY = 1 };

struct pg {
	PGconn *conn;
	int64_t wait_ns; /* the longest time without an answer before the server counts as gone */
	bool broken;
	enum pg_fate fate;
	PGnotify *notify; /* the last one handed out */
	bool prepared[QUERY_COUNT];
};

/* --- Failing ------------------------------------------------------------------------------------------------------ */

static bool lost(struct pg *c, const char *message, struct err *e)
{
	c->broken = true;
	c->fate = PG_LOST;
	return pg_error_away(e, message);
}

static bool failed(struct pg *c, const PGresult *r, struct err *e)
{
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	/* Errors that libpq makes itself have no SQLSTATE: they are about the connection. */
	if (!sqlstate) return lost(c, PQresultErrorMessage(r), e);
	const struct pg_error_class *class = pg_error_class(sqlstate);
	c->fate = class->fate;
	c->broken |= class->replace;
	return pg_error(e, class, sqlstate, message ? message : "");
}

/* --- Waiting ------------------------------------------------------------------------------------------------------ */

static bool wait_socket(struct pg *c, short events, int64_t deadline, struct err *e)
{
	for (;;) {
		int64_t left_ms = (deadline - clock_mono_ns()) / 1000000;
		if (left_ms <= 0) return lost(c, "no answer in time", e);
		struct pollfd fd = {.fd = PQsocket(c->conn), .events = events};
		int n = poll(&fd, 1, (int)left_ms);
		if (n > 0) return true;
		if (n < 0 && errno != EINTR) return lost(c, strerror(errno), e);
	}
}

/* Sends what is queued, reading meanwhile: a server that is blocked on its own answers does not take more. */
static bool flush(struct pg *c, int64_t deadline, struct err *e)
{
	for (int n; (n = PQflush(c->conn)) != 0;) {
		if (n < 0) return lost(c, PQerrorMessage(c->conn), e);
		if (!wait_socket(c, POLLIN | POLLOUT, deadline, e)) return false;
		if (!PQconsumeInput(c->conn)) return lost(c, PQerrorMessage(c->conn), e);
	}
	return true;
}

static bool next_result(struct pg *c, int64_t deadline, PGresult **out, struct err *e)
{
	while (PQisBusy(c->conn)) {
		if (!wait_socket(c, POLLIN, deadline, e)) return false;
		if (!PQconsumeInput(c->conn)) return lost(c, PQerrorMessage(c->conn), e);
	}
	*out = PQgetResult(c->conn);
	return true;
}

static bool is_good(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

/* Reads answers until the server is ready again: only then is a statement outside a transaction committed, and an error
 * may still follow its rows. *last is the last good result, the error the first bad one. */
static bool finish(struct pg *c, PGresult **last, struct err *e)
{
	int64_t deadline = clock_mono_ns() + c->wait_ns;
	if (!flush(c, deadline, e)) return false;
	bool ok = true;
	PGresult *r = NULL, *good = NULL;
	while (next_result(c, deadline, &r, e) && r) {
		if (is_good(r)) {
			PQclear(good);
			good = r;
			continue;
		}
		if (ok) ok = failed(c, r, e);
		PQclear(r);
	}
	if (ok && !c->broken) {
		*last = good;
		return true;
	}
	PQclear(good);
	return false;
}

static bool finish_quietly(struct pg *c, struct err *e)
{
	PGresult *r;
	if (!finish(c, &r, e)) return false;
	PQclear(r);
	return true;
}

/* --- Connecting --------------------------------------------------------------------------------------------------- */

/* Warnings and notices of the server: we cause none that anybody could act on. */
static void no_notice(void *ctx QN_UNUSED, const PGresult *r QN_UNUSED) {}

/* What the session must have whatever the server's configuration says. As a statement and not as the start-up packet's
 * `options`, which poolers refuse. */
static bool session_init(struct pg *c, unsigned statement_timeout_ms, struct err *e)
{
	struct pg_params p = {0};
	pg_param_i64(&p, statement_timeout_ms);
	return pg_exec(c, QUERY_store_session, &p, NULL, e);
}

static PGconn *connect_to(const char *url, unsigned statement_timeout_ms)
{
	char connect_timeout[16], user_timeout[16];
	snprintf(connect_timeout, sizeof connect_timeout, "%d", PG_CONNECT_TIMEOUT_S);
	snprintf(user_timeout, sizeof user_timeout, "%u", statement_timeout_ms + PG_MARGIN_MS);
	const struct {
		const char *name, *value;
	} options[] = {
		/* What stands before dbname yields to the URL, what stands after overrides it. */
		{"fallback_application_name", "quern"},
		{"connect_timeout", connect_timeout},
		{"keepalives", "1"},
		{"keepalives_idle", "10"},
		{"keepalives_interval", "5"},
		{"keepalives_count", "3"},
		{"tcp_user_timeout", user_timeout},
		{"target_session_attrs", "read-write"},
		{"dbname", url},
		{"client_encoding", "UTF8"},
		{NULL, NULL},
	};
	const char *names[ARRAY_COUNT(options)], *values[ARRAY_COUNT(options)];
	for (size_t i = 0; i < ARRAY_COUNT(options); i++) {
		names[i] = options[i].name;
		values[i] = options[i].value;
	}
	return PQconnectdbParams(names, values, true);
}

bool pg_open(const char *url, unsigned statement_timeout_ms, struct pg **out, struct err *e)
{
	struct pg *c = mem_zalloc(1, sizeof *c);
	c->wait_ns = (int64_t)(statement_timeout_ms + PG_MARGIN_MS) * 1000000;
	c->conn = connect_to(url, statement_timeout_ms);
	bool ok = c->conn && PQstatus(c->conn) == CONNECTION_OK;
	if (!ok) {
		pg_error_away(e, c->conn ? PQerrorMessage(c->conn) : "out of memory");
	} else {
		PQsetNoticeReceiver(c->conn, no_notice, NULL);
		PQsetnonblocking(c->conn, 1);
		ok = session_init(c, statement_timeout_ms, e);
	}
	if (ok)
		*out = c;
	else
		pg_close(c);
	return ok;
}

void pg_close(struct pg *c)
{
	if (!c) return;
	PQfreemem(c->notify);
	PQfinish(c->conn);
	mem_free(c);
}

int pg_version(const struct pg *c) { return PQserverVersion(c->conn); }
enum pg_fate pg_fate(const struct pg *c) { return c->fate; }

bool pg_renew(struct pg *c)
{
	c->fate = PG_SETTLED;
	if (c->broken || PQstatus(c->conn) != CONNECTION_OK) return false;
	struct pollfd fd = {.fd = PQsocket(c->conn), .events = POLLIN};
	/* A server that has gone says so, or its socket does: there is something to read though nothing was asked. */
	if (poll(&fd, 1, 0) > 0 && (!PQconsumeInput(c->conn) || PQstatus(c->conn) != CONNECTION_OK)) return false;
	return PQtransactionStatus(c->conn) == PQTRANS_IDLE;
}

/* --- Statements --------------------------------------------------------------------------------------------------- */

static bool prepare(struct pg *c, enum query q, struct err *e)
{
	if (c->prepared[q]) return true;
	if (!PQsendPrepare(c->conn, query_name(q), query_text(q), 0, NULL)) return lost(c, PQerrorMessage(c->conn), e);
	return c->prepared[q] = finish_quietly(c, e);
}

bool pg_exec(struct pg *c, enum query q, const struct pg_params *p, struct pg_rows *rows, struct err *e)
{
	static const struct pg_params none = {0};
	if (!p) p = &none;
	c->fate = PG_SETTLED;
	if (!prepare(c, q, e)) return false;
	if (!PQsendQueryPrepared(c->conn, query_name(q), p->count, p->values, p->lengths, p->formats, ANSWER_BINARY))
		return lost(c, PQerrorMessage(c->conn), e);
	PGresult *r;
	if (!finish(c, &r, e)) return false;
	if (rows)
		*rows = (struct pg_rows){.result = r, .count = PQntuples(r)};
	else
		PQclear(r);
	return true;
}

static bool script(struct pg *c, const char *sql, PGresult **r, struct err *e)
{
	c->fate = PG_SETTLED;
	if (!PQsendQuery(c->conn, sql)) return lost(c, PQerrorMessage(c->conn), e);
	return finish(c, r, e);
}

bool pg_script(struct pg *c, const char *sql, struct err *e)
{
	PGresult *r;
	if (!script(c, sql, &r, e)) return false;
	PQclear(r);
	return true;
}

bool pg_commit(struct pg *c, struct err *e)
{
	PGresult *r;
	if (!script(c, "COMMIT", &r, e)) return false;
	bool committed = strcmp(PQcmdStatus(r), "COMMIT") == 0;
	PQclear(r);
	return committed || err_set(e, ERR_internal, "Postgres: a transaction that had failed was to be committed");
}

void pg_rollback(struct pg *c)
{
	struct err ignored;
	err_init(&ignored);
	enum pg_fate fate = c->fate;
	if (!c->broken && !pg_script(c, "ROLLBACK", &ignored)) c->broken = true;
	c->fate = fate;
}

/* --- Rows --------------------------------------------------------------------------------------------------------- */

void pg_rows_clear(struct pg_rows *r)
{
	PQclear(r->result);
	*r = (struct pg_rows){0};
}

int pg_rows_column(const struct pg_rows *r, const char *name) { return PQfnumber(r->result, name); }
unsigned pg_rows_type(const struct pg_rows *r, int column) { return PQftype(r->result, column); }

const void *pg_rows_value(const struct pg_rows *r, int row, int column, size_t *len)
{
	if (PQgetisnull(r->result, row, column)) return NULL;
	*len = (size_t)PQgetlength(r->result, row, column);
	return PQgetvalue(r->result, row, column);
}

/* --- Notifications ------------------------------------------------------------------------------------------------ */

bool pg_wait_notify(struct pg *c, int wake_fd, const char **channel, const char **payload, bool *got, struct err *e)
{
	PQfreemem(c->notify);
	while (!(c->notify = PQnotifies(c->conn))) {
		struct pollfd fds[] = {{.fd = PQsocket(c->conn), .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
		if (poll(fds, ARRAY_COUNT(fds), -1) < 0 && errno != EINTR) return lost(c, strerror(errno), e);
		if (fds[1].revents) {
			*got = false;
			return true;
		}
		if (fds[0].revents && !PQconsumeInput(c->conn)) return lost(c, PQerrorMessage(c->conn), e);
	}
	*channel = c->notify->relname;
	*payload = c->notify->extra;
	return *got = true;
}
