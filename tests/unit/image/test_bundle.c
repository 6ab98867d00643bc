/* Images in the store, and on their way to another one: what is told about them must be true. */
#include "image/bundle.h"

#include <sys/stat.h>

#include "external/archive_read.h"
#include "external/crypto.h"
#include "fakes/debs.h"
#include "image/place.h"
#include "image/section.h"
#include "image/tree.h"
#include "unit/stored.h"

static const char container_text[] = "{\"suite\":\"trixie\",\"architectures\":[\"amd64\"],"
				     "\"packages\":[\"make\"]}";

struct fixture {
	char *dir;
	int fd;
	struct store *here, *there;
	json_t *container, *section;
	struct digest tree;
	char *manifest;
	struct blob_ref deb;
};

static void make_section(struct fixture *f)
{
	struct image_definition definition;
	struct image_section section = { 0 };
	struct err err = ERR_INIT;

	must(image_definition_init(&definition, "mine", f->container, "amd64", &err), &err);
	section.tree = f->tree;
	section.container = definition.digest;
	debs_add(&section.packages, "make", "1", "amd64", &f->deb);
	json_decref(f->section);
	f->section = image_section_write(&section, &definition);
	image_section_deinit(&section);
	image_definition_deinit(&definition);
}

/* An image of one folder, one file and one link, placed in the first store. */
static void place(struct fixture *f)
{
	struct image_place_info info = { .name = "mine", .arch = "amd64" };
	char *fresh = str_fmt("%s/here/images/.new", f->dir);
	char *root = str_fmt("%s/root", fresh);
	struct err err = ERR_INIT;
	int fd;

	must(fs_make_dirs(AT_FDCWD, root, 0755, &err), &err);
	fd = test_open_dir(root);
	test_write(fd, "bin/tool", "#!tool", 0755);
	assert_int_equal(symlinkat("tool", fd, "bin/l\303\257nk"), 0);
	must(blobs_put(store_blobs(f->here), f->manifest, strlen(f->manifest), &info.manifest,
	               &err),
	     &err);
	info.tree = f->tree;
	info.section = f->section;
	info.container = f->container;
	must(image_place(f->here, fresh, fd, &info, &err), &err);
	assert_false(fs_exists(AT_FDCWD, fresh));
	close(fd);
	free(root);
	free(fresh);
}

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));
	struct digest tool;
	struct err err = ERR_INIT;

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	f->here = test_store(f->dir, "here");
	f->there = test_store(f->dir, "there");
	must(json_parse(container_text, strlen(container_text), "x", &f->container, &err), &err);
	digest_of("#!tool", 6, &tool);
	f->manifest =
		str_fmt("kiln.image.manifest/1\nd 0755 0 0 bin\nl 0777 0 0 tool bin/l\303\257nk\n"
	                "f 0755 0 0 %s 6 bin/tool\n",
	                DIGEST_TEXT(&tool));
	digest_of(f->manifest, strlen(f->manifest), &f->tree);
	close(deb_file(store_blobs(f->here), "Package: make\n", NULL, 0, &f->deb));
	make_section(f);
	place(f);
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->here);
	store_close(f->there);
	json_decref(f->container);
	json_decref(f->section);
	free(f->manifest);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static int ensure(struct fixture *f, struct store *store, struct image *ret, struct err *err)
{
	const struct image_request request = { .name = "mine",
		                               .container = f->container,
		                               .arch = "amd64",
		                               .lock = f->section,
		                               .offline = true };

	return image_ensure(store, &request, NULL, ret, err);
}

static void test_there(void **state)
{
	struct fixture *f = *state;
	_cleanup_image_ struct image image = { 0 };
	struct image_entries entries = { 0 };
	struct err err = ERR_INIT;
	char *tool;

	must(ensure(f, f->here, &image, &err), &err);
	assert_true(digest_eq(&image.tree, &f->tree));
	assert_false(image.resolved_now);
	assert_null(image.resolved_on);
	assert_true(json_equal(image.lock_section, f->section));
	tool = str_fmt("%s/bin/tool", image.root_path);
	assert_true(fs_exists(AT_FDCWD, tool));
	free(tool);
	must(image_list(f->here, &entries, &err), &err);
	assert_int_equal(entries.list.n, 1);
	assert_string_equal(entries.list.v[0].hex, DIGEST_TEXT(&f->tree));
	image_entries_deinit(&entries);
	must(image_list(f->there, &entries, &err), &err);
	assert_int_equal(entries.list.n, 0);
	image_entries_deinit(&entries);
}

