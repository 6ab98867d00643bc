/* Source tarballs: what is unpacked, and what is refused. */
#include "source/untar.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "external/archive.h"
#include "unit/support.h"

struct fixture {
	char *dir;
	int fd, root;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	assert_int_equal(mkdirat(f->fd, "root", 0755), 0);
	f->root = openat(f->fd, "root", O_RDONLY | O_DIRECTORY);
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->root);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

/* A tar of the members; files hold their own name. */
static int tar_of(struct fixture *f, const struct archive_member *members, size_t n)
{
	int fd = openat(f->fd, "x.tar", O_RDWR | O_CREAT | O_TRUNC, 0644);
	struct archive_writer *writer =
		archive_writer_new(fd, archive_tar_format(members, n), "x.tar");
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		must(archive_writer_add(writer, &members[i], &err), &err);
		if (members[i].size)
			must(archive_writer_data(writer, members[i].name, members[i].size, &err),
			     &err);
	}
	must(archive_writer_finish(writer, &err), &err);
	archive_writer_free(writer);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

#define FILE_MEMBER(path, bits) { .name = path, .mode = bits, .size = sizeof(path) - 1 }

static void test_unpacks(void **state)
{
	static const struct archive_member members[] = {
		{ .name = "pkg-1", .kind = ARCHIVE_DIR, .mode = 0700 },
		FILE_MEMBER("pkg-1/configure", 0700),
		FILE_MEMBER("pkg-1/src/\303\244\303\266.c", 0600),
		{ .name = "pkg-1/link", .kind = ARCHIVE_LINK, .mode = 0777, .link = "configure" },
		{ .name = "pkg-1/empty", .kind = ARCHIVE_DIR, .mode = 0755 },
	};
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	struct stat st;
	int fd = tar_of(f, members, ARRAY_LEN(members));
	char *text;

	must(untar(fd, "x.tar", f->root, &err), &err);
	assert_int_equal(fstatat(f->root, "pkg-1/configure", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	text = test_read(f->root, "pkg-1/src/\303\244\303\266.c");
	assert_string_equal(text, "pkg-1/src/\303\244\303\266.c");
	free(text);
	must(fs_read_link(f->root, "pkg-1/link", &text, &err), &err);
	assert_string_equal(text, "configure");
	free(text);
	assert_true(fs_exists(f->root, "pkg-1/empty"));
	close(fd);
}

static void test_one(void **state)
{
	static const struct archive_member members[] = {
		FILE_MEMBER("deep/er/debian/changelog", 0644),
		FILE_MEMBER("top/debian/changelog", 0644),
	};
	struct fixture *f = *state;
	struct buf buf = BUF_INIT(1000);
	struct err err = ERR_INIT;
	int fd = tar_of(f, members, ARRAY_LEN(members));

	must(untar_one(fd, "x.tar", "debian/changelog", &buf, &err), &err);
	assert_string_equal(buf_text(&buf), "top/debian/changelog");
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(untar_one(fd, "x.tar", "debian/rules", &buf, &err), UNTAR_MISSING);
	buf_deinit(&buf);
	buf = BUF_INIT(5);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(untar_one(fd, "x.tar", "debian/changelog", &buf, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	buf_deinit(&buf);
	close(fd);
}

static void refuse(struct fixture *f, const struct archive_member *members, size_t n,
                   const char *part)
{
	struct err err = ERR_INIT;
	int fd = tar_of(f, members, n);

	assert_int_equal(untar(fd, "x.tar", f->root, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
	close(fd);
}

/* x.tar as a command in the test's folder makes it. */
static int made_by(struct fixture *f, const char *command)
{
	char *line = str_fmt("cd %s && %s", f->dir, command);

	assert_int_equal(system(line), 0);
	free(line);
	return openat(f->fd, "x.tar", O_RDONLY | O_CLOEXEC);
}

static void test_refused(void **state)
{
	static const struct archive_member up[] = { FILE_MEMBER("a/../../b", 0644) };
	static const struct archive_member through[] = {
		{ .name = "way", .kind = ARCHIVE_LINK, .mode = 0777, .link = ".." },
		FILE_MEMBER("way/b", 0644),
	};
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int fd;

	refuse(f, up, 1, "x.tar: the path \"a/../../b\" in the archive ");
	refuse(f, through, 2, "way");
	assert_false(fs_exists(f->fd, "b"));
	assert_int_equal(mkfifoat(f->fd, "pipe", 0644), 0);
	fd = made_by(f, "tar -cf x.tar pipe");
	assert_int_equal(untar(fd, "x.tar", f->root, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "x.tar: pipe is neither file, folder nor link");
	err_clear(&err);
	close(fd);
	test_write(f->fd, "noise", "this is no archive at all", 0644);
	fd = openat(f->fd, "noise", O_RDONLY);
	assert_int_equal(untar(fd, "noise", f->root, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "noise: not a readable archive: ");
	close(fd);
}

/* Tells a folder's root over and over, more than an archive may have entries. */
static void write_roots(int fd)
{
	enum { HEADERS = 1000, TIMES = 2001 };
	static char tar[HEADERS][512];
	struct err err = ERR_INIT;
	unsigned int sum = 0;

	strcpy(tar[0], "./");
	memcpy(tar[0] + 100, "0000755", 7);
	memcpy(tar[0] + 124, "00000000000", 11);
	memcpy(tar[0] + 148, "        5", 9);
	memcpy(tar[0] + 257, "ustar\00000", 8);
	for (size_t i = 0; i < sizeof(tar[0]); i++)
		sum += (unsigned char)tar[0][i];
	snprintf(tar[0] + 148, 7, "%06o", sum);
	for (size_t i = 1; i < HEADERS; i++)
		memcpy(tar[i], tar[0], sizeof(tar[0]));
	for (int i = 0; i < TIMES; i++)
		if (fs_write_all(fd, tar, sizeof(tar), "a pipe", &err) < 0)
			return;
}

static void test_too_many(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(pipes[0]);
		write_roots(pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	assert_int_equal(untar(pipes[0], "x.tar", f->root, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "x.tar: it has more than 2000000 entries");
	close(pipes[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
}

/* A tar that ends in the middle of a file. */
static void test_truncated(void **state)
{
	static const struct archive_member members[] = { FILE_MEMBER("a", 0644),
		                                         FILE_MEMBER("b", 0644) };
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int fd = tar_of(f, members, 2);

	assert_int_equal(ftruncate(fd, 512 + 512 + 512), 0);
	assert_int_equal(untar(fd, "x.tar", f->root, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "x.tar: not a readable archive: ");
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_unpacks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
