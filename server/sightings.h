/* Last-Modified: when this process first saw the body of now under its target. A list or a log has no time of its own,
 * and a resource that changes twice in a second has one that HTTP's whole seconds cannot tell; what was seen when never
 * lies. Bounded: targets share slots, and a forgotten one is only told a later time.
 */
#ifndef QUERN_SERVER_SIGHTINGS_H
#define QUERN_SERVER_SIGHTINGS_H

#include "base/str.h"

enum { SIGHTINGS_SLOTS = 1024 };

struct sightings;

struct sightings *sightings_create(void);
void sightings_destroy(struct sightings *t); /* NULL is fine */
/* *since_s: the time to tell. True: a client that has this time has this body. False while two bodies were seen in one
 * second, which HTTP dates cannot tell apart. Thread-safe. */
bool sightings_look(struct sightings *t, struct str target, uint64_t body, int64_t now_s, int64_t *since_s);

#endif
