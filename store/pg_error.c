#include "store/pg_error.h"

#include <string.h>

/* https://www.postgresql.org/docs/current/errcodes-appendix.html. The first row that fits counts. */
static const struct pg_error_class classes[] = {
	{"40001", ERR_unavailable, PG_AGAIN, false}, /* serialization_failure */
	{"40P01", ERR_unavailable, PG_AGAIN, false}, /* deadlock_detected */
	/* Plans and prepared statements of a schema or server that has changed under the connection. */
	{"0A000", ERR_unavailable, PG_AGAIN, true},
	{"26000", ERR_unavailable, PG_AGAIN, true},
	{"25006", ERR_unavailable, PG_AGAIN, true}, /* read-only: no longer the primary */
	{"08", ERR_unavailable, PG_LOST, true},     /* connection exceptions */
	{"57P", ERR_unavailable, PG_LOST, true},    /* shutdown, crash of another backend, starting up */
	{"53", ERR_unavailable, PG_SETTLED, false}, /* out of connections, memory, disk */
	{"55P03", ERR_unavailable, PG_SETTLED, false}, /* lock_not_available */
	{"57014", ERR_unavailable, PG_SETTLED, false}, /* statement_timeout */
	{"58", ERR_unavailable, PG_SETTLED, false},    /* the server's own I/O */
	{"25P03", ERR_unavailable, PG_LOST, true},     /* idle_in_transaction_session_timeout */
	{"22", ERR_invalid, PG_SETTLED, false},        /* values that cannot be stored, as \u0000 in a tag */
	{"", ERR_internal, PG_SETTLED, false},
};

const struct pg_error_class *pg_error_class(const char *sqlstate)
{
	const struct pg_error_class *c = classes;
	while (strncmp(sqlstate, c->sqlstate, strlen(c->sqlstate)) != 0) c++;
	return c;
}

bool pg_error(struct err *e, const struct pg_error_class *class, const char *sqlstate, const char *message)
{
	if (class->code == ERR_unavailable) e->retry_after_s = PG_RETRY_AFTER_S;
	return err_set(e, class->code, "Postgres: %s (%s)", message, sqlstate);
}

bool pg_error_away(struct err *e, const char *libpq_message)
{
	static const char before[] = "failed: ";
	const char *reason = libpq_message;
	for (const char *p; (p = strstr(reason, before)) != NULL;) reason = p + sizeof before - 1;
	e->retry_after_s = PG_RETRY_AFTER_S;
	return err_set(e, ERR_unavailable, "Postgres cannot be reached: %.*s", (int)strcspn(reason, "\n"), reason);
}
