#include "pipeline/skip_gram_fit.h"

#include <math.h>

enum { CHECKPOINT_VERSION = 1 };

struct training {
	struct fit *fit;
	const struct skip_gram *g;
	const struct skip_gram_corpus *corpus;
	struct skip_gram_weights global, local, sum;
	uint32_t *word_changes, *inner_changes; /* [words]: partitions that changed the row */
	float *row;                             /* [size] */
	int64_t done;                           /* iterations */
};

static size_t numbers(const struct skip_gram *g) { return g->words * g->size; }

static void training_open(struct training *t)
{
	t->global = skip_gram_weights(t->g);
	t->local = skip_gram_weights(t->g);
	t->sum = skip_gram_weights(t->g);
	t->word_changes = mem_zalloc(t->g->words, sizeof *t->word_changes);
	t->inner_changes = mem_zalloc(t->g->words, sizeof *t->inner_changes);
	t->row = mem_alloc(t->g->size * sizeof *t->row);
}

static void training_close(struct training *t)
{
	skip_gram_weights_release(&t->global);
	skip_gram_weights_release(&t->local);
	skip_gram_weights_release(&t->sum);
	mem_free(t->word_changes);
	mem_free(t->inner_changes);
	mem_free(t->row);
}

/* --- What a partition changed ------------------------------------------------------------------------------------ */

static void pack_layer(const struct skip_gram *g, const float *layer, const uint8_t *changed, struct buf *out)
{
	buf_append(out, changed, g->words);
	for (size_t w = 0; w < g->words; w++)
		if (changed[w]) buf_append(out, layer + w * g->size, g->size * sizeof *layer);
}

static void add_layer(struct training *t, struct cursor *in, float *sum, uint32_t *changes)
{
	size_t size = t->g->size;
	const uint8_t *changed = cursor_bytes(in, t->g->words);
	for (size_t w = 0; w < t->g->words; w++) {
		if (!changed[w]) continue;
		memcpy(t->row, cursor_bytes(in, size * sizeof *t->row), size * sizeof *t->row);
		float *to = sum + w * size;
		if (changes[w]++ == 0) memcpy(to, t->row, size * sizeof *to);
		else
			for (size_t k = 0; k < size; k++) to[k] += t->row[k];
	}
}

static void take_means(const struct skip_gram *g, const float *sum, uint32_t *changes, float *layer)
{
	for (size_t w = 0; w < g->words; w++) {
		float share = 1.0f / (float)MAX(changes[w], 1u);
		for (size_t k = w * g->size; changes[w] && k < (w + 1) * g->size; k++) layer[k] = share * sum[k];
		changes[w] = 0;
	}
}

/* --- Iterations -------------------------------------------------------------------------------------------------- */

static bool is_stopped(void *ctx)
{
	const struct training *t = ctx;
	return t->fit->comm->ops->stopped(t->fit->comm);
}

static bool train_partition(struct training *t, int64_t partition, struct buf *out, struct err *e)
{
	if (partition >= t->g->partitions) return true;
	memcpy(t->local.word, t->global.word, numbers(t->g) * sizeof(float));
	memcpy(t->local.inner, t->global.inner, numbers(t->g) * sizeof(float));
	if (!skip_gram_pass(t->g, t->corpus, t->done + 1, partition, &t->local, is_stopped, t))
		return err_set(e, ERR_cancelled, "the job was stopped");
	pack_layer(t->g, t->local.word, t->local.word_changed, out);
	pack_layer(t->g, t->local.inner, t->local.inner_changed, out);
	return true;
}

/* A partition each, from `first` on. */
static bool train_round(struct training *t, int64_t first, struct err *e)
{
	struct comm *c = t->fit->comm;
	struct buf mine = BUF_INIT(SIZE_MAX / 2), all = BUF_INIT(SIZE_MAX / 2);
	struct str parts[COMM_RANKS_MAX];
	bool ok = comm_agree(c, train_partition(t, first + c->rank, &mine, e), e) &&
		  c->ops->gather(c, mine.data, mine.len, &all, parts, e);
	for (unsigned r = 0; ok && r < c->size && parts[r].len > 0; r++) {
		struct cursor in = CURSOR(parts[r].data, parts[r].len);
		add_layer(t, &in, t->sum.word, t->word_changes);
		add_layer(t, &in, t->sum.inner, t->inner_changes);
	}
	buf_release(&mine);
	buf_release(&all);
	return ok;
}

static bool save(struct training *t, struct err *e)
{
	struct fit *f = t->fit;
	struct buf bytes = BUF_INIT(SIZE_MAX / 2);
	buf_u8(&bytes, CHECKPOINT_VERSION);
	buf_u64(&bytes, (uint64_t)t->done);
	buf_append(&bytes, t->global.word, numbers(t->g) * sizeof(float));
	buf_append(&bytes, t->global.inner, numbers(t->g) * sizeof(float));
	bool ok = comm_agree(f->comm, f->checkpoint_save(f->ctx, bytes.data, bytes.len, e), e);
	buf_release(&bytes);
	return ok;
}

static bool resume(struct training *t, struct err *e)
{
	struct cursor in = CURSOR(t->fit->resume, t->fit->resume_len);
	size_t layer = numbers(t->g) * sizeof(float);
	uint8_t version = cursor_u8(&in);
	uint64_t done = cursor_u64(&in);
	const void *word = cursor_bytes(&in, layer), *inner = cursor_bytes(&in, layer);
	if (in.bad || version != CHECKPOINT_VERSION || done > (uint64_t)t->g->iterations || cursor_left(&in) > 0)
		return err_set(e, ERR_internal, "the checkpoint is not of this fit");
	t->done = (int64_t)done;
	memcpy(t->global.word, word, layer);
	memcpy(t->global.inner, inner, layer);
	return true;
}

static bool iterate(struct training *t, struct err *e)
{
	struct fit *f = t->fit;
	for (int64_t first = 0; first < t->g->partitions; first += f->comm->size)
		if (!train_round(t, first, e)) return false;
	take_means(t->g, t->sum.word, t->word_changes, t->global.word);
	take_means(t->g, t->sum.inner, t->inner_changes, t->global.inner);
	if (f->progress) f->progress(f->ctx, (size_t)t->done, NAN);
	t->done++;
	bool due = f->checkpoint_save && f->checkpoint_due && f->checkpoint_due(f->ctx);
	return !due || save(t, e);
}

bool skip_gram_fit(struct fit *f, const struct skip_gram *g, const struct skip_gram_corpus *corpus, float *words,
		   struct err *e)
{
	struct training t = {.fit = f, .g = g, .corpus = corpus};
	training_open(&t);
	skip_gram_start(g, &t.global);
	bool ok = !f->resume || resume(&t, e);
	while (ok && t.done < g->iterations) ok = iterate(&t, e);
	if (ok) memcpy(words, t.global.word, numbers(g) * sizeof *words);
	training_close(&t);
	return ok;
}
