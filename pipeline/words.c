#include "pipeline/words.h"

struct str words_text(const char *name)
{
	const struct embed_file *f = pipeline_words;
	while (f->name && strcmp(f->name, name) != 0) f++;
	CHECK(f->name);
	return (struct str){(const char *)f->data, f->size};
}

bool words_line(struct str *text, struct str *line)
{
	if (text->len == 0) return false;
	const char *end = memchr(text->data, '\n', text->len);
	line->data = text->data;
	line->len = end ? (size_t)(end - text->data) : text->len;
	size_t taken = MIN(line->len + 1, text->len);
	text->data += taken;
	text->len -= taken;
	return true;
}
