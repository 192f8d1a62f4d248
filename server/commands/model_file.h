/* A .quern file as a predictor. */
#ifndef QUERN_SERVER_COMMANDS_MODEL_FILE_H
#define QUERN_SERVER_COMMANDS_MODEL_FILE_H

#include "serving/predictor.h"

QN_MUST bool model_file_read(const char *path, struct buf *out, struct err *e);
QN_MUST bool model_file_open(const char *path, struct predictor **out, struct err *e);

#endif
