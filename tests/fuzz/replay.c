/* Replays a corpus folder through a fuzz target, then seeded mutations of it: replay FOLDER [MUTATIONS [SEED]]. */
#include "base/mem.h"
#include "base/rng.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { INPUTS_MAX = 256, INPUT_BYTES_MAX = 1 << 20 };

struct input {
	uint8_t *data;
	size_t size;
};

static struct input read_input(const char *folder, const char *name)
{
	char path[4096];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	CHECK(f);
	struct input in = {mem_alloc(INPUT_BYTES_MAX), 0};
	in.size = fread(in.data, 1, INPUT_BYTES_MAX, f);
	fclose(f);
	return in;
}

/* The target gets exact bytes on the heap, so that a read past the end is seen. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = mem_alloc(size);
	if (size) memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	mem_free(copy);
}

/* One to four edits: a byte changed, a run cut out, a run doubled, the rest of another input put behind. */
static void mutate(const struct input *all, size_t count, uint64_t seed, uint8_t *room)
{
	const struct input *in = &all[rng_at(seed, 0) % count];
	size_t size = in->size;
	memcpy(room, in->data, size);
	for (uint64_t edit = 0; edit <= rng_at(seed, 1) % 4; edit++) {
		uint64_t kind = rng_at(seed, 10 * edit + 2) % 4, at = size ? rng_at(seed, 10 * edit + 3) % size : 0;
		uint64_t run_len = size ? MIN(1 + rng_at(seed, 10 * edit + 4) % 16, size - at) : 0;
		if (kind == 0 && size) room[at] = (uint8_t)rng_at(seed, 10 * edit + 5);
		else if (kind == 1) {
			memmove(room + at, room + at + run_len, size - at - run_len);
			size -= run_len;
		} else if (kind == 2 && size + run_len < INPUT_BYTES_MAX) {
			memmove(room + at + run_len, room + at, size - at);
			size += run_len;
		} else {
			const struct input *other = &all[rng_at(seed, 10 * edit + 6) % count];
			size_t from = other->size ? rng_at(seed, 10 * edit + 7) % other->size : 0;
			size_t take = MIN(other->size - from, (size_t)INPUT_BYTES_MAX - at);
			memcpy(room + at, other->data + from, take);
			size = at + take;
		}
	}
	run(room, size);
}

int main(int argc, char **argv)
{
	struct input all[INPUTS_MAX];
	size_t count = 0;
	if (argc < 2) return 2;
	DIR *dir = opendir(argv[1]);
	CHECK(dir);
	for (struct dirent *d; (d = readdir(dir)) && count < INPUTS_MAX;)
		if (d->d_name[0] != '.') all[count++] = read_input(argv[1], d->d_name);
	closedir(dir);
	CHECK(count > 0);
	for (size_t i = 0; i < count; i++) run(all[i].data, all[i].size);
	uint64_t mutations = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	uint8_t *room = mem_alloc(2 * INPUT_BYTES_MAX);
	for (uint64_t i = 0; i < mutations; i++) mutate(all, count, rng_at(seed, i), room);
	printf("%zu inputs and %lu mutations of seed %lu\n", count, (unsigned long)mutations, (unsigned long)seed);
	mem_free(room);
	for (size_t i = 0; i < count; i++) mem_free(all[i].data);
	return 0;
}
