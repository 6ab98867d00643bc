/*
 * A store on a full and on a read-only disk: a small tmpfs in a mount namespace of a child's own.
 * Where the machine allows no such namespace the cases are skipped, and say so.
 */
#include <sys/stat.h>

#include "store/place.h"
#include "store/store.h"
#include "unit/mounts.h"

#define child_check(cond)                                                                          \
	do {                                                                                       \
		if (!(cond)) {                                                                     \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                 \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

/* Runs `body` in a child with a tmpfs of that size as its folder. */
static void in_small_disk(const char *options, void (*body)(const char *path))
{
	char *path = test_folder();
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (!test_enter_mounts() || mount("small", path, "tmpfs", 0, options) < 0)
			_exit(TEST_NO_MOUNTS);
		body(path);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	test_folder_remove(path);
	test_mounts_ended(status);
}

/* Puts blobs of 64 KiB until one fails; returns how many fitted. */
static int fill(struct blobs *blobs, struct err *err)
{
	enum { SIZE = 64 << 10, MOST = 1000 };
	char *bytes = alloc(SIZE);
	struct blob_ref ref;
	int n = 0;

	while (n < MOST) {
		memcpy(bytes, &n, sizeof(n));
		if (blobs_put(blobs, bytes, SIZE, &ref, err) < 0)
			break;
		n++;
	}
	free(bytes);
	return n;
}

static size_t count(const char *dir)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	size_t n;

	child_check(fs_list(AT_FDCWD, dir, &list, &err) == 0);
	n = list.names.n;
	fs_names_deinit(&list);
	return n;
}

static void full_body(const char *path)
{
	char *dir = str_fmt("%s/store", path), *tmp = str_fmt("%s/tmp", dir);
	char *ballast = str_fmt("%s/ballast", path);
	struct result back, result = { .exit_code = 3 };
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct digest action = { { 1 } };
	struct store *store;
	struct blob_ref first;
	int fd, n;

	child_check(store_open(dir, &store, &err) == 0);
	child_check(store_put_result(store, &action, "a", &result, &err) == 0);
	fd = open(ballast, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	child_check(fd >= 0 && posix_fallocate(fd, 0, 1 << 20) == 0);
	close(fd);
	child_check(blobs_put(store_blobs(store), "first", 5, &first, &err) == 0);
	n = fill(store_blobs(store), &err);
	child_check(n > 0 && n < 1000);
	child_check(err.code == ERR_IO && strstr(err.hint, "free some space"));
	/* What was complete stays, and what was begun is gone. */
	child_check(blobs_has(store_blobs(store), &first));
	store_close(store);
	child_check(count(tmp) == 0);
	err_clear(&err);
	child_check(unlink(ballast) == 0);
	child_check(store_open(dir, &store, &err) == 0);
	child_check(store_get_result(store, arena, &action, &back, &err) == 0);
	child_check(back.exit_code == 3);
	child_check(fill(store_blobs(store), &err) > n);
	store_close(store);
	arena_free(arena);
	free(dir);
	free(tmp);
	free(ballast);
}

static void a_full_disk_says_so_and_loses_nothing(void **state)
{
	(void)state;
	in_small_disk("size=4m", full_body);
}

static void full_database_body(const char *path)
{
	char *dir = str_fmt("%s/store", path), *fact = alloc(200000);
	struct err err = ERR_INIT;
	struct store *store;
	char *json = NULL;
	int n = 0;

	memset(fact, 'x', 199999);
	child_check(store_open(dir, &store, &err) == 0);
	child_check(store_put_fact(store, "k", "small", "{}", &err) == 0);
	while (n < 1000 && err.code == ERR_NONE) {
		char *name = str_fmt("%d", n++);

		store_put_fact(store, "k", name, fact, &err);
		free(name);
	}
	child_check(err.code == ERR_IO && strstr(err.hint, "free some space"));
	err_clear(&err);
	child_check(store_get_fact(store, "k", "small", &json, &err) == 0);
	child_check(strcmp(json, "{}") == 0);
	store_close(store);
	free(json);
	free(fact);
	free(dir);
}

static void a_full_disk_under_the_database(void **state)
{
	(void)state;
	in_small_disk("size=2m", full_database_body);
}

static void full_checkout_body(const char *path)
{
	const struct checkout_options options = { .uid = -1, .gid = -1 };
	struct blobs *blobs = blobs_new_memory();
	struct placement placement = { .at = "some/file" };
	struct tree_node root = { .kind = NODE_DIR };
	struct err err = ERR_INIT;
	char *bytes = alloc(3 << 20);
	int fd = test_open_dir(path);

	child_check(blobs_put(blobs, bytes, 3 << 20, &placement.node.ref, &err) == 0);
	child_check(place_compose(blobs, &placement, 1, &root.ref, &err) == 0);
	child_check(checkout_node(blobs, &root, fd, "work", &options, &err) == -1);
	child_check(err.code == ERR_IO && strstr(err.hint, "free some space"));
	blobs_free(blobs);
	free(bytes);
	close(fd);
}

static void a_full_disk_under_a_work_folder(void **state)
{
	(void)state;
	in_small_disk("size=1m", full_checkout_body);
}

static void read_only(const char *path, bool killed)
{
	char *dir = str_fmt("%s/store", path), *new = str_fmt("%s/new/store", path);
	struct err err = ERR_INIT;
	struct store *store, *other = NULL;
	struct blobs *blobs;
	struct blob_ref ref;

	int status;
	pid_t pid = fork();

	/* A process that died leaves the log of its database behind: one case more. */
	child_check(pid >= 0);
	if (pid == 0)
		_exit(!killed ? 0 : store_open(dir, &store, &err) != 0);
	child_check(waitpid(pid, &status, 0) == pid && status == 0);
	if (!killed) {
		child_check(store_open(dir, &store, &err) == 0);
		store_close(store);
	}
	child_check(blobs_open(dir, &blobs, &err) == 0);
	child_check(mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
	child_check(blobs_put(blobs, "x", 1, &ref, &err) == -1);
	child_check(err.code == ERR_IO && strstr(err.hint, "--store"));
	blobs_free(blobs);
	err_clear(&err);
	child_check(store_open(dir, &other, &err) == -1);
	child_check(err.code == ERR_IO && strstr(err.hint, "--store"));
	err_clear(&err);
	child_check(store_open(new, &other, &err) == -1);
	child_check(err.code == ERR_IO && strstr(err.hint, "--store") && !other);
	free(dir);
	free(new);
}

static void read_only_body(const char *path)
{
	read_only(path, false);
}

static void read_only_after_kill_body(const char *path)
{
	read_only(path, true);
}

static void a_read_only_disk_says_so(void **state)
{
	(void)state;
	in_small_disk("size=4m", read_only_body);
	in_small_disk("size=4m", read_only_after_kill_body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_disk_says_so_and_loses_nothing),
		cmocka_unit_test(a_full_disk_under_the_database),
		cmocka_unit_test(a_full_disk_under_a_work_folder),
		cmocka_unit_test(a_read_only_disk_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
