#include "store/embedded.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "store/pg_bin.h"
#include "store/postmaster.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* sun_path holds 108 bytes with the NUL; the socket's own name takes "/.s.PGSQL.5432". */
enum { RUN_DIR_MAX = 107 - 14, LOG_BYTES_MAX = 64 << 20 };

struct embedded {
	char data_dir[PATH_MAX]; /* absolute, without links */
	int lock_fd;
	struct postmaster postmaster;
	char *url;
};

/* Appended to what initdb wrote, so these count; people may edit the file, a start leaves it alone. */
static const char conf[] = "\n# Quern's private Postgres\n"
			   "shared_buffers = 64MB\n"
			   "max_connections = 100\n"
			   "max_wal_size = 1GB\n"
			   "fsync = on\n"
			   "synchronous_commit = on\n"
			   "password_encryption = scram-sha-256\n"
			   "log_checkpoints = off\n"
			   "log_min_messages = warning\n"
			   "log_line_prefix = '%m [%p] '\n"
			   "timezone = 'UTC'\n";
static const char hba[] = "# The socket's folder is open to the owner alone; there is no other way in.\n"
			  "local all all trust\n";

/* --- Folders ------------------------------------------------------------------------------------------------------ */

static bool join(char out[PATH_MAX], const char *dir, const char *name, struct err *e)
{
	return snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX ||
	       err_set(e, ERR_io, "the path %s is too long", dir);
}

static bool make_folders(const char *path, struct err *e)
{
	char part[PATH_MAX];
	if (snprintf(part, sizeof part, "%s", path) >= (int)sizeof part)
		return err_set(e, ERR_io, "the path is too long");
	for (char *p = part + 1;; p++) {
		if (*p != '/' && *p != 0) continue;
		bool last = *p == 0;
		*p = 0;
		if (mkdir(part, 0700) != 0 && errno != EEXIST) return err_errno(e, "making the folder %s", part);
		if (last) return true;
		*p = '/';
	}
}

/* Root's folders are often closed to the account that Postgres runs as. Passing through them (not listing) is opened to
 * others on the way to the data folder; what lies in it keeps its own protection. */
static bool make_traversable(const char *path, struct err *e)
{
	char part[PATH_MAX];
	struct stat st;
	snprintf(part, sizeof part, "%s", path);
	while (part[0]) {
		if (stat(part, &st) != 0) return err_errno(e, "looking at %s", part);
		if (!(st.st_mode & S_IXOTH) && chmod(part, (st.st_mode & 07777) | S_IXOTH) != 0)
			return err_errno(e, "opening the way through %s", part);
		*strrchr(part, '/') = 0;
	}
	return true;
}

