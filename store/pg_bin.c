#include "store/pg_bin.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool has_program(const char *dir, const char *program)
{
	char path[PATH_MAX];
	return snprintf(path, sizeof path, "%s/%s", dir, program) < (int)sizeof path && access(path, X_OK) == 0;
}

/* The first line that a command prints; "" where there is none. */
static void first_line(const char *command, char out[PATH_MAX])
{
	out[0] = 0;
	FILE *f = popen(command, "re");
	if (!f) return;
	if (!fgets(out, PATH_MAX, f)) out[0] = 0;
	out[strcspn(out, "\n")] = 0;
	pclose(f);
}

/* "postgres (PostgreSQL) 15.20 (Debian …)" → 15; 0: cannot be run. */
static int version_of(const char *dir)
{
	char command[PATH_MAX + 32], line[PATH_MAX];
	snprintf(command, sizeof command, "'%s/postgres' --version 2>/dev/null", dir);
	first_line(command, line);
	const char *p = strstr(line, ") ");
	return p ? atoi(p + 2) : 0;
}

struct search {
	int wanted;  /* major version; 0: the highest */
	int version; /* found so far; 0: none */
	char *dir;
};

static void consider(struct search *s, const char *dir)
{
	/* A quote in the path would leave the shell's quotes. */
	if (strchr(dir, '\'') || !has_program(dir, "postgres") || !has_program(dir, "initdb")) return;
	int version = version_of(dir);
	if (version <= s->version || (s->wanted && version != s->wanted)) return;
	s->version = version;
	snprintf(s->dir, PATH_MAX, "%s", dir);
}

static void consider_packages(struct search *s)
{
	static const char *const patterns[] = {"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin"};
	for (size_t i = 0; i < ARRAY_COUNT(patterns); i++) {
		glob_t found;
		if (glob(patterns[i], 0, NULL, &found) != 0) continue;
		for (size_t j = 0; j < found.gl_pathc; j++) consider(s, found.gl_pathv[j]);
		globfree(&found);
	}
}

static void consider_path(struct search *s)
{
	char path[PATH_MAX], *save = NULL;
	const char *env = getenv("PATH");
	snprintf(path, sizeof path, "%s", env ? env : "");
	for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) consider(s, dir);
}

bool pg_bin_find(const char *cluster_version, char out[PATH_MAX], struct err *e)
{
	struct search s = {.wanted = atoi(cluster_version), .dir = out};
	const char *given = getenv("QUERN_PG_BIN");
	if (given) {
		consider(&s, given);
	} else {
		char dir[PATH_MAX];
		first_line("pg_config --bindir 2>/dev/null", dir);
		consider(&s, dir);
		if (!s.version) consider_packages(&s);
		if (!s.version) consider_path(&s);
	}
	if (s.version) return true;
	if (s.wanted)
		return err_set(e, ERR_unavailable,
			       "the data folder is of Postgres %d, whose programs are not installed", s.wanted);
	return err_set(e, ERR_unavailable, "no Postgres is installed%s: apt-get install postgresql, or give --database",
		       given ? " in QUERN_PG_BIN" : "");
}
