/* Labels of a column: counted over all ranks, put in one of Spark's orders, stored. What StringIndexer and RFormula
 * share. Numbers are labels in Java's notation; null and NaN are none. */
#ifndef QUERN_PIPELINE_LABELS_H
#define QUERN_PIPELINE_LABELS_H

#include "base/map.h"
#include "pipeline/stage.h"

/* frequencyDesc, frequencyAsc, alphabetDesc, alphabetAsc; NULL-terminated. By UTF-8 bytes, ascending among equal
 * counts. */
extern const char *const labels_orders[];

/* The accumulator of a fit_fold: label → how often, for several columns. */
struct labels_counts {
	struct map *maps;
	size_t count;
};
struct labels_counts *labels_counts_create(size_t count);
/* For struct fit_fold. */
void labels_counts_destroy(void *counts);
void labels_counts_pack(const struct stage *s, void *counts, struct buf *out);
QN_MUST bool labels_counts_merge(struct stage *s, void *into, struct cursor *in, struct err *e);
/* One more of the label in row i. */
void labels_count(struct map *counts, const struct column *c, size_t i);
/* Sorts the counts in place; labels (empty): label → index. */
void labels_order(struct map *counts, struct str order, struct map *labels);

/* Nominal attribute of an indexed column; keep: one more value, __unknown. */
struct attrs *labels_attrs(struct arena *a, const struct map *labels, bool keep, struct str name);
void labels_encode(const struct map *labels, struct buf *out);
/* Bytes are hostile: labels must be distinct UTF-8. */
QN_MUST bool labels_decode(struct map *labels, struct cursor *in, struct err *e);

#endif
