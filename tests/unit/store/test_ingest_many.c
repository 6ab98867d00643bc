/* Folders so large that children read them: the same tree, the same errors, nothing left behind. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/crew.h"
#include "host/failpoint.h"
#include "store/folder.h"
#include "store/store.h"
#include "unit/mounts.h"
#include "unit/store/a_tree.h"

/* Few files, one of them so large that children are worth while. */
enum { FOLDERS = 3, FILES = 40, HOLE = 40 << 20 };

static const struct ingest_options alone = { .children = 1 };
static const struct ingest_options input = { .blame = ERR_INPUT };

/* src/d<i>/f<j>, and src/hole. */
static void make_many(int dirfd)
{
	int fd;

	for (int i = 0; i < FOLDERS; i++)
		for (int j = 0; j < FILES; j++) {
			char *path = str_fmt("src/d%02d/f%02d", i, j);
			char *text = str_fmt("%d-%d\n", i, j);

			test_write(dirfd, path, text, j % 7 ? 0644 : 0755);
			free(text);
			free(path);
		}
	fd = openat(dirfd, "src/hole", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, HOLE), 0);
	close(fd);
}

/* One processor reads alone, whatever is asked for. */
static void needs_children(void)
{
	if (crew_processors() > 1)
		return;
	print_message("# SKIP: this machine has one processor\n");
	skip();
}

static void assert_no_scratch(int dirfd)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;

	must(fs_list(dirfd, "store/tmp", &list, &err), &err);
	for (size_t i = 0; i < list.names.n; i++)
		if (strncmp(list.names.v[i], "blobs.", 6) == 0) {
			char *own = str_fmt("blobs.%d-", (int)getpid());

			assert_int_equal(strncmp(list.names.v[i], own, strlen(own)), 0);
			free(own);
		}
	fs_names_deinit(&list);
}

static void children_take_the_same_tree(void **state)
{
	const struct fixture *f = *state;
	struct tree_node many, one, file;
	struct blobs *other;
	struct err err = ERR_INIT;
	char *store = str_fmt("%s/other", f->dir);

	make_many(f->fd);
	many = take(f, "src", &plain);
	must(blobs_open(store, &other, &err), &err);
	must(ingest_node(other, f->arena, f->fd, "src", &alone, &one, &err), &err);
	assert_memory_equal(&many.ref, &one.ref, sizeof(one.ref));
	file = find(f, &many, "d01/f07");
	assert_true(file.executable && blobs_verify(f->blobs, &file.ref));
	file = find(f, &many, "d02/f39");
	assert_true(!file.executable && blobs_verify(f->blobs, &file.ref));
	assert_no_scratch(f->fd);
	blobs_free(other);
	free(store);
}

/* Whoever has blobs in memory has them alone. */
static void blobs_in_memory_are_read_without_children(void **state)
{
	const struct fixture *f = *state;
	struct blobs *memory = blobs_new_memory();
	struct tree_node many, one;
	struct err err = ERR_INIT;

	make_many(f->fd);
	must(ingest_node(memory, f->arena, f->fd, "src", &plain, &one, &err), &err);
	many = take(f, "src", &plain);
	assert_memory_equal(&many.ref, &one.ref, sizeof(one.ref));
	assert_true(blobs_has(memory, &one.ref));
	blobs_free(memory);
}

/* More than is gathered at once, in one folder. */
static void more_than_one_batch_is_taken(void **state)
{
	enum { MORE = 4096 + 100 };
	const struct fixture *f = *state;
	struct tree_node root, file;

	for (int i = 0; i < MORE; i++) {
		char *path = str_fmt("src/%05d", i);

		test_write(f->fd, path, i % 2 ? "odd" : path, 0644);
		free(path);
	}
	root = take(f, "src", &plain);
	file = find(f, &root, "04191");
	assert_int_equal(file.ref.size, 3);
	file = find(f, &root, "04190");
	assert_int_equal(file.ref.size, 9);
	assert_true(blobs_verify(f->blobs, &file.ref));
	file = find(f, &root, "00000");
	assert_true(blobs_verify(f->blobs, &file.ref));
}

