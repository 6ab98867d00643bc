/*
 * The contract every packager keeps: same input, same bytes, whatever the umask, the time zone, the
 * locale, the folder and the order in which files were made; what must be refused is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <locale.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "external/crypto.h"
#include "fakes/folder.h"
#include "package/packager.h"

static const int64_t epoch = 1735689600;

static const char tar_parameters[] =
	"{\"root\":\"hello-1.0\",\"modes\":{\"hello-1.0/odd\":\"0755\"}}";
static const char deb_parameters[] =
	"{\"modes\":{},\"control\":{\"Package\":\"hello\",\"Version\":\"1.0\",\"Architecture\":"
	"\"x86_64-unknown-linux-gnu\",\"Maintainer\":\"A B <a@example.org>\",\"License\":\"MIT\","
	"\"Description\":\"says hello\\nIt says so.\\n\\nTwice.\",\"Homepage\":\"https://example.org\","
	"\"Depends\":\"libc6\"}}";

static const char deb_without_license[] =
	"{\"modes\":{},\"control\":{\"Package\":\"hello\",\"Version\":\"1.0\",\"Architecture\":"
	"\"x86_64-unknown-linux-gnu\",\"Maintainer\":\"A B <a@example.org>\",\"Description\":\"x\"}}";

struct row {
	const char *name;
	const char *parameters;
	void (*fill)(const struct folder *folder);
	const char *consumer; /* a command that must accept the output */
};

static void fill_tree(const struct folder *folder, const char *top)
{
	static const char *const names[] = { "usr/bin/hello", "usr/share/doc/hello/LICENSE", "odd",
		                             "etc/hello.conf", "usr/share/ö" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_free_ char *path = str_fmt("tree/%s%s", top, names[i]);

		folder_write(folder, path, names[i], strlen(names[i]), i == 0 ? 0700 : 0600);
	}
	_cleanup_free_ char *link = str_fmt("tree/%susr/bin/hi", top);
	_cleanup_free_ char *empty = str_fmt("tree/%sempty", top);

	assert_int_equal(symlinkat("hello", folder->fd, link), 0);
	assert_int_equal(mkdirat(folder->fd, empty, 0700), 0);
}

static void fill_tar(const struct folder *folder)
{
	fill_tree(folder, "hello-1.0/");
}

static void fill_deb(const struct folder *folder)
{
	fill_tree(folder, "");
}

static void fill_ar(const struct folder *folder)
{
	folder_text(folder, "members/data.tar", "not really");
	folder_text(folder, "members/control.tar.xz", "not really either");
}

static const struct row rows[] = {
	{ "deb-ar", NULL, fill_ar, "ar t out.deb | head -1 | grep -qx debian-binary" },
	{ "deb-members", deb_parameters, fill_deb, "tar -tf control.tar && tar -tf data.tar" },
	{ "tar", tar_parameters, fill_tar, "tar -tf out.tar" },
};

static json_t *parse(const char *text)
{
	struct err err = ERR_INIT;
	json_t *json = NULL;

	if (text && json_parse(text, strlen(text), "parameters", &json, &err) < 0)
		fail_msg("%s", err.cause);
	return json;
}

static int run(const struct folder *folder, const char *name, const char *text, struct err *err)
{
	_cleanup_json_ json_t *parameters = parse(text);
	const struct packager *packager = packager_find(name);

	assert_non_null(packager);
	return packager->run(folder->fd, parameters, epoch, err);
}

static void every_packager_has_a_row(void **state)
{
	size_t n = 0;

	(void)state;
	for (const struct packager *p = packagers; p->name; p++, n++) {
		assert_true(n < ARRAY_LEN(rows));
		assert_string_equal(p->name, rows[n].name);
		assert_true(p->version > 0);
		assert_non_null(p->outputs[0]);
	}
	assert_int_equal(n, ARRAY_LEN(rows));
	assert_null(packager_find("rar"));
}

static void surroundings(int odd)
{
	umask(odd ? 0077 : 0002);
	setenv("TZ", odd ? "Asia/Kathmandu" : "UTC", 1);
	tzset();
	setenv("LC_ALL", odd ? "C.UTF-8" : "C", 1);
	assert_non_null(setlocale(LC_ALL, ""));
}

