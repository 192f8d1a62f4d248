/* The unbiased covariance matrix of a vector column, over all ranks: Spark's RowMatrix.computeCovariance.
 *
 * Dense rows are centred before they are multiplied; sparse rows are multiplied as they are, which costs the square of
 * what they store, and centred afterwards by algebra. (Spark does one or the other, as the first row is.) Columns are
 * summed in panels, as many in a pass as memory allows: the bits depend neither on that nor on the number of ranks.
 */
#ifndef QUERN_PIPELINE_COVARIANCE_H
#define QUERN_PIPELINE_COVARIANCE_H

#include "pipeline/moments.h"

/* Of the stage's first input, whose moments are m, of at least two rows. matrix: m->size × m->size, both triangles.
 * Collective; every rank must have the same f->memory_max. */
QN_MUST bool covariance_fit(const struct stage *s, struct fit *f, const struct moments *m, double *matrix,
			    struct err *e);

#endif
