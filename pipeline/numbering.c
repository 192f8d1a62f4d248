#include "pipeline/numbering.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16 };

void numbering_release(struct numbering *n)
{
	mem_free(n->values);
	mem_free(n->slots);
}

uint64_t numbering_hash(double value)
{
	uint64_t bits;
	value += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&bits, &value, sizeof bits);
	bits ^= bits >> 32;
	return bits * UINT64_C(0x9e3779b97f4a7c15) >> 32;
}

/* The slot of the value, or the free one where it belongs. */
static uint32_t *slot_of(const struct numbering *n, double value)
{
	size_t at = numbering_hash(value) & (n->slots_cap - 1);
	while (n->slots[at] && n->values[n->slots[at] - 1] != value) at = (at + 1) & (n->slots_cap - 1);
	return &n->slots[at];
}

static void grow(struct numbering *n)
{
	n->slots_cap = MAX(n->slots_cap * 2, (size_t)SLOTS_MIN);
	mem_free(n->slots);
	n->slots = mem_zalloc(n->slots_cap, sizeof *n->slots);
	for (size_t k = 0; k < n->count; k++) *slot_of(n, n->values[k]) = (uint32_t)k + 1;
}

uint32_t numbering_of(struct numbering *n, double value)
{
	if (n->count * 2 >= n->slots_cap) grow(n);
	uint32_t *slot = slot_of(n, value);
	if (*slot) return *slot - 1;
	CHECK(n->count < NUMBERING_MAX);
	MEM_GROW(n->values, n->values_cap, n->count + 1);
	n->values[n->count] = value;
	*slot = (uint32_t)++n->count;
	return *slot - 1;
}

struct numbered {
	double value;
	uint32_t number;
};

static int by_value(const void *a, const void *b)
{
	double x = ((const struct numbered *)a)->value, y = ((const struct numbered *)b)->value;
	return (x > y) - (x < y);
}

uint32_t *numbering_order(const struct numbering *n)
{
	struct numbered *sorted = mem_zalloc(MAX(n->count, (size_t)1), sizeof *sorted);
	uint32_t *order = mem_zalloc(MAX(n->count, (size_t)1), sizeof *order);
	for (size_t k = 0; k < n->count; k++) sorted[k] = (struct numbered){n->values[k], (uint32_t)k};
	qsort(sorted, n->count, sizeof *sorted, by_value);
	for (size_t k = 0; k < n->count; k++) order[k] = sorted[k].number;
	mem_free(sorted);
	return order;
}