static void the_same_input_gives_the_same_bytes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct folder one, two;
		struct err err = ERR_INIT;
		const char *const *outputs = packager_find(rows[i].name)->outputs;

		for (int odd = 0; odd < 2; odd++) {
			surroundings(odd);
			folder_init(odd ? &two : &one);
			rows[i].fill(odd ? &two : &one);
			if (run(odd ? &two : &one, rows[i].name, rows[i].parameters, &err) < 0)
				fail_msg("%s: %s", rows[i].name, err.cause);
			surroundings(0);
		}
		for (size_t o = 0; outputs[o]; o++) {
			size_t n, m;
			_cleanup_free_ char *a = folder_read(&one, outputs[o], &n);
			_cleanup_free_ char *b = folder_read(&two, outputs[o], &m);

			assert_non_null(a);
			assert_non_null(b);
			assert_true(n > 0);
			assert_int_equal(n, m);
			assert_memory_equal(a, b, n);
		}
		assert_int_equal(folder_sh(&one, rows[i].consumer), 0);
		folder_deinit(&one);
		folder_deinit(&two);
	}
}

/* The builtin is "NAME@VERSION": changed bytes without a new version would poison every cache. */
static void bytes_are_golden(void **state)
{
	static const struct {
		const char *name, *output, *sha256;
	} golden[] = {
		{ "deb-ar", "out.deb",
		  "2177a9677e285cc0fbe13d860daf11f88f2ba30c630f37c9e188a501dde9664d" },
		{ "deb-members", "control.tar",
		  "9ec4a372e215174b7901c8b8a620b593b6132be4823354303df2c465e663cf78" },
		{ "deb-members", "data.tar",
		  "0da568e05fcf09879cfce12622f73181fb23925cfc28ee9f52989455ec1d140a" },
		{ "tar", "out.tar",
		  "b513729e07f18ae2514f718f35a4e9645d5de407c45232a245ebc4dc528ecabc" },
	};

	(void)state;
	for (size_t g = 0; g < ARRAY_LEN(golden); g++) {
		struct folder folder;
		struct err err = ERR_INIT;
		struct digest digest;
		size_t n;

		folder_init(&folder);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (strcmp(rows[i].name, golden[g].name) != 0)
				continue;
			rows[i].fill(&folder);
			assert_int_equal(run(&folder, rows[i].name, rows[i].parameters, &err), 0);
		}
		_cleanup_free_ char *bytes = folder_read(&folder, golden[g].output, &n);

		digest_of(bytes, n, &digest);
		if (strcmp(DIGEST_TEXT(&digest), golden[g].sha256) != 0)
			fail_msg("%s: %s", golden[g].output, DIGEST_TEXT(&digest));
		folder_deinit(&folder);
	}
}

static void tar_holds_one_sorted_root(void **state)
{
	struct folder folder;
	struct err err = ERR_INIT;
	_cleanup_free_ char *list = NULL;

	(void)state;
	folder_init(&folder);
	fill_tar(&folder);
	assert_int_equal(run(&folder, "tar", tar_parameters, &err), 0);
	assert_int_equal(folder_sh(&folder,
	                           "tar --utc --quoting-style=literal --numeric-owner -tvf "
	                           "out.tar | sed 's/  */ /g'"),
	                 0);
	list = folder_read(&folder, "sh.out", NULL);
	assert_string_equal(
		list, "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/empty/\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/etc/\n"
		      "-rw-r--r-- 0/0 14 2025-01-01 00:00 hello-1.0/etc/hello.conf\n"
		      "-rwxr-xr-x 0/0 3 2025-01-01 00:00 hello-1.0/odd\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/usr/\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/usr/bin/\n"
		      "-rwxr-xr-x 0/0 13 2025-01-01 00:00 hello-1.0/usr/bin/hello\n"
		      "lrwxrwxrwx 0/0 0 2025-01-01 00:00 hello-1.0/usr/bin/hi -> hello\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/usr/share/\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/usr/share/doc/\n"
		      "drwxr-xr-x 0/0 0 2025-01-01 00:00 hello-1.0/usr/share/doc/hello/\n"
		      "-rw-r--r-- 0/0 27 2025-01-01 00:00 hello-1.0/usr/share/doc/hello/LICENSE\n"
		      "-rw-r--r-- 0/0 12 2025-01-01 00:00 hello-1.0/usr/share/ö\n");
	folder_deinit(&folder);
}

static void refuse(const char *name, const char *parameters, const char *make, const char *words)
{
	struct folder folder;
	struct err err = ERR_INIT;

	folder_init(&folder);
	assert_int_equal(folder_sh(&folder, make), 0);
	if (run(&folder, name, parameters, &err) == 0)
		fail_msg("accepted: %s", make);
	assert_int_equal(err.code, ERR_INPUT);
	if (!strstr(err.cause, words))
		fail_msg("\"%s\" lacks \"%s\"", err.cause, words);
	folder_deinit(&folder);
}