/* Without its marker, with another user's, or made of other packages it is not there. */
static void test_not_there(void **state)
{
	struct fixture *f = *state;
	char *marker = str_fmt("here/images/%s/complete", DIGEST_TEXT(&f->tree));
	char *text = test_read(f->fd, marker), *at;
	_cleanup_json_ json_t *other = json_deep_copy(f->section);

	assert_true(image_place_has(f->here, &f->tree, f->section));
	json_object_set_new(json_array_get(json_object_get(other, "packages"), 0), "version",
	                    json_string("2"));
	assert_false(image_place_has(f->here, &f->tree, other));
	at = strstr(text, "\"uid\": ");
	assert_non_null(at);
	at[7] = at[7] == '7' ? '8' : '7';
	test_write(f->fd, marker, text, 0644);
	assert_false(image_place_has(f->here, &f->tree, f->section));
	test_write(f->fd, marker, "{", 0644);
	assert_false(image_place_has(f->here, &f->tree, f->section));
	assert_int_equal(unlinkat(f->fd, marker, 0), 0);
	assert_false(image_place_has(f->here, &f->tree, f->section));
	free(text);
	free(marker);
}

static void test_carry(void **state)
{
	struct fixture *f = *state;
	_cleanup_image_ struct image image = { 0 };
	_cleanup_free_ char *file = str_fmt("%s/image.tar", f->dir);
	struct err err = ERR_INIT;
	struct stat st;
	char *path;

	must(image_export(f->here, &f->tree, true, file, &err), &err);
	must(image_import(f->there, file, NULL, &image, &err), &err);
	assert_true(digest_eq(&image.tree, &f->tree));
	path = str_fmt("there/images/%s/root/bin/tool", DIGEST_TEXT(&f->tree));
	assert_int_equal(fstatat(f->fd, path, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(st.st_mtime, 315532800);
	free(path);
	assert_true(blobs_has(store_blobs(f->there), &f->deb));
	/* Carried on from there: the same bytes. */
	path = str_fmt("%s/again.tar", f->dir);
	must(image_export(f->there, &f->tree, true, path, &err), &err);
	assert_int_equal(fstatat(f->fd, "again.tar", &st, 0), 0);
	{
		struct blob_ref one, two;
		int a = openat(f->fd, "image.tar", O_RDONLY),
		    b = openat(f->fd, "again.tar", O_RDONLY);

		must(digest_of_fd(a, "a", &one, &err), &err);
		must(digest_of_fd(b, "b", &two, &err), &err);
		assert_true(digest_eq(&one.digest, &two.digest));
		close(a);
		close(b);
	}
	free(path);
}

static void test_export_faults(void **state)
{
	struct fixture *f = *state;
	_cleanup_free_ char *file = str_fmt("%s/image.tar", f->dir);
	_cleanup_free_ char *nowhere = str_fmt("%s/no/where.tar", f->dir);
	struct err err = ERR_INIT;

	assert_int_equal(image_export(f->there, &f->tree, false, file, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "the store has no image sha256:");
	err_clear(&err);
	assert_int_equal(image_export(f->here, &f->tree, false, nowhere, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_false(fs_exists(f->fd, "image.tar"));
	/* What is no regular file is not replaced: not a device's name, not a link. */
	assert_int_equal(symlink("elsewhere", file), 0);
	err_clear(&err);
	assert_int_equal(image_export(f->here, &f->tree, false, file, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkfifo(file, 0600), 0);
	err_clear(&err);
	assert_int_equal(image_export(f->here, &f->tree, false, file, &err), -1);
	assert_int_equal(err.code, ERR_USAGE);
	assert_int_equal(unlink(file), 0);
}

/* An export with members replaced. */
struct forged {
	const char *head, *manifest, *package, *tool, *link, *extra;
};

static int import_forged(struct fixture *f, const struct forged *forged, struct err *err)
{
	_cleanup_image_ struct image image = { 0 };
	_cleanup_free_ char *file = str_fmt("%s/forged.tar", f->dir);
	_cleanup_free_ char *name = str_fmt("packages/%s.deb", DIGEST_TEXT(&f->deb.digest));
	struct tar_entry entries[7] = {
		{ "kiln-image.json", 'f', 0644, forged->head },
		{ "manifest", 'f', 0644, forged->manifest ? forged->manifest : f->manifest },
		{ "root/bin", 'd', 0755, NULL },
		{ "root/bin/l\303\257nk", 'l', 0777, forged->link ? forged->link : "tool" },
	};
	size_t n = 4;
	struct err ignored = ERR_INIT;
	int from, to;

	if (forged->tool)
		entries[n++] = (struct tar_entry){ "root/bin/tool", 'f', 0755, forged->tool };
	if (forged->package)
		entries[n++] = (struct tar_entry){ name, 'f', 0644, forged->package };
	if (forged->extra)
		entries[n++] = (struct tar_entry){ forged->extra, 'f', 0644, "x" };
	from = tar_file(entries, n);
	to = openat(f->fd, "forged.tar", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	must(fs_copy_fd(from, to, "forged.tar", &ignored), &ignored);
	close(from);
	close(to);
	return image_import(f->there, file, NULL, &image, err);
}

static void test_forged(void **state)
{
	struct fixture *f = *state;
	_cleanup_json_ json_t *head = json_pack(
		"{s:s, s:s, s:s, s:O, s:O}", "schema", "kiln.image.export/1", "name", "mine",
		"architecture", "amd64", "container", f->container, "lock", f->section);
	_cleanup_json_ json_t *newer = json_copy(head);
	struct buf text = BUF_INIT(1 << 16), newer_text = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct image_entries entries = { 0 };

	json_write_canonical(head, &text);
	json_object_set_new(newer, "schema", json_string("kiln.image.export/2"));
	json_write_canonical(newer, &newer_text);
	{
		const char *h = buf_text(&text);
		static const char other[] = "packages/00000000000000000000000000000000"
					    "00000000000000000000000000000001.deb";
		_cleanup_free_ char *larger = alloc((size_t)f->deb.size + 2);

		memset(larger, 'x', (size_t)f->deb.size + 1);
		const struct {
			struct forged forged;
			const char *part;
		} bad[] = {
			{ { "{}", NULL, NULL, "#!tool", NULL, NULL }, "name" },
			{ { "no json", NULL, NULL, "#!tool", NULL, NULL }, "JSON" },
			{ { buf_text(&newer_text), NULL, NULL, "#!tool", NULL, NULL },
			  "not an exported image: its schema is not" },
			{ { h, "kiln.image.manifest/1\n", NULL, "#!tool", NULL, NULL },
			  "but it claims the tree sha256:" },
			{ { h, NULL, "not the package", "#!tool", NULL, NULL }, "has sha256:" },
			{ { h, NULL, larger, "#!tool", NULL, NULL }, "larger than it may be" },
			{ { h, NULL, NULL, "#!tool", NULL, "packages/make.deb" },
			  "its lock section names no package packages/make.deb" },
			{ { h, NULL, NULL, "#!tool", NULL, other }, "names no package" },
			{ { h, NULL, NULL, "#!evil", NULL, NULL }, "its manifest says" },
			{ { h, NULL, NULL, "#!tool and more", NULL, NULL },
			  "larger than it may be" },
			{ { h, NULL, NULL, "#!tool", "../../x", NULL },
			  "is not what its manifest says" },
			{ { h, NULL, NULL, NULL, NULL, NULL }, "it ends without root/bin/tool" },
			{ { h, NULL, NULL, "#!tool", NULL, "root/bin/more" },
			  "is not what its manifest says" },
			{ { h, NULL, NULL, "#!tool", NULL, "root/bin/tool" }, "is in it twice" },
			{ { h, NULL, NULL, "#!tool", NULL, "surprise" },
			  "it has the unknown member" },
			{ { h, NULL, NULL, "#!tool", NULL, "../surprise" }, "surprise" },
		};

		for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
			err_clear(&err);
			assert_int_equal(import_forged(f, &bad[i].forged, &err), -1);
			if (err.code != ERR_INPUT || !strstr(err.cause, bad[i].part))
				fail_msg("case %zu: %d %s", i, (int)err.code, err.cause);
		}
		must(image_list(f->there, &entries, &err), &err);
		assert_int_equal(entries.list.n, 0);
		image_entries_deinit(&entries);
		err_clear(&err);
		must(import_forged(f, &(struct forged){ .head = h, .tool = "#!tool" }, &err), &err);
	}
	/* What its packages are is the file's word: never taken for a resolution of this store's. */
	{
		_cleanup_json_ json_t *made = image_place_info(f->here, &f->tree);
		_cleanup_json_ json_t *brought = image_place_info(f->there, &f->tree);

		assert_true(json_is_false(json_object_get(made, "imported")));
		assert_true(json_is_true(json_object_get(brought, "imported")));
	}
	buf_deinit(&text);
	buf_deinit(&newer_text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_there, setup, teardown),
		cmocka_unit_test_setup_teardown(test_carry, setup, teardown),
		cmocka_unit_test_setup_teardown(test_export_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_forged, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
