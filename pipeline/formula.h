/* R formulas as Spark's RFormula reads them: label ~ terms, with + - : * ^ . 0 1 and brackets.
 *
 * A parsed formula is resolved against the columns at hand: . becomes all others that may be features, a:b and b:a are
 * one interaction, - takes terms away that stand before it. Source of the rules:
 * org.apache.spark.ml.feature.RFormulaParser. */
#ifndef QUERN_PIPELINE_FORMULA_H
#define QUERN_PIPELINE_FORMULA_H

#include "data/schema.h"

enum {
	FORMULA_TEXT_MAX = 64 << 10, /* bytes */
	FORMULA_DEPTH_MAX = 100,     /* of brackets */
	FORMULA_DEGREE_MAX = 32,     /* behind ^ */
	FORMULA_TERMS_MAX = 8192,    /* of a formula, while it is read and when it is resolved */
	FORMULA_WHY_SIZE = 192,
};

struct formula_item;

/* As written; everything in the arena it was parsed with. */
struct formula {
	struct str label; /* empty: none */
	struct formula_item *items;
	size_t count;
	bool intercept;
};

/* Terms as columns: one name, or several of an interaction. */
struct formula_terms {
	struct str_list *items;
	size_t count;
};

QN_MUST bool formula_parse(struct str text, struct arena *a, struct formula *out, char why[FORMULA_WHY_SIZE]);
QN_MUST bool formula_resolve(const struct formula *f, const struct schema *schema, struct arena *a,
			     struct formula_terms *out, char why[FORMULA_WHY_SIZE]);
/* ResolvedRFormula(label=y, terms=[a,{a,b}], hasIntercept=true) */
void formula_write(struct str label, const struct formula_terms *t, bool intercept, struct buf *out);

#endif
