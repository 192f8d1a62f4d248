#include "pipeline/sentences.h"

#include "data/dataset.h"
#include "pipeline/ports.h"

/* This rank's part. */
struct part {
	const struct stage *stage;
	const struct map *vocabulary;
	size_t longest;
	struct buf key, words, lengths; /* u32 each */
};

void sentences_release(struct sentences *s)
{
	mem_free(s->words);
	mem_free(s->ends);
	*s = (struct sentences){0};
}

struct skip_gram_corpus sentences_corpus(const struct sentences *s)
{
	return (struct skip_gram_corpus){s->words, s->ends, s->count};
}

static void add_row(struct part *p, const struct column *in, size_t i)
{
	uint32_t length = 0;
	for (uint64_t k = in->off[i]; k < in->off[i + 1]; k++) {
		const struct map_entry *word = map_find(p->vocabulary, term_key(in, k, &p->key));
		if (!word) continue;
		buf_u32(&p->words, (uint32_t)word->value);
		if (++length < p->longest) continue;
		buf_u32(&p->lengths, length);
		length = 0;
	}
	if (length) buf_u32(&p->lengths, length);
}

static bool add_batch(void *ctx, const struct batch *b, struct err *e)
{
	struct part *p = ctx;
	const struct column *in = stage_in(p->stage, b, 0);
	for (size_t i = 0; i < b->rows; i++) {
		if (!column_valid(in, i)) return stage_data_error(p->stage, b, i, e, "the array is null");
		add_row(p, in, i);
	}
	return true;
}

static bool too_large(const struct part *p, uint64_t most, struct err *e)
{
	return err_set(e, ERR_too_large, "%s (stage %zu): its sentences need more than %llu bytes",
		       p->stage->type->name, p->stage->index, (unsigned long long)most);
}

/* What all ranks found, while this rank's part lies beside it, must fit. */
static bool check_total(struct fit *f, const struct part *p, struct err *e)
{
	struct comm *c = f->comm;
	struct buf all = BUF_INIT(COMM_RANKS_MAX * sizeof(uint64_t));
	struct str parts[COMM_RANKS_MAX];
	uint64_t mine = p->words.len + p->lengths.len, total = 0;
	bool ok = c->ops->gather(c, &mine, sizeof mine, &all, parts, e);
	for (unsigned r = 0; ok && r < c->size; r++) {
		uint64_t other;
		memcpy(&other, parts[r].data, sizeof other);
		total += other;
	}
	buf_release(&all);
	return ok && (total <= f->memory_max / 4 || too_large(p, f->memory_max / 4, e));
}

/* A list of every rank, in rank order. *count: its entries. */
static uint32_t *gather_list(struct fit *f, const struct buf *mine, size_t *count, struct err *e)
{
	struct buf all = BUF_INIT(SIZE_MAX / 2);
	struct str parts[COMM_RANKS_MAX];
	uint32_t *list = NULL;
	*count = 0;
	if (f->comm->ops->gather(f->comm, mine->data, mine->len, &all, parts, e)) {
		list = mem_alloc(all.len + 1);
		for (unsigned r = 0; r < f->comm->size; r++) {
			if (parts[r].len) memcpy(list + *count, parts[r].data, parts[r].len);
			*count += parts[r].len / sizeof *list;
		}
	}
	buf_release(&all);
	return list;
}

static bool gather(struct fit *f, const struct part *p, struct sentences *out, struct err *e)
{
	if (!check_total(f, p, e)) return false;
	out->words = gather_list(f, &p->words, &out->word_count, e);
	uint32_t *lengths = out->words ? gather_list(f, &p->lengths, &out->count, e) : NULL;
	if (!lengths) return false;
	uint64_t end = 0;
	out->ends = mem_alloc((out->count + 1) * sizeof *out->ends);
	for (size_t i = 0; i < out->count; i++) out->ends[i] = end += lengths[i];
	mem_free(lengths);
	return true;
}

bool sentences_gather(struct fit *f, const struct stage *s, const struct map *vocabulary, size_t longest,
		      struct sentences *out, struct err *e)
{
	struct comm *c = f->comm;
	size_t most = f->memory_max / 4;
	struct part p = {s, vocabulary, longest, BUF_INIT(BATCH_BYTES_MAX), BUF_INIT(most), BUF_INIT(most)};
	bool ok = true;
	*out = (struct sentences){0};
	for (size_t shard = comm_shard_first(c, c->rank); ok && shard < comm_shard_end(c, c->rank); shard++)
		ok = fit_scan(f, shard, add_batch, &p, e);
	if (ok && !(buf_ok(&p.words) && buf_ok(&p.lengths))) ok = too_large(&p, most, e);
	ok = comm_agree(c, ok, e) && gather(f, &p, out, e);
	buf_release(&p.key);
	buf_release(&p.words);
	buf_release(&p.lengths);
	return ok;
}
