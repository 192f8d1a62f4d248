#include "server/commands/command.h"

#include "base/json.h"
#include "base/str.h"

#include <stdio.h>
#include <unistd.h>

extern char **environ;

static bool wants_json(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		if (strcmp(argv[i], "--json") == 0) return true;
	return false;
}

static void print_lines(const struct err *e)
{
	fprintf(stderr, "quern: %s\n", *e->detail ? e->detail : err_title(e->code));
	for (size_t i = 0; i < e->fault_count && i < ERR_FAULTS_MAX; i++)
		fprintf(stderr, "  %s: %s\n", e->faults[i].pointer, e->faults[i].detail);
	if (e->fault_count > ERR_FAULTS_MAX) fprintf(stderr, "  and %zu more\n", e->fault_count - ERR_FAULTS_MAX);
}

static void print(int argc, char **argv, const struct err *e)
{
	if (!wants_json(argc, argv)) {
		print_lines(e);
		return;
	}
	struct buf text = BUF_INIT(1 << 20);
	struct json_writer w = JSON_WRITER(&text);
	json_problem(&w, e, NULL);
	fprintf(stderr, "%s\n", buf_cstr(&text));
	buf_release(&text);
}

int command_failed(int argc, char **argv, const struct err *e)
{
	print(argc, argv, e);
	return COMMAND_FAILED;
}

int command_usage(int argc, char **argv, const struct err *e)
{
	print(argc, argv, e);
	return COMMAND_USAGE;
}

bool command_flag(int *argc, char **argv, const char *flag)
{
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], flag) != 0) continue;
		for (int j = i; j < *argc; j++) argv[j] = argv[j + 1]; /* with the NULL at the end */
		--*argc;
		return true;
	}
	return false;
}

static const char *config_file(char **argv)
{
	static const char flag[] = "--config";
	for (; *argv; argv++) {
		if (strcmp(*argv, flag) == 0) return argv[1];
		if (strncmp(*argv, "--config=", sizeof flag) == 0) return *argv + sizeof flag;
	}
	return NULL;
}

bool command_config(struct config *c, char **argv, struct err *e)
{
	struct config_input in = {.file = config_file(argv), .environment = environ, .flags = argv};
	return config_load(c, &in, e);
}
