/* From a tar stream to a tree: filtered, hashed, written with plain modes; files out of packages. */
#include "image/unpack.h"

#include <sys/stat.h>

#include "external/crypto.h"
#include "fakes/debs.h"
#include "image/repository.h"
#include "unit/support.h"

struct fixture {
	char *dir;
	int fd, root;
	struct unpacker unpacker;
	struct image_tree tree;
	struct buf status;
	struct image_unpack unpack;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	assert_int_equal(mkdirat(f->fd, "root", 0755), 0);
	f->root = openat(f->fd, "root", O_RDONLY | O_DIRECTORY);
	unpacker_init(&f->unpacker, f->root, -1, -1, 315532800);
	image_tree_init(&f->tree);
	f->status = BUF_INIT(1 << 16);
	f->unpack = (struct image_unpack){ &f->unpacker, &f->tree, &f->status, NULL };
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unpacker_deinit(&f->unpacker);
	image_tree_deinit(&f->tree);
	buf_deinit(&f->status);
	close(f->root);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static const struct tar_entry entries[] = {
	{ "etc", 'd', 0755, NULL },
	{ "etc/hostname", 'f', 0644, "the-machine\n" },
	{ "etc/shadow", 'f', 0640, "root:*" },
	{ "etc/apt/sources.list", 'f', 0644, "deb http://mirror/ x main" },
	{ "tmp", 'd', 01777, NULL },
	{ "usr/bin/su", 'f', 04755, "#!" },
	{ "usr/lib", 'l', 0777, "bin" },
	{ "var/lib/dpkg/status", 'f', 0644, "Package: x\n" },
	{ "var/log/dpkg.log", 'f', 0644, "today" },
};

static const char expected[] =
	"kiln.image.manifest/1\n"
	"d 0755 0 0 build\n"
	"d 0755 0 0 dev\n"
	"d 0755 0 0 etc\n"
	"f 0644 0 0 %s 8 etc/hostname\n"
	"f 0644 0 0 %s 28 etc/hosts\n"
	"f 0644 0 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 etc/machine-id\n"
	"f 0644 0 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 0 etc/resolv.conf\n"
	"f 0640 0 0 %s 6 etc/shadow\n"
	"d 0755 0 0 proc\n"
	"d 0755 0 0 run\n"
	"d 0755 0 0 sys\n"
	"d 1777 0 0 tmp\n"
	"d 0755 0 0 usr\n"
	"d 0755 0 0 usr/bin\n"
	"f 4755 0 0 %s 2 usr/bin/su\n"
	"l 0777 0 0 bin usr/lib\n"
	"d 0755 0 0 var\n"
	"d 0755 0 0 var/lib\n"
	"d 0755 0 0 var/lib/dpkg\n"
	"f 0644 0 0 %s 11 var/lib/dpkg/status\n";

static const char *hash(const char *text, char out[DIGEST_HEX_SIZE])
{
	struct digest digest;

	digest_of(text, strlen(text), &digest);
	return digest_hex(&digest, out);
}

static void test_tree(void **state)
{
	struct fixture *f = *state;
	struct buf manifest = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	char hex[5][DIGEST_HEX_SIZE];
	char *wanted = str_fmt(
		expected, hash("builder\n", hex[0]), hash("127.0.0.1 localhost builder\n", hex[1]),
		hash("root:*", hex[2]), hash("#!", hex[3]), hash("Package: x\n", hex[4]));
	int fd = tar_file(entries, ARRAY_LEN(entries));
	struct stat st;

	umask(077);
	must(image_unpack_tar(&f->unpack, fd, "tar", &err), &err);
	must(image_unpack_fixed(&f->unpack, &err), &err);
	must(unpacker_finish(&f->unpacker, &err), &err);
	umask(022);
	image_tree_manifest(&f->tree, &manifest);
	assert_string_equal(buf_text(&manifest), wanted);
	assert_string_equal(buf_text(&f->status), "Package: x\n");
	assert_int_equal(fstatat(f->root, "usr/bin/su", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755); /* no setuid on disk */
	assert_int_equal(fstatat(f->root, "etc/shadow", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(fstatat(f->root, "tmp", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_false(fs_exists(f->root, "var/log/dpkg.log"));
	assert_false(fs_exists(f->root, "etc/apt/sources.list"));
	buf_deinit(&manifest);
	free(wanted);
	close(fd);
}

static void test_file_of_a_package(void **state)
{
	static const struct tar_entry content[] = {
		{ "usr/lib/librt.a", 'f', 0644, "archive" },
		{ "usr/bin/emulator", 'f', 0700, "#!" },
		{ "usr/link", 'l', 0777, "lib" },
	};
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int fd = deb_file(NULL, "Package: x\n", content, ARRAY_LEN(content), NULL);

	must(image_unpack_deb_file(&f->unpack, fd, "x", "usr/bin/emulator", "opt/emulator", &err),
	     &err);
	assert_int_equal(image_tree_find(&f->tree, "opt/emulator")->mode, 0755);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(image_unpack_deb_file(&f->unpack, fd, "x", "usr/bin/emulator",
	                                       "opt/emulator", &err),
	                 -1);
	assert_contains(err.cause, "the image has that path already");
	err_clear(&err);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(image_unpack_deb_file(&f->unpack, fd, "x", "usr/bin/none", "opt/n", &err),
	                 -1);
	assert_contains(err.cause, "has no file usr/bin/none");
	err_clear(&err);
	lseek(fd, 0, SEEK_SET);
	assert_int_equal(image_unpack_deb_file(&f->unpack, fd, "x", "usr/link", "opt/n", &err), -1);
	assert_contains(err.cause, "is no plain file");
	close(fd);
	err_clear(&err);
	fd = tar_file(content, 1); /* a tar is no .deb */
	assert_int_equal(image_unpack_deb_file(&f->unpack, fd, "x", "usr/link", "opt/n", &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	close(fd);
}

/* The local archive: an index of exactly the given packages, all-architecture ones in the native. */
static void test_repository(void **state)
{
	static const char *const architectures[] = { "amd64", "arm64", NULL };
	static const char expected_release[] = "Suite: trixie\n";
	struct fixture *f = *state;
	struct blobs *blobs = blobs_new_memory();
	struct debs debs = { 0 };
	struct err err = ERR_INIT;
	struct blob_ref ref[3];
	char *wanted, *text;

	close(deb_file(blobs, "Package: a\nVersion: 1\nArchitecture: amd64\n\n", entries, 1,
	               &ref[0]));
	close(deb_file(blobs, "Package: b\nArchitecture: arm64", entries, 1, &ref[1]));
	close(deb_file(blobs, "Package: c\nArchitecture: all\n", entries, 1, &ref[2]));
	debs_add(&debs, "a", "1", "amd64", &ref[0]);
	debs_add(&debs, "b", "1", "arm64", &ref[1]);
	debs_add(&debs, "c", "1", "all", &ref[2]);
	must(repository_write(blobs, f->dir, "trixie", architectures, &debs, &err), &err);
	text = test_read(f->fd, "dists/trixie/main/binary-amd64/Packages");
	wanted = str_fmt(
		"Package: a\nVersion: 1\nArchitecture: amd64\nFilename: pool/%s.deb\nSize: %llu\n"
		"SHA256: %s\n\nPackage: c\nArchitecture: all\nFilename: pool/%s.deb\nSize: "
		"%llu\nSHA256: %s\n\n",
		DIGEST_TEXT(&ref[0].digest), (unsigned long long)ref[0].size,
		DIGEST_TEXT(&ref[0].digest), DIGEST_TEXT(&ref[2].digest),
		(unsigned long long)ref[2].size, DIGEST_TEXT(&ref[2].digest));
	assert_string_equal(text, wanted);
	free(wanted);
	free(text);
	text = test_read(f->fd, "dists/trixie/main/binary-arm64/Packages");
	assert_contains(text, "Package: b\n");
	assert_null(strstr(text, "Package: c\n"));
	free(text);
	text = test_read(f->fd, "dists/trixie/Release");
	assert_contains(text, expected_release);
	assert_contains(text, "Architectures: amd64 arm64\n");
	free(text);
	ref[0].digest.bytes[0] ^= 1;
	debs_add(&debs, "d", "1", "amd64", &ref[0]);
	assert_int_equal(repository_write(blobs, f->dir, "trixie", architectures, &debs, &err), -1);
	assert_contains(err.cause, "d:amd64=1");
	debs_deinit(&debs);
	blobs_free(blobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_of_a_package, setup, teardown),
		cmocka_unit_test_setup_teardown(test_repository, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
