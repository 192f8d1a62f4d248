/* quern models: what a service has learned. */
#include "base/file.h"
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/resource.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { MODELS_PATH_MAX = 1 << 16 };

struct models_options {
	struct cli_common common;
	const char *url, *out;
};

#define AT(member) offsetof(struct models_options, member)
static const struct cli_option options[] = {
	{"url", CLI_TEXT, AT(url), "URL", "of the service; default $QUERN_URL, else http://127.0.0.1:8080"},
	{"out", CLI_TEXT, AT(out), "FILE", "export: where to; - is standard output", NULL, false, 'o'},
	{0},
};
static const struct cli cli = {
	.command = "models",
	.arguments = "[list | get NAME | versions NAME | export NAME VERSION -o FILE]",
	.help = "Shows the models of a service, or fetches a version as a .quern file.",
	.options = options,
	.args_max = 3,
};

static const struct resource_column model_columns[] = {
	{"NAME", "name"}, {"LATEST", "latest"}, {"UPDATED", "updatedAt"}, {0}};
static const struct resource_column version_columns[] = {
	{"VERSION", "version"}, {"JOB", "job"}, {"SIZE", "size"},
	{"CHECKSUM", "checksum"}, {"CREATED", "createdAt"}, {0},
};

static bool put(void *ctx, const void *p, size_t len) { return file_write(*(const int *)ctx, p, len); }

/* The file takes its name once it is whole. */
static bool export(struct client *c, const char *path, const char *to, struct err *e)
{
	bool is_stdout = strcmp(to, "-") == 0;
	char fresh[4096];
	if (snprintf(fresh, sizeof fresh, "%s.part", to) >= (int)sizeof fresh)
		return err_set(e, ERR_bad_request, "the file's name is too long");
	int fd = is_stdout ? STDOUT_FILENO : open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0) return err_errno(e, "opening %s", fresh);
	struct client_answer answer;
	struct client_call call = {.method = "GET", .path = path, .sink = put, .sink_ctx = &fd};
	bool ok = client_run(c, &call, &answer, e);
	buf_release(&answer.body);
	if (is_stdout) return ok;
	if (close(fd) != 0 && ok) ok = err_errno(e, "writing %s", fresh);
	if (ok && rename(fresh, to) != 0) ok = err_errno(e, "naming %s", to);
	if (!ok) unlink(fresh);
	return ok;
}

enum what { ALL, GET, VERSIONS, EXPORT, MISUSED };

static enum what what_of(int argc, char **argv, const struct models_options *o)
{
	if (argc == 0 || (argc == 1 && strcmp(argv[0], "list") == 0)) return ALL;
	if (argc == 2 && strcmp(argv[0], "get") == 0) return GET;
	if (argc == 2 && strcmp(argv[0], "versions") == 0) return VERSIONS;
	return argc == 3 && strcmp(argv[0], "export") == 0 && o->out ? EXPORT : MISUSED;
}

static bool run(const struct models_options *o, enum what what, char **argv, struct client *c, struct buf *path,
		struct err *e)
{
	buf_str(path, "/models");
	if (what == ALL) return resource_list(c, buf_cstr(path), "models", model_columns, o->common.json, e);
	client_path(path, argv[1]);
	if (what == GET) return resource_call(c, "GET", buf_cstr(path), e);
	client_path(path, "versions");
	if (what == VERSIONS) return resource_list(c, buf_cstr(path), "versions", version_columns, o->common.json, e);
	client_path(path, argv[2]);
	client_path(path, "export");
	return export(c, buf_cstr(path), o->out, e);
}

int command_models(int argc, char **argv)
{
	struct models_options o = {0};
	struct buf path = BUF_INIT(MODELS_PATH_MAX);
	struct client *c;
	struct err e;
	int code;
	err_init(&e);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	enum what what = what_of(argc, argv, &o);
	if (what == MISUSED) return cli_misused(&cli, &o.common);
	if (!client_open(o.url, &c, &e)) return cli_failed(&o.common, &e);
	bool ok = run(&o, what, argv, c, &path, &e);
	buf_release(&path);
	client_close(c);
	return ok ? CLI_DONE : cli_failed(&o.common, &e);
}
