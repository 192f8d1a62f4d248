/* A configuration file of any bytes is loaded or refused with a fault. */
#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("config", 0);
	CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct config_input in = {.file = path};
	struct config c;
	struct err e;
	err_init(&e);
	if (config_load(&c, &in, &e)) config_release(&c);
	else CHECK(err_is(&e));
	close(fd);
	return 0;
}
