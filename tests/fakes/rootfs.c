/* A tiny image for tests: programs of the host, copied with what ldd says they load. */
#include "fakes/rootfs.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/path.h"
#include "base/str.h"
#include "host/child.h"
#include "host/fs.h"
#include "sandbox/identity.h"

static const char *const programs[] = { "sh",   "cat",    "ls",    "sleep", "true",   "id",
	                                "env",  "setsid", "mkdir", "rm",    "ln",     "chmod",
	                                "head", "uname",  "yes",   "touch", "mkfifo", "stat",
	                                "grep", "sed",    "perl",  "cp" };

/* Copies a file to the same absolute path below the root, links followed. */
static int copy_to(const char *root, const char *from, const char *to, struct err *err)
{
	_cleanup_free_ char *at = str_fmt("%s%s", root, to);
	_cleanup_free_ char *dir = path_dir(at);
	_cleanup_fd_ int in = -1, out = -1;

	if (fs_exists(AT_FDCWD, at))
		return 0;
	if (fs_make_dirs(AT_FDCWD, dir, 0755, err) < 0)
		return -1;
	in = open(from, O_RDONLY | O_CLOEXEC);
	out = open(at, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (in < 0 || out < 0)
		return err_sys(err, ERR_IO, "cannot copy %s to %s", from, at);
	return fs_copy_fd(in, out, from, err);
}

/* Every absolute path that ldd prints. */
static int copy_libraries(const char *root, const char *program, struct err *err)
{
	struct child_spec spec = { .argv = (const char *const[]){ "ldd", program, NULL } };
	_cleanup_child_result_ struct child_result result = { 0 };
	char *save = NULL;

	if (child_run(&spec, &result, err) < 0)
		return -1;
	if (result.exit_code != 0 || !result.out.n)
		return 0; /* static */
	for (char *word = strtok_r(result.out.p, " \t\n", &save); word;
	     word = strtok_r(NULL, " \t\n", &save))
		if (word[0] == '/' && copy_to(root, word, word, err) < 0)
			return -1;
	return 0;
}

int fake_rootfs_add(const char *root, const char *name, struct err *err)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *to = str_fmt("/bin/%s", path_base(name));

	if (!child_find(name, &path))
		return err_set(err, ERR_MACHINE, "this test needs the program %s", name);
	if (copy_to(root, path, to, err) < 0)
		return -1;
	return copy_libraries(root, path, err);
}

int fake_rootfs_make(const char *dir, struct err *err)
{
	static const char *const folders[] = {
		"build", "dev", "proc", "tmp", "etc", "usr", "root"
	};
	static const char *const files[] = { "etc/passwd", "etc/group", "etc/hosts", "etc/hostname",
		                             "etc/resolv.conf" };

	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		_cleanup_free_ char *path = path_join(dir, folders[i]);

		if (fs_make_dirs(AT_FDCWD, path, 0755, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		_cleanup_free_ char *path = path_join(dir, files[i]);

		if (fs_write_file(AT_FDCWD, path, "image\n", 6, 0644, false, err) < 0)
			return -1;
	}
	for (size_t i = 0; i < ARRAY_LEN(programs); i++)
		if (fake_rootfs_add(dir, programs[i], err) < 0)
			return -1;
	return 0;
}
