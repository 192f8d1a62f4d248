/* JSON for people: a value that fits a line stays on one, a list of plain values fills lines, all else has a member a
 * line, two blanks further in. */
#ifndef QUERN_SERVER_COMMANDS_JSON_PRETTY_H
#define QUERN_SERVER_COMMANDS_JSON_PRETTY_H

#include "base/json.h"

enum { JSON_PRETTY_COLUMNS = 120 };

void json_pretty(struct buf *out, const struct json *v);

#endif
