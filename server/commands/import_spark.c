/* quern import-spark: the job specification of a pipeline that Spark saved. */
#include "server/commands/cli.h"
#include "server/commands/commands.h"
#include "server/commands/json_pretty.h"
#include "server/commands/spark_class.h"
#include "server/commands/spark_saved.h"
#include "server/commands/spark_value.h"
#include "trainer/spec.h"

#include <stdio.h>

enum { IMPORT_TEXT_MAX = 16 << 20 };

struct import_options {
	struct cli_common common;
	const char *name;
	bool partial;
};

#define AT(member) offsetof(struct import_options, member)
static const struct cli_option options[] = {
	{"name", CLI_TEXT, AT(name), "NAME", "the job's name; default: the folder's"},
	{"partial", CLI_FLAG, AT(partial), NULL, "print what can be taken over although something cannot"},
	{0},
};
static const struct cli cli = {
	.command = "import-spark",
	.arguments = "DIR",
	.help = "Reads a pipeline that Spark saved to a local folder (Pipeline.save, PipelineModel.save) and prints a\n"
		"job specification with the same stages and parameters; models become their estimators, pipelines in\n"
		"pipelines become their stages. What models learned (Parquet) is not read: the specification is trained\n"
		"anew. It has no source: add one, or give rows to quern fit --rows.\n"
		"Stages, parameters and values that Quern does not know are listed on standard error, and nothing is\n"
		"printed without --partial.",
	.options = options,
	.args_min = 1,
	.args_max = 1,
};

/* --- What could not be taken over ----------------------------------------------------------------------------- */

struct import {
	const struct import_options *o;
	struct arena arena; /* for one stage, and the whole in the end */
	struct err left;    /* the first ones; in words each is said at once, however many there are */
};

QN_PRINTF(3, 4) static void leave_out(struct import *im, const struct spark_stage *s, const char *fmt, ...)
{
	char what[ERR_DETAIL_MAX];
	va_list args;
	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	const char *text = arena_printf(&im->arena, "%s: %.*s %s", s->path, (int)s->class.len, s->class.data, what);
	err_fault(&im->left, "", "%s", text);
	if (!im->o->common.json) fprintf(stderr, "quern import-spark: %s\n", text);
}

/* --- Parameters ----------------------------------------------------------------------------------------------- */

static const struct field *find_field(const struct stage_type *t, struct str name)
{
	for (const struct field *f = t->params; f->name; f++)
		if (str_is(name, f->name)) return f;
	return NULL;
}

static bool same_value(const struct json *a, const struct json *b)
{
	if (a->type != b->type || a->count != b->count) return false;
	if (a->type == JSON_NUMBER) return a->number == b->number;
	if (a->type == JSON_STRING) return str_eq(a->string, b->string);
	if (a->type == JSON_BOOL) return a->boolean == b->boolean;
	const struct json *x = a->child, *y = b->child;
	while (x && y && str_eq(x->key, y->key) && same_value(x, y)) x = x->next, y = y->next;
	return !x && !y;
}

/* text is still needed while the value is. */
static const struct json *parse_own(struct import *im, const struct buf *text)
{
	struct json *v;
	struct err e;
	err_init(&e);
	bool ok = json_parse(&im->arena, text->data, text->len, &v, &e);
	CHECK(ok); /* we wrote it */
	return v;
}

static bool is_default_here(struct import *im, const struct field *f, const struct json *v)
{
	struct buf text = BUF_INIT(IMPORT_TEXT_MAX);
	buf_str(&text, f->fallback);
	bool same = same_value(v, parse_own(im, &text));
	buf_release(&text);
	return same;
}

/* Would leaving a default of Spark's out say the same? */
static bool goes_without_saying(struct import *im, const struct spark_stage *s, const struct field *f,
				const struct json *v)
{
	/* Spark gives every outputCol a default, to stages with outputCols too. */
	if (strcmp(f->name, "outputCol") == 0 && json_get(s->params, "outputCols")) return true;
	if (!f->fallback) return v->type == JSON_ARRAY && v->count == 0;
	return is_default_here(im, f, v);
}

static void write_param(struct import *im, const struct spark_stage *s, const struct stage_type *t,
			const struct json *v, bool is_default, struct json_writer *w)
{
	const struct field *f = find_field(t, v->key);
	struct buf text = BUF_INIT(IMPORT_TEXT_MAX);
	struct err e;
	err_init(&e);
	if (!f)
		leave_out(im, s, "has a parameter %.*s, which %s here has not", (int)MIN(v->key.len, (size_t)128),
			  v->key.data, t->name);
	else if (!spark_value(f, v, &im->arena, &text, &e))
		leave_out(im, s, "%s %s", f->name, e.detail);
	else if (!buf_ok(&text))
		leave_out(im, s, "%s is over %d bytes", f->name, IMPORT_TEXT_MAX);
	else if (!is_default || !goes_without_saying(im, s, f, parse_own(im, &text))) {
		json_key(w, f->name);
		json_raw(w, text.data, text.len);
	}
	buf_release(&text);
}

static bool has_member(const struct json *obj, struct str key)
{
	const struct json *m = obj->child;
	while (m && !str_eq(m->key, key)) m = m->next;
	return m;
}