static void bad_input_is_refused(void **state)
{
	static const char plain[] = "{\"root\":\"r\",\"modes\":{}}";

	(void)state;
	refuse("tar", plain, "mkdir -p tree/r && ln -s ../../etc/passwd tree/r/l",
	       "outside the package");
	refuse("tar", plain, "mkdir -p tree/r && ln -s ../other tree/r/l", "outside the package");
	refuse("tar", plain, "mkdir -p tree/r && ln -s /etc/passwd tree/r/l",
	       "outside the package");
	refuse("tar", plain, "mkdir -p tree/r && mkfifo tree/r/p",
	       "is neither a file, a folder nor a link: it cannot be packed");
	refuse("tar", plain, "mkdir -p tree/r && touch tree/x",
	       "lies outside the archive's folder");
	refuse("tar", plain, "mkdir -p tree && touch tree/r",
	       "is not a folder: an archive has one at its root");
	refuse("tar", plain, "mkdir tree", "the package would be empty");
	refuse("tar", plain, "true", "no folder tree");
	refuse("tar", plain, "mkdir -p other/r && touch other/r/f && ln -s other tree", "link");
	refuse("tar", "{\"root\":\"a/b\"}", "mkdir -p tree/a/b", "no folder name");
	refuse("tar", "{\"root\":\"..\"}", "mkdir -p tree/a", "no folder name");
	refuse("tar", "{\"root\":\"r\",\"mode\":{}}", "mkdir -p tree/r", "unknown member");
	refuse("tar", "{}", "mkdir -p tree/r", "\"root\" is missing");
	refuse("tar", "{\"root\":\"r\",\"modes\":{\"r/no\":\"0755\"}}", "mkdir -p tree/r",
	       "but the package has no such file");
	refuse("tar", "{\"root\":\"r\",\"modes\":{\"r/f\":\"4755\"}}",
	       "mkdir -p tree/r && touch tree/r/f", "a package knows \"0644\" and \"0755\"");
	refuse("deb-members", deb_parameters, "mkdir -p tree/usr && ln -s /etc tree/usr/l",
	       "outside the package");
	refuse("deb-members", deb_parameters, "mkdir -p tree/usr && touch 'tree/usr/a\nb'",
	       "a Debian package cannot hold a name with a line break");
	refuse("deb-members", deb_without_license, "mkdir -p tree/usr && touch tree/usr/f",
	       "the Debian package has no licence");
	refuse("tar", plain, "mkdir -p tree/r/$(printf '%0300d' 0 | sed 's,0,a/,g')",
	       "is nested deeper than");
	refuse("tar", plain,
	       "half=$(printf '%010d' 0 | sed \"s,0,$(printf '%0200d' 0)/,g\") && "
	       "mkdir -p tree/r/$half && cd tree/r/$half && mkdir -p $half",
	       "too many files or too long a path to pack");
	refuse("deb-ar", NULL, "mkdir members && touch members/control.tar", "no data.tar");
	refuse("deb-ar", NULL, "mkdir members && touch members/data.tar members/control.tar.bz2",
	       "no control.tar");
	refuse("deb-ar", NULL, "true", "there is no folder members to join");
	refuse("deb-ar", NULL,
	       "mkdir members && ln -s /etc/passwd members/data.tar && touch "
	       "members/control.tar",
	       "data.tar");
}

/* The whole way to a package that dpkg takes. */
static void dpkg_accepts_the_package(void **state)
{
	struct folder folder;
	struct err err = ERR_INIT;
	_cleanup_free_ char *out = NULL;

	(void)state;
	if (!have_tool("dpkg-deb") || !have_tool("xz"))
		skip();
	folder_init(&folder);
	fill_deb(&folder);
	assert_int_equal(run(&folder, "deb-members", deb_parameters, &err), 0);
	assert_int_equal(folder_sh(&folder, "mkdir members && xz control.tar data.tar && "
	                                    "mv control.tar.xz data.tar.xz members"),
	                 0);
	assert_int_equal(run(&folder, "deb-ar", NULL, &err), 0);
	assert_int_equal(folder_sh(&folder, "dpkg-deb -f out.deb"), 0);
	out = folder_read(&folder, "sh.out", NULL);
	assert_string_equal(out, "Package: hello\nVersion: 1.0-1\nArchitecture: amd64\n"
	                         "Maintainer: A B <a@example.org>\nPriority: optional\n"
	                         "Depends: libc6\nHomepage: https://example.org\n"
	                         "Description: says hello\n It says so.\n .\n Twice.\n"
	                         "Installed-Size: 14\n");
	assert_int_equal(folder_sh(&folder,
	                           "dpkg-deb -x out.deb root && dpkg-deb -e out.deb ctl && "
	                           "cd root && md5sum -c ../ctl/md5sums && "
	                           "grep -qx /etc/hello.conf ../ctl/conffiles && "
	                           "test \"$(readlink usr/bin/hi)\" = hello && "
	                           "grep -qx 'License: MIT' usr/share/doc/hello/copyright"),
	                 0);
	folder_deinit(&folder);
}

