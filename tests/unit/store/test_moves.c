/*
 * Large files that become blobs without a copy: which do, that nothing is taken away before all is
 * known to be good, and what happens where it cannot be.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "host/failpoint.h"
#include "store/moves.h"
#include "unit/mounts.h"
#include "unit/store/a_tree.h"

enum { LARGE = 600 << 10 };

/* A large file whose content depends on `seed`. */
static void write_large(int dirfd, const char *path, char seed)
{
	char *bytes = alloc(LARGE + 1);

	memset(bytes, seed, LARGE);
	test_write(dirfd, path, bytes, 0640);
	free(bytes);
}

static ino_t inode_of(int dirfd, const char *path)
{
	struct stat st;

	assert_int_equal(fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW), 0);
	return st.st_ino;
}

/* The path of a blob below the fixture's folder; caller frees. */
static char *blob_path(const struct blob_ref *ref)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&ref->digest, hex);
	return str_fmt("store/blobs/%.2s/%s", hex, hex + 2);
}

static ino_t blob_inode(const struct fixture *f, const struct blob_ref *ref)
{
	char *path = blob_path(ref);
	ino_t ino = inode_of(f->fd, path);

	free(path);
	return ino;
}

static void resize(int dirfd, const char *path, off_t size)
{
	int fd;

	assert_int_equal(fchmodat(dirfd, path, 0600, 0), 0);
	fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static struct tree_node gather(const struct fixture *f, const char *path, struct moves *moves)
{
	const struct ingest_options options = { .moves = moves };

	return take(f, path, &options);
}

static void carry_out(const struct fixture *f, struct moves *moves)
{
	struct err err = ERR_INIT;

	must(moves_carry_out(moves, f->blobs, f->fd, &err), &err);
	moves_deinit(moves);
}

static void a_large_file_is_moved_and_a_small_one_copied(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node root, large, small, copied;
	struct stat st;
	ino_t ino;
	char *path;

	write_large(f->fd, "out/deep/large", 'a');
	test_write(f->fd, "out/small", "small", 0644);
	ino = inode_of(f->fd, "out/deep/large");
	root = gather(f, "out", &moves);
	large = find(f, &root, "deep/large");
	small = find(f, &root, "small");
	assert_int_equal(moves.list.n, 1);
	assert_string_equal(moves.list.v[0].path, "out/deep/large");
	/* Until then nothing is taken away. */
	assert_false(blobs_has(f->blobs, &large.ref));
	assert_int_equal(inode_of(f->fd, "out/deep/large"), ino);
	assert_int_equal(fstatat(f->fd, "out/deep/large", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	carry_out(f, &moves);
	assert_int_equal(blob_inode(f, &large.ref), ino);
	assert_true(blobs_has(f->blobs, &small.ref));
	assert_int_equal(faccessat(f->fd, "out/deep/large", F_OK, 0), -1);
	assert_int_equal(faccessat(f->fd, "out/small", F_OK, 0), 0);
	path = blob_path(&large.ref);
	assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_mtim.tv_sec, 1); /* a blob's stamp: it is not hashed again */
	free(path);
	assert_true(blobs_verify(f->blobs, &large.ref));
	/* The tree is the one that copying gives. */
	write_large(f->fd, "out/deep/large", 'a');
	copied = take(f, "out", &plain);
	assert_memory_equal(&copied.ref, &root.ref, sizeof(root.ref));
}

static void a_single_file_is_moved(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	ino_t ino;

	write_large(f->fd, "out/program", 'p');
	assert_int_equal(fchmodat(f->fd, "out/program", 0755, 0), 0);
	ino = inode_of(f->fd, "out/program");
	node = gather(f, "out/program", &moves);
	assert_true(node.executable);
	carry_out(f, &moves);
	assert_int_equal(blob_inode(f, &node.ref), ino);
}

/* What is the build user's becomes the store's. */
static void the_owner_changes(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	struct stat st;
	ino_t ino;
	char *path;

	if (geteuid() != 0)
		skip(); /* giving files away needs root */
	write_large(f->fd, "out/large", 'o');
	assert_int_equal(fchownat(f->fd, "out/large", 12345, 23456, 0), 0);
	ino = inode_of(f->fd, "out/large");
	node = gather(f, "out/large", &moves);
	carry_out(f, &moves);
	path = blob_path(&node.ref);
	assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
	assert_int_equal(st.st_ino, ino);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(st.st_gid, 0);
	free(path);
}

/* Takes out/large, which is to be copied: it stays, and the store has another inode. */
static void assert_copied(const struct fixture *f)
{
	struct moves moves = { 0 };
	ino_t ino = inode_of(f->fd, "out/large");
	struct tree_node node = gather(f, "out/large", &moves);

	assert_int_equal(moves.list.n, 0);
	assert_true(blobs_verify(f->blobs, &node.ref));
	assert_int_not_equal(blob_inode(f, &node.ref), ino);
	assert_int_equal(inode_of(f->fd, "out/large"), ino);
}

static void a_file_with_another_link_is_copied(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node root, a, b;

	write_large(f->fd, "out/large", 'h');
	assert_int_equal(linkat(f->fd, "out/large", f->fd, "out/other", 0), 0);
	root = gather(f, "out", &moves);
	assert_int_equal(moves.list.n, 0);
	a = find(f, &root, "large");
	b = find(f, &root, "other");
	assert_memory_equal(&a.ref, &b.ref, sizeof(a.ref));
	/* Writing through either changes nothing in the store. */
	test_write(f->fd, "out/other", "CHANGED", 0644);
	assert_true(blobs_verify(f->blobs, &a.ref));
	assert_copied(f);
}

static void a_file_that_somebody_writes_is_copied(void **state)
{
	const struct fixture *f = *state;
	int fd;

	write_large(f->fd, "out/large", 'w');
	fd = openat(f->fd, "out/large", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_copied(f);
	close(fd);
}

static void what_would_come_along_is_left_behind(void **state)
{
	const struct fixture *f = *state;
	int fd;

	write_large(f->fd, "out/large", 'x');
	fd = openat(f->fd, "out/large", O_WRONLY | O_CLOEXEC);
	if (fallocate(fd, FALLOC_FL_KEEP_SIZE, LARGE, 4 << 20) == 0) {
		close(fd);
		assert_copied(f);
	} else {
		print_message("# this file system sets nothing aside\n");
		close(fd);
	}
	write_large(f->fd, "out/second", 'y');
	assert_int_equal(renameat(f->fd, "out/second", f->fd, "out/large"), 0);
	fd = openat(f->fd, "out/large", O_WRONLY | O_CLOEXEC);
	if (fsetxattr(fd, "user.note", "x", 1, 0) < 0) {
		print_message("# SKIP: this file system has no attributes of users\n");
		close(fd);
		skip();
	}
	close(fd);
	assert_copied(f);
}

static void a_sparse_file_stays_sparse(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	struct stat st;
	char *path;

	test_write(f->fd, "out/large", "begin", 0644);
	resize(f->fd, "out/large", 64 << 20);
	node = gather(f, "out/large", &moves);
	carry_out(f, &moves);
	assert_int_equal(node.ref.size, 64 << 20);
	path = blob_path(&node.ref);
	assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
	assert_true(st.st_blocks * 512 < 1 << 20);
	free(path);
	assert_true(blobs_verify(f->blobs, &node.ref));
}

static void what_is_there_already_is_not_replaced(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	ino_t first;
	char *path;

	write_large(f->fd, "out/large", 't');
	node = take(f, "out/large", &plain);
	first = blob_inode(f, &node.ref);
	path = blob_path(&node.ref);
	gather(f, "out/large", &moves);
	carry_out(f, &moves);
	assert_int_equal(blob_inode(f, &node.ref), first);
	assert_int_equal(faccessat(f->fd, "out/large", F_OK, 0), 0);
	/* A short one is as good as none. */
	resize(f->fd, path, 5);
	free(path);
	gather(f, "out/large", &moves);
	carry_out(f, &moves);
	assert_true(blobs_verify(f->blobs, &node.ref));
	assert_int_not_equal(blob_inode(f, &node.ref), first);
}

/* One file in two outputs, and one content in two files. */
static void twice_is_once(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;

	write_large(f->fd, "out/large", '2');
	write_large(f->fd, "out/same", '2');
	gather(f, "out", &moves);
	node = gather(f, "out/large", &moves);
	assert_int_equal(moves.list.n, 3);
	carry_out(f, &moves);
	assert_true(blobs_verify(f->blobs, &node.ref));
}

static void a_file_that_changed_since_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	struct err err = ERR_INIT;

	write_large(f->fd, "out/large", '1');
	node = gather(f, "out/large", &moves);
	write_large(f->fd, "out/large", '2');
	assert_int_equal(moves_carry_out(&moves, f->blobs, f->fd, &err), -1);
	assert_int_equal(err.code, ERR_STAGE);
	assert_string_equal(err.cause, "out/large changed while it was read");
	assert_false(blobs_has(f->blobs, &node.ref));
	err_clear(&err);
	assert_int_equal(unlinkat(f->fd, "out/large", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", f->fd, "out/large"), 0);
	assert_int_equal(moves_carry_out(&moves, f->blobs, f->fd, &err), -1);
	assert_string_equal(err.cause, "out/large changed while it was read");
	moves_deinit(&moves);
}

/* The same bytes under new stamps are copied: it is the content that counts. */
static void a_file_that_was_touched_is_copied(void **state)
{
	const struct fixture *f = *state;
	struct moves moves = { 0 };
	struct tree_node node;
	ino_t ino;

	write_large(f->fd, "out/large", 's');
	node = gather(f, "out/large", &moves);
	assert_int_equal(utimensat(f->fd, "out/large", NULL, 0), 0);
	ino = inode_of(f->fd, "out/large");
	carry_out(f, &moves);
	assert_true(blobs_verify(f->blobs, &node.ref));
	assert_int_not_equal(blob_inode(f, &node.ref), ino);
}

static void a_move_that_fails_is_a_copy(void **state)
{
	static const char *const points[] = { "blob-move:1:18", "blob-stamp:1:1",
		                              "blob-rename:1:18", "blob-rename:1:13" };
	const struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		int status;
		pid_t pid;

		unlinkat(f->fd, "out/large", 0);
		write_large(f->fd, "out/large", (char)('A' + (char)i));
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct moves moves = { 0 };
			struct tree_node node = gather(f, "out/large", &moves);
			ino_t ino = inode_of(f->fd, "out/large");

			setenv("KILN_FAILPOINT", points[i], 1);
			failpoint_arm();
			carry_out(f, &moves);
			blobs_free(f->blobs);
			_exit(blob_inode(f, &node.ref) == ino);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
}

/* A full disk is no reason to try another way of writing to it. */
static void a_full_disk_is_told(void **state)
{
	static const char *const points[] = { "blob-move:1", "blob-stamp:1", "blob-rename:1" };
	const struct fixture *f = *state;

	write_large(f->fd, "out/large", 'f');
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct moves moves = { 0 };
			struct err err = ERR_INIT;

			gather(f, "out/large", &moves);
			setenv("KILN_FAILPOINT", points[i], 1);
			failpoint_arm();
			_exit(moves_carry_out(&moves, f->blobs, f->fd, &err) != -1 ||
			      err.code != ERR_IO ||
			      !strstr(err.cause, "cannot write to the store") ||
			      !strstr(err.hint, "free some space"));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	}
	assert_int_equal(faccessat(f->fd, "out/large", F_OK, 0), 0);
}

/* A work folder and a store on different disks. */
static void another_file_system_body(const char *dir)
{
	struct fixture f = { .dir = (char *)dir, .arena = arena_new() };
	char *disk = str_fmt("%s/disk", dir), *store = str_fmt("%s/store", dir);
	struct moves moves = { 0 };
	struct err err = ERR_INIT;
	struct tree_node node;

	must(blobs_open(store, &f.blobs, &err), &err);
	assert_int_equal(mkdir(disk, 0755), 0);
	if (mount("disk", disk, "tmpfs", 0, NULL) < 0)
		_exit(TEST_NO_MOUNTS);
	f.fd = test_open_dir(disk);
	write_large(f.fd, "large", 'd');
	node = gather(&f, "large", &moves);
	assert_int_equal(moves.list.n, 0);
	assert_true(blobs_verify(f.blobs, &node.ref));
	blobs_free(f.blobs);
}

/* One disk, mounted twice: the numbers agree, and the kernel refuses all the same. */
static void another_mount_body(const char *dir)
{
	struct fixture f = { .dir = (char *)dir, .arena = arena_new() };
	char *here = str_fmt("%s/here", dir), *there = str_fmt("%s/there", dir);
	struct moves moves = { 0 };
	struct err err = ERR_INIT;
	struct tree_node node;

	assert_int_equal(mkdir(here, 0755), 0);
	assert_int_equal(mkdir(there, 0755), 0);
	if (mount(here, there, NULL, MS_BIND, NULL) < 0)
		_exit(TEST_NO_MOUNTS);
	must(blobs_open(str_fmt("%s/store", dir), &f.blobs, &err), &err);
	f.fd = test_open_dir(there);
	write_large(f.fd, "large", 'm');
	node = gather(&f, "large", &moves);
	assert_int_equal(moves.list.n, 1);
	carry_out(&f, &moves);
	assert_true(blobs_verify(f.blobs, &node.ref));
	assert_int_equal(faccessat(f.fd, "large", F_OK, 0), 0);
	blobs_free(f.blobs);
}

static void in_own_mounts(void (*body)(const char *dir))
{
	char *dir = test_folder();
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (!test_enter_mounts())
			_exit(TEST_NO_MOUNTS);
		body(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	test_folder_remove(dir);
	test_mounts_ended(status);
}

static void across_file_systems_it_is_copied(void **state)
{
	(void)state;
	in_own_mounts(another_file_system_body);
	in_own_mounts(another_mount_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_large_file_is_moved_and_a_small_one_copied),
		TEST(a_single_file_is_moved),
		TEST(the_owner_changes),
		TEST(a_file_with_another_link_is_copied),
		TEST(a_file_that_somebody_writes_is_copied),
		TEST(what_would_come_along_is_left_behind),
		TEST(a_sparse_file_stays_sparse),
		TEST(what_is_there_already_is_not_replaced),
		TEST(twice_is_once),
		TEST(a_file_that_changed_since_is_refused),
		TEST(a_file_that_was_touched_is_copied),
		TEST(a_move_that_fails_is_a_copy),
		TEST(a_full_disk_is_told),
		cmocka_unit_test(across_file_systems_it_is_copied),
	};

	return cmocka_run_group_tests_name("store/moves", tests, NULL, NULL);
}
