/* The contract of blobs, over the whole table of backends; then what only folders can suffer. */
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "external/crypto.h"
#include "store/blobs.h"
#include "unit/support.h"

enum { LARGE = 3 << 20 };

struct fixture {
	const char *backend;
	char *dir;
	struct blobs *blobs;
};

static int setup(void **state, const char *backend)
{
	struct fixture *f = alloc(sizeof(*f));
	struct err err = ERR_INIT;

	f->backend = backend;
	f->dir = test_folder();
	if (strcmp(backend, "memory") == 0)
		f->blobs = blobs_new_memory();
	else
		must(blobs_open(f->dir, &f->blobs, &err), &err);
	*state = f;
	return 0;
}

static int setup_folder(void **state)
{
	return setup(state, "folder");
}

static int setup_memory(void **state)
{
	return setup(state, "memory");
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	blobs_free(f->blobs);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static struct blob_ref put(struct blobs *blobs, const char *text)
{
	struct err err = ERR_INIT;
	struct blob_ref ref;

	must(blobs_put(blobs, text, strlen(text), &ref, &err), &err);
	return ref;
}

/* An unlinked file with `size` bytes that depend on `seed`. */
static int file_of(size_t size, unsigned int seed)
{
	struct err err = ERR_INIT;
	char *bytes = alloc(size);
	int fd = memfd_create("test", MFD_CLOEXEC);

	for (size_t i = 0; i < size; i++) {
		seed = seed * 1103515245u + 12345u;
		bytes[i] = (char)(seed >> 16);
	}
	assert_true(fd >= 0);
	must(fs_write_all(fd, bytes, size, "memfd", &err), &err);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	free(bytes);
	return fd;
}

/* ---- the contract ------------------------------------------------------------------------- */

static void put_names_content_by_its_hash(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "abc"), found = { .digest = ref.digest };

	assert_string_equal(DIGEST_TEXT(&ref.digest),
	                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(ref.size, 3);
	assert_true(blobs_find(f->blobs, &found));
	assert_int_equal(found.size, ref.size);
	assert_true(blobs_has(f->blobs, &ref));
	assert_true(blobs_verify(f->blobs, &ref));
}

static void what_was_put_is_read(void **state)
{
	struct fixture *f = *state;
	struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	struct blob_ref ref = put(f->blobs, "some content");

	buf_add_str(&buf, "before ");
	must(blobs_read(f->blobs, &ref, &buf, &err), &err);
	assert_string_equal(buf_text(&buf), "before some content");
	buf_deinit(&buf);
}

static void nothing_is_content_too(void **state)
{
	struct fixture *f = *state;
	struct buf buf = BUF_INIT(0);
	struct err err = ERR_INIT;
	struct blob_ref ref = put(f->blobs, "");

	assert_string_equal(DIGEST_TEXT(&ref.digest),
	                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	must(blobs_read(f->blobs, &ref, &buf, &err), &err);
	assert_int_equal(buf.n, 0);
	buf_deinit(&buf);
}

static void unknown_and_wrongly_sized_blobs_are_misses(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "abc"), other = ref;
	struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	int fd = -7;

	other.digest.bytes[0] ^= 1;
	ref.size = 4;
	assert_false(blobs_find(f->blobs, &other));
	assert_false(blobs_has(f->blobs, &ref));
	assert_false(blobs_has(f->blobs, &other));
	assert_int_equal(blobs_read(f->blobs, &ref, &buf, &err), BLOBS_MISS);
	assert_int_equal(blobs_read(f->blobs, &other, &buf, &err), BLOBS_MISS);
	assert_int_equal(blobs_open_fd(f->blobs, &other, &fd, &err), BLOBS_MISS);
	assert_int_equal(fd, -7);
	assert_int_equal(err.code, ERR_NONE);
	buf_deinit(&buf);
}

static void more_than_the_limit_is_refused(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "abcdef");
	struct buf buf = BUF_INIT(5);
	struct err err = ERR_INIT;

	assert_int_equal(blobs_read(f->blobs, &ref, &buf, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	buf_deinit(&buf);
}

/* Around the size up to which files are hashed before they are written, and well above. */
static void files_of_all_sizes_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, (256 << 10) - 1, 256 << 10, (256 << 10) + 1, LARGE };
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		int fd = file_of(sizes[i], (unsigned int)i), back = -1;
		struct blob_ref expected, ref, found;
		struct err err = ERR_INIT;

		must(digest_of_fd(fd, "test", &expected, &err), &err);
		for (int twice = 0; twice < 2; twice++) {
			assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
			must(blobs_put_fd(f->blobs, fd, "test", &ref, &err), &err);
			assert_memory_equal(&ref, &expected, sizeof(ref));
		}
		must(blobs_open_fd(f->blobs, &ref, &back, &err), &err);
		must(digest_of_fd(back, "test", &found, &err), &err);
		assert_memory_equal(&found, &expected, sizeof(found));
		close(back);
		close(fd);
	}
}

