#include "pipeline/term.h"

enum { TERM_NULL = 0, TERM_TEXT = 1 };

struct str term_key(const struct column *c, uint64_t k, struct buf *room)
{
	buf_clear(room);
	bool null = column_elem_is_null(c, k);
	buf_char(room, null ? TERM_NULL : TERM_TEXT);
	if (!null) buf_append(room, c->text + c->span[k].off, c->span[k].len);
	return (struct str){room->data, room->len};
}

static void drop_room(void *room)
{
	buf_release(room);
	mem_free(room);
}

struct buf *term_room(struct scratch *sc, unsigned slot)
{
	if (sc->slot[slot]) return sc->slot[slot];
	struct buf *room = scratch_room(sc, slot, sizeof *room);
	*room = BUF_INIT(BATCH_BYTES_MAX);
	sc->drop[slot] = drop_room;
	return room;
}

bool term_is_key(struct str key)
{
	if (key.len == 1 && key.data[0] == TERM_NULL) return true;
	return key.len > 0 && key.data[0] == TERM_TEXT && str_utf8_valid(key.data + 1, key.len - 1);
}

void term_write(struct str key, struct json_writer *w)
{
	if (key.data[0] == TERM_NULL) json_null(w);
	else json_str(w, (struct str){key.data + 1, key.len - 1});
}

int term_by_count(const void *entry_a, const void *entry_b)
{
	const struct map_entry *x = entry_a, *y = entry_b;
	return x->value != y->value ? (x->value < y->value) - (x->value > y->value) : str_cmp(x->key, y->key);
}
