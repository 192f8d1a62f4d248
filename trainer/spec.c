#include "trainer/spec.h"

#include "base/rng.h"
#include "data/pointer.h"
#include "pipeline/response.h"

#include <stdio.h>

#define AT(member) offsetof(struct spec, member)

/* clang-format off */
static const struct field root_fields[] = {
	{"name", FIELD_STRING, AT(name), .required = true, .help = "Name of the job and of the model it makes."},
	{"kind", FIELD_STRING, AT(kind), "\"train\"", .help = "What the job does: train."},
	{"source", FIELD_JSON, AT(source), .required = true, .help = "Where the rows come from."},
	{"pipeline", FIELD_JSON, AT(pipeline), .required = true, .help = "Stages in order."},
	{"split", FIELD_JSON, AT(split), .help = "Rows held out for evaluation: {\"test\": fraction, \"seed\"}."},
	{"evaluate", FIELD_JSON, AT(evaluate), .help = "Evaluators to run on the held-out rows, or on all rows."},
	{"tune", FIELD_JSON, AT(tune), .help = "Search over parameters."},
	{"response", FIELD_JSON, AT(response), .help = "Answer fields and the output columns they show."},
	{"promote", FIELD_JSON, AT(promote), .help = "Alias to point to the new version: {\"alias\", \"when\"}."},
	{"resources", FIELD_JSON, AT(resources), .help = "workers, executor, memory, storageLevel."},
	{"retry", FIELD_JSON, AT(retry), .help = "{\"maxAttempts\"}."},
	{"timeoutSeconds", FIELD_INT, AT(timeout_s), "86400", "Longest time an attempt may run.",
	 .min = 1, .max = SPEC_TIMEOUT_MAX_S},
	{"priority", FIELD_INT, AT(priority), "3", "1 runs first, 4 last.", .min = 1, .max = 4},
	{"tags", FIELD_JSON, AT(tags), .help = "Names and texts to find the job by."},
	{"seed", FIELD_LONG, AT(seed), .help = "Seed of stages that have none of their own; drawn when missing."},
	FIELD_END,
};

static const struct field split_fields[] = {
	{"test", FIELD_DOUBLE, AT(split_test), .required = true, .min = 0, .max = 1, .min_open = true, .max_open = true,
	 .help = "Fraction of the rows to hold out."},
	{"seed", FIELD_LONG, AT(split_seed), .help = "Seed of the split; drawn when missing."},
	FIELD_END,
};

static const char *const promote_choices[] = {"always", "better", NULL};
static const struct field promote_fields[] = {
	{"alias", FIELD_STRING, AT(promote_alias), .required = true, .help = "Alias to point to the new version."},
	{"when", FIELD_ENUM, AT(promote_when), "\"always\"", "always, or when the first metric is better than before.",
	 .choices = promote_choices},
	FIELD_END,
};

static const char *const level_choices[] = {
	[STORAGE_MEMORY_AND_DISK] = "MEMORY_AND_DISK",
	[STORAGE_MEMORY_ONLY] = "MEMORY_ONLY",
	[STORAGE_DISK_ONLY] = "DISK_ONLY",
	NULL,
};
static const struct field resource_fields[] = {
	{"workers", FIELD_INT, AT(workers), .min = 1, .max = COMM_RANKS_MAX, .help = "Worker processes."},
	{"executor", FIELD_STRING, AT(executor), "\"local\"", .help = "Where workers run: local."},
	{"storageLevel", FIELD_ENUM, AT(storage_level), "\"MEMORY_AND_DISK\"", "Whether rows may be spooled to disk.",
	 .choices = level_choices},
	{"memory", FIELD_JSON, AT(memory), .help = "Memory of all workers together: bytes or a text such as 4GiB."},
	FIELD_END,
};
/* The rows before memory, which is written as the bytes it means. */
static const field_set resources_but_memory = 0x7;

static const struct field retry_fields[] = {
	{"maxAttempts", FIELD_INT, AT(max_attempts), "3", "Attempts before the job is failed.",
	 .min = 1, .max = SPEC_ATTEMPTS_MAX},
	FIELD_END,
};
/* clang-format on */