static void write_params(struct import *im, const struct spark_stage *s, const struct stage_type *t,
			 struct json_writer *w)
{
	for (const struct json *v = s->params->child; v; v = v->next) write_param(im, s, t, v, !s->defaults, w);
	for (const struct json *v = s->defaults ? s->defaults->child : NULL; v; v = v->next)
		if (!has_member(s->params, v->key)) write_param(im, s, t, v, true, w);
}

/* --- The specification ---------------------------------------------------------------------------------------- */

/* Values that Quern does not take are better said here than at submit time. */
static void check_stage(struct import *im, const struct spark_stage *s, const struct json *obj)
{
	static const char base[] = "/pipeline/0/";
	struct stage stage;
	struct err e;
	err_init(&e);
	if (!stage_parse(&stage, 0, obj, "/pipeline", &e))
		for (size_t i = 0; i < MIN(e.fault_count, (size_t)ERR_FAULTS_MAX); i++)
			leave_out(im, s, "%s %s", e.faults[i].pointer + sizeof base - 1, e.faults[i].detail);
	stage_release(&stage);
}

static void write_stage(struct import *im, const struct spark_stage *s, const struct stage_type *t,
			struct json_writer *w)
{
	struct buf text = BUF_INIT(IMPORT_TEXT_MAX);
	struct json_writer own = JSON_WRITER(&text);
	json_object_begin(&own);
	json_key(&own, "stage");
	json_cstr(&own, t->name);
	write_params(im, s, t, &own);
	json_object_end(&own);
	if (buf_ok(&text)) {
		check_stage(im, s, parse_own(im, &text));
		json_raw(w, text.data, text.len);
	} else
		leave_out(im, s, "is over %d bytes", IMPORT_TEXT_MAX);
	buf_release(&text);
}

static void write_spec(struct import *im, const char *name, const struct spark_saved *saved, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "name");
	json_cstr(w, name);
	json_key(w, "pipeline");
	json_array_begin(w);
	for (size_t i = 0; i < saved->count; i++) {
		const struct spark_stage *s = &saved->stages[i];
		const struct stage_type *t = spark_class_stage(s->class);
		arena_reset(&im->arena);
		if (t)
			write_stage(im, s, t, w);
		else
			leave_out(im, s, "is no stage of Quern");
	}
	json_array_end(w);
	json_object_end(w);
}

static bool print_pretty(struct import *im, const struct buf *text, struct err *e)
{
	struct buf pretty = BUF_INIT(4 * (size_t)IMPORT_TEXT_MAX);
	if (buf_ok(text)) json_pretty(&pretty, parse_own(im, text));
	bool ok = (buf_ok(text) && buf_ok(&pretty)) ||
		  err_set(e, ERR_too_large, "the specification is over %d bytes", IMPORT_TEXT_MAX);
	ok = ok && cli_write_line(&pretty, e);
	buf_release(&pretty);
	return ok;
}

/* The folder's name where a job may have it. */
static const char *folder_name(struct spark_saved *saved, const char *dir)
{
	struct str s = STR(dir);
	while (s.len > 1 && s.data[s.len - 1] == '/') s.len--;
	const char *slash = s.len ? memrchr(s.data, '/', s.len) : NULL;
	if (slash) s = (struct str){slash + 1, (size_t)(s.data + s.len - slash - 1)};
	if (!spec_name_valid(s)) s = saved->uid;
	return spec_name_valid(s) ? arena_strndup(&saved->arena, s.data, s.len) : "imported";
}

static bool import(struct import *im, const char *dir, struct err *e)
{
	struct spark_saved saved;
	struct buf text = BUF_INIT(IMPORT_TEXT_MAX);
	struct json_writer w = JSON_WRITER(&text);
	bool ok = spark_saved_read(&saved, dir, e);
	if (ok) {
		write_spec(im, im->o->name ? im->o->name : folder_name(&saved, dir), &saved, &w);
		size_t left = im->left.fault_count;
		if (left) err_set(&im->left, ERR_invalid, "%zu things cannot be taken over", left);
		ok = (!left || im->o->partial) ? print_pretty(im, &text, e)
					       : err_set(e, ERR_invalid, "nothing is printed without --partial");
	}
	buf_release(&text);
	spark_saved_release(&saved);
	return ok;
}

int command_import_spark(int argc, char **argv)
{
	struct import_options o = {0};
	struct import im = {.o = &o};
	struct err e;
	int code;
	err_init(&e);
	err_init(&im.left);
	if (!cli_parse(&cli, &argc, argv, &o.common, &code)) return code;
	if (o.name && !spec_name_valid(STR(o.name))) {
		err_set(&e, ERR_bad_request, "--name cannot be \"%s\"", o.name);
		cli_failed(&o.common, &e);
		return CLI_USAGE;
	}
	bool ok = import(&im, argv[0], &e), left = im.left.fault_count > 0;
	if (left && o.common.json)
		cli_failed(&o.common, &im.left);
	else if (!ok)
		cli_failed(&o.common, &e);
	arena_release(&im.arena);
	return ok ? CLI_DONE : CLI_FAILED;
}