/* Installed into a scratch root, verified, removed; conffiles stay until they are purged. */
static void dpkg_installs_and_removes_it(void **state)
{
	struct folder folder;
	struct err err = ERR_INIT;

	(void)state;
	if (!have_tool("dpkg") || !have_tool("xz"))
		skip();
	folder_init(&folder);
	fill_deb(&folder);
	assert_int_equal(run(&folder, "deb-members", deb_parameters, &err), 0);
	assert_int_equal(folder_sh(&folder, "mkdir -p members root/var/lib/dpkg/info "
	                                    "root/var/lib/dpkg/updates && xz control.tar data.tar "
	                                    "&& mv *.tar.xz members && touch "
	                                    "root/var/lib/dpkg/status root/var/lib/dpkg/available"),
	                 0);
	assert_int_equal(run(&folder, "deb-ar", NULL, &err), 0);
	if (folder_sh(&folder, "D='dpkg --root=root --log=log --force-not-root --force-depends "
	                       "--force-architecture --force-bad-path'; $D -i out.deb && "
	                       "test \"$(cat root/usr/bin/hello)\" = usr/bin/hello && "
	                       "test -z \"$($D -V hello)\" && $D -r hello && "
	                       "test ! -e root/usr/bin/hello && test -e root/etc/hello.conf && "
	                       "$D -P hello && test ! -e root/etc/hello.conf") != 0) {
		_cleanup_free_ char *said = folder_read(&folder, "sh.out", NULL);

		fail_msg("%s", said);
	}
	folder_deinit(&folder);
}

/* dpkg knows GNU's way to write long names, and refuses the other one (deb(5)). */
static void dpkg_reads_long_names(void **state)
{
	char part[131], path[300];
	struct folder folder;
	struct err err = ERR_INIT;

	(void)state;
	if (!have_tool("dpkg-deb") || !have_tool("xz"))
		skip();
	memset(part, 'n', sizeof(part) - 1);
	part[sizeof(part) - 1] = '\0';
	folder_init(&folder);
	fill_deb(&folder);
	snprintf(path, sizeof(path), "tree/usr/share/hello/%s", part);
	folder_text(&folder, path, "long");
	assert_int_equal(symlinkat(part, folder.fd, "tree/usr/share/hello/link"), 0);
	assert_int_equal(run(&folder, "deb-members", deb_parameters, &err), 0);
	assert_int_equal(folder_sh(&folder, "mkdir members && xz control.tar data.tar && "
	                                    "mv *.tar.xz members"),
	                 0);
	assert_int_equal(run(&folder, "deb-ar", NULL, &err), 0);
	if (folder_sh(&folder, "dpkg-deb -x out.deb out && cd out/usr/share/hello && "
	                       "test \"$(cat nnn*)\" = long && test \"$(cat link)\" = long") != 0) {
		_cleanup_free_ char *said = folder_read(&folder, "sh.out", NULL);

		fail_msg("%s", said);
	}
	folder_deinit(&folder);
}

static void given_copyright_stays(void **state)
{
	struct folder folder;
	struct err err = ERR_INIT;

	(void)state;
	folder_init(&folder);
	folder_text(&folder, "tree/usr/share/doc/hello/copyright", "mine");
	assert_int_equal(run(&folder, "deb-members", deb_parameters, &err), 0);
	assert_int_equal(folder_sh(&folder, "test \"$(tar -xOf data.tar "
	                                    "./usr/share/doc/hello/copyright)\" = mine"),
	                 0);
	folder_deinit(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_packager_has_a_row),
		cmocka_unit_test(the_same_input_gives_the_same_bytes),
		cmocka_unit_test(bytes_are_golden),
		cmocka_unit_test(tar_holds_one_sorted_root),
		cmocka_unit_test(bad_input_is_refused),
		cmocka_unit_test(dpkg_accepts_the_package),
		cmocka_unit_test(dpkg_installs_and_removes_it),
		cmocka_unit_test(dpkg_reads_long_names),
		cmocka_unit_test(given_copyright_stays),
	};

	return cmocka_run_group_tests_name("package/packagers", tests, NULL, NULL);
}
