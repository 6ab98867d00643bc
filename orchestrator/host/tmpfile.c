/* Temporary files without names where the file system can, and folders that a sweep can judge. */
#include "host/tmpfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"

int tmpfile_open(int dirfd, const char *what, int *ret_fd, struct err *err)
{
	int fd = -1;

	if (failpoint("temp-create"))
		return err_sys(err, ERR_IO, "cannot make a temporary file for %s", what);
	fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	for (int n = 0; fd < 0 && n < 1000; n++) {
		_cleanup_free_ char *name = str_fmt(".nameless.%d-%d", (int)getpid(), n);

		fd = openat(dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd >= 0)
			unlinkat(dirfd, name, 0);
		else if (errno != EEXIST)
			break;
	}
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot make a temporary file for %s", what);
	*ret_fd = fd;
	return 0;
}

int tmpdir_init(struct tmpdir *dir, int parent_fd, const char *purpose, struct err *err)
{
	_cleanup_free_ char *stem = str_fmt("%s.%d", purpose, (int)getpid());
	struct tmpdir made = { .parent_fd = parent_fd };

	if (lock_new_dir(parent_fd, stem, &made.name, &made.fd, err) < 0)
		return err_while(err, "making a temporary folder");
	*dir = made;
	return 0;
}

void tmpdir_sweep(int parent_fd, const char *purpose)
{
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;
	size_t n = strlen(purpose);

	if (fs_list(parent_fd, ".", &names, &ignored) != 0)
		return;
	for (size_t i = 0; i < names.names.n; i++) {
		const char *name = names.names.v[i];
		_cleanup_fd_ int fd = -1;

		if (!str_starts(name, purpose) || name[n] != '.' ||
		    name[n + 1 + strspn(name + n + 1, "0123456789-")] != '\0')
			continue;
		if (lock_dir_is_dead(parent_fd, name, &fd))
			fs_remove_tree(parent_fd, name, &ignored);
	}
	fs_names_deinit(&names);
}

void tmpdir_deinit(struct tmpdir *dir)
{
	struct err ignored = ERR_INIT;

	if (!dir->name)
		return;
	fs_remove_tree(dir->parent_fd, dir->name, &ignored);
	dir->fd = fs_close(dir->fd);
	free(dir->name);
	dir->name = NULL;
}
