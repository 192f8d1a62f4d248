#include "server/commands/model_file.h"

#include "base/file.h"

#define MODEL_FILE_BYTES_MAX ((size_t)4 << 30)

bool model_file_read(const char *path, struct buf *out, struct err *e)
{
	*out = BUF_INIT(MODEL_FILE_BYTES_MAX);
	if (file_read(path, out, e)) return true;
	buf_release(out);
	return false;
}

bool model_file_open(const char *path, struct predictor **out, struct err *e)
{
	struct buf bytes;
	if (!model_file_read(path, &bytes, e)) return false;
	bool ok = predictor_create(bytes.data, bytes.len, path, 0, out, e) || err_wrap(e, "%s", path);
	buf_release(&bytes);
	return ok;
}
