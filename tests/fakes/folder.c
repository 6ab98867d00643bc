/* Scratch folders for tests. */
#include "fakes/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/fs.h"

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

void folder_init(struct folder *folder)
{
	strcpy(folder->path, "/tmp/kiln-test.XXXXXX");
	must(mkdtemp(folder->path) != NULL, "mkdtemp");
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	must(folder->fd >= 0, folder->path);
}

void folder_deinit(struct folder *folder)
{
	struct err err = ERR_INIT;

	must(fs_remove_tree(AT_FDCWD, folder->path, &err) == 0, err.cause);
	folder->fd = fs_close(folder->fd);
}

void folder_write(const struct folder *folder, const char *path, const void *p, size_t n,
                  mode_t mode)
{
	_cleanup_free_ char *dir = path_dir(path);
	struct err err = ERR_INIT;
	int fd;

	if (!str_eq(dir, "."))
		must(fs_make_dirs(folder->fd, dir, 0755, &err) == 0, err.cause);
	fd = openat(folder->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	must(fd >= 0, path);
	must(fs_write_all(fd, p, n, path, &err) == 0, err.cause);
	must(fchmod(fd, mode) == 0, path);
	close(fd);
}

void folder_text(const struct folder *folder, const char *path, const char *text)
{
	folder_write(folder, path, text, strlen(text), 0644);
}

char *folder_read(const struct folder *folder, const char *path, size_t *ret_n)
{
	struct buf buf = BUF_INIT(64 << 20);
	struct err err = ERR_INIT;
	int rc = fs_read(folder->fd, path, &buf, &err);

	must(rc >= 0, err.cause);
	if (rc > 0)
		return NULL;
	if (ret_n)
		*ret_n = buf.n;
	return buf_steal(&buf);
}

bool folder_has(const struct folder *folder, const char *path)
{
	return fs_exists(folder->fd, path);
}

int folder_sh(const struct folder *folder, const char *command)
{
	_cleanup_free_ char *line = str_fmt("cd %s && { %s; } >sh.out 2>&1", folder->path, command);
	int status = system(line);

	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool have_tool(const char *name)
{
	_cleanup_free_ char *line = str_fmt("command -v %s >/dev/null 2>&1", name);

	return system(line) == 0;
}