/* Values of DESIGN's contract that this version understands but cannot run. */
static const struct {
	const char *pointer;
	const char *value;
	const char *detail;
} later[] = {
	{"/kind", "score", "\"score\" is not available yet; this version runs \"train\""},
	{"/kind", "evaluate", "\"evaluate\" is not available yet; this version runs \"train\""},
	{"/resources/executor", "mpi", "\"mpi\" is not available yet; this version runs \"local\""},
	{"/resources/executor", "slurm", "\"slurm\" is not available yet; this version runs \"local\""},
};

static void check_available(const char *pointer, struct str value, const char *known, struct err *e)
{
	if (str_is(value, known)) return;
	for (size_t i = 0; i < ARRAY_COUNT(later); i++) {
		if (strcmp(later[i].pointer, pointer) != 0 || !str_is(value, later[i].value)) continue;
		err_fault(e, pointer, "%s", later[i].detail);
		return;
	}
	err_fault(e, pointer, "must be \"%s\"", known);
}

bool spec_name_valid(struct str name)
{
	if (name.len == 0 || name.len > SPEC_NAME_MAX) return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.data[i];
		bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
		if (!word && (i == 0 || (c != '.' && c != '_' && c != '-'))) return false;
	}
	return true;
}

static void check_name(const char *pointer, struct str name, struct err *e)
{
	if (!spec_name_valid(name))
		err_fault(e, pointer,
			  "must be 1 to %d letters, digits, '.', '_' or '-', starting with a letter or digit",
			  SPEC_NAME_MAX);
}

/* Reads the object at obj, or the defaults where there is none. */
static bool parse_object(struct spec *sp, const struct json *obj, const char *pointer, const struct field *table,
			 field_set *given, struct err *e)
{
	static const struct json none = {.type = JSON_OBJECT};
	*given = 0;
	return fields_parse(table, obj ? obj : &none, pointer, NULL, &sp->arena, sp, given, e);
}

static int64_t draw_seed(void)
{
	uint64_t bits;
	rng_system(&bits, sizeof bits);
	return (int64_t)(bits >> (64 - SPEC_SEED_DRAWN_BITS));
}

static void parse_split(struct spec *sp, struct err *e)
{
	field_set given;
	if (sp->split && parse_object(sp, sp->split, "/split", split_fields, &given, e) &&
	    !field_given(split_fields, given, "seed"))
		sp->split_seed = draw_seed();
}

static void parse_promote(struct spec *sp, struct err *e)
{
	field_set given;
	if (!sp->promote || !parse_object(sp, sp->promote, "/promote", promote_fields, &given, e)) return;
	check_name("/promote/alias", sp->promote_alias, e);
	if (str_is(sp->promote_when, "better") && !sp->evaluate)
		err_fault(e, "/promote/when", "\"better\" compares a metric: give \"evaluate\" too");
}

static void parse_memory(struct spec *sp, const struct spec_defaults *d, struct err *e)
{
	const struct json *m = sp->memory;
	bool read = true;
	sp->memory_max = d->memory_max;
	if (m && m->type == JSON_NUMBER && m->is_int && m->integer > 0) sp->memory_max = (uint64_t)m->integer;
	else if (m) read = m->type == JSON_STRING && str_to_bytes(m->string, &sp->memory_max);
	if (!read || sp->memory_max < SPEC_MEMORY_MIN || sp->memory_max > SPEC_MEMORY_MAX)
		err_fault(e, "/resources/memory",
			  "must be a number of bytes or a text such as \"4GiB\", at least 16MiB and at most 16TiB");
}

static void parse_resources(struct spec *sp, const struct spec_defaults *d, struct err *e)
{
	field_set given;
	if (!parse_object(sp, sp->resources, "/resources", resource_fields, &given, e)) return;
	if (!field_given(resource_fields, given, "workers")) sp->workers = d->workers;
	check_available("/resources/executor", sp->executor, "local", e);
	for (size_t i = 0; level_choices[i]; i++)
		if (str_is(sp->storage_level, level_choices[i])) sp->level = (enum storage_level)i;
	parse_memory(sp, d, e);
}

