/*
 * A release folder appears whole or not at all: rename where nothing stands, and an exchange of two
 * folders where something does, so that no moment exists without a complete release.
 */
#include "release/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"

/* "dist/gawk-5.2.1/" → "dist" and "gawk-5.2.1". */
static int split(const char *path, struct staging *staging, struct err *err)
{
	_cleanup_free_ char *clean = str_dup(path);
	size_t n = strlen(clean);

	while (n > 1 && clean[n - 1] == '/')
		clean[--n] = '\0';
	staging->parent = path_dir(clean);
	staging->name = str_dup(path_base(clean));
	if (staging->name[0] == '\0' || str_eq(staging->name, ".") || str_eq(staging->name, ".."))
		return err_set(err, ERR_USAGE, "\"%s\" is no place for a release folder", path);
	return 0;
}

int staging_init(struct staging *staging, const char *path, struct err *err)
{
	struct staging made = { .parent_fd = -1 };
	_cleanup_free_ char *stem = NULL;

	if (split(path, &made, err) < 0)
		goto failed;
	stem = str_fmt(".%s", made.name);
	if (fs_make_dirs(AT_FDCWD, made.parent, 0755, err) < 0)
		goto failed;
	if (fs_open_dir(AT_FDCWD, made.parent, &made.parent_fd, err) != 0) {
		err_set(err, ERR_IO, "cannot open the folder %s", made.parent);
		goto failed;
	}
	tmpdir_sweep(made.parent_fd, stem);
	if (tmpdir_init(&made.dir, made.parent_fd, stem, err) < 0)
		goto failed;
	*staging = made;
	return 0;
failed:
	staging_deinit(&made);
	return -1;
}

void staging_sweep(const char *path)
{
	struct staging named = { .parent_fd = -1 };
	_cleanup_free_ char *stem = NULL;
	struct err ignored = ERR_INIT;

	if (split(path, &named, &ignored) == 0 &&
	    fs_open_dir(AT_FDCWD, named.parent, &named.parent_fd, &ignored) == 0) {
		stem = str_fmt(".%s", named.name);
		tmpdir_sweep(named.parent_fd, stem);
	}
	staging_deinit(&named);
}

void staging_deinit(struct staging *staging)
{
	tmpdir_deinit(&staging->dir);
	staging->parent_fd = fs_close(staging->parent_fd);
	free(staging->parent);
	free(staging->name);
	staging->parent = staging->name = NULL;
}

/* After an exchange the old folder has the temporary name, and staging_deinit removes it. */
static int put_in_place(struct staging *staging, bool replace, struct err *err)
{
	int fd = staging->parent_fd;
	int rc;

	if (failpoint("dist-rename"))
		return err_sys(err, ERR_IO, "cannot put %s in place", staging->name);
	unlinkat(fd, staging->name, AT_REMOVEDIR); /* succeeds for an empty folder alone */
	rc = renameat2(fd, staging->dir.name, fd, staging->name, RENAME_NOREPLACE);
	if (rc == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(err, ERR_IO, "cannot put %s in place", staging->name);
	if (!replace)
		return STAGING_TAKEN;
	if (renameat2(fd, staging->dir.name, fd, staging->name, RENAME_EXCHANGE) < 0)
		return err_sys(err, ERR_IO, "cannot put %s in place", staging->name);
	return 0;
}

int staging_commit(struct staging *staging, bool replace, struct err *err)
{
	int rc;

	/* One sync for all files: none of them counts before the folder is in place. */
	if (failpoint("dist-sync") || fchmod(staging->dir.fd, 0755) < 0 ||
	    syncfs(staging->dir.fd) < 0)
		return err_sys(err, ERR_IO, "cannot make %s durable", staging->name);
	rc = put_in_place(staging, replace, err);
	if (rc)
		return rc;
	if (failpoint("dist-parent-sync") || fsync(staging->parent_fd) < 0)
		return err_sys(err, ERR_IO, "cannot make %s durable", staging->name);
	return 0;
}
