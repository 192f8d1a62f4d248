#include "server/router.h"

#include "server/handlers/handlers.h"

#include <stdio.h>

const struct route routes[] = {
#define ROUTE(method, path, handler, place, body, answer, summary) \
	{HTTP_##method, path, handler, PLACE_##place, BODY_##body, ANSWER_##answer, summary},
#include "server/routes.def"
#undef ROUTE
};
const size_t route_count = ARRAY_COUNT(routes);

static struct pattern {
	struct str segments[TARGET_SEGMENTS_MAX]; /* "{id}" stands for anything */
	size_t count;
} patterns[ARRAY_COUNT(routes)];

void router_init(void)
{
	for (size_t i = 0; i < route_count; i++) {
		struct pattern *p = &patterns[i];
		p->count = 0;
		for (const char *s = routes[i].path; s && s[1]; s = strchr(s + 1, '/')) {
			CHECK(p->count < TARGET_SEGMENTS_MAX);
			p->segments[p->count++] = (struct str){s + 1, strcspn(s + 1, "/")};
		}
	}
}

static bool is_uuid(struct str s)
{
	char text[UUID_TEXT_SIZE];
	if (s.len != sizeof text - 1) return false;
	memcpy(text, s.data, s.len);
	text[s.len] = 0;
	return uuid_valid(text);
}

/* Could this segment be a value of that parameter? */
static bool value_fits(struct str name, struct str value)
{
	if (str_is(name, "{id}")) return is_uuid(value);
	if (str_is(name, "{version}")) {
		int64_t n;
		return str_to_i64(value, &n) && n >= 1 && n <= INT32_MAX;
	}
	return value.len > 0;
}

static bool matches(const struct pattern *p, const struct target *t, struct str params[EXCHANGE_PARAMS_MAX])
{
	size_t n = 0;
	if (p->count != t->segment_count) return false;
	for (size_t i = 0; i < p->count; i++) {
		struct str want = p->segments[i], is = t->segments[i];
		if (want.data[0] != '{') {
			if (!str_eq(want, is)) return false;
			continue;
		}
		if (!value_fits(want, is)) return false;
		CHECK(n < EXCHANGE_PARAMS_MAX);
		params[n++] = is;
	}
	return true;
}

static bool refuse(unsigned seen, char allow[64], struct err *e)
{
	if (seen == 0) return err_set(e, ERR_not_found, "nothing lives at this path");
	size_t n = 0;
	for (int m = 0; m < HTTP_OTHER; m++)
		if (seen >> m & 1)
			n += (size_t)snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "",
					      http_method_name((enum http_method)m));
	return err_set(e, ERR_method_not_allowed, "this path answers %s", allow);
}

bool router_find(struct exchange *x, char allow[64], struct err *e)
{
	unsigned seen = 0;
	enum http_method wanted = x->rq->method == HTTP_HEAD ? HTTP_GET : x->rq->method;
	for (size_t i = 0; i < route_count; i++) {
		if (!matches(&patterns[i], &x->target, x->params)) continue;
		if (routes[i].method == wanted) {
			x->route = &routes[i];
			return true;
		}
		seen |= 1u << routes[i].method;
		if (routes[i].method == HTTP_GET) seen |= 1u << HTTP_HEAD;
	}
	return refuse(seen, allow, e);
}
