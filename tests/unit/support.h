#ifndef KILN_TESTS_SUPPORT_H
#define KILN_TESTS_SUPPORT_H

/* What unit tests share: cmocka in its order, a folder that goes away, errors that must not be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/err.h"
#include "host/fs.h"

/* Fails with the error's text where `rc` is not 0. */
#define must(rc, err)                                                                              \
	do {                                                                                       \
		int must_rc = (rc);                                                                \
		if (must_rc != 0)                                                                  \
			fail_msg("%s gave %d: %s [%s]", #rc, must_rc, (err)->cause, (err)->trail); \
	} while (0)

#define assert_contains(text, part)                                                                \
	do {                                                                                       \
		if (!strstr((text), (part)))                                                       \
			fail_msg("\"%s\" is not in \"%s\"", (part), (text));                       \
	} while (0)

/* A new folder; test_folder_remove frees the name. */
static inline char *test_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char *path = str_fmt("%s/kiln-test.XXXXXX", tmp && tmp[0] ? tmp : "/tmp");

	assert_non_null(mkdtemp(path));
	return path;
}

static inline void test_folder_remove(char *path)
{
	struct err err = ERR_INIT;

	must(fs_remove_tree(AT_FDCWD, path, &err), &err);
	free(path);
}

static inline int test_open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Writes a file below dirfd, making the folders on the way. */
static inline void test_write(int dirfd, const char *path, const char *text, mode_t mode)
{
	struct err err = ERR_INIT;
	char *dir =
		strrchr(path, '/') ? str_dup_n(path, (size_t)(strrchr(path, '/') - path)) : NULL;
	int fd;

	if (dir)
		must(fs_make_dirs(dirfd, dir, 0755, &err), &err);
	free(dir);
	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	must(fs_write_all(fd, text, strlen(text), path, &err), &err);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static inline char *test_read(int dirfd, const char *path)
{
	struct buf buf = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	must(fs_read(dirfd, path, &buf, &err), &err);
	return buf_steal(&buf);
}

#endif
