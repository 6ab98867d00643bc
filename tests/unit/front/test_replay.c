/* A snapshot holds while nothing has changed, and not one change longer. */
#include "unit/support.h"

#include <sys/stat.h>
#include <sys/time.h>

#include "base/path.h"
#include "front/replay.h"
#include "host/clock.h"
#include "snapshot/kept.h"
#include "snapshot/record.h"

struct fixture {
	char *dir; /* store/, src/a, src/sub/b, lock */
	char *store;
	int fd, store_fd;
	struct buf key;
};

static void set_old(int dirfd, const char *path)
{
	const struct timespec old[2] = { { 1000000000, 0 }, { 1000000000, 5 } };

	assert_int_equal(utimensat(dirfd, path, old, AT_SYMLINK_NOFOLLOW), 0);
}

static void seed(struct fixture *f)
{
	f->key = BUF_INIT(SNAPSHOT_KEY_MOST);
	buf_add_str(&f->key, "kiln build");
	test_write(f->fd, "src/a", "one\n", 0644);
	test_write(f->fd, "src/sub/b", "two\n", 0644);
	test_write(f->fd, "lock", "{}\n", 0644);
	/* link → now/file, now → v1 */
	test_write(f->fd, "v1/file", "1\n", 0644);
	test_write(f->fd, "v2/file", "2\n", 0644);
	assert_int_equal(symlinkat("v1", f->fd, "now"), 0);
	assert_int_equal(symlinkat("now/file", f->fd, "link"), 0);
	test_write(f->fd,
	           "store/blobs/ab/"
	           "cdef0000000000000000000000000000000000000000000000000000000000",
	           "blob\n", 0444);
}

static int setup(void **state)
{
	static struct fixture f;

	f.dir = test_folder();
	f.fd = test_open_dir(f.dir);
	seed(&f);
	f.store = path_join(f.dir, "store");
	assert_int_equal(chmod(f.store, 0700), 0);
	f.store_fd = test_open_dir(f.store);
	snapshot_renew(f.store_fd);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_deinit(&f->key);
	close(f->fd);
	close(f->store_fd);
	free(f->store);
	test_folder_remove(f->dir);
	return 0;
}

static struct blob_ref blob(void)
{
	struct blob_ref ref = { .size = 5 };

	assert_true(digest_parse("abcdef0000000000000000000000000000000000000000000000000000000000",
	                         &ref.digest));
	return ref;
}

/* ctime cannot be set: what is recorded has to be older than the record by itself. */
static void age(struct fixture *f)
{
	const struct timespec blob_time[2] = { { 1, 0 }, { 1, 0 } };

	set_old(f->fd, "src/a");
	set_old(f->fd, "src/sub/b");
	set_old(f->fd, "src/sub");
	set_old(f->fd, "src");
	set_old(f->fd, "lock");
	set_old(f->fd, "v1/file");
	set_old(f->fd, "v2/file");
	assert_int_equal(utimensat(f->fd,
	                           "store/blobs/ab/"
	                           "cdef0000000000000000000000000000000000000000000000000000000000",
	                           blob_time, 0),
	                 0);
}

static void put(struct fixture *f, struct snapshot_record *r, const char *path, bool folder)
{
	_cleanup_free_ char *full = path_join(f->dir, path);
	struct stat st;

	assert_int_equal(lstat(full, &st), 0);
	if (folder)
		snapshot_record_folder(r, full, &st);
	else
		snapshot_record_file(r, full, &st);
}

static void put_target(struct fixture *f, struct snapshot_record *r, const char *path)
{
	_cleanup_free_ char *full = path_join(f->dir, path);
	struct stat st;

	assert_int_equal(stat(full, &st), 0);
	snapshot_record_target(r, full, &st);
}

static void add_said(struct buf *all, const char *text)
{
	const struct snapshot_said head = { STDERR_FILENO, (uint32_t)strlen(text) };

	buf_add(all, &head, sizeof(head));
	buf_add(all, text, strlen(text));
}