static void a_file_is_taken_from_its_position(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref, expected = put(f->blobs, "def");
	struct err err = ERR_INIT;
	int fd = memfd_create("test", MFD_CLOEXEC);

	must(fs_write_all(fd, "abcdef", 6, "memfd", &err), &err);
	assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
	must(blobs_put_fd(f->blobs, fd, "test", &ref, &err), &err);
	assert_memory_equal(&ref, &expected, sizeof(ref));
	close(fd);
}

static void an_unreadable_source_is_an_error(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref;
	struct err err = ERR_INIT;
	int fd = test_open_dir(f->dir);

	assert_int_equal(blobs_put_fd(f->blobs, fd, "a folder", &ref, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "a folder");
	close(fd);
}

/* ---- folders ------------------------------------------------------------------------------ */

static char *blob_path(const struct fixture *f, const struct blob_ref *ref)
{
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&ref->digest, hex);
	return str_fmt("%s/blobs/%.2s/%s", f->dir, hex, hex + 2);
}

static void overwrite(const char *path, const char *text)
{
	int fd;

	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void files_are_read_only_and_stamped(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "abc");
	char *path = blob_path(f, &ref);
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0222, 0);
	assert_int_equal(st.st_mtim.tv_sec, 1);
	assert_int_equal(st.st_nlink, 1);
	free(path);
}

static void a_short_blob_is_a_miss_and_can_be_put_again(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "content");
	struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	char *path = blob_path(f, &ref);

	overwrite(path, "con");
	assert_false(blobs_has(f->blobs, &ref));
	assert_int_equal(blobs_read(f->blobs, &ref, &buf, &err), BLOBS_MISS);
	put(f->blobs, "content");
	must(blobs_read(f->blobs, &ref, &buf, &err), &err);
	assert_string_equal(buf_text(&buf), "content");
	buf_deinit(&buf);
	free(path);
}

/* The same size, other bytes: seen by the stamp, removed, made anew. */
static void a_changed_blob_is_a_miss_and_goes_away(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "content");
	struct err err = ERR_INIT;
	char *path = blob_path(f, &ref);
	int fd = -1;

	overwrite(path, "CONTENT");
	assert_int_equal(blobs_open_fd(f->blobs, &ref, &fd, &err), BLOBS_MISS);
	assert_int_equal(access(path, F_OK), -1);
	put(f->blobs, "content");
	assert_true(blobs_has(f->blobs, &ref));
	free(path);
}

/* Rot that leaves the stamp is found by who reads the whole, or asks for it. */
static void silent_rot_is_found_by_hashing(void **state)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "content");
	struct buf buf = BUF_INIT(100);
	struct err err = ERR_INIT;
	char *path = blob_path(f, &ref);

	overwrite(path, "CONTENT");
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(blobs_has(f->blobs, &ref));
	assert_int_equal(blobs_read(f->blobs, &ref, &buf, &err), BLOBS_MISS);
	assert_int_equal(buf.n, 0);
	assert_false(blobs_verify(f->blobs, &ref));
	assert_false(blobs_has(f->blobs, &ref));
	buf_deinit(&buf);
	free(path);
}

/* A good file whose times a copy or a backup lost is hashed once and trusted again. */
static void a_strange_stamp_is_mended(void **state)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1700000000 } };
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "content");
	char *path = blob_path(f, &ref);
	struct stat st;

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	assert_true(blobs_has(f->blobs, &ref));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mtim.tv_sec, 1);
	free(path);
}

static void something_else_under_the_name_is_a_miss(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref = put(f->blobs, "content");
	struct err err = ERR_INIT;
	char *path = blob_path(f, &ref);
	int fd = -1;

	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_int_equal(blobs_open_fd(f->blobs, &ref, &fd, &err), BLOBS_MISS);
	assert_false(blobs_has(f->blobs, &ref));
	put(f->blobs, "content");
	assert_true(blobs_has(f->blobs, &ref));
	free(path);
}

static size_t entries(const char *dir, const char *name)
{
	struct fs_names list = { 0 };
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/%s", dir, name);
	size_t n;

	must(fs_list(AT_FDCWD, path, &list, &err), &err);
	n = list.names.n;
	fs_names_deinit(&list);
	free(path);
	return n;
}

