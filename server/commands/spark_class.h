/* Which stage a class of Spark ML is. */
#ifndef QUERN_SERVER_COMMANDS_SPARK_CLASS_H
#define QUERN_SERVER_COMMANDS_SPARK_CLASS_H

#include "pipeline/stage.h"

/* "org.apache.spark.ml.feature.IDF" and "….IDFModel" are IDF. NULL where no stage is this class or its estimator. */
const struct stage_type *spark_class_stage(struct str class);

#endif