static void record(struct fixture *f, const char *said)
{
	_cleanup_buf_ struct buf all = BUF_INIT(SNAPSHOT_TEXT_MOST);
	struct snapshot_record *r = snapshot_record_new(f->store_fd, &f->key, clock_real_us());
	_cleanup_free_ char *absent = path_join(f->dir, "src/kiln.lua");
	struct blob_ref ref = blob();
	struct stat st;

	put(f, r, "src", true);
	assert_int_equal(fstatat(f->fd, "src/a", &st, 0), 0);
	snapshot_record_entry(r, "a", &st);
	put(f, r, "src/sub", true);
	assert_int_equal(fstatat(f->fd, "src/sub/b", &st, 0), 0);
	snapshot_record_entry(r, "b", &st);
	put(f, r, "lock", false);
	put_target(f, r, "link");
	snapshot_record_kind(r, absent, SNAPSHOT_NOTHING);
	snapshot_record_blob(r, &ref);
	add_said(&all, said);
	snapshot_record_keep(r, &all);
	snapshot_record_free(r);
}

/* What a replay gives, and what it said on standard error. */
static int try_again(struct fixture *f, char said[100])
{
	struct err err = ERR_INIT;
	int out[2], kept = dup(STDERR_FILENO), rc;
	ssize_t n = 0;

	assert_int_equal(pipe(out), 0);
	dup2(out[1], STDERR_FILENO);
	rc = replay(f->store, &f->key, &err);
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(out[1]);
	if (said)
		n = read(out[0], said, 99);
	if (said)
		said[n] = '\0';
	close(out[0]);
	return rc;
}

static void wait_for_age(void)
{
	usleep(2600000); /* the margin of stamps that could still move unseen */
}

static void says_it_again(void **state)
{
	struct fixture *f = *state;
	char said[100];

	assert_int_equal(try_again(f, NULL), REPLAY_STALE);
	age(f);
	record(f, "too fresh\n"); /* the ctimes are of now */
	assert_int_equal(try_again(f, NULL), REPLAY_STALE);
	wait_for_age();
	record(f, "nothing to do\n");
	assert_int_equal(try_again(f, said), 0);
	assert_string_equal(said, "nothing to do\n");
	record(f, "again\n");
	assert_int_equal(try_again(f, said), 0);
	assert_string_equal(said, "again\n");
	buf_add_str(&f->key, " -j2"); /* another command line */
	assert_int_equal(try_again(f, NULL), REPLAY_STALE);
}

/* ---- changes -------------------------------------------------------------------------------- */

static void edit(struct fixture *f)
{
	test_write(f->fd, "src/a", "eno\n", 0644);
	set_old(f->fd, "src/a"); /* the time is as it was: only ctime tells */
}

static void edit_below(struct fixture *f)
{
	test_write(f->fd, "src/sub/b", "twice\n", 0644);
}

static void add(struct fixture *f)
{
	test_write(f->fd, "src/sub/new", "", 0644);
}

static void take_away(struct fixture *f)
{
	assert_int_equal(unlinkat(f->fd, "src/a", 0), 0);
}

static void make_executable(struct fixture *f)
{
	assert_int_equal(fchmodat(f->fd, "src/a", 0755, 0), 0);
}

static void link_elsewhere(struct fixture *f)
{
	assert_int_equal(renameat(f->fd, "src", f->fd, "other"), 0);
	assert_int_equal(symlinkat("other", f->fd, "src"), 0);
}

static void lead_on_elsewhere(struct fixture *f)
{
	assert_int_equal(unlinkat(f->fd, "now", 0), 0);
	assert_int_equal(symlinkat("v2", f->fd, "now"), 0);
}

static void edit_behind_a_link(struct fixture *f)
{
	test_write(f->fd, "v1/file", "3\n", 0644);
}

static void another_lock(struct fixture *f)
{
	test_write(f->fd, "lock", "{ }\n", 0644);
}

static void what_was_not_there(struct fixture *f)
{
	/* In a folder that is not looked at itself. */
	test_write(f->fd, "src/kiln.lua", "", 0644);
}

static void lose_a_blob(struct fixture *f)
{
	assert_int_equal(unlinkat(f->fd,
	                          "store/blobs/ab/"
	                          "cdef0000000000000000000000000000000000000000000000000000000000",
	                          0),
	                 0);
}

static void write_to_a_blob(struct fixture *f)
{
	test_write(f->fd,
	           "store/blobs/ab/"
	           "cdef0000000000000000000000000000000000000000000000000000000000",
	           "blub\n", 0444);
}

