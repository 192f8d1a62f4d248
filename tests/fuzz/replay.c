/* Runs a fuzz target without libFuzzer: first its corpus, then rounds of mutations of it.
 *
 *     fuzz_json CORPUS ROUNDS          what ctest runs
 *     fuzz_json CORPUS ROUNDS ROUND    one round alone, under a debugger
 *
 * A round is a function of its number and of the corpus, so a failure comes back on any machine. Each input lies in a
 * heap block of its own size: a sanitizer sees one byte read too far.
 */
#include "tests/fuzz/fuzz.h"

#include "base/mem.h"
#include "base/rng.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INPUT_MAX = 1 << 16, RANGE_MAX = 256, MUTATIONS_MAX = 8, CORPUS_MAX = 1000 };

struct input {
	uint8_t *data; /* room for INPUT_MAX */
	size_t size;
};
static struct input corpus[CORPUS_MAX];
static size_t corpus_count;

/* --- What was running when it broke -------------------------------------------------------------- */

static char now_running[512];

static void tell_and_die(int signal_number)
{
	ssize_t ignored = write(STDERR_FILENO, now_running, strlen(now_running));
	(void)ignored;
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

static void run(const struct input *in)
{
	uint8_t *copy = mem_alloc(in->size);
	if (in->size) memcpy(copy, in->data, in->size);
	LLVMFuzzerTestOneInput(copy, in->size);
	mem_free(copy);
}

/* --- Corpus -------------------------------------------------------------------------------------- */

static int is_seed(const struct dirent *entry) { return entry->d_name[0] != '.'; }

static void read_seed(const char *folder, const char *name)
{
	struct input in = {mem_alloc(INPUT_MAX), 0};
	snprintf(now_running, sizeof now_running, "seed %s/%s\n", folder, name);
	char path[512];
	snprintf(path, sizeof path, "%s/%s", folder, name);
	FILE *f = fopen(path, "rb");
	CHECK(f && corpus_count < CORPUS_MAX);
	in.size = fread(in.data, 1, INPUT_MAX, f);
	fclose(f);
	corpus[corpus_count++] = in;
	run(&in);
}

static void read_corpus(const char *folder)
{
	struct dirent **names;
	int count = scandir(folder, &names, is_seed, alphasort);
	CHECK(count > 0);
	for (int i = 0; i < count; i++) {
		read_seed(folder, names[i]->d_name);
		free(names[i]);
	}
	free(names);
}

/* --- Mutations ----------------------------------------------------------------------------------- */

struct draws {
	uint64_t seed, count;
};

static size_t below(struct draws *d, size_t bound) { return bound ? (size_t)(rng_at(d->seed, d->count++) % bound) : 0; }

/* A length from 1, or 0 where there is nothing. */
static size_t range(struct draws *d, size_t most) { return most ? 1 + below(d, MIN(most, (size_t)RANGE_MAX)) : 0; }

static void insert(struct input *in, size_t at, const uint8_t *what, size_t size)
{
	size = MIN(size, INPUT_MAX - in->size);
	memmove(in->data + at + size, in->data + at, in->size - at);
	memcpy(in->data + at, what, size);
	in->size += size;
}

static void flip_bit(struct input *in, struct draws *d)
{
	if (in->size) in->data[below(d, in->size)] ^= (uint8_t)(1u << below(d, 8));
}

static void set_byte(struct input *in, struct draws *d)
{
	static const uint8_t bytes[] = "\0\xff\x80\xc0\xed\xf4\x7f\n\r\t \"'\\{}[]():,;=&*!#%@|<>~-+.0189aeEnutf/";
	if (in->size) in->data[below(d, in->size)] = bytes[below(d, sizeof bytes - 1)];
}

/* Lengths and counts of binary formats are little-endian words. */
static void set_word(struct input *in, struct draws *d)
{
	static const uint64_t words[] = {0,         1,          INT32_MAX,     UINT32_MAX, (uint64_t)UINT32_MAX + 1,
					 INT64_MAX, UINT64_MAX, UINT64_MAX - 7};
	uint64_t word = words[below(d, ARRAY_COUNT(words))];
	size_t size = below(d, 2) ? 4 : 8;
	if (in->size >= size) memcpy(in->data + below(d, in->size - size + 1), &word, size);
}

static void erase(struct input *in, struct draws *d)
{
	size_t at = below(d, in->size), size = range(d, in->size - at);
	memmove(in->data + at, in->data + at + size, in->size - at - size);
	in->size -= size;
}

static void repeat(struct input *in, struct draws *d)
{
	uint8_t copy[RANGE_MAX];
	size_t at = below(d, in->size), size = range(d, in->size - at);
	memcpy(copy, in->data + at, size);
	for (size_t times = 1 + below(d, 4); times > 0; times--) insert(in, at, copy, size);
}

static void splice(struct input *in, struct draws *d)
{
	const struct input *other = &corpus[below(d, corpus_count)];
	size_t from = below(d, other->size);
	insert(in, below(d, in->size + 1), other->data + from, range(d, other->size - from));
}

static void cut(struct input *in, struct draws *d) { in->size = below(d, in->size + 1); }

static void (*const mutations[])(struct input *, struct draws *) = {flip_bit, set_byte, set_byte, set_word,
								    erase,    repeat,	splice,	  cut};

static void run_round(uint64_t round)
{
	static uint8_t room[INPUT_MAX];
	struct draws d = {.seed = round};
	const struct input *seed = &corpus[below(&d, corpus_count)];
	struct input in = {room, seed->size};
	memcpy(room, seed->data, seed->size);
	/* Mostly few: what is changed all over is refused at once. */
	for (size_t n = 1 + below(&d, 1 + below(&d, MUTATIONS_MAX)); n > 0; n--)
		mutations[below(&d, ARRAY_COUNT(mutations))](&in, &d);
	snprintf(now_running, sizeof now_running, "round %llu\n", (unsigned long long)round);
	run(&in);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s CORPUS ROUNDS [ROUND]\n", argv[0]);
		return 2;
	}
	signal(SIGABRT, tell_and_die);
	signal(SIGSEGV, tell_and_die);
	read_corpus(argv[1]);
	uint64_t rounds = strtoull(argv[2], NULL, 10), round = 0;
	if (argc > 3) {
		round = strtoull(argv[3], NULL, 10);
		rounds = round + 1;
	}
	for (; round < rounds; round++) run_round(round);
	for (size_t i = 0; i < corpus_count; i++) mem_free(corpus[i].data);
	printf("%zu seeds, %s rounds\n", corpus_count, argv[2]);
	return 0;
}
