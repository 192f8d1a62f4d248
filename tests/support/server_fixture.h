/* The service inside a test program, on a free port, with a private Postgres below a temporary folder. Made in two
 * steps, as `quern serve` does it, so that a test can look at the time between: start binds the port, up brings
 * Postgres, scheduler and models. */
#ifndef QUERN_TESTS_SERVER_FIXTURE_H
#define QUERN_TESTS_SERVER_FIXTURE_H

#include "tests/support/http_client.h"

#include "server/server.h"

/* flags: NULL-terminated settings ("--limits.jobSpecBytes=4KiB") beside the address and the folders. */
void server_fixture_start(const char *const *flags);
/* Waits until /readyz would be 200. */
void server_fixture_up(void);
void server_fixture_stop(void);

struct server *server_fixture(void);
const char *server_fixture_address(void);
/* One exchange on a connection of its own. headers: lines ended by \r\n. body NULL: none. */
struct http_answer server_fixture_call(struct arena *a, const char *method, const char *target, const char *headers,
				       const char *body);
/* Trains a model from rows in place; it is served when this returns. The job's id, in the arena. */
const char *server_fixture_train(struct arena *a, const char *name);

#endif
