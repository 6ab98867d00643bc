/* Laying out where the file system clones: a small btrfs on a loop device, where this machine has both. */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "host/child.h"
#include "unit/mounts.h"
#include "unit/store/a_tree.h"

enum { LARGE = 600 << 10, DISK = 128 << 20 };

static const char mkfs[] = "/usr/sbin/mkfs.btrfs";

static bool ran(const char *const *argv)
{
	const struct child_spec spec = { .argv = argv, .timeout_ms = 30000 };
	_cleanup_child_result_ struct child_result result = { 0 };
	struct err err = ERR_INIT;

	return child_run_ok(&spec, &result, &err) == 0;
}

/* False: this machine mounts no such disk. */
static bool mount_btrfs(const char *image, const char *dir)
{
	const char *const make[] = { mkfs, "-q", image, NULL };
	const char *const mounting[] = { "mount", "-o", "loop", image, dir, NULL };
	int fd = open(image, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	bool good = fd >= 0 && ftruncate(fd, DISK) == 0;

	fs_close(fd);
	return good && ran(make) && ran(mounting);
}

/* Whether the first extent of a file is another file's too. */
static bool is_shared(int dirfd, const char *path)
{
	struct fiemap *ask = alloc(sizeof(*ask) + sizeof(ask->fm_extents[0]));
	bool shared;
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	ask->fm_length = ~0ull;
	ask->fm_flags = FIEMAP_FLAG_SYNC;
	ask->fm_extent_count = 1;
	assert_int_equal(ioctl(fd, FS_IOC_FIEMAP, ask), 0);
	assert_int_equal(ask->fm_mapped_extents, 1);
	shared = ask->fm_extents[0].fe_flags & FIEMAP_EXTENT_SHARED;
	close(fd);
	free(ask);
	return shared;
}

static void clone_body(const char *dir)
{
	struct fixture f = { .dir = (char *)dir, .arena = arena_new() };
	char *store = str_fmt("%s/disk/store", dir), *bytes = alloc(LARGE + 1);
	char *disk = str_fmt("%s/disk", dir), *image = str_fmt("%s/image", dir);
	struct tree_node root, large, copied;
	struct err err = ERR_INIT;
	struct stat st;
	int copies;

	assert_int_equal(mkdir(disk, 0755), 0);
	if (!mount_btrfs(image, disk))
		_exit(TEST_NO_MOUNTS);
	f.fd = test_open_dir(disk);
	assert_true(checkout_clones(f.fd));
	must(blobs_open(store, &f.blobs, &err), &err);
	memset(bytes, 'c', LARGE);
	test_write(f.fd, "src/large", bytes, 0755);
	test_write(f.fd, "src/small", "small", 0644);
	root = take(&f, "src", &plain);
	large = find(&f, &root, "large");
	must(checkout_node(f.blobs, &root, f.fd, "work", &epoch, &err), &err);
	assert_true(is_shared(f.fd, "work/large"));
	assert_int_equal(fstatat(f.fd, "work/large", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_size, LARGE);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, epoch.epoch);
	/* What is written to a clone is the clone's. */
	test_write(f.fd, "work/large", "OVERWRITTEN", 0644);
	assert_true(blobs_verify(f.blobs, &large.ref));
	/* Into another file system content is copied. */
	copies = test_open_dir(dir);
	must(checkout_node(f.blobs, &root, copies, "copied", &epoch, &err), &err);
	f.fd = copies;
	copied = take(&f, "copied", &plain);
	assert_memory_equal(&copied.ref, &root.ref, sizeof(root.ref));
	blobs_free(f.blobs);
}

static void what_is_laid_out_is_cloned(void **state)
{
	char *dir = test_folder();
	int status;
	pid_t pid;

	(void)state;
	if (access(mkfs, X_OK) < 0 || geteuid() != 0) {
		test_folder_remove(dir);
		print_message("# SKIP: needs root and mkfs.btrfs (Debian package btrfs-progs)\n");
		skip();
	}
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		if (!test_enter_mounts())
			_exit(TEST_NO_MOUNTS);
		clone_body(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	test_folder_remove(dir);
	test_mounts_ended(status);
}

/* The probe says what a clone of a real file does. */
static void the_probe_is_right(void **state)
{
	const struct fixture *f = *state;
	int from, to;

	test_write(f->fd, "from", "content", 0644);
	from = openat(f->fd, "from", O_RDONLY | O_CLOEXEC);
	to = openat(f->fd, "to", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(from >= 0 && to >= 0);
	assert_int_equal(checkout_clones(f->fd), ioctl(to, FICLONE, from) == 0);
	assert_false(checkout_clones(-1));
	close(from);
	close(to);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_laid_out_is_cloned),
		TEST(the_probe_is_right),
	};

	return cmocka_run_group_tests_name("store/clone", tests, NULL, NULL);
}
