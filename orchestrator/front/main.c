/*
 * What people start as `kiln`. It says again what the last run said where nothing has changed, which
 * needs the C library alone; for all else it becomes kiln-main, which is linked to libraries that take
 * longer to load than that takes (libcurl alone brings thirty).
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "front/replay.h"
#include "snapshot/snapshot.h"
#include "store/where.h"

/* Beside this program, as it is built, or where `make install` puts it. */
static const char *const places[] = { "kiln-main", "../libexec/kiln/kiln-main" };

static char *find_main(void)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	_cleanup_free_ char *dir = NULL;

	if (n < 0)
		return NULL;
	self[n] = '\0';
	dir = path_dir(self);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = path_join(dir, places[i]);

		if (access(path, X_OK) == 0)
			return path;
		free(path);
	}
	return NULL;
}

static int try_again(const char *program, int argc, char **argv, struct err *err)
{
	_cleanup_buf_ struct buf key = BUF_INIT(SNAPSHOT_KEY_MOST);
	_cleanup_free_ char *dir = NULL;
	struct err ignored = ERR_INIT;
	const char *store = NULL;

	if (!snapshot_words(argc, argv, &store) || snapshot_key(program, argc, argv, &key) < 0 ||
	    store_place(store, &dir, &ignored) < 0)
		return REPLAY_STALE;
	return replay(dir, &key, err);
}

static void complain(const char *what, const char *hint)
{
	dprintf(STDERR_FILENO, "kiln: %s\n%s%s%s", what, hint[0] ? "  → " : "", hint,
	        hint[0] ? "\n" : "");
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *program = find_main();
	struct err err = ERR_INIT;
	int rc;

	if (!program) {
		complain("cannot find its other half, kiln-main, beside this program or in "
		         "../libexec/kiln",
		         "install kiln again: make install puts both where they belong");
		return 5;
	}
	rc = try_again(program, argc, argv, &err);
	if (rc == 0)
		return 0;
	if (rc < 0) {
		complain(err.cause, err.hint);
		return err_exit_status(&err);
	}
	execv(program, argv);
	err_sys(&err, ERR_MACHINE, "cannot run %s", program);
	complain(err.cause, "install kiln again");
	return err_exit_status(&err);
}
