/* Archives out: exact bytes, what fits ustar, what others read in them; refusals both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "external/archive.h"
#include "external/archive_read.h"
#include "external/crypto.h"
#include "fakes/folder.h"

static const int64_t T = 1700000000;

static void long_name(char *out, size_t n, char c)
{
	memset(out, c, n);
	out[n] = '\0';
}

static void ustar_limits(void **state)
{
	char name[300], deep[300];
	struct archive_member m = { .name = name, .kind = ARCHIVE_FILE, .mode = 0644 };

	(void)state;
	long_name(name, 100, 'a');
	assert_true(archive_ustar_fits(&m));
	m.kind = ARCHIVE_DIR;
	assert_false(archive_ustar_fits(&m));
	m.kind = ARCHIVE_FILE;
	long_name(name, 101, 'a');
	assert_false(archive_ustar_fits(&m));
	long_name(deep, 256, 'a');
	deep[155] = '/';
	m.name = deep;
	assert_true(archive_ustar_fits(&m));
	deep[155] = 'a';
	deep[156] = '/';
	assert_false(archive_ustar_fits(&m));
	m = (struct archive_member){ .name = "x", .kind = ARCHIVE_LINK, .link = name };
	assert_false(archive_ustar_fits(&m));
	name[100] = '\0';
	assert_true(archive_ustar_fits(&m));
	m = (struct archive_member){ .name = "x", .kind = ARCHIVE_FILE, .size = 1ull << 33 };
	assert_false(archive_ustar_fits(&m));
	m.size--;
	assert_true(archive_ustar_fits(&m));
}

static void the_plainest_format_is_taken(void **state)
{
	char name[300], umlaut[300];
	struct archive_member m[] = { { .name = "a" },
		                      { .name = "ä", .kind = ARCHIVE_LINK, .link = "ö" } };

	(void)state;
	assert_int_equal(archive_tar_format(m, 0), ARCHIVE_USTAR);
	assert_int_equal(archive_tar_format(m, 2), ARCHIVE_USTAR);
	long_name(name, 200, 'a');
	m[0].name = name;
	assert_int_equal(archive_tar_format(m, 1), ARCHIVE_PAX);
	assert_int_equal(archive_tar_format(m, 2), ARCHIVE_PAX_BYTES);
	m[1].name = "a";
	assert_int_equal(archive_tar_format(m, 2), ARCHIVE_PAX_BYTES);
	m[1].link = "o";
	assert_int_equal(archive_tar_format(m, 2), ARCHIVE_PAX);
	long_name(umlaut, 200, '\xc3');
	m[0].name = umlaut;
	assert_int_equal(archive_tar_format(m, 1), ARCHIVE_PAX_BYTES);
}

static void digest_of_file(const struct folder *folder, const char *name, char *hex)
{
	size_t n;
	_cleanup_free_ char *bytes = folder_read(folder, name, &n);
	struct digest digest;

	assert_non_null(bytes);
	digest_of(bytes, n, &digest);
	digest_hex(&digest, hex);
}

static void add_file(struct archive_writer *w, const char *name, unsigned int mode,
                     const char *text)
{
	struct err err = ERR_INIT;

	if (archive_writer_file(w, name, mode, T, text, strlen(text), &err) < 0)
		fail_msg("%s", err.cause);
}

/* A folder, two files, a link; with `deep` also a member that only pax can name. */
static void write_sample(const struct folder *folder, const char *out, enum archive_format format,
                         bool deep)
{
	int fd = openat(folder->fd, out, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct archive_writer *w = archive_writer_new(fd, format, out);
	struct archive_member dir = { "top", ARCHIVE_DIR, 0755, T, 0, NULL };
	struct archive_member link = { "top/link", ARCHIVE_LINK, 0777, T, 0, "hello" };
	struct err err = ERR_INIT;
	char name[300] = "top/";

	if (format == ARCHIVE_AR_BSD) {
		add_file(w, "debian-binary", 0644, "2.0\n");
		add_file(w, "control.tar.zst", 0644, "odd");
		add_file(w, "data.tar", 0644, "even");
	} else {
		assert_int_equal(archive_writer_add(w, &dir, &err), 0);
		add_file(w, "top/hello", 0755, "hello\n");
		assert_int_equal(archive_writer_add(w, &link, &err), 0);
		if (format != ARCHIVE_PAX)
			add_file(w, "top/umläut", 0644, "");
	}
	if (deep) {
		long_name(name + 4, 200, 'n');
		add_file(w, name, 0644, "deep");
	}
	assert_int_equal(archive_writer_finish(w, &err), 0);
	archive_writer_free(w);
	close(fd);
}

/* The exact bytes: a libarchive that wrote others would change every release. */
static void bytes_are_golden(void **state)
{
	static const struct {
		const char *out;
		enum archive_format format;
		bool deep;
		const char *sha256;
	} cases[] = {
		{ "b.tar", ARCHIVE_PAX_BYTES, true,
		  "b1feaaccacab51ddfddfdbf2d9e987abb2d7169cb388df999318f0957dac8bfa" },
		{ "u.tar", ARCHIVE_USTAR, false,
		  "830d2e6c606b37f8a35b8a4430e0fedbb00e19c885a26cb8a7c5f570d0987832" },
		{ "p.tar", ARCHIVE_PAX, true,
		  "819bf038efc1b1f38faa384b38fdcbec6f279e117db6497382e531ec9ae25129" },
		{ "a.ar", ARCHIVE_AR_BSD, false,
		  "4134e24ddb8d43017320620b584c459443193f02d274434154991e8d72379028" },
	};
	struct folder folder;
	char hex[DIGEST_HEX_SIZE];

	(void)state;
	folder_init(&folder);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		write_sample(&folder, cases[i].out, cases[i].format, cases[i].deep);
		digest_of_file(&folder, cases[i].out, hex);
		if (strcmp(hex, cases[i].sha256) != 0)
			fail_msg("%s: %s", cases[i].out, hex);
	}
	folder_deinit(&folder);
}

