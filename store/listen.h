/* LISTEN on the channels quern_jobs and quern_models, on a connection of its own, in a thread of its own. NOTIFY is a
 * hint: everything works without it, by polling. After any reconnect: LISTEN first, then on_event with an empty
 * payload, which means "look at everything". */
#ifndef QUERN_STORE_LISTEN_H
#define QUERN_STORE_LISTEN_H

#include "store/store.h"

struct listener;
typedef void (*listener_event)(void *ctx, const char *channel, const char *payload);

struct listener *listener_start(struct store *s, listener_event on_event, void *ctx);
void listener_stop(struct listener *l);

#endif