static void parse_tags(const struct spec *sp, struct err *e)
{
	const struct json *tags = sp->tags;
	if (!tags) return;
	if (tags->type != JSON_OBJECT) {
		err_fault(e, "/tags", "must be an object, not %s", json_type_name(tags->type));
		return;
	}
	if (tags->count > SPEC_TAGS_MAX)
		err_fault(e, "/tags", "has %zu members; the limit is %d", tags->count, SPEC_TAGS_MAX);
	for (const struct json *t = tags->child; t; t = t->next) {
		struct pointer at = pointer_keyn("/tags", t->key);
		if (t->key.len == 0 || t->key.len > SPEC_TAG_KEY_MAX)
			err_fault(e, at.text, "a tag's name has 1 to %d bytes", SPEC_TAG_KEY_MAX);
		if (t->type != JSON_STRING || t->string.len > SPEC_TAG_VALUE_MAX)
			err_fault(e, at.text, "must be a string of at most %d bytes", SPEC_TAG_VALUE_MAX);
	}
}

static void parse_parts(struct spec *sp, const struct spec_defaults *d, struct err *e)
{
	field_set given;
	check_available("/kind", sp->kind, "train", e);
	if (sp->tune) err_fault(e, "/tune", "tuning is not available yet");
	parse_split(sp, e);
	parse_promote(sp, e);
	parse_resources(sp, d, e);
	(void)!parse_object(sp, sp->retry, "/retry", retry_fields, &given, e);
	parse_tags(sp, e);
	if (sp->response && sp->response->type != JSON_OBJECT)
		err_fault(e, "/response", "must be an object, not %s", json_type_name(sp->response->type));
}

/* --- Against the source ------------------------------------------------------------------------------------------ */

static void check_evaluators(const struct spec *sp, const struct schema *schema, struct err *e)
{
	if (!sp->evaluate) return;
	if (sp->evaluate->type != JSON_ARRAY || sp->evaluate->count > SPEC_EVALUATORS_MAX) {
		err_fault(e, "/evaluate", "must be an array of at most %d evaluators", SPEC_EVALUATORS_MAX);
		return;
	}
	size_t i = 0;
	for (const struct json *obj = sp->evaluate->child; obj; obj = obj->next, i++) {
		struct evaluator ev = {0};
		if (evaluator_parse(&ev, obj, pointer_index("/evaluate", i).text, e) && schema)
			(void)!evaluator_bind(&ev, schema, e);
		evaluator_release(&ev);
	}
}

/* The pipeline, bound to what is known of the source. False: not known, or faults were added. */
static bool check_pipeline(const struct spec *sp, const struct source_env *env, struct schema *input,
			   struct pipeline *p, struct err *e)
{
	bool readable = env && sp->source->type == JSON_OBJECT &&
			source_check(sp->source, "/source", env, true, input, e);
	bool ok = pipeline_parse(p, sp->pipeline, "/pipeline", e);
	if (!readable || input->count == 0 || p->count == 0) return false;
	ok &= pipeline_bind(p, input, e);
	return ok && (!sp->response || sp->response->type == JSON_OBJECT) &&
	       pipeline_response(p, sp->response, "/response", e);
}

static void check_whole(const struct spec *sp, const struct source_env *env, struct err *e)
{
	struct schema input = SCHEMA_INIT;
	struct pipeline p = {0};
	if (sp->source && sp->source->type != JSON_OBJECT)
		err_fault(e, "/source", "must be an object, not %s", json_type_name(sp->source->type));
	if (!sp->source || !sp->pipeline) return;
	bool bound = check_pipeline(sp, env, &input, &p, e);
	check_evaluators(sp, bound ? &p.schema : NULL, e);
	pipeline_release(&p);
	schema_release(&input);
}

