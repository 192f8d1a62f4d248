#include "pipeline/eval/confusion.h"

#include <stdlib.h>
#include <string.h>

enum { SHOWN_LABELS_MAX = 100 };

void confusion_release(struct confusion *c)
{
	mem_free(c->cells);
	mem_free(c->label);
	map_release(&c->places);
	*c = (struct confusion){0};
}

void confusion_clear(struct confusion *c)
{
	c->count = 0;
	map_clear(&c->places);
}

bool confusion_add(struct confusion *c, double label, double prediction, double weight)
{
	double key[] = {label + 0.0, prediction + 0.0}; /* -0.0 + 0.0 is 0.0 */
	bool made;
	struct map_entry *at = map_put(&c->places, (struct str){(const char *)key, sizeof key}, &made);
	if (made) {
		if (c->count == CONFUSION_CELLS_MAX) return false;
		MEM_GROW(c->cells, c->cap, c->count + 1);
		c->cells[c->count] = (struct confusion_cell){key[0], key[1], 0};
		at->value = c->count++;
	}
	c->cells[at->value].weight += weight;
	return true;
}

/* --- Classes ----------------------------------------------------------------------------------------------------- */

static int compare_doubles(double a, double b) { return (a > b) - (a < b); }

static int compare_cells(const void *a, const void *b)
{
	const struct confusion_cell *x = a, *y = b;
	int by_label = compare_doubles(x->label, y->label);
	return by_label ? by_label : compare_doubles(x->prediction, y->prediction);
}

static int compare_labels(const void *key, const void *label)
{
	return compare_doubles(*(const double *)key, *(const double *)label);
}

size_t confusion_class(const struct confusion *c, double label)
{
	const double *at = c->classes ? bsearch(&label, c->label, c->classes, sizeof label, compare_labels) : NULL;
	return at ? (size_t)(at - c->label) : c->classes;
}

void confusion_finish(struct confusion *c)
{
	size_t n = c->count;
	if (n > 0) qsort(c->cells, n, sizeof *c->cells, compare_cells);
	c->label = mem_zalloc(n + 1, 4 * sizeof *c->label);
	c->total = c->label + n + 1;
	c->right = c->total + n + 1;
	c->wrong = c->right + n + 1;
	for (size_t i = 0; i < n; i++) {
		const struct confusion_cell *at = &c->cells[i];
		if (i == 0 || c->label[c->classes - 1] != at->label) c->label[c->classes++] = at->label;
		c->total[c->classes - 1] += at->weight;
		c->weight += at->weight;
		if (at->label == at->prediction) c->right[c->classes - 1] += at->weight;
		else c->missed += at->weight;
	}
	for (size_t i = 0; i < n; i++) {
		size_t k = confusion_class(c, c->cells[i].prediction);
		if (k < c->classes && c->cells[i].label != c->cells[i].prediction) c->wrong[k] += c->cells[i].weight;
	}
}

/* --- Metrics ----------------------------------------------------------------------------------------------------- */

double confusion_precision(const struct confusion *c, size_t k)
{
	double predicted = c->right[k] + c->wrong[k];
	return predicted == 0 ? 0 : c->right[k] / predicted;
}

double confusion_recall(const struct confusion *c, size_t k) { return c->right[k] / c->total[k]; }

double confusion_false_positive_rate(const struct confusion *c, size_t k)
{
	return c->wrong[k] / (c->weight - c->total[k]);
}

double confusion_f_measure(const struct confusion *c, size_t k, double beta)
{
	double p = confusion_precision(c, k), r = confusion_recall(c, k), b = beta * beta;
	return p + r == 0 ? 0 : (1 + b) * p * r / (b * p + r);
}

double confusion_accuracy(const struct confusion *c)
{
	double right = 0;
	for (size_t k = 0; k < c->classes; k++) right += c->right[k];
	return right / c->weight;
}

double confusion_hamming_loss(const struct confusion *c) { return c->missed / c->weight; }

/* --- For people -------------------------------------------------------------------------------------------------- */

static int compare_sorted(const void *a, const void *b)
{
	return compare_doubles(*(const double *)a, *(const double *)b);
}

/* Labels and predictions that occur, ascending; at most SHOWN_LABELS_MAX, else 0. */
static size_t shown_labels(const struct confusion *c, double out[2 * SHOWN_LABELS_MAX])
{
	size_t n = 0, distinct = 0;
	for (size_t i = 0; i < c->count; i++) {
		bool is_class = i > 0 && c->cells[i].label == c->cells[i - 1].label;
		bool stranger = confusion_class(c, c->cells[i].prediction) == c->classes;
		if (n + 2 > 2 * SHOWN_LABELS_MAX) return 0;
		if (!is_class) out[n++] = c->cells[i].label;
		if (stranger) out[n++] = c->cells[i].prediction;
	}
	qsort(out, n, sizeof *out, compare_sorted);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || out[i] != out[distinct - 1]) out[distinct++] = out[i];
	return distinct <= SHOWN_LABELS_MAX ? distinct : 0;
}

static void put(struct json_writer *w, const char *key, double v)
{
	json_key(w, key);
	json_double(w, v);
}

static void write_class(const struct confusion *c, size_t k, struct json_writer *w)
{
	json_object_begin(w);
	put(w, "label", c->label[k]);
	put(w, "precision", confusion_precision(c, k));
	put(w, "recall", confusion_recall(c, k));
	put(w, "f1", confusion_f_measure(c, k, 1));
	put(w, "falsePositiveRate", confusion_false_positive_rate(c, k));
	put(w, "weight", c->total[k]);
	json_object_end(w);
}

/* Cells come sorted, so one cursor walks along the matrix. */
static void write_matrix(const struct confusion *c, const double *labels, size_t n, struct json_writer *w)
{
	const struct confusion_cell *at = c->cells, *end = at + c->count;
	json_key(w, "confusionMatrix");
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) {
		json_array_begin(w);
		for (size_t k = 0; k < n; k++) {
			bool here = at < end && at->label == labels[i] && at->prediction == labels[k];
			json_double(w, here ? at++->weight : 0);
		}
		json_array_end(w);
	}
	json_array_end(w);
}

void confusion_write(const struct confusion *c, struct json_writer *w)
{
	double labels[2 * SHOWN_LABELS_MAX];
	size_t n = shown_labels(c, labels);
	if (n == 0) return;
	json_key(w, "labels");
	json_array_begin(w);
	for (size_t i = 0; i < n; i++) json_double(w, labels[i]);
	json_array_end(w);
	write_matrix(c, labels, n, w);
	json_key(w, "byLabel");
	json_array_begin(w);
	for (size_t k = 0; k < c->classes; k++) write_class(c, k, w);
	json_array_end(w);
}