/* A folder that is a's and nobody else's. One that exists must be just that: in a shared place it may be a trap. */
static bool make_private(const char *path, const struct account *a, struct err *e)
{
	struct stat st;
	if (mkdir(path, 0700) == 0) {
		if (chown(path, a->uid, a->gid) != 0) return err_errno(e, "handing over %s", path);
		return true;
	}
	if (errno != EEXIST || lstat(path, &st) != 0) return err_errno(e, "making the folder %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != a->uid || (st.st_mode & 077))
		return err_set(e, ERR_conflict, "%s is there but is not a private folder of user %u", path, a->uid);
	return true;
}

/* Below the data folder where a socket's name is long enough for it, else under a name made from it. */
static bool choose_run_dir(struct embedded *em, struct err *e)
{
	struct postmaster *p = &em->postmaster;
	if (!join(p->run, em->data_dir, "run", e)) return false;
	if (strlen(p->run) > RUN_DIR_MAX) {
		const char *runtime = geteuid() == 0 ? "/run" : getenv("XDG_RUNTIME_DIR");
		snprintf(p->run, sizeof p->run, "%.60s/quern-%016" PRIx64, runtime ? runtime : "/tmp",
			 hash_xxh3(em->data_dir, strlen(em->data_dir)));
	}
	return make_private(p->run, &p->account, e);
}

/* --- The cluster -------------------------------------------------------------------------------------------------- */

/* "": no cluster yet. */
static void read_version(const char *cluster, char out[16])
{
	char path[PATH_MAX + 16];
	out[0] = 0;
	snprintf(path, sizeof path, "%s/PG_VERSION", cluster);
	FILE *f = fopen(path, "re");
	if (!f) return;
	if (!fgets(out, 16, f)) out[0] = 0;
	fclose(f);
}

static bool write_file(const char *dir, const char *name, const char *mode, const char *text, struct err *e)
{
	char path[PATH_MAX];
	if (!join(path, dir, name, e)) return false;
	FILE *f = fopen(path, mode);
	if (!f) return err_errno(e, "opening %s", path);
	bool ok = fputs(text, f) >= 0;
	ok = fclose(f) == 0 && ok;
	return ok || err_errno(e, "writing %s", path);
}

/* Built aside and renamed, so that a half-made cluster is never taken for one; initdb's fsync of every file is replaced
 * by one of the whole file system before the rename, and after. */
static bool make_cluster(struct embedded *em, struct err *e)
{
	struct postmaster *p = &em->postmaster;
	char initdb[PATH_MAX], fresh[PATH_MAX];
	if (!join(initdb, p->bin, "initdb", e) || !join(fresh, em->data_dir, "postgres.new", e)) return false;
	const char *const argv[] = {initdb,	  "-D",	  fresh,	 "-U", "quern", "-A", "trust", "-E", "UTF8",
				    "--no-locale", "--no-sync", "--no-instructions", NULL};
	file_remove_tree(fresh);
	if (!make_private(fresh, &p->account, e) || !postmaster_run_tool(p, argv, e)) return false;
	if (!write_file(fresh, "postgresql.conf", "ae", conf, e) || !write_file(fresh, "pg_hba.conf", "we", hba, e))
		return false;
	int fd = open(fresh, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool ok = fd >= 0 && syncfs(fd) == 0 && rename(fresh, p->cluster) == 0 && syncfs(fd) == 0;
	if (!ok) err_errno(e, "finishing %s", fresh);
	if (fd >= 0) close(fd);
	return ok;
}

static bool ensure_cluster(struct embedded *em, struct err *e)
{
	char version[16];
	read_version(em->postmaster.cluster, version);
	return pg_bin_find(version, em->postmaster.bin, e) && (version[0] || make_cluster(em, e));
}

/* One program a data folder, for as long as it lives: the kernel lets go of the lock with the process. */
static bool lock_data_dir(struct embedded *em, struct err *e)
{
	char path[PATH_MAX], text[16] = "";
	if (!join(path, em->data_dir, "quern.lock", e)) return false;
	em->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (em->lock_fd < 0) return err_errno(e, "opening %s", path);
	if (flock(em->lock_fd, LOCK_EX | LOCK_NB) != 0) {
		if (pread(em->lock_fd, text, sizeof text - 1, 0) < 0) text[0] = 0;
		return err_set(e, ERR_conflict, "the data folder %s is in use by another quern, process %d",
			       em->data_dir, atoi(text));
	}
	int n = snprintf(text, sizeof text, "%d\n", (int)getpid());
	if (ftruncate(em->lock_fd, 0) == 0 && pwrite(em->lock_fd, text, (size_t)n, 0) == n) return true;
	return err_errno(e, "writing %s", path);
}

/* Keyword form, where ' and \ are escaped. */
static char *make_url(const char *run)
{
	char *url = mem_alloc(2 * strlen(run) + 64), *p = stpcpy(url, "host='");
	for (; *run; run++) {
		if (*run == '\'' || *run == '\\') *p++ = '\\';
		*p++ = *run;
	}
	strcpy(p, "' port=5432 dbname=postgres user=quern");
	return url;
}

/* --- The interface ------------------------------------------------------------------------------------------------ */

/* Root goes on as whoever the cluster was made for. */
static struct account choose_account(const char *cluster)
{
	struct stat st;
	if (geteuid() == 0 && stat(cluster, &st) == 0 && st.st_uid != 0) return (struct account){st.st_uid, st.st_gid};
	return account_unprivileged();
}

static bool prepare(struct embedded *em, const char *data_dir, struct err *e)
{
	struct postmaster *p = &em->postmaster;
	if (!make_folders(data_dir, e)) return false;
	if (!realpath(data_dir, em->data_dir)) return err_errno(e, "looking at %s", data_dir);
	if (!lock_data_dir(em, e)) return false;
	if (geteuid() == 0 && !make_traversable(em->data_dir, e)) return false;
	if (!join(p->cluster, em->data_dir, "postgres", e) || !join(p->log, em->data_dir, "postgres.log", e))
		return false;
	p->account = choose_account(p->cluster);
	return choose_run_dir(em, e) && ensure_cluster(em, e);
}

static void release(struct embedded *em)
{
	if (em->lock_fd >= 0) close(em->lock_fd);
	mem_free(em->url);
	mem_free(em);
}

bool embedded_start(const char *data_dir, struct embedded **out, struct err *e)
{
	struct embedded *em = mem_zalloc(1, sizeof *em);
	em->lock_fd = -1;
	if (!prepare(em, data_dir, e) || !embedded_check(em, e)) {
		release(em);
		return err_wrap(e, "the private Postgres");
	}
	em->url = make_url(em->postmaster.run);
	*out = em;
	return true;
}

const char *embedded_url(const struct embedded *em) { return em->url; }

bool embedded_check(struct embedded *em, struct err *e)
{
	struct postmaster *p = &em->postmaster;
	struct stat st;
	/* Its writer appends, so cutting it under the writer is safe. */
	if (stat(p->log, &st) == 0 && st.st_size > LOG_BYTES_MAX && truncate(p->log, 0) != 0)
		return err_errno(e, "cutting %s", p->log);
	if (postmaster_alive(p)) {
		if (postmaster_wait(p, e)) return true;
		if (postmaster_alive(p)) return false;
		err_init(e); /* it was on its way out */
	}
	return postmaster_start(p, e);
}

void embedded_stop(struct embedded *em)
{
	if (!em) return;
	postmaster_stop(&em->postmaster);
	rmdir(em->postmaster.run); /* it may lie outside the data folder */
	release(em);
}
