#include "server/commands/spark_saved.h"

#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const pipelines[] = {
	"org.apache.spark.ml.Pipeline",
	"org.apache.spark.ml.PipelineModel",
	"pyspark.ml.pipeline.Pipeline",
	"pyspark.ml.pipeline.PipelineModel",
};

static bool is_pipeline(struct str class)
{
	for (size_t i = 0; i < ARRAY_COUNT(pipelines); i++)
		if (str_is(class, pipelines[i])) return true;
	return false;
}

/* --- One folder's metadata ---------------------------------------------------------------------------------------- */

/* A pipe or a device would have no end, so they count as nothing. */
static int open_part(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) return fd;
	if (fd >= 0) close(fd);
	return -1;
}

/* The first part that has anything in it: Spark may leave empty ones beside it. */
static int find_part(struct arena *a, const char *folder, const char **found, struct err *e)
{
	size_t seen = 0;
	int best = -1;
	DIR *d = opendir(folder);
	if (!d) return err_errno(e, "opening %s", folder), -1;
	for (struct dirent *entry; (entry = readdir(d)) && ++seen <= SPARK_ENTRIES_MAX;) {
		if (strncmp(entry->d_name, "part-", 5) != 0) continue;
		const char *path = arena_printf(a, "%s/%s", folder, entry->d_name);
		if (best >= 0 && strcmp(path, *found) > 0) continue;
		int fd = open_part(path);
		if (fd < 0) continue;
		if (best >= 0) close(best);
		best = fd;
		*found = path;
	}
	closedir(d);
	if (best < 0) err_set(e, ERR_invalid, "%s has no part-… file: no metadata of Spark ML", folder);
	return best;
}

static bool read_line(struct spark_saved *s, const char *folder, const char **path, struct str *line, struct err *e)
{
	struct buf text = BUF_INIT(SPARK_METADATA_MAX - s->bytes);
	int fd = find_part(&s->arena, folder, path, e);
	if (fd < 0) return false;
	bool ok = file_read_fd(fd, *path, &text, e);
	close(fd);
	if (ok) {
		const char *all = buf_cstr(&text), *end = memchr(all, '\n', text.len);
		size_t len = end ? (size_t)(end - all) : text.len;
		s->bytes += text.len;
		*line = (struct str){arena_strndup(&s->arena, all, len), len};
	} else if (e->code == ERR_too_large)
		err_set(e, ERR_too_large, "the pipeline's metadata are over %d bytes", SPARK_METADATA_MAX);
	buf_release(&text);
	return ok;
}

static bool take_text(const struct json *obj, const char *key, struct str *out)
{
	const struct json *v = json_get(obj, key);
	if (!v || v->type != JSON_STRING) return false;
	*out = v->string;
	return true;
}

static bool read_metadata(struct spark_saved *s, const char *path, struct spark_stage *out, struct err *e)
{
	const char *part;
	struct str line;
	struct json *root;
	if (!read_line(s, arena_printf(&s->arena, "%s/metadata", path), &part, &line, e)) return false;
	if (!json_parse(&s->arena, line.data, line.len, &root, e)) return err_wrap(e, "%s", part);
	*out = (struct spark_stage){.path = path};
	out->params = json_get(root, "paramMap");
	out->defaults = json_get(root, "defaultParamMap");
	bool whole = take_text(root, "class", &out->class) && take_text(root, "uid", &out->uid) && out->params &&
		     out->params->type == JSON_OBJECT && (!out->defaults || out->defaults->type == JSON_OBJECT);
	return whole || err_set(e, ERR_invalid, "%s: no metadata of Spark ML (class, uid, paramMap)", part);
}

/* --- Pipelines ---------------------------------------------------------------------------------------------------- */

static bool read_folder(struct spark_saved *s, const char *path, unsigned depth, struct err *e);

/* The number has as many digits as the count of stages. */
static const char *stage_path(struct spark_saved *s, const char *pipeline, size_t index, size_t count, struct str uid)
{
	int digits = 1;
	for (size_t n = count; n >= 10; n /= 10) digits++;
	return arena_printf(&s->arena, "%s/stages/%0*zu_%.*s", pipeline, digits, index, (int)uid.len, uid.data);
}

/* A uid with a slash would lead elsewhere. */
static bool uid_valid(const struct json *uid)
{
	return uid->type == JSON_STRING && uid->string.len <= NAME_MAX &&
	       !memchr(uid->string.data, '/', uid->string.len) && !memchr(uid->string.data, 0, uid->string.len);
}

static bool read_stages(struct spark_saved *s, const struct spark_stage *pipeline, unsigned depth, struct err *e)
{
	const struct json *uids = json_get(pipeline->params, "stageUids");
	size_t i = 0;
	if (!uids || uids->type != JSON_ARRAY)
		return err_set(e, ERR_invalid, "%s: the pipeline's paramMap has no stageUids", pipeline->path);
	if (depth == SPARK_DEPTH_MAX)
		return err_set(e, ERR_too_large, "%s: more than %d pipelines in one another", pipeline->path,
			       SPARK_DEPTH_MAX);
	for (const struct json *uid = uids->child; uid; uid = uid->next, i++) {
		if (!uid_valid(uid)) return err_set(e, ERR_invalid, "%s: stageUids/%zu is no uid", pipeline->path, i);
		if (!read_folder(s, stage_path(s, pipeline->path, i, uids->count, uid->string), depth + 1, e))
			return false;
	}
	return true;
}

static bool read_folder(struct spark_saved *s, const char *path, unsigned depth, struct err *e)
{
	struct spark_stage stage;
	if (++s->folders > SPARK_FOLDERS_MAX)
		return err_set(e, ERR_too_large, "%s: the pipeline has more than %d stages", path, SPARK_FOLDERS_MAX);
	if (!read_metadata(s, path, &stage, e)) return false;
	if (depth == 0) s->uid = stage.uid;
	if (is_pipeline(stage.class)) return read_stages(s, &stage, depth, e);
	MEM_GROW(s->stages, s->cap, s->count + 1);
	s->stages[s->count++] = stage;
	return true;
}

bool spark_saved_read(struct spark_saved *s, const char *dir, struct err *e)
{
	*s = (struct spark_saved){0};
	return read_folder(s, dir, 0, e);
}

void spark_saved_release(struct spark_saved *s)
{
	mem_free(s->stages);
	arena_release(&s->arena);
	*s = (struct spark_saved){0};
}