static void gnu_tar_reads_it(void **state)
{
	struct folder folder;
	_cleanup_free_ char *list = NULL;
	_cleanup_free_ char *hello = NULL;

	(void)state;
	folder_init(&folder);
	write_sample(&folder, "u.tar", ARCHIVE_USTAR, false);
	assert_int_equal(folder_sh(&folder, "tar --utc --numeric-owner -tvf u.tar"), 0);
	list = folder_read(&folder, "sh.out", NULL);
	assert_non_null(strstr(list, "drwxr-xr-x 0/0               0 2023-11-14 22:13 top/\n"));
	assert_non_null(
		strstr(list, "-rwxr-xr-x 0/0               6 2023-11-14 22:13 top/hello\n"));
	assert_non_null(strstr(list, "top/link -> hello\n"));
	assert_int_equal(folder_sh(&folder, "tar -xf u.tar"), 0);
	hello = folder_read(&folder, "top/link", NULL);
	assert_string_equal(hello, "hello\n");
	assert_true(folder_has(&folder, "top/umläut"));
	write_sample(&folder, "p.tar", ARCHIVE_PAX_BYTES, true);
	assert_int_equal(folder_sh(&folder, "rm -rf top && tar -xf p.tar && test $(ls top | wc -l) "
	                                    "= 4 && test -f top/umläut && cat top/nnnn*"),
	                 0);
	folder_deinit(&folder);
}

/* An ordinary reader has nothing to remark about a long ASCII name. */
static void pax_is_read_without_a_word(void **state)
{
	_cleanup_free_ char *said = NULL;
	struct folder folder;

	(void)state;
	folder_init(&folder);
	write_sample(&folder, "p.tar", ARCHIVE_PAX, true);
	assert_int_equal(folder_sh(&folder, "tar -xf p.tar"), 0);
	said = folder_read(&folder, "sh.out", NULL);
	assert_string_equal(said, "");
	folder_deinit(&folder);
}

