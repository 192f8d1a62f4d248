#include "server/commands/spark_class.h"

#include <stdio.h>

static const char *const packages[] = {"feature",    "classification", "regression",
				       "clustering", "recommendation", "fpm"};

/* What a class of Spark ends with, and what the estimator's name has in its place. */
static const struct {
	const char *ending, *instead;
} renames[] = {
	{"", ""},
	{"Model", ""},
	{"ClassificationModel", "Classifier"},
	{"RegressionModel", "Regressor"},
	{"LocalLDAModel", "LDA"},
	{"DistributedLDAModel", "LDA"},
	{"OneHotEncoderEstimator", "OneHotEncoder"}, /* Spark 2.3 and 2.4 */
};

static bool skip_prefix(struct str *s, const char *prefix)
{
	size_t n = strlen(prefix);
	if (s->len < n || memcmp(s->data, prefix, n) != 0) return false;
	*s = (struct str){s->data + n, s->len - n};
	return true;
}

static bool skip_package(struct str *class)
{
	if (!skip_prefix(class, "org.apache.spark.ml.")) return false;
	for (size_t i = 0; i < ARRAY_COUNT(packages); i++)
		if (skip_prefix(class, packages[i])) return skip_prefix(class, ".");
	return false;
}

const struct stage_type *spark_class_stage(struct str class)
{
	char name[128];
	const struct stage_type *found = NULL;
	if (!skip_package(&class) || class.len >= sizeof name / 2) return NULL;
	for (size_t i = 0; i < ARRAY_COUNT(renames) && !found; i++) {
		size_t n = strlen(renames[i].ending);
		if (class.len < n || memcmp(class.data + class.len - n, renames[i].ending, n) != 0) continue;
		snprintf(name, sizeof name, "%.*s%s", (int)(class.len - n), class.data, renames[i].instead);
		found = stage_type_find(STR(name));
	}
	return found;
}
