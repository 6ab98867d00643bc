/*
 * A run of taking in, recording and laying out, failing at a fail point and then killed at one, at every
 * fourth of them (tests/torture is for all of them, and of all of Kiln). Every time: a clean error or a dead process, nothing false in the store, nothing
 * left after a sweep, and the next run succeeds with the same bytes.
 */
#include <signal.h>
#include <sys/wait.h>

#include "external/crypto.h"
#include "host/failpoint.h"
#include "host/tmpfile.h"
#include "store/moves.h"
#include "store/place.h"
#include "store/store.h"
#include "unit/support.h"

enum { DONE = 0, FAILED = 1, DIRTY = 2, POINTS_MOST = 1000, STRIDE = 4 };

static const char expected_root[] =
	"5595c9c9a6e2ab9307c02f1418fa5d7cf927137536cb419a8d3435040d19d3be";

enum { LARGE = 600 << 10 };

/* The one that is moved into the store: each run has it anew. No fail point is passed here. */
static void make_large(int fd)
{
	char *large = alloc(LARGE);
	int out;

	memset(large, 'l', LARGE);
	unlinkat(fd, "src/a/large", 0);
	out = openat(fd, "src/a/large", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	bug_on(out < 0 || write(out, large, LARGE) != LARGE || close(out) < 0);
	free(large);
}

/* Content of every size class: nothing, small, larger than what is hashed in memory. */
static void make_source(const char *dir)
{
	char *middle = alloc((256 << 10) + 1);
	int fd = test_open_dir(dir);

	memset(middle, 'm', 256 << 10);
	test_write(fd, "src/a/middle", middle, 0644);
	/* It has another link: it is copied. */
	assert_int_equal(linkat(fd, "src/a/middle", fd, "link", 0), 0);
	test_write(fd, "src/a/empty", "", 0644);
	test_write(fd, "src/run", "#!/bin/sh\n", 0755);
	assert_int_equal(symlinkat("run", fd, "src/link"), 0);
	free(middle);
	close(fd);
}

/* What a stage does with the store. Fills the digest of what was taken in. */
static int use_store(struct store *store, const char *dir, struct blob_ref *ret, struct err *err)
{
	const struct checkout_options options = { .epoch = 1, .uid = -1, .gid = -1 };
	struct moves moves = { 0 };
	const struct ingest_options taking = { .moves = &moves };
	_cleanup_free_ char *work_path = str_fmt("%s/work", store_dir(store));
	_cleanup_fd_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_fd_ int work_fd = open(work_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct arena *arena = arena_new();
	struct tree_node node = { 0 };
	struct result_output output = { "src", &node };
	struct result result = { .outputs = &output, .n_outputs = 1 };
	struct tmpdir work = { 0 };
	int rc;

	make_large(fd);
	rc = ingest_node(store_blobs(store), arena, fd, "src", &taking, &node, err);
	if (rc == 0)
		rc = moves_carry_out(&moves, store_blobs(store), fd, err);
	moves_deinit(&moves);
	if (rc == 0)
		rc = store_put_result(store, &node.ref.digest, "t/v/s", &result, err);
	if (rc == 0)
		rc = store_put_fact(store, "kind", "name", "{}", err);
	if (rc == 0)
		rc = tmpdir_init(&work, work_fd, "run", err);
	if (rc == 0)
		rc = checkout_node(store_blobs(store), &node, work.fd, "build", &options, err);
	tmpdir_deinit(&work);
	arena_free(arena);
	*ret = node.ref;
	return rc;
}

static int run(const char *dir, const char *path)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;
	struct blob_ref root;
	int rc = store_open(path, &store, &err);

	if (rc == 0)
		rc = use_store(store, dir, &root, &err);
	store_close(store);
	if (rc == 0)
		return DONE;
	return rc == -1 && err.code == ERR_IO && err.cause[0] ? FAILED : DIRTY;
}

/* Runs in a child with that fail point; returns its wait status, and whether it came to the point. */
static int run_failing(const char *dir, const char *path, const char *failpoint, bool *ret_struck)
{
	_cleanup_free_ char *record = str_fmt("%s/record", dir);
	_cleanup_fd_ int fd = open(record, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct failpoint_head head;
	int status;
	pid_t pid;

	assert_int_equal(ftruncate(fd, sizeof(head)), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setenv("KILN_FAILPOINT", failpoint, 1);
		setenv("KILN_FAILPOINT_RECORD", record, 1);
		failpoint_arm();
		_exit(run(dir, path));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(pread(fd, &head, sizeof(head), 0), sizeof(head));
	*ret_struck = head.struck != 0;
	return status;
}

static void assert_empty(const char *store, const char *part)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/%s", store, part);
	int rc = fs_list(AT_FDCWD, path, &list, &err);

	assert_true(rc >= 0);
	if (list.names.n > 0)
		fail_msg("%s/%s is left", path, list.names.v[0]);
	fs_names_deinit(&list);
	free(path);
}

static void assert_no_dot_files(const char *store)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;

	must(fs_list(AT_FDCWD, store, &list, &err), &err);
	for (size_t i = 0; i < list.names.n; i++)
		assert_int_not_equal(list.names.v[i][0], '.');
	fs_names_deinit(&list);
}

/* Every blob has the content that its name says. */
static void assert_blobs_are_true(const char *store)
{
	struct fs_names dirs = { 0 };
	struct err err = ERR_INIT;
	char *blobs = str_fmt("%s/blobs", store);
	int rc = fs_list(AT_FDCWD, blobs, &dirs, &err);

	assert_true(rc >= 0);
	for (size_t i = 0; i < dirs.names.n; i++) {
		char *dir = str_fmt("%s/%s", blobs, dirs.names.v[i]);
		struct fs_names names = { 0 };

		must(fs_list(AT_FDCWD, dir, &names, &err), &err);
		for (size_t j = 0; j < names.names.n; j++) {
			char *path = str_fmt("%s/%s", dir, names.names.v[j]);
			char *name = str_fmt("%s%s", dirs.names.v[i], names.names.v[j]);
			int fd = open(path, O_RDONLY | O_CLOEXEC);
			struct blob_ref found;

			must(digest_of_fd(fd, path, &found, &err), &err);
			assert_string_equal(DIGEST_TEXT(&found.digest), name);
			close(fd);
			free(path);
			free(name);
		}
		fs_names_deinit(&names);
		free(dir);
	}
	fs_names_deinit(&dirs);
	free(blobs);
}

/* After whatever happened: sweeping leaves nothing, and all works and is remembered. */
static void assert_recovers(const char *dir, const char *path)
{
	struct arena *arena = arena_new();
	struct store *store = NULL;
	struct result result;
	struct blob_ref root;
	struct err err = ERR_INIT;

	assert_blobs_are_true(path);
	must(store_open(path, &store, &err), &err);
	must(store_sweep(store, &err), &err);
	assert_empty(path, "tmp");
	assert_empty(path, "work");
	assert_no_dot_files(path);
	must(use_store(store, dir, &root, &err), &err);
	assert_string_equal(DIGEST_TEXT(&root.digest), expected_root);
	must(store_get_result(store, arena, &root.digest, &result, &err), &err);
	store_close(store);
	assert_blobs_are_true(path);
	arena_free(arena);
}

/* Tries points in order; returns how many there are. */
static int try_points(const char *dir, const char *how, int first)
{
	for (int n = first; n < POINTS_MOST; n += STRIDE) {
		char *failpoint = str_fmt("*:%d%s", n, how);
		char *path = str_fmt("%s/store%s-%d", dir, how[0] ? "-kill" : "", n);
		bool struck;
		int status = run_failing(dir, path, failpoint, &struck);

		free(failpoint);
		if (WIFSIGNALED(status) ? WTERMSIG(status) != SIGKILL :
		                          WEXITSTATUS(status) > FAILED)
			fail_msg("point %d%s ended with status %x", n, how, status);
		assert_recovers(dir, path);
		free(path);
		if (!struck)
			return n - 1;
	}
	fail_msg("there is no end of fail points");
	return 0;
}

static void no_failure_and_no_kill_breaks_the_store(void **state)
{
	char *dir = test_folder();
	int failing, killed;

	(void)state;
	make_source(dir);
	failing = try_points(dir, "", 1);
	killed = try_points(dir, ":kill", 3);
	assert_true(failing >= 100);
	assert_true(killed >= 100);
	test_folder_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failure_and_no_kill_breaks_the_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
