/* Labels of a column: counted over all ranks, put in one of Spark's orders, stored. What StringIndexer and RFormula
 * share. Numbers are labels in Java's notation; null and NaN are none. */
#ifndef QUERN_PIPELINE_LABELS_H
#define QUERN_PIPELINE_LABELS_H

#include "base/map.h"
#include "pipeline/stage.h"

/* frequencyDesc, frequencyAsc, alphabetDesc, alphabetAsc; NULL-terminated. By UTF-8 bytes, ascending among equal
 * counts. */
extern const char *const labels_orders[];

/* counts: label → how often. */
void labels_count(struct map *counts, const struct column *c, size_t i);
void labels_pack(const struct map *counts, struct buf *out);
void labels_merge(struct map *counts, struct cursor *in);
/* Sorts the counts in place; labels (empty): label → index. */
void labels_order(struct map *counts, struct str order, struct map *labels);

/* Nominal attribute of an indexed column; keep: one more value, __unknown. */
struct attrs *labels_attrs(struct arena *a, const struct map *labels, bool keep, struct str name);
void labels_encode(const struct map *labels, struct buf *out);
/* Bytes are hostile: labels must be distinct UTF-8. */
QN_MUST bool labels_decode(struct map *labels, struct cursor *in, struct err *e);

#endif