static void a_child_names_the_file_that_it_cannot_read(void **state)
{
	const struct fixture *f = *state;
	struct tree_node node;
	struct err err = ERR_INIT;

	if (geteuid() == 0)
		skip(); /* root reads all */
	make_many(f->fd);
	assert_int_equal(fchmodat(f->fd, "src/d02/f30", 0200, 0), 0);
	assert_int_equal(ingest_node(f->blobs, f->arena, f->fd, "src", &input, &node, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "cannot open src/d02/f30: Permission denied");
	assert_contains(err.hint, "give the owner read permission");
	assert_no_scratch(f->fd);
}

struct swapping {
	struct ingest_stamps stamps;
	int fd;
	size_t asked, noted;
};

/* At the last file, when all others were listed, one of them becomes something else. */
static bool swap(struct ingest_stamps *stamps, const struct stat *st, struct blob_ref *ret)
{
	struct swapping *s = (struct swapping *)stamps;

	(void)st;
	(void)ret;
	if (++s->asked == FOLDERS * FILES + 1) {
		assert_int_equal(unlinkat(s->fd, "src/d01/f20", 0), 0);
		assert_int_equal(symlinkat("/etc/passwd", s->fd, "src/d01/f20"), 0);
	}
	return false;
}

static void note(struct ingest_stamps *stamps, const struct stat *st, int64_t began_us,
                 const struct blob_ref *ref)
{
	(void)st;
	(void)began_us;
	(void)ref;
	((struct swapping *)stamps)->noted++;
}

static void what_changes_under_a_child_is_refused(void **state)
{
	const struct fixture *f = *state;
	struct swapping s = { { .find = swap, .note = note }, f->fd, 0, 0 };
	struct tree_node node;
	struct err err = ERR_INIT;

	make_many(f->fd);
	assert_int_equal(
		ingest_node_with(f->blobs, f->arena, f->fd, "src", &input, &s.stamps, &node, &err),
		-1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "src/d01/f20 changed while it was read");
	assert_int_equal(s.noted, 0);
}

/* Another content than when it was listed is taken, but not remembered under the old stamps. */
static bool rewrite(struct ingest_stamps *stamps, const struct stat *st, struct blob_ref *ret)
{
	struct swapping *s = (struct swapping *)stamps;

	(void)st;
	(void)ret;
	if (++s->asked == FOLDERS * FILES + 1)
		test_write(s->fd, "src/d01/f20", "longer than it was", 0644);
	return false;
}

static void what_was_rewritten_is_not_remembered(void **state)
{
	const struct fixture *f = *state;
	struct swapping s = { { .find = rewrite, .note = note }, f->fd, 0, 0 };
	struct tree_node root = { 0 }, file;
	struct err err = ERR_INIT;

	make_many(f->fd);
	must(ingest_node_with(f->blobs, f->arena, f->fd, "src", &input, &s.stamps, &root, &err),
	     &err);
	file = find(f, &root, "d01/f20");
	assert_int_equal(file.ref.size, 18);
	assert_int_equal(s.noted, FOLDERS * FILES);
}

/* In a process whose fail point it is; returns how it went. */
static int ingest_failing(const struct fixture *f, const char *failpoint, struct err *err)
{
	struct tree_node node;

	setenv("KILN_FAILPOINT", failpoint, 1);
	failpoint_arm();
	return ingest_node(f->blobs, f->arena, f->fd, "src", &input, &node, err);
}

static void a_killed_child_is_a_clean_error(void **state)
{
	const struct fixture *f = *state;
	int status;
	pid_t pid;

	needs_children();
	make_many(f->fd);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		int rc = ingest_failing(f, "ingest-open:5:kill", &err);

		_exit(rc != -1 || err.code != ERR_IO ||
		      strcmp(err.cause, "a process that was reading src was killed by signal 9"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	/* What it left is no obstacle. */
	take(f, "src", &plain);
}

static void a_child_that_cannot_write_says_so(void **state)
{
	static const char *const points[] = { "blob-create:5", "blob-write:5", "blob-stamp:5",
		                              "blob-rename:5", "crew-claim:2" };
	const struct fixture *f = *state;

	make_many(f->fd);
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		int status;
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			struct err err = ERR_INIT;
			int rc = ingest_failing(f, points[i], &err);

			/* One processor passes no point of children. */
			if (crew_processors() < 2 && strncmp(points[i], "crew", 4) == 0)
				_exit(0);
			_exit(rc != -1 || err.code != ERR_IO ||
			      !strstr(err.cause, "No space left on device") ||
			      !strstr(err.hint, "free some space"));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("%s: %x", points[i], status);
		assert_no_scratch(f->fd);
	}
}

static void full_disk_body(const char *dir)
{
	struct fixture f = { .dir = (char *)dir, .arena = arena_new() };
	char *disk = str_fmt("%s/disk", dir);
	struct err err = ERR_INIT;
	struct tree_node node;

	f.fd = test_open_dir(dir);
	make_many(f.fd);
	assert_int_equal(mkdir(disk, 0755), 0);
	if (mount("small", disk, "tmpfs", 0, "size=2m") < 0)
		_exit(TEST_NO_MOUNTS);
	must(blobs_open(disk, &f.blobs, &err), &err);
	if (ingest_node(f.blobs, f.arena, f.fd, "src", &input, &node, &err) != -1)
		_exit(1);
	if (err.code != ERR_IO || !strstr(err.hint, "free some space"))
		_exit(2);
	blobs_free(f.blobs);
}

static void a_full_disk_says_so(void **state)
{
	char *dir = test_folder();
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		if (!test_enter_mounts())
			_exit(TEST_NO_MOUNTS);
		full_disk_body(dir);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	test_folder_remove(dir);
	test_mounts_ended(status);
}

/* A whole store, with its database open: what children read is remembered by the parent. */
static void a_store_remembers_what_children_read(void **state)
{
	const struct fixture *f = *state;
	char *path = str_fmt("%s/src", f->dir), *where = str_fmt("%s/whole", f->dir);
	struct tree_node one, two;
	struct store *store;
	struct err err = ERR_INIT;

	make_many(f->fd);
	for (int i = 0; i < FOLDERS * FILES; i++) {
		const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
		char *file = str_fmt("src/d%02d/f%02d", i / FILES, i % FILES);

		assert_int_equal(utimensat(f->fd, file, old, 0), 0);
		free(file);
	}
	sleep(3); /* ctime must be older than reading by a margin */
	must(store_open(where, &store, &err), &err);
	must(ingest_folder(store, f->arena, path, &plain, &one, &err), &err);
	/* Nothing is opened again: unreadable files do no harm, for root either. */
	setenv("KILN_FAILPOINT", "ingest-open:1", 1);
	failpoint_arm();
	must(ingest_folder(store, f->arena, path, &plain, &two, &err), &err);
	unsetenv("KILN_FAILPOINT");
	failpoint_arm();
	assert_memory_equal(&one.ref, &two.ref, sizeof(one.ref));
	store_close(store);
	free(where);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(children_take_the_same_tree),
		TEST(blobs_in_memory_are_read_without_children),
		TEST(more_than_one_batch_is_taken),
		TEST(a_child_names_the_file_that_it_cannot_read),
		TEST(what_changes_under_a_child_is_refused),
		TEST(what_was_rewritten_is_not_remembered),
		TEST(a_killed_child_is_a_clean_error),
		TEST(a_child_that_cannot_write_says_so),
		cmocka_unit_test(a_full_disk_says_so),
		TEST(a_store_remembers_what_children_read),
	};

	return cmocka_run_group_tests_name("store/ingest_many", tests, NULL, NULL);
}
