/* quern jobs: what a service does. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/resource.h"

enum { JOBS_PATH_MAX = 1 << 16 };

struct jobs_options {
	struct cli_common common;
	const char *url, *state, *name;
	const char *limit, *tail;
};

#define AT(member) offsetof(struct jobs_options, member)
static const struct cli_option options[] = {
	{"url", CLI_TEXT, AT(url), "URL", "of the service; default $QUERN_URL, else http://127.0.0.1:8080"},
	{"state", CLI_TEXT, AT(state), "STATE", "list: queued, running, succeeded, failed or cancelled"},
	{"name", CLI_TEXT, AT(name), "NAME", "list: jobs of this name"},
	{"limit", CLI_TEXT, AT(limit), "N", "list: at most so many; default 100"},
	{"tail", CLI_TEXT, AT(tail), "N", "logs: the last lines"},
	{0},
};
static const struct cli cli = {
	.command = "jobs",
	.arguments = "[list | get ID | cancel ID | retry ID | delete ID | logs ID]",
	.help = "Shows the jobs of a service, newest first, or does something with one.",
	.options = options,
	.args_max = 2,
};

static const struct resource_column columns[] = {
	{"ID", "id"}, {"NAME", "name"}, {"STATE", "state"}, {"PHASE", "progress.phase"}, {"DONE", "progress.fraction"},
	{"VERSION", "model.version"}, {"CREATED", "createdAt"}, {0},
};

static const struct resource_verb verbs[] = {
	{"get", "GET", NULL},	     {"cancel", "POST", "cancel"}, {"retry", "POST", "retry"},
	{"delete", "DELETE", NULL}, {"logs", "GET", "logs"},	     {0},
};

static bool list(const struct jobs_options *o, struct client *c, struct buf *path, struct err *e)
{
	client_param(path, "limit", o->limit);
	client_param(path, "state", o->state);
	client_param(path, "name", o->name);
	return resource_list(c, buf_cstr(path), "jobs", columns, o->common.json, e);
}

static bool one(const struct jobs_options *o, struct client *c, const struct resource_verb *v, const char *id,
		struct buf *path, struct err *e)
{
	client_path(path, id);
	if (v->below) client_path(path, v->below);
	if (strcmp(v->verb, "logs") == 0) client_param(path, "tail", o->tail);
	return resource_call(c, v->method, buf_cstr(path), e);
}

int command_jobs(int argc, char **argv)
{
	struct jobs_options o = {0};
	struct buf path = BUF_INIT(JOBS_PATH_MAX);
	struct client *c;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	bool all = argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0);
	const struct resource_verb *v = argc == 2 ? resource_verb_find(verbs, argv[0]) : NULL;
	if (!all && !v) return cli_misused(&cli, &o.common);
	if (!client_open(o.url, &c, &e)) return cli_failed(&o.common, &e);
	buf_str(&path, "/jobs");
	bool ok = all ? list(&o, c, &path, &e) : one(&o, c, v, argv[1], &path, &e);
	buf_release(&path);
	client_close(c);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
