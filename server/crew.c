#include "server/crew.h"

#include "base/mem.h"

#include <pthread.h>
#include <stdio.h>

struct member {
	struct crew *crew;
	unsigned index;
	pthread_t thread;
};

struct crew {
	struct crew_options options;
	pthread_mutex_t lock;
	pthread_cond_t pushed;
	struct crew_task *first, **last;
	size_t count;
	bool stopping;
	struct member *members;
	unsigned started;
};

/* NULL: the crew is to end and nothing is left. */
static struct crew_task *take(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	while (!c->first && !c->stopping) pthread_cond_wait(&c->pushed, &c->lock);
	struct crew_task *t = c->first;
	if (t) {
		c->first = t->next;
		if (!c->first) c->last = &c->first;
		c->count--;
	}
	pthread_mutex_unlock(&c->lock);
	return t;
}

static void *member_main(void *ctx)
{
	struct member *m = ctx;
	struct crew *c = m->crew;
	char name[16];
	snprintf(name, sizeof name, "%.11s-%u", c->options.name, m->index);
	pthread_setname_np(pthread_self(), name);
	for (struct crew_task *t; (t = take(c));) c->options.run(c->options.ctx, m->index, t);
	return NULL;
}

bool crew_start(const struct crew_options *o, struct crew **out, struct err *e)
{
	struct crew *c = mem_zalloc(1, sizeof *c);
	c->options = *o;
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->pushed, NULL);
	c->members = mem_zalloc(o->threads, sizeof *c->members);
	for (; c->started < o->threads; c->started++) {
		struct member *m = &c->members[c->started];
		*m = (struct member){.crew = c, .index = c->started};
		if (pthread_create(&m->thread, NULL, member_main, m) == 0) continue;
		crew_stop(c);
		crew_destroy(c);
		return err_set(e, ERR_io, "a thread for requests cannot be started");
	}
	*out = c;
	return true;
}

bool crew_push(struct crew *c, struct crew_task *t, bool again)
{
	pthread_mutex_lock(&c->lock);
	bool taken = !c->stopping && (again || c->count < c->options.queue_max);
	if (taken) {
		t->next = NULL;
		*c->last = t;
		c->last = &t->next;
		c->count++;
		pthread_cond_signal(&c->pushed);
	}
	pthread_mutex_unlock(&c->lock);
	return taken;
}

size_t crew_queued(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	size_t n = c->count;
	pthread_mutex_unlock(&c->lock);
	return n;
}

void crew_stop(struct crew *c)
{
	pthread_mutex_lock(&c->lock);
	c->stopping = true;
	pthread_cond_broadcast(&c->pushed);
	pthread_mutex_unlock(&c->lock);
	for (; c->started > 0; c->started--) pthread_join(c->members[c->started - 1].thread, NULL);
}

void crew_destroy(struct crew *c)
{
	if (!c) return;
	pthread_cond_destroy(&c->pushed);
	pthread_mutex_destroy(&c->lock);
	mem_free(c->members);
	mem_free(c);
}