static void change_the_store(struct fixture *f)
{
	snapshot_renew(f->store_fd);
}

static void lose_the_generation(struct fixture *f)
{
	assert_int_equal(unlinkat(f->store_fd, "snapshots/generation", 0), 0);
}

static void open_to_others(struct fixture *f)
{
	assert_int_equal(fchmod(f->store_fd, 0777), 0);
}

static void cut_short(struct fixture *f)
{
	char path[64];
	struct stat st;
	int fd;

	kept_name(&f->key, "", path);
	fd = openat(f->store_fd, path, O_RDWR);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	assert_int_equal(ftruncate(fd, st.st_size - 9), 0);
	close(fd);
}

static void any_change_is_seen(void **state)
{
	static void (*const changes[])(struct fixture *) = {
		edit,
		edit_below,
		add,
		take_away,
		make_executable,
		link_elsewhere,
		lead_on_elsewhere,
		edit_behind_a_link,
		another_lock,
		what_was_not_there,
		lose_a_blob,
		write_to_a_blob,
		change_the_store,
		lose_the_generation,
		open_to_others,
		cut_short,
	};
	struct fixture all[ARRAY_LEN(changes)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		void *one;

		setup(&one);
		all[i] = *(struct fixture *)one;
		age(&all[i]);
	}
	wait_for_age();
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		void *one = &all[i];

		record(&all[i], "x");
		if (try_again(&all[i], NULL) != 0)
			fail_msg("no snapshot before change %zu", i);
		changes[i](&all[i]);
		if (try_again(&all[i], NULL) != REPLAY_STALE)
			fail_msg("change %zu is not seen", i);
		teardown(&one);
	}
}

/* So many that children share them: blocks know their folder, and none is left out. */
static void record_many(struct fixture *f, const char *said)
{
	_cleanup_buf_ struct buf all = BUF_INIT(SNAPSHOT_TEXT_MOST);
	struct snapshot_record *r = snapshot_record_new(f->store_fd, &f->key, clock_real_us());
	struct stat a, b;

	assert_int_equal(fstatat(f->fd, "src/a", &a, 0), 0);
	assert_int_equal(fstatat(f->fd, "src/sub/b", &b, 0), 0);
	put(f, r, "src", true);
	for (int i = 0; i < 3 * SNAPSHOT_BLOCK; i++)
		snapshot_record_entry(r, "a", &a);
	put(f, r, "src/sub", true);
	snapshot_record_entry(r, "b", &b);
	put(f, r, "src", true);
	for (int i = 0; i < 3 * SNAPSHOT_BLOCK; i++)
		snapshot_record_entry(r, "a", &a);
	put(f, r, "lock", false);
	add_said(&all, said);
	snapshot_record_keep(r, &all);
	snapshot_record_free(r);
}

static void many_are_all_looked_at(void **state)
{
	static void (*const changes[])(struct fixture *) = { edit, edit_below, another_lock, add };
	struct fixture *f = *state;
	char said[100];

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		age(f);
		wait_for_age();
		record_many(f, "many\n");
		assert_int_equal(try_again(f, said), 0);
		assert_string_equal(said, "many\n");
		changes[i](f);
		if (try_again(f, NULL) != REPLAY_STALE)
			fail_msg("change %zu is not seen", i);
	}
}

/* Where blocks begin, and how many there are: what is wrong there leaves nothing out. */
static void a_wrong_list_of_blocks_is_seen(void **state)
{
	struct fixture *f = *state;
	char path[64];
	struct stat st;
	int fd;

	age(f);
	wait_for_age();
	record_many(f, "many\n");
	kept_name(&f->key, "", path);
	fd = openat(f->store_fd, path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && fstat(fd, &st) == 0);
	/* Six blocks or seven and their end, the tail; the sum behind them is not looked at. */
	for (off_t at = st.st_size - 8 - 8 - 7 * 8; at < st.st_size - 8; at++)
		for (int bit = 0; bit < 8; bit++) {
			unsigned char byte, other;

			assert_int_equal(pread(fd, &byte, 1, at), 1);
			other = byte ^ (unsigned char)(1 << bit);
			assert_int_equal(pwrite(fd, &other, 1, at), 1);
			if (try_again(f, NULL) != REPLAY_STALE)
				fail_msg("bit %d of byte %ld is not seen", bit, (long)at);
			assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		}
	close(fd);
	assert_int_equal(try_again(f, NULL), 0);
}

