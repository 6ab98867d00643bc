/* Files of what one run leaves the next: what comes back, and what never does. */
#include "snapshot/kept.h"

#include <sys/stat.h>

#include "unit/support.h"

static const char magic[] = "kilntst1", other_magic[] = "kilntst2";

struct fixture {
	char *dir;
	int fd;
	struct buf key;
	char name[64];
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){ .dir = test_folder(), .key = BUF_INIT(1000) };
	f.fd = test_open_dir(f.dir);
	buf_add(&f.key, "a\0key", 5);
	kept_name(&f.key, ".test", f.name);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fs_close(f->fd);
	buf_deinit(&f->key);
	test_folder_remove(f->dir);
	return 0;
}

static void write_one(struct fixture *f)
{
	struct kept_writer *w = kept_new(f->fd, magic, &f->key);

	kept_put_u32(w, 7);
	kept_put_text(w, "a\0b", 3);
	kept_put_str(w, "");
	kept_put_str(w, NULL);
	kept_put_str(w, "word");
	kept_keep(w, f->name);
	kept_free(w);
}

static void what_was_put_is_taken(void **state)
{
	struct fixture *f = *state;
	struct kept kept;
	const char *text;
	size_t n;

	assert_false(kept_open(f->fd, f->name, magic, &f->key, &kept));
	write_one(f);
	assert_true(kept_open(f->fd, f->name, magic, &f->key, &kept));
	kept_rest(&kept, 0, kept.n);
	assert_int_equal(kept_take_u32(&kept), 7);
	text = kept_take_text(&kept, &n);
	assert_int_equal(n, 3);
	assert_memory_equal(text, "a\0b", 4);
	assert_string_equal(kept_take_str(&kept), "");
	assert_null(kept_take_str(&kept));
	assert_string_equal(kept_take_str(&kept), "word");
	assert_false(kept.bad);
	assert_int_equal(kept.at, kept.n);
	/* Behind the end there is nothing, and from then on nowhere. */
	assert_int_equal(kept_take_u32(&kept), 0);
	assert_true(kept.bad);
	kept.at = 0;
	assert_null(kept_take_str(&kept));
	kept_close(&kept);
	kept_close(&kept);
}

static void another_key_or_kind_finds_nothing(void **state)
{
	struct fixture *f = *state;
	struct kept kept;

	write_one(f);
	assert_false(kept_open(f->fd, f->name, other_magic, &f->key, &kept));
	f->key.p[0] = 'b';
	assert_false(kept_open(f->fd, f->name, magic, &f->key, &kept));
	buf_add_char(&f->key, 'x');
	assert_false(kept_open(f->fd, f->name, magic, &f->key, &kept));
}

/* However much of it is there, nothing is read beyond its end. */
static void a_part_is_bad(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *path = str_fmt("%s/%s", f->dir, f->name);
	struct stat st;

	write_one(f);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n >= 0; n--) {
		struct kept kept;
		size_t ignored;

		assert_int_equal(truncate(path, n), 0);
		if (!kept_open(f->fd, f->name, magic, &f->key, &kept))
			continue;
		(void)kept_take_u32(&kept);
		(void)kept_take_text(&kept, &ignored);
		for (int i = 0; i < 3; i++)
			(void)kept_take_str(&kept);
		assert_true(kept.bad);
		kept_close(&kept);
	}
}

static void what_is_given_up_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct kept_writer *w = kept_new(f->fd, magic, &f->key);
	struct kept kept;

	kept_give_up(w);
	kept_put_u32(w, 1);
	kept_keep(w, f->name);
	kept_free(w);
	assert_false(kept_open(f->fd, f->name, magic, &f->key, &kept));
}

/* Whoever can write to the folder could say what is built. */
static void a_folder_of_others_is_not_ours(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(fchmod(f->fd, 0700), 0);
	assert_true(kept_is_ours(f->fd));
	assert_int_equal(fchmod(f->fd, 0720), 0);
	assert_false(kept_is_ours(f->fd));
	assert_int_equal(fchmod(f->fd, 0702), 0);
	assert_false(kept_is_ours(f->fd));
	assert_int_equal(fchmod(f->fd, 0700), 0);
}

/* Of many, all go. */
static void there_are_not_too_many(void **state)
{
	struct fixture *f = *state;
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	struct kept kept;

	for (char c = 0; c < 100; c++) {
		f->key.p[0] = c;
		kept_name(&f->key, ".test", f->name);
		write_one(f);
		assert_true(kept_open(f->fd, f->name, magic, &f->key, &kept));
		kept_close(&kept);
	}
	must(fs_list(f->fd, KEPT_FOLDER, &names, &err), &err);
	assert_true(names.names.n <= 65);
	fs_names_deinit(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_put_is_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(another_key_or_kind_finds_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(a_part_is_bad, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_given_up_is_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(a_folder_of_others_is_not_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(there_are_not_too_many, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
