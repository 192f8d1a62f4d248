/* What an SQLSTATE means for us. */
#ifndef QUERN_STORE_PG_ERROR_H
#define QUERN_STORE_PG_ERROR_H

#include "store/pg.h"

struct pg_error_class {
	const char *sqlstate; /* a prefix */
	enum err_code code;
	enum pg_fate fate;
	bool replace; /* the connection is of no more use */
};
/* Never NULL; an unknown or missing SQLSTATE is ERR_internal. */
const struct pg_error_class *pg_error_class(const char *sqlstate);
/* Fills e for a failed statement: message is the server's one-line text. */
bool pg_error(struct err *e, const struct pg_error_class *class, const char *sqlstate, const char *message);
/* ERR_unavailable for a connection that could not be made or has ended. Of libpq's text only the reason is shown: hosts
 * and socket paths are nobody's business at the other end of the API. */
bool pg_error_away(struct err *e, const char *libpq_message);

#endif
