/* How a stream's answers are written. */
#include "data/csv_row_write.h"
#include "data/json_row_write.h"
#include "serving/row_format.h"

/* --- What came in and shows again --------------------------------------------------------------------------------- */

static bool echoes(const struct row_stream *st) { return st->options.echo && st->options.answer == PREDICT_FULL; }

static void hide_none(struct row_stream *st, const struct view *v)
{
	MEM_GROW(st->hidden, st->hidden_count, v->answer.count + 1);
	memset(st->hidden, 0, v->answer.count);
}

/* A field of the response gives way to a field that came in under its name. */
static void hide(struct row_stream *st, const struct view *v, struct str name)
{
	for (size_t i = 0; i < v->answer.count; i++)
		st->hidden[i] |= !v->answer.fields[i].is_column && str_eq(v->answer.fields[i].name, name);
}

/* --- NDJSON ------------------------------------------------------------------------------------------------------- */

struct json_echo {
	struct row_stream *st;
	const struct view *view;
	struct json_writer w;
	size_t at;
};

static void echo_member(void *ctx, const struct row_field *f)
{
	struct json_echo *j = ctx;
	if (row_replaced(j->st, j->view, f->slot)) return;
	hide(j->st, j->view, f->name);
	json_keyn(&j->w, f->name);
	if (f->json.data) json_raw(&j->w, f->json.data, f->json.len);
	else if (f->slot >= 0 && j->view->plan.live[f->slot])
		json_row_cell(&j->w, &j->st->scratch->batch.columns[f->slot], j->at);
	else if (f->text.data) json_str(&j->w, f->text);
	else json_null(&j->w);
}

static void answer_echoing(struct row_stream *st, const struct view *v, size_t at, struct str record)
{
	struct json_echo j = {st, v, JSON_WRITER(st->out), at};
	hide_none(st, v);
	json_object_begin(&j.w);
	st->input->fields(st, record, echo_member, &j);
	for (size_t i = 0; i < v->answer.count; i++) {
		if (st->hidden[i]) continue;
		if (j.w.comma) buf_char(st->out, ',');
		j.w.comma = true;
		answer_json_field(&v->answer.fields[i], &st->scratch->batch, at, &st->scratch->element, st->out);
	}
	json_object_end(&j.w);
}

static void answer_line(struct row_stream *st, const struct view *v, size_t at, struct str record)
{
	if (at == SCORER_DROPPED) buf_str(st->out, "null");
	else if (echoes(st)) answer_echoing(st, v, at, record);
	else answer_json(&v->answer, &st->scratch->batch, at, &st->scratch->element, st->out);
	buf_char(st->out, '\n');
}

const struct row_output row_answer_ndjson = {.name = "ndjson", .problems = true, .answer = answer_line};

/* --- CSV ---------------------------------------------------------------------------------------------------------- */

struct csv_echo {
	struct row_stream *st;
	const struct view *view;
};

static void add_column(void *ctx, const struct row_field *f)
{
	struct csv_echo *c = ctx;
	struct row_stream *st = c->st;
	if (row_replaced(st, c->view, f->slot)) return;
	hide(st, c->view, f->name);
	MEM_GROW(st->table.echo, st->table.cap, st->table.count + 1);
	st->table.echo[st->table.count++] =
		(struct row_echo){.name = {arena_strndup(&st->arena, f->name.data, f->name.len), f->name.len}};
}

static void separate(struct row_stream *st, size_t *written)
{
	if ((*written)++ > 0) buf_char(st->out, ',');
}

/* The columns are those of the first row, for good. */
static void begin_table(struct row_stream *st, const struct view *v, struct str record)
{
	struct csv_echo c = {st, v};
	size_t written = 0;
	hide_none(st, v);
	if (echoes(st) && record.data) st->input->fields(st, record, add_column, &c);
	for (size_t i = 0; i < st->table.count; i++) {
		separate(st, &written);
		csv_row_text(st->out, st->table.echo[i].name);
	}
	for (size_t i = 0; i < v->answer.count; i++) {
		if (st->hidden[i]) continue;
		separate(st, &written);
		csv_row_text(st->out, v->answer.fields[i].name);
	}
	buf_str(st->out, "\r\n");
	st->table.begun = true;
	if (st->options.answer == PREDICT_FULL) {
		memcpy(st->came, st->scratch->came, st->predictor->input.count);
		st->scorer.came = st->came;
	}
}

static void take_value(void *ctx, const struct row_field *f)
{
	struct row_stream *st = ctx;
	for (size_t i = 0; i < st->table.count; i++)
		if (str_eq(st->table.echo[i].name, f->name)) st->table.echo[i].value = *f;
}

/* JSON in a CSV cell: strings as their text, null as nothing, the rest as it is written. */
static void put_json(struct row_stream *st, struct str json)
{
	struct json_scan scan;
	json_scan_init(&scan, json.data, json.len, &st->scratch->text);
	enum json_tok tok = json_scan_next(&scan);
	if (tok != JSON_TOK_NULL) csv_row_text(st->out, tok == JSON_TOK_STRING ? scan.text : json);
}

static void put_echo(struct row_stream *st, struct str record, size_t *written)
{
	for (size_t i = 0; i < st->table.count; i++) st->table.echo[i].value = (struct row_field){0};
	st->input->fields(st, record, take_value, st);
	for (size_t i = 0; i < st->table.count; i++) {
		const struct row_field *f = &st->table.echo[i].value;
		separate(st, written);
		if (f->json.data) put_json(st, f->json);
		else if (f->text.data) csv_row_text(st->out, f->text);
	}
}

static void answer_record(struct row_stream *st, const struct view *v, size_t at, struct str record)
{
	size_t written = 0;
	if (!st->table.begun) begin_table(st, v, record);
	if (st->table.count) put_echo(st, record, &written);
	for (size_t i = 0; i < v->answer.count; i++) {
		size_t row = at;
		if (st->hidden[i]) continue;
		separate(st, &written);
		if (at == SCORER_DROPPED) continue;
		const struct column *c =
			answer_cell(&v->answer.fields[i], &st->scratch->batch, &row, &st->scratch->element);
		csv_row_cell(st->out, c, row);
	}
	buf_str(st->out, "\r\n");
}

static void finish_table(struct row_stream *st, const struct view *v)
{
	if (!st->table.begun) begin_table(st, v, (struct str){0});
}

const struct row_output row_answer_csv = {.name = "csv", .answer = answer_record, .finish = finish_table};