static void what_is_given_up(void **state)
{
	const struct buf nothing = BUF_INIT(1);
	struct fixture *f = *state;
	struct snapshot_record *r;

	age(f);
	wait_for_age();
	record(f, "old\n");
	r = snapshot_record_new(f->store_fd, &f->key, clock_real_us());
	put(f, r, "lock", false);
	snapshot_record_give_up(r);
	put(f, r, "src", true);
	snapshot_record_keep(r, &nothing);
	r = snapshot_record_free(r);
	assert_int_equal(try_again(f, NULL), 0); /* the one before is still good */
	/* A change of the store while one is in the making counts. */
	r = snapshot_record_new(f->store_fd, &f->key, clock_real_us());
	snapshot_renew(f->store_fd);
	snapshot_record_keep(r, &nothing);
	snapshot_record_free(r);
	assert_int_equal(try_again(f, NULL), REPLAY_STALE);
}

static void words_that_have_none(void **state)
{
	static char *const lines[][4] = {
		{ "kiln", "plan", NULL },
		{ "kiln", "build", "-Cx", NULL },
		{ "kiln", "build", "-o", NULL },
		{ "kiln", "build", "--events", NULL },
		{ "kiln", "build", "--trace=x", NULL },
		{ "kiln", "build", "--update-lock", NULL },
		{ "kiln", "build", "--paranoid", NULL },
	};
	char *with_store[] = { "kiln", "--store", "/s", "build", NULL };
	const char *store = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_false(snapshot_words(lines[i][2] ? 3 : 2, (char **)lines[i], &store));
	assert_null(store);
	assert_true(snapshot_words(4, with_store, &store));
	assert_string_equal(store, "/s");
}

static void keys_differ(void **state)
{
	static const char *const variables[] = { "KILN_X", "CI", "NO_COLOR", "PATH", "LC_ALL" };
	char *words[] = { "kiln", "build", "a", NULL }, *other[] = { "kiln", "build", "b", NULL };
	_cleanup_buf_ struct buf one = BUF_INIT(SNAPSHOT_KEY_MOST);
	_cleanup_buf_ struct buf two = BUF_INIT(SNAPSHOT_KEY_MOST);
	char names[2][64];

	(void)state;
	assert_int_equal(snapshot_key("/proc/self/exe", 3, words, &one), 0);
	assert_int_equal(snapshot_key("/proc/self/exe", 3, words, &two), 0);
	assert_true(one.n == two.n && memcmp(one.p, two.p, one.n) == 0);
	kept_name(&one, "", names[0]);
	for (size_t i = 0; i < ARRAY_LEN(variables); i++) {
		const char *before = getenv(variables[i]);

		setenv(variables[i], "/another", 1);
		buf_clear(&two);
		assert_int_equal(snapshot_key("/proc/self/exe", 3, words, &two), 0);
		kept_name(&two, "", names[1]);
		assert_string_not_equal(names[0], names[1]);
		if (before)
			setenv(variables[i], before, 1);
		else
			unsetenv(variables[i]);
	}
	buf_clear(&two);
	assert_int_equal(snapshot_key("/proc/self/exe", 3, other, &two), 0);
	kept_name(&two, "", names[1]);
	assert_string_not_equal(names[0], names[1]);
	buf_clear(&two);
	assert_int_equal(snapshot_key("/bin/sh", 3, words, &two), 0);
	kept_name(&two, "", names[1]);
	assert_string_not_equal(names[0], names[1]);
	assert_int_equal(snapshot_key("/no/such/program", 3, words, &two), -1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(says_it_again),           cmocka_unit_test(any_change_is_seen),
		TEST(many_are_all_looked_at),  TEST(a_wrong_list_of_blocks_is_seen),
		TEST(what_is_given_up),        cmocka_unit_test(words_that_have_none),
		cmocka_unit_test(keys_differ),
	};

	return cmocka_run_group_tests_name("front/replay", tests, NULL, NULL);
}
