#include "data/dataset.h"

#include "data/block.h"
#include "data/spool.h"

/* A block is here, or (spooled) in the file. */
struct entry {
	bool spooled;
	size_t rows, bytes;
	union {
		struct block block;
		uint64_t at;
	};
};

struct shard {
	struct entry *entries;
	size_t count, cap;
	uint64_t rows;
};

struct dataset {
	const struct schema *schema;
	struct dataset_options o;
	char *spool_dir;
	struct shard *shards;
	uint64_t memory; /* bytes of blocks here */
	struct spool spool;
	struct buf io;      /* one block as bytes, on its way to or from the spool */
	struct batch view;  /* what dataset_scan passes: no memory but its slots */
	struct batch work;  /* what dataset_rewrite passes */
};

struct dataset *dataset_create(const struct schema *schema, const struct dataset_options *o)
{
	struct dataset *d = mem_zalloc(1, sizeof *d);
	d->schema = schema;
	d->o = *o;
	d->spool_dir = o->spool_dir ? mem_strdup(o->spool_dir) : NULL;
	d->shards = mem_zalloc(MAX(o->shard_count, (size_t)1), sizeof *d->shards);
	d->spool = SPOOL_INIT;
	d->io = BUF_INIT(SIZE_MAX / 2);
	batch_init(&d->view, schema);
	batch_init(&d->work, schema);
	return d;
}

static void drop(struct dataset *d, struct entry *n)
{
	if (n->spooled) {
		spool_free(&d->spool, n->at, n->bytes);
	} else {
		d->memory -= n->bytes;
		block_release(&n->block);
	}
}

void dataset_destroy(struct dataset *d)
{
	if (!d) return;
	for (size_t s = 0; s < d->o.shard_count; s++) {
		for (size_t i = 0; i < d->shards[s].count; i++)
			if (!d->shards[s].entries[i].spooled) block_release(&d->shards[s].entries[i].block);
		mem_free(d->shards[s].entries);
	}
	spool_release(&d->spool);
	buf_release(&d->io);
	mem_free(d->view.columns);
	batch_release(&d->work);
	mem_free(d->shards);
	mem_free(d->spool_dir);
	mem_free(d);
}

uint64_t dataset_rows(const struct dataset *d, size_t shard) { return d->shards[shard].rows; }
uint64_t dataset_bytes(const struct dataset *d) { return d->memory; }
uint64_t dataset_spooled(const struct dataset *d) { return d->spool.used; }

static bool to_spool(struct dataset *d, struct block *block, struct entry *out, struct err *e)
{
	uint64_t at;
	buf_clear(&d->io);
	block_encode(block, &d->io);
	CHECK(buf_ok(&d->io));
	if (!spool_write(&d->spool, d->spool_dir, d->io.data, d->io.len, &at, e)) return false;
	*out = (struct entry){.spooled = true, .rows = block->rows, .bytes = d->io.len, .at = at};
	block_release(block);
	return true;
}

/* Finds the block a place as the storage level says. It belongs to *out on success and is gone on failure. */
static bool place(struct dataset *d, struct block *block, struct entry *out, struct err *e)
{
	size_t bytes = block_bytes(block);
	bool fits = d->memory + bytes <= d->o.memory_max;
	if (fits && d->o.level != STORAGE_DISK_ONLY) {
		*out = (struct entry){.rows = block->rows, .bytes = bytes, .block = *block};
		d->memory += bytes;
		return true;
	}
	bool ok = d->o.level == STORAGE_MEMORY_ONLY
			  ? err_set(e, ERR_out_of_memory,
				    "the rows need more than the %llu bytes that storageLevel MEMORY_ONLY has for them",
				    (unsigned long long)d->o.memory_max)
			  : to_spool(d, block, out, e);
	if (!ok) block_release(block);
	return ok;
}

bool dataset_append(struct dataset *d, const struct batch *b, const uint8_t *keep, struct err *e)
{
	CHECK(b->shard < d->o.shard_count);
	if (b->rows == 0) return true;
	struct shard *s = &d->shards[b->shard];
	struct block block;
	block_copy(&block, b, keep);
	MEM_GROW(s->entries, s->cap, s->count + 1);
	if (!place(d, &block, &s->entries[s->count], e)) return false;
	s->count++;
	s->rows += b->rows;
	return true;
}

/* *block is valid until the next load. */
static bool load(struct dataset *d, const struct entry *n, struct block *block, struct err *e)
{
	buf_clear(&d->io);
	char *room = buf_reserve(&d->io, n->bytes);
	CHECK(room);
	if (!spool_read(&d->spool, n->at, room, n->bytes, e)) return false;
	block_map(block, room, n->bytes);
	return true;
}

bool dataset_scan(struct dataset *d, size_t shard, bool (*each)(void *ctx, const struct batch *b, struct err *e), void *ctx,
		  struct err *e)
{
	const struct shard *s = &d->shards[shard];
	bool ok = true;
	batch_fit_schema(&d->view);
	d->view.shard = (uint32_t)shard;
	for (size_t i = 0; ok && i < s->count; i++) {
		const struct entry *n = &s->entries[i];
		struct block mapped = {0};
		if (n->spooled && !load(d, n, &mapped, e)) return false;
		block_view(n->spooled ? &mapped : &n->block, &d->view);
		ok = each(ctx, &d->view, e);
		block_release(&mapped);
	}
	return ok;
}

/* Moves the entry's rows into d->work; the entry is gone. */
static bool unpack(struct dataset *d, struct entry *n, struct err *e)
{
	struct block block;
	if (!n->spooled) {
		d->memory -= n->bytes;
		block_give(&n->block, &d->work);
		return true;
	}
	if (!load(d, n, &block, e)) return false;
	block_give(&block, &d->work);
	drop(d, n);
	return true;
}

bool dataset_rewrite(struct dataset *d, size_t shard, const uint8_t *keep,
		     bool (*step)(void *ctx, struct batch *b, struct err *e), void *ctx, struct err *e)
{
	struct shard *s = &d->shards[shard];
	size_t from = 0, to = 0;
	bool ok = true;
	s->rows = 0;
	for (; ok && from < s->count; from++) {
		struct block block;
		ok = unpack(d, &s->entries[from], e);
		if (!ok) break;
		d->work.shard = (uint32_t)shard;
		ok = step(ctx, &d->work, e);
		if (!ok || d->work.rows == 0) continue;
		block_take(&block, &d->work, keep);
		ok = place(d, &block, &s->entries[to], e);
		if (ok) s->rows += s->entries[to++].rows;
	}
	/* After a failure the rows not reached yet stay and the one at hand is gone: nobody reads on after an error. */
	while (from < s->count) s->entries[to++] = s->entries[from++];
	s->count = to;
	return ok;
}
