/* Lists of words that are compiled in: stages/stop_words.txt, locales.txt. */
#ifndef QUERN_PIPELINE_WORDS_H
#define QUERN_PIPELINE_WORDS_H

#include "base/embed.h"
#include "base/str.h"

extern const struct embed_file pipeline_words[];

/* The text of a list; it must exist. */
struct str words_text(const char *name);
/* Takes the next line of *text; false at the end. */
bool words_line(struct str *text, struct str *line);

#endif
