/* Reads the configuration file as values with places; knows nothing of settings. The only door to libyaml.
 *
 * A file is one document: a mapping of keys, or of sections that are mappings of keys, to scalars and lists of scalars.
 * Anchors, aliases and tags are refused, as are keys given twice and files over CONFIG_FILE_BYTES_MAX. Private to this
 * folder.
 */
#ifndef QUERN_CONFIG_CONFIG_FILE_H
#define QUERN_CONFIG_CONFIG_FILE_H

#include "base/err.h"

struct config_value {
	const char *key;   /* limits.bodyBytes */
	const char *text;  /* NULL: an empty list */
	const char *where; /* quern.yaml:12 */
	bool in_list;      /* an element: those of one list come one after the other */
};

/* Calls sink with each value in order; what it is given lives only during the call. Values that are null are left out.
 * Faults have the place for their pointer; reading ends at the first that the file's form has. */
QN_MUST bool config_file_read(const char *path, void (*sink)(void *ctx, const struct config_value *v), void *ctx,
			      struct err *e);

#endif
