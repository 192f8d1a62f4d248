/* What every communicator must do (pipeline/comm.h), run on each rank of a gang at once. A new implementation passes
 * this or is not one. */
#ifndef QUERN_TESTS_COMM_SUITE_H
#define QUERN_TESTS_COMM_SUITE_H

#include "pipeline/comm.h"

/* Collective. False after a line on stderr that says what was wrong. */
bool comm_suite(struct comm *c);

#endif
