/* A file of settings is refused with faults, or what is printed of it loads to the same settings. */
#include "tests/fuzz/fuzz.h"

#include "config/config.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool load_and_print(const void *text, size_t size, struct buf *out)
{
	int fd = memfd_create("settings", MFD_CLOEXEC);
	CHECK(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	struct config c;
	struct err e;
	err_init(&e);
	bool ok = config_load(&c, &(struct config_input){.file = path}, &e);
	CHECK(ok || (err_is(&e) && e.fault_count > 0));
	if (ok) {
		config_print(&c, out);
		CHECK(buf_ok(out));
		config_release(&c);
	}
	close(fd);
	return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf once = BUF_INIT((size_t)4 << 20), twice = BUF_INIT((size_t)4 << 20);
	if (load_and_print(data, size, &once)) {
		CHECK(load_and_print(once.data, once.len, &twice));
		CHECK(once.len == twice.len && memcmp(once.data, twice.data, once.len) == 0);
	}
	buf_release(&once);
	buf_release(&twice);
	return 0;
}