static void nothing_is_left_in_tmp(void **state)
{
	struct fixture *f = *state;
	struct blob_ref ref;
	struct err err = ERR_INIT;
	int fd = file_of(LARGE, 1), dir = test_open_dir(f->dir);

	put(f->blobs, "abc");
	must(blobs_put_fd(f->blobs, fd, "test", &ref, &err), &err);
	assert_int_equal(blobs_put_fd(f->blobs, dir, "a folder", &ref, &err), -1);
	f->blobs = blobs_free(f->blobs);
	assert_int_equal(entries(f->dir, "tmp"), 0);
	close(dir);
	close(fd);
}

/* Several processes put the same and different blobs through handles of their own and inherited. */
static void many_writers_at_once(void **state)
{
	enum { WRITERS = 4, EACH = 100 };
	struct fixture *f = *state;
	pid_t pids[WRITERS];

	put(f->blobs, "made before the forks");
	for (int w = 0; w < WRITERS; w++) {
		pids[w] = fork();
		assert_true(pids[w] >= 0);
		if (pids[w] == 0) {
			struct err err = ERR_INIT;
			struct blobs *blobs = f->blobs;
			int bad = 0;

			if (w % 2)
				bad |= blobs_open(f->dir, &blobs, &err) != 0;
			for (int i = 0; i < EACH && !bad; i++) {
				char *same = str_fmt("content %d", i);
				char *own = str_fmt("content %d of %d", i, w);
				struct blob_ref ref;

				bad |= blobs_put(blobs, same, strlen(same), &ref, &err) != 0;
				bad |= !blobs_verify(blobs, &ref);
				bad |= blobs_put(blobs, own, strlen(own), &ref, &err) != 0;
				bad |= !blobs_verify(blobs, &ref);
				free(same);
				free(own);
			}
			blobs_free(blobs);
			_exit(bad);
		}
	}
	for (int w = 0; w < WRITERS; w++) {
		int status;

		assert_int_equal(waitpid(pids[w], &status, 0), pids[w]);
		assert_int_equal(status, 0);
	}
	put(f->blobs, "made after the forks");
	f->blobs = blobs_free(f->blobs);
	assert_int_equal(entries(f->dir, "tmp"), 0);
}

/* What is put for its digest alone is not there; all else is as it was. */
static void what_nobody_keeps(void **state)
{
	struct fixture *f = *state;
	const struct blob_ref kept = put(f->blobs, "kept");
	struct blobs *unkept = blobs_unkept(f->blobs);
	const struct blob_ref lost = put(unkept, "lost");
	_cleanup_buf_ struct buf text = BUF_INIT(100);
	struct digest digest;
	struct err err = ERR_INIT;

	digest_of("lost", 4, &digest);
	assert_true(digest_eq(&lost.digest, &digest));
	assert_int_equal(lost.size, 4);
	assert_false(blobs_has(unkept, &lost));
	assert_false(blobs_has(f->blobs, &lost));
	assert_true(blobs_has(unkept, &kept));
	must(blobs_read(unkept, &kept, &text, &err), &err);
	assert_string_equal(buf_text(&text), "kept");
	blobs_free(unkept);
	assert_true(blobs_has(f->blobs, &kept));
}

#define CONTRACT(test)                                                                             \
	{ #test " (folder)", test, setup_folder, teardown, NULL },                                 \
	{                                                                                          \
		#test " (memory)", test, setup_memory, teardown, NULL                              \
	}
#define FOLDER(test) cmocka_unit_test_setup_teardown(test, setup_folder, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CONTRACT(put_names_content_by_its_hash),
		CONTRACT(what_was_put_is_read),
		CONTRACT(nothing_is_content_too),
		CONTRACT(unknown_and_wrongly_sized_blobs_are_misses),
		CONTRACT(more_than_the_limit_is_refused),
		CONTRACT(files_of_all_sizes_come_back),
		CONTRACT(a_file_is_taken_from_its_position),
		CONTRACT(an_unreadable_source_is_an_error),
		CONTRACT(what_nobody_keeps),
		FOLDER(files_are_read_only_and_stamped),
		FOLDER(a_short_blob_is_a_miss_and_can_be_put_again),
		FOLDER(a_changed_blob_is_a_miss_and_goes_away),
		FOLDER(silent_rot_is_found_by_hashing),
		FOLDER(a_strange_stamp_is_mended),
		FOLDER(something_else_under_the_name_is_a_miss),
		FOLDER(nothing_is_left_in_tmp),
		FOLDER(many_writers_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
