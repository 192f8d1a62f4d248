#include "trainer/workdir.h"

#include "base/clock.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

static bool make_dir(const char *path, struct err *e)
{
	return mkdir(path, 0700) == 0 || errno == EEXIST || err_errno(e, "making %s", path);
}

bool workdir_make(const char *data_dir, const char *job_id, int attempt, struct arena *a, char **out, struct err *e)
{
	char *all = arena_printf(a, "%s/work", data_dir), *job = arena_printf(a, "%s/%s", all, job_id);
	char *path = arena_printf(a, "%s/%d", job, attempt);
	file_remove_tree(path); /* an interrupted attempt's number is given out again */
	if (!make_dir(data_dir, e) || !make_dir(all, e) || !make_dir(job, e) || !make_dir(path, e)) return false;
	*out = path;
	return true;
}

bool workdir_checkpoints(const char *data_dir, const char *job_id, struct arena *a, char **out, struct err *e)
{
	char *all = arena_printf(a, "%s/checkpoints", data_dir);
	if (!make_dir(data_dir, e) || !make_dir(all, e)) return false;
	*out = arena_printf(a, "%s/%s", all, job_id);
	return true;
}

static void remove_below(const char *data_dir, const char *folder, const char *job_id)
{
	struct arena a = ARENA_INIT;
	if (uuid_valid(job_id)) file_remove_tree(arena_printf(&a, "%s/%s/%s", data_dir, folder, job_id));
	arena_release(&a);
}

void workdir_remove(const char *data_dir, const char *job_id) { remove_below(data_dir, "work", job_id); }

void workdir_remove_checkpoints(const char *data_dir, const char *job_id)
{
	remove_below(data_dir, "checkpoints", job_id);
}

static void each_job(const char *data_dir, const char *folder, workdir_each each, void *ctx)
{
	struct arena a = ARENA_INIT;
	DIR *d = opendir(arena_printf(&a, "%s/%s", data_dir, folder));
	for (struct dirent *ent; d && (ent = readdir(d));)
		if (uuid_valid(ent->d_name)) each(ctx, ent->d_name);
	if (d) closedir(d);
	arena_release(&a);
}

void workdir_each_work(const char *data_dir, workdir_each each, void *ctx) { each_job(data_dir, "work", each, ctx); }

void workdir_each_checkpoints(const char *data_dir, workdir_each each, void *ctx)
{
	each_job(data_dir, "checkpoints", each, ctx);
}
