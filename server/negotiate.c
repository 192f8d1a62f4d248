#include "server/negotiate.h"

#include <stdlib.h>
#include <strings.h>
#include <time.h>

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static struct str trim(struct str s)
{
	while (s.len && is_blank(s.data[0])) s.data++, s.len--;
	while (s.len && is_blank(s.data[s.len - 1])) s.len--;
	return s;
}

static bool is_text(struct str s, const char *want)
{
	return s.len == strlen(want) && strncasecmp(s.data, want, s.len) == 0;
}

/* The next part of a list, trimmed; marks inside quotes part nothing. False: there are no more. */
static bool next_part(struct str *rest, char mark, struct str *part)
{
	if (!rest->data) return false;
	bool quoted = false;
	size_t i = 0;
	for (; i < rest->len && (quoted || rest->data[i] != mark); i++) {
		if (rest->data[i] == '"') quoted = !quoted;
		else if (rest->data[i] == '\\' && quoted) i++;
	}
	i = MIN(i, rest->len);
	*part = trim((struct str){rest->data, i});
	if (i == rest->len) *rest = (struct str){0};
	else *rest = (struct str){rest->data + i + 1, rest->len - i - 1};
	return true;
}

/* "name=value" to its halves, the value without quotes. */
static bool split_pair(struct str pair, struct str *name, struct str *value)
{
	const char *at = pair.len ? memchr(pair.data, '=', pair.len) : NULL;
	if (!at) return false;
	*name = trim((struct str){pair.data, (size_t)(at - pair.data)});
	*value = trim((struct str){at + 1, pair.len - (size_t)(at + 1 - pair.data)});
	if (value->len >= 2 && value->data[0] == '"' && value->data[value->len - 1] == '"')
		*value = (struct str){value->data + 1, value->len - 2};
	return true;
}

/* --- What the body is --------------------------------------------------------------------------------------------- */

enum media negotiate_media(struct str content_type)
{
	static const struct {
		const char *name;
		enum media media;
	} names[] = {{"application/json", MEDIA_JSON}, {"application/x-ndjson", MEDIA_NDJSON}, {"text/csv", MEDIA_CSV}};
	struct str rest = content_type, type, pair, name, value;
	if (str_is(content_type, names[0].name)) return names[0].media; /* nearly always */
	if (!next_part(&rest, ';', &type)) return MEDIA_NONE;
	while (next_part(&rest, ';', &pair))
		if (split_pair(pair, &name, &value) && is_text(name, "charset") && !is_text(value, "utf-8") &&
		    !is_text(value, "us-ascii"))
			return MEDIA_OTHER;
	for (size_t i = 0; i < ARRAY_COUNT(names); i++)
		if (is_text(type, names[i].name)) return names[i].media;
	return MEDIA_OTHER;
}

enum coding negotiate_coding(struct str content_encoding)
{
	struct str coding = trim(content_encoding);
	if (!coding.len || is_text(coding, "identity")) return CODING_NONE;
	if (is_text(coding, "gzip") || is_text(coding, "x-gzip")) return CODING_GZIP;
	return is_text(coding, "zstd") ? CODING_ZSTD : CODING_OTHER;
}

/* --- What is wanted ----------------------------------------------------------------------------------------------- */

/* q= among the parameters left in `rest`; 1 without one, 0 for nonsense. */
static double quality(struct str rest)
{
	struct str pair, name, value;
	while (next_part(&rest, ';', &pair)) {
		double q;
		if (!split_pair(pair, &name, &value) || !is_text(name, "q")) continue;
		return str_to_double(value, &q) && q >= 0 && q <= 1 ? q : 0;
	}
	return 1;
}

/* How exactly a range of Accept means the type: 3 itself, 2 its group, 1 anything, 0 not. */
static int specificity(struct str range, const char *type)
{
	size_t group = (size_t)(strchr(type, '/') - type) + 1;
	if (is_text(range, type)) return 3;
	if (range.len == group + 1 && range.data[group] == '*' && strncasecmp(range.data, type, group) == 0) return 2;
	return is_text(range, "*/*");
}

double negotiate_quality(struct str accept, const char *type)
{
	if (!trim(accept).len) return 1;
	struct str rest = accept, item, range;
	double best = 0;
	for (int found = 0; next_part(&rest, ',', &item);) {
		next_part(&item, ';', &range);
		int how = specificity(range, type);
		if (how <= found) continue;
		found = how;
		best = quality(item);
	}
	return best;
}

bool negotiate_gzip(struct str accept_encoding)
{
	struct str rest = accept_encoding, item, name;
	double gzip = -1, any = 0;
	while (next_part(&rest, ',', &item)) {
		next_part(&item, ';', &name);
		if (is_text(name, "gzip") || is_text(name, "x-gzip")) gzip = quality(item);
		else if (is_text(name, "*")) any = quality(item);
	}
	return (gzip >= 0 ? gzip : any) > 0;
}

bool negotiate_wait(struct str prefer, int64_t *seconds)
{
	struct str rest = prefer, item, pair, name, value;
	while (next_part(&rest, ',', &item)) {
		next_part(&item, ';', &pair);
		if (split_pair(pair, &name, &value) && is_text(name, "wait") && str_to_i64(value, seconds))
			return *seconds >= 0;
	}
	return false;
}

/* --- Conditions --------------------------------------------------------------------------------------------------- */

bool negotiate_tag_matches(struct str if_none_match, const char *etag)
{
	struct str rest = if_none_match, tag;
	while (next_part(&rest, ',', &tag)) {
		if (is_text(tag, "*")) return true;
		if (tag.len > 2 && strncmp(tag.data, "W/", 2) == 0) tag = (struct str){tag.data + 2, tag.len - 2};
		if (str_is(tag, etag)) return true;
	}
	return false;
}

bool negotiate_date(struct str http_date, int64_t *seconds)
{
	char copy[40];
	struct tm tm = {0};
	if (!http_date.data || http_date.len >= sizeof copy) return false;
	memcpy(copy, http_date.data, http_date.len);
	copy[http_date.len] = 0;
	const char *end = strptime(copy, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	if (!end || *end) return false;
	*seconds = timegm(&tm);
	return true;
}
