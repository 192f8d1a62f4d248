#include "base/rng.h"

#include <errno.h>
#include <sys/random.h>

void rng_system(void *out, size_t len)
{
	unsigned char *p = out;
	while (len > 0) {
		ssize_t n = getrandom(p, len, 0);
		CHECK(n > 0 || errno == EINTR);
		if (n <= 0) continue;
		p += n;
		len -= (size_t)n;
	}
}
