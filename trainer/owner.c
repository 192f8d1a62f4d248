#include "trainer/owner.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OWNER_LINE = UUID_TEXT_SIZE, OWNER_BYTES_MAX = (OWNER_PREVIOUS_MAX + 1) * OWNER_LINE };

static void read_previous(struct owner *o)
{
	char text[OWNER_BYTES_MAX];
	ssize_t n = pread(o->fd, text, sizeof text, 0);
	for (ssize_t at = 0; at + OWNER_LINE <= n && o->previous_count < OWNER_PREVIOUS_MAX; at += OWNER_LINE) {
		char *id = o->previous[o->previous_count];
		memcpy(id, text + at, OWNER_LINE);
		id[OWNER_LINE - 1] = 0;
		if (uuid_valid(id)) o->previous_count++; /* a torn line is no id */
	}
}

/* In place, for the lock is on this file. Torn by a crash it loses ids, and their leases run out as any other's. */
static bool write_ids(const struct owner *o)
{
	struct buf text = BUF_INIT(OWNER_BYTES_MAX);
	for (size_t i = 0; i < o->previous_count; i++) buf_printf(&text, "%s\n", o->previous[i]);
	buf_printf(&text, "%s\n", o->id);
	bool ok = ftruncate(o->fd, 0) == 0 && pwrite(o->fd, text.data, text.len, 0) == (ssize_t)text.len;
	ok = ok && fsync(o->fd) == 0;
	buf_release(&text);
	return ok;
}

bool owner_open(const char *data_dir, struct owner *out, struct err *e)
{
	struct owner o = {.fd = -1};
	uuid_v7(o.id);
	if (mkdir(data_dir, 0700) != 0 && errno != EEXIST) return err_errno(e, "making %s", data_dir);
	int dir = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0) return err_errno(e, "opening %s", data_dir);
	o.fd = openat(dir, "owner", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	close(dir);
	if (o.fd < 0) return err_errno(e, "opening %s/owner", data_dir);
	if (flock(o.fd, LOCK_EX | LOCK_NB) != 0) owner_close(&o);
	else {
		read_previous(&o);
		if (!write_ids(&o)) {
			err_errno(e, "writing %s/owner", data_dir);
			owner_close(&o);
			return false;
		}
	}
	*out = o;
	return true;
}

void owner_forget_previous(struct owner *o)
{
	o->previous_count = 0;
	if (o->fd >= 0) (void)!write_ids(o);
}

void owner_close(struct owner *o)
{
	if (o->fd >= 0) close(o->fd);
	o->fd = -1;
}