static void wrong_sizes_are_errors(void **state)
{
	struct archive_member file = { "f", ARCHIVE_FILE, 0644, 0, 5, NULL };
	struct folder folder;

	(void)state;
	folder_init(&folder);
	for (int longer = 0; longer < 2; longer++) {
		int fd = openat(folder.fd, "x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		struct archive_writer *w = archive_writer_new(fd, ARCHIVE_USTAR, "x");
		struct err err = ERR_INIT;

		assert_int_equal(archive_writer_add(w, &file, &err), 0);
		if (longer) {
			assert_int_equal(archive_writer_data(w, "123456", 6, &err), -1);
		} else {
			assert_int_equal(archive_writer_data(w, "1234", 4, &err), 0);
			assert_int_equal(archive_writer_finish(w, &err), -1);
		}
		assert_int_equal(err.code, ERR_IO);
		archive_writer_free(w);
		close(fd);
	}
	folder_deinit(&folder);
}

static void what_no_format_holds_is_refused(void **state)
{
	char name[300];
	struct archive_member file = { name, ARCHIVE_FILE, 0644, 0, 0, NULL };
	struct archive_writer *w;
	struct folder folder;
	struct err err = ERR_INIT;
	int fd;

	(void)state;
	folder_init(&folder);
	fd = openat(folder.fd, "x", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	w = archive_writer_new(fd, ARCHIVE_USTAR, "x.tar");
	long_name(name, 280, 'n');
	assert_int_equal(archive_writer_add(w, &file, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_non_null(strstr(err.cause, "cannot put nnnn"));
	assert_non_null(strstr(err.cause, "nnnn into x.tar: "));
	archive_writer_free(w);
	close(fd);
	folder_deinit(&folder);
}

/* A tar whose only entry is a symbolic link to nothing. */
static void put_empty_link(const struct folder *folder)
{
	char tar[1536] = "link";
	unsigned int sum = 0;

	memcpy(tar + 100, "0000777", 7);
	memcpy(tar + 124, "00000000000", 11);
	memcpy(tar + 148, "        2", 9);
	memcpy(tar + 257, "ustar\00000", 8);
	for (size_t i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	snprintf(tar + 148, 7, "%06o", sum);
	folder_write(folder, "link.tar", tar, sizeof(tar), 0644);
}

static void what_is_read_is_refused_in_words(void **state)
{
	struct unarchive_entry entry;
	struct unarchive *archive = NULL;
	struct folder folder;
	struct blob_ref ref;
	struct err err = ERR_INIT;
	int fd, out;

	(void)state;
	folder_init(&folder);
	put_empty_link(&folder);
	fd = openat(folder.fd, "link.tar", O_RDONLY | O_CLOEXEC);
	assert_int_equal(unarchive_open(fd, "link.tar", &archive, &err), 0);
	assert_int_equal(unarchive_next(archive, &entry, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "link.tar: the link link has no readable target");
	unarchive_free(archive);
	close(fd);

	err_clear(&err);
	write_sample(&folder, "u.tar", ARCHIVE_USTAR, false);
	fd = openat(folder.fd, "u.tar", O_RDONLY | O_CLOEXEC);
	out = openat(folder.fd, "out", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(unarchive_open(fd, "u.tar", &archive, &err), 0);
	assert_int_equal(unarchive_next(archive, &entry, &err), 0);
	assert_int_equal(unarchive_next(archive, &entry, &err), 0);
	assert_int_equal(unarchive_copy(archive, out, entry.path, 5, NULL, &ref, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "u.tar: top/hello is larger than it may be");
	unarchive_free(archive);
	close(out);
	close(fd);

	err_clear(&err);
	write_sample(&folder, "a.deb", ARCHIVE_AR_BSD, false);
	fd = openat(folder.fd, "a.deb", O_RDONLY | O_CLOEXEC);
	assert_int_equal(unarchive_open_deb(fd, "a.deb", "extra.tar", &archive, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "a.deb: not a Debian package: it has no extra.tar");
	close(fd);
	folder_deinit(&folder);
}

static void a_full_disk_is_an_io_error(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct archive_writer *w;
	struct err err = ERR_INIT;
	int rc;

	(void)state;
	if (fd < 0)
		skip();
	w = archive_writer_new(fd, ARCHIVE_USTAR, "out.tar");
	rc = archive_writer_file(w, "f", 0644, 0, "x", 1, &err);
	if (rc == 0)
		rc = archive_writer_finish(w, &err);
	assert_int_equal(rc, -1);
	assert_int_equal(err.code, ERR_IO);
	assert_non_null(strstr(err.cause, "out.tar"));
	archive_writer_free(w);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ustar_limits),
		cmocka_unit_test(the_plainest_format_is_taken),
		cmocka_unit_test(bytes_are_golden),
		cmocka_unit_test(pax_is_read_without_a_word),
		cmocka_unit_test(gnu_tar_reads_it),
		cmocka_unit_test(wrong_sizes_are_errors),
		cmocka_unit_test(what_no_format_holds_is_refused),
		cmocka_unit_test(what_is_read_is_refused_in_words),
		cmocka_unit_test(a_full_disk_is_an_io_error),
	};

	return cmocka_run_group_tests_name("external/archive", tests, NULL, NULL);
}
