#include "server/commands/cli.h"

#include "base/file.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

enum { CLI_OPTIONS_MAX = 32, CLI_PROBLEM_MAX = 1 << 20, FIRST_LONG = 256 };

static const struct cli_option common_options[] = {
	{"json", CLI_FLAG, offsetof(struct cli_common, json), NULL, "errors, and what is shown, as JSON"},
	{"help", CLI_FLAG, offsetof(struct cli_common, help), NULL, "this text", NULL, false, 'h'},
};

/* The command's options, then the common ones. */
static size_t list_options(const struct cli *cli, const struct cli_option *out[CLI_OPTIONS_MAX])
{
	size_t n = 0;
	for (const struct cli_option *o = cli->options; o && o->name; o++) out[n++] = o;
	for (size_t i = 0; i < ARRAY_COUNT(common_options); i++) out[n++] = &common_options[i];
	CHECK(n <= CLI_OPTIONS_MAX);
	return n;
}

/* --- Help --------------------------------------------------------------------------------------------------------- */

static void print_choices(const struct cli_option *o)
{
	for (size_t i = 0; o->choices && o->choices[i]; i++) printf("%s%s", i ? ", " : ": ", o->choices[i]);
	putchar('\n');
}

static void print_help(const struct cli *cli)
{
	const struct cli_option *options[CLI_OPTIONS_MAX];
	size_t n = list_options(cli, options);
	printf("usage: quern %s%s%s [OPTION]...\n\n%s\n\n", cli->command, *cli->arguments ? " " : "", cli->arguments,
	       cli->help);
	for (size_t i = 0; i < n; i++) {
		char left[64];
		snprintf(left, sizeof left, "--%s%s%s", options[i]->name, options[i]->value ? " " : "",
			 options[i]->value ? options[i]->value : "");
		printf("  %-24s %s%s", left, options[i]->help, options[i]->required ? " (required)" : "");
		print_choices(options[i]);
	}
}

/* --- Parsing ------------------------------------------------------------------------------------------------------ */

/* One reading of a command line. */
struct reading {
	const struct cli *cli;
	struct cli_common *values;
	const struct cli_option *options[CLI_OPTIONS_MAX];
	size_t count;
	uint64_t given; /* bit i: options[i] */
};

QN_PRINTF(2, 3) static bool usage_fault(const struct reading *r, const char *fmt, ...)
{
	struct err e;
	va_list args;
	err_init(&e);
	va_start(args, fmt);
	err_setv(&e, ERR_bad_request, fmt, args);
	va_end(args);
	cli_failed(r->values, &e);
	if (!r->values->json) fprintf(stderr, "quern %s --help says more\n", r->cli->command);
	return false;
}

static bool is_choice(const struct cli_option *o, const char *value)
{
	for (size_t i = 0; o->choices[i]; i++)
		if (strcmp(o->choices[i], value) == 0) return true;
	return false;
}

static bool take_value(const struct reading *r, const struct cli_option *o, const char *value)
{
	void *to = (char *)r->values + o->offset;
	int64_t n;
	switch (o->type) {
	case CLI_FLAG: *(bool *)to = true; return true;
	case CLI_COUNT:
		if (!str_to_i64(STR(value), &n) || n < 1)
			return usage_fault(r, "--%s must be a number, at least 1", o->name);
		*(uint64_t *)to = (uint64_t)n;
		return true;
	case CLI_NUMBER:
		if (str_to_double(STR(value), to)) return true;
		return usage_fault(r, "--%s must be a number", o->name);
	case CLI_CHOICE:
		if (!is_choice(o, value)) return usage_fault(r, "--%s cannot be \"%s\"", o->name, value);
		__attribute__((fallthrough));
	default: *(const char **)to = value; return true;
	}
}

static bool nothing_missing(const struct reading *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->options[i]->required && !(r->given >> i & 1))
			return usage_fault(r, "--%s is missing", r->options[i]->name);
	return true;
}

static bool right_count(const struct reading *r, int count)
{
	if (count < r->cli->args_min) return usage_fault(r, "an argument is missing: %s", r->cli->arguments);
	if (count > r->cli->args_max) return usage_fault(r, "there are too many arguments");
	return true;
}

