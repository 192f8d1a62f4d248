/* docs/stages.md: the catalogue as a page. */
#ifndef QUERN_SERVER_COMMANDS_STAGES_PAGE_H
#define QUERN_SERVER_COMMANDS_STAGES_PAGE_H

#include "base/buf.h"

/* Stages by name, then evaluators by name; each with its parameters. */
void stages_page(struct buf *out);

#endif
