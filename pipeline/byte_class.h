/* A class of bytes, asked of a block of them at once: no branch depends on the text, which a branch could not predict. */
#ifndef QUERN_PIPELINE_BYTE_CLASS_H
#define QUERN_PIPELINE_BYTE_CLASS_H

#include "base/check.h"

#include <stdint.h>

enum { BYTE_CLASS_BLOCK = 64, BYTE_CLASS_RANGES = 8 };

struct byte_class {
	uint8_t member[256]; /* 0 or 1 */
	/* The members as ranges [low, low + more]; none where they are more than fit here. */
	struct {
		uint8_t low, more;
	} ranges[BYTE_CLASS_RANGES];
	unsigned range_count;
};

/* Finds the ranges of a class whose members are set. */
void byte_class_prepare(struct byte_class *c);
/* Bit i says whether p[i] is a member. */
uint64_t byte_class_mask(const struct byte_class *c, const unsigned char p[BYTE_CLASS_BLOCK]);

#endif