bool spec_parse(struct spec *sp, const char *text, size_t len, const struct spec_defaults *d,
		const struct source_env *env, struct err *e)
{
	struct spec s = {.arena = ARENA_INIT};
	struct json *root;
	field_set given;
	size_t faults = e->fault_count;
	if (!json_parse(&s.arena, text, len, &root, e)) {
		arena_release(&s.arena);
		return false;
	}
	s.root = root;
	if (root->type != JSON_OBJECT) {
		err_fault(e, "", "a job specification is an object, not %s", json_type_name(root->type));
	} else {
		(void)!fields_parse(root_fields, root, "", NULL, &s.arena, &s, &given, e);
		if (field_given(root_fields, given, "name")) check_name("/name", s.name, e);
		if (!field_given(root_fields, given, "seed")) s.seed = draw_seed();
		parse_parts(&s, d, e);
		check_whole(&s, env, e);
	}
	if (e->fault_count != faults || err_is(e)) {
		arena_release(&s.arena);
		return false;
	}
	*sp = s;
	return true;
}

void spec_release(struct spec *sp)
{
	arena_release(&sp->arena);
	*sp = (struct spec){0};
}

/* --- Writing ----------------------------------------------------------------------------------------------------- */

static void write_value(struct json_writer *w, const char *key, const struct json *v)
{
	if (!v) return;
	json_key(w, key);
	json_value(w, v);
}

/* An object by its table. */
static void write_object(const struct spec *sp, const char *key, const struct field *table, struct json_writer *w)
{
	json_key(w, key);
	json_object_begin(w);
	fields_write(table, sp, ~(field_set)0, w);
	json_object_end(w);
}

void spec_write_split(const struct spec *sp, struct json_writer *w)
{
	if (sp->split) write_object(sp, "split", split_fields, w);
}

static void write_resources(const struct spec *sp, struct json_writer *w)
{
	json_key(w, "resources");
	json_object_begin(w);
	fields_write(resource_fields, sp, resources_but_memory, w);
	json_key(w, "memory");
	json_int(w, (int64_t)sp->memory_max);
	json_object_end(w);
}

void spec_write(const struct spec *sp, struct json_writer *w)
{
	json_object_begin(w);
	json_key(w, "name");
	json_str(w, sp->name);
	json_key(w, "kind");
	json_str(w, sp->kind);
	write_value(w, "source", sp->source);
	write_value(w, "pipeline", sp->pipeline);
	spec_write_split(sp, w);
	write_value(w, "evaluate", sp->evaluate);
	write_value(w, "response", sp->response);
	if (sp->promote) write_object(sp, "promote", promote_fields, w);
	write_resources(sp, w);
	write_object(sp, "retry", retry_fields, w);
	json_key(w, "timeoutSeconds");
	json_int(w, sp->timeout_s);
	json_key(w, "priority");
	json_int(w, sp->priority);
	write_value(w, "tags", sp->tags);
	json_key(w, "seed");
	json_int(w, sp->seed);
	json_object_end(w);
}

static void write_outputs(const struct stage *s, const struct schema *schema, struct json_writer *w)
{
	struct schema outputs = SCHEMA_INIT;
	for (size_t k = 0; k < s->out_count; k++) schema_add(&outputs, &schema->columns[s->out[k].slot]);
	schema_write(&outputs, w);
	schema_release(&outputs);
}

static void write_plan_stages(const struct pipeline *p, struct json_writer *w)
{
	json_array_begin(w);
	for (size_t i = 0; i < p->count; i++) {
		json_object_begin(w);
		json_key(w, "index");
		json_int(w, (int64_t)i);
		json_key(w, "stage");
		json_cstr(w, p->stages[i].type->name);
		json_key(w, "outputs");
		write_outputs(&p->stages[i], &p->schema, w);
		json_object_end(w);
	}
	json_array_end(w);
}

void spec_plan(const struct spec *sp, const struct source_env *env, struct json_writer *w)
{
	struct schema input = SCHEMA_INIT;
	struct pipeline p = {0};
	struct err e;
	err_init(&e);
	bool bound = check_pipeline(sp, env, &input, &p, &e);
	json_object_begin(w);
	json_key(w, "input");
	if (input.count) schema_write(&input, w);
	else json_null(w);
	json_key(w, "stages");
	if (bound) write_plan_stages(&p, w);
	else json_null(w);
	json_key(w, "shards");
	json_null(w);
	json_key(w, "response");
	if (bound) response_write(&p, w);
	else json_null(w);
	json_object_end(w);
	pipeline_release(&p);
	schema_release(&input);
}