static size_t by_letter(const struct reading *r, char letter)
{
	size_t i = 0;
	while (r->options[i]->letter != letter) i++;
	return i;
}

static bool read_options(struct reading *r, int argc, char **argv)
{
	struct option longs[CLI_OPTIONS_MAX + 1] = {{0}};
	char letters[2 * CLI_OPTIONS_MAX + 2] = ":";
	int got;
	for (size_t i = 0; i < r->count; i++) {
		const struct cli_option *o = r->options[i];
		bool flag = o->type == CLI_FLAG;
		longs[i] = (struct option){o->name, flag ? no_argument : required_argument, NULL, FIRST_LONG + (int)i};
		if (o->letter) strcat(letters, (char[]){o->letter, flag ? 0 : ':', 0});
	}
	opterr = 0;
	while ((got = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		if (got == ':') return usage_fault(r, "%s needs a value", argv[optind - 1]);
		if (got == '?') return usage_fault(r, "there is no option %s", argv[optind - 1]);
		size_t at = got >= FIRST_LONG ? (size_t)(got - FIRST_LONG) : by_letter(r, (char)got);
		if (!take_value(r, r->options[at], optarg)) return false;
		r->given |= (uint64_t)1 << at;
	}
	return r->values->help || (nothing_missing(r) && right_count(r, argc - optind));
}

bool cli_parse(const struct cli *cli, int *argc, char **argv, struct cli_common *values, int *code)
{
	struct reading r = {.cli = cli, .values = values};
	r.count = list_options(cli, r.options);
	values->command = cli->command;
	/* Known before the rest is read, so that what is wrong with the rest is said that way. */
	for (int i = 1; i < *argc; i++) values->json |= strcmp(argv[i], "--json") == 0;
	*code = CLI_USAGE;
	if (!read_options(&r, *argc, argv)) return false;
	if (values->help) {
		print_help(cli);
		*code = CLI_DONE;
		return false;
	}
	*argc -= optind;
	memmove(argv, argv + optind, (size_t)*argc * sizeof *argv);
	return true;
}

int cli_misused(const struct cli *cli, const struct cli_common *c)
{
	struct err e;
	err_init(&e);
	err_set(&e, ERR_bad_request, "the arguments are %s", cli->arguments);
	cli_failed(c, &e);
	return CLI_USAGE;
}

/* --- Saying ------------------------------------------------------------------------------------------------------- */

static void say_problem(const struct err *e)
{
	struct buf text = BUF_INIT(CLI_PROBLEM_MAX);
	struct json_writer w = JSON_WRITER(&text);
	json_problem(&w, e, NULL);
	fprintf(stderr, "%s\n", buf_cstr(&text));
	buf_release(&text);
}

int cli_failed(const struct cli_common *c, const struct err *e)
{
	size_t faults = MIN(e->fault_count, (size_t)ERR_FAULTS_MAX);
	if (c->json) {
		say_problem(e);
		return CLI_FAILED;
	}
	/* A detail that is only the code's title says less than the faults do. */
	bool plain = faults > 0 && (strcmp(e->detail, err_title(e->code)) == 0 ||
				    strcmp(e->detail, e->faults[0].detail) == 0);
	if (!plain) fprintf(stderr, "quern %s: %s\n", c->command, e->detail);
	for (size_t i = 0; i < faults; i++)
		fprintf(stderr, "quern %s: %s%s%s\n", c->command, e->faults[i].pointer,
			*e->faults[i].pointer ? " " : "", e->faults[i].detail);
	if (e->fault_count > faults) fprintf(stderr, "quern %s: and %zu more\n", c->command, e->fault_count - faults);
	return CLI_FAILED;
}

bool cli_write(const void *p, size_t len, struct err *e)
{
	return file_write(STDOUT_FILENO, p, len) || err_errno(e, "writing to standard output");
}

bool cli_write_line(const struct buf *text, struct err *e)
{
	return cli_write(text->data, text->len, e) && cli_write("\n", 1, e);
}
