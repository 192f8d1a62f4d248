/* Files compiled into the program (cmake/Embed.cmake): SQL, the OpenAPI page, the dashboard. */
#ifndef QUERN_BASE_EMBED_H
#define QUERN_BASE_EMBED_H

#include <stddef.h>

struct embed_file {
	const char *name;          /* base name; NULL ends the table */
	const unsigned char *data; /* NUL-terminated beyond size */
	size_t size;
};

#endif
