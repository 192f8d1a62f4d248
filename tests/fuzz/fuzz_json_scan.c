/* Skipping a value ends where reading all of its tokens ends, and decoded texts are UTF-8. */
#include "tests/fuzz/fuzz.h"

#include "base/json.h"

static void check_text(const struct json_scan *s, enum json_tok tok)
{
	if (tok == JSON_TOK_KEY || tok == JSON_TOK_STRING) CHECK(str_utf8_valid(s->text.data, s->text.len));
	if (tok == JSON_TOK_NUMBER) CHECK(json_scan_double(s) == json_scan_double(s));
}

static bool walk(struct json_scan *s, enum json_tok first)
{
	unsigned outside = s->depth - 1;
	if (first != JSON_TOK_ARRAY_BEGIN && first != JSON_TOK_OBJECT_BEGIN) return first != JSON_TOK_ERROR;
	while (s->depth > outside) {
		enum json_tok tok = json_scan_next(s);
		if (tok == JSON_TOK_ERROR) return false;
		check_text(s, tok);
	}
	return true;
}

/* Rows are objects: each member's value is walked by one scanner and skipped by another. */
static void compare(struct json_scan *walked, struct json_scan *skipped)
{
	enum json_tok tok;
	do {
		tok = json_scan_next(walked);
		CHECK(json_scan_next(skipped) == tok && walked->p == skipped->p);
		check_text(walked, tok);
		if (tok != JSON_TOK_ARRAY_BEGIN && (tok != JSON_TOK_OBJECT_BEGIN || walked->depth == 1)) continue;
		CHECK(walk(walked, tok) == json_scan_skip(skipped, tok) && walked->p == skipped->p);
	} while (tok != JSON_TOK_ERROR && tok != JSON_TOK_END);
	if (tok == JSON_TOK_ERROR) {
		struct err e;
		err_init(&e);
		json_scan_error(walked, &e);
		CHECK(e.code == ERR_invalid_json && json_scan_next(walked) == JSON_TOK_ERROR);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf scratch[2] = {BUF_INIT(size), BUF_INIT(size)};
	struct json_scan walked, skipped;
	json_scan_init(&walked, (const char *)data, size, &scratch[0]);
	json_scan_init(&skipped, (const char *)data, size, &scratch[1]);
	compare(&walked, &skipped);
	buf_release(&scratch[0]);
	buf_release(&scratch[1]);
	return 0;
}
