/* Debian control fields: versions, architectures, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "fakes/folder.h"
#include "package/control.h"

static void versions(void **state)
{
	static const char *const cases[][2] = {
		{ "5.2.1", "5.2.1-1" },
		{ "v1.4.0", "1.4.0-1" },
		{ "1:5.2.1-2", "1:5.2.1-2" },
		{ "5.2.1-2.1", "5.2.1-2.1" },
		{ "2.0.0-rc.1", "2.0.0~rc.1-1" },
		{ "2.0.0-alpha-2", "2.0.0~alpha-2" },
		{ "2.0.0-rc.1-1", "2.0.0~rc.1-1" },
		{ "1.4.0-12-gab12cd-1", "1.4.0+12.gab12cd-1" },
		{ "2.0.0-x-y-3", "2.0.0~x.y-3" },
		{ "1.4.0-12-gab12cd", "1.4.0+12.gab12cd-1" },
		{ "1.4.0-12-gab12cd-dirty", "1.4.0+12.gab12cd.dirty-1" },
		{ "1.0+build.5", "1.0+build.5-1" },
		{ "7.1.1-47-1", "7.1.1+47-1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		_cleanup_free_ char *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(deb_version(cases[i][0], &got, &err), 0);
		assert_string_equal(got, cases[i][1]);
	}
}

/* dpkg orders what deb_version made as the versions' makers meant it. */
static void dpkg_orders_them(void **state)
{
	static const char *const order[] = { "1.4.0-rc.1",      "1.4.0-rc.2",  "1.4.0",
		                             "1.4.0-3-gab12cd", "1.4.1-alpha", "1.4.1",
		                             "1.10.0" };
	struct folder folder;

	(void)state;
	if (!have_tool("dpkg"))
		skip();
	folder_init(&folder);
	for (size_t i = 0; i + 1 < ARRAY_LEN(order); i++) {
		_cleanup_free_ char *a = NULL, *b = NULL, *command = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(deb_version(order[i], &a, &err), 0);
		assert_int_equal(deb_version(order[i + 1], &b, &err), 0);
		command = str_fmt("dpkg --compare-versions %s lt %s", a, b);
		if (folder_sh(&folder, command) != 0)
			fail_msg("%s", command);
	}
	folder_deinit(&folder);
}

static void bad_versions(void **state)
{
	static const char *const bad[] = { "", "x1", "1 0", "1_0", "v", "1.0;rm", "-1" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *got = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(deb_version(bad[i], &got, &err), -1);
		assert_null(got);
	}
}

static void architectures(void **state)
{
	(void)state;
	assert_string_equal(deb_architecture("x86_64-unknown-linux-gnu"), "amd64");
	assert_string_equal(deb_architecture("aarch64-unknown-linux-gnu"), "arm64");
	assert_string_equal(deb_architecture("x86_64-unknown-linux-musl"), "amd64");
	assert_string_equal(deb_architecture("armv7-unknown-linux-gnueabihf"), "armhf");
	assert_string_equal(deb_architecture("arm-unknown-linux-gnueabi"), "armel");
	assert_string_equal(deb_architecture("riscv64gc-unknown-linux-gnu"), "riscv64");
	assert_string_equal(deb_architecture("arm64"), "arm64");
	assert_string_equal(deb_architecture("all"), "all");
	assert_null(deb_architecture("x86_64-pc-windows-gnu"));
	assert_null(deb_architecture("wasm32-wasip2"));
}

static json_t *fields(void)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "Package", "Hello_World", "Version", "1.0",
	                 "Architecture", "arm64", "Maintainer", "A <a@b>", "Description", "x");
}

static void refuse(const char *key, json_t *value, const char *words)
{
	_cleanup_json_ json_t *json = fields();
	struct deb_control control;
	struct err err = ERR_INIT;

	if (value)
		json_object_set_new(json, key, value);
	else
		json_object_del(json, key);
	assert_int_equal(deb_control_read(json, &control, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	if (!strstr(err.cause, words))
		fail_msg("%s: \"%s\" lacks \"%s\"", key, err.cause, words);
}

static void bad_fields(void **state)
{
	_cleanup_free_ char *large = alloc((1 << 20) + 1);

	(void)state;
	refuse("Package", NULL, "the Debian package lacks the field Package");
	refuse("Version", NULL, "lacks the field Version");
	refuse("Maintainer", NULL, "lacks the field Maintainer");
	refuse("Description", json_string(" \n"), "lacks the field Description");
	refuse("Maintainer", json_string("nobody"), "Name <mail@address>");
	refuse("Package", json_string("x"),
	       "is no name for a Debian package: at least two of a-z 0-9 + - . beginning with a "
	       "letter or digit");
	refuse("Package", json_string("a b"), "no name for a Debian package");
	refuse("Architecture", json_string("z80"), "Architecture: Debian has no name for \"z80\"");
	refuse("Section", json_string("a\nDepends: evil"),
	       "of the Debian package has more than one line");
	refuse("Bad Name", json_string("x"), "is no name for a field of a Debian package");
	refuse("-x", json_string("x"), "is no name for a field of a Debian package");
	refuse("maintainer", json_string("B <b@c>"),
	       "of the Debian package is there twice: names differ by more than case");
	refuse("Description", json_string(" \nthe long one"),
	       "Description: its first line, the synopsis, is empty");
	refuse("Section", json_integer(1), "of the Debian package is no text");
	memset(large, 'x', 1 << 20);
	refuse("Section", json_string(large), "the control fields are longer than 1048576 bytes");
}

static void no_or_too_long_fields(void **state)
{
	_cleanup_free_ char *longest = alloc(1 << 20);
	_cleanup_json_ json_t *none = json_array();
	struct deb_control control;
	struct err err = ERR_INIT;

	(void)state;
	memset(longest, 'x', (1 << 20) - 1);
	refuse("Section", json_string(longest), "the control fields are longer than");
	assert_int_equal(deb_control_read(none, &control, &err), -1);
	assert_string_equal(err.cause, "the Debian package has no control fields");
}

static void fields_are_ordered_and_mapped(void **state)
{
	_cleanup_json_ json_t *json = fields();
	struct deb_control control;
	struct err err = ERR_INIT;

	(void)state;
	json_object_set_new(json, "Zeta", json_string("z"));
	json_object_set_new(json, "depends", json_string("libc6"));
	json_object_set_new(json, "Conflicts", json_string("hi"));
	json_object_set_new(json, "License", json_string("MIT"));
	assert_int_equal(deb_control_read(json, &control, &err), 0);
	assert_string_equal(buf_text(&control.text),
	                    "Package: hello-world\nVersion: 1.0-1\nArchitecture: arm64\n"
	                    "Maintainer: A <a@b>\nPriority: optional\nDepends: libc6\n"
	                    "Conflicts: hi\nZeta: z\nDescription: x\n");
	assert_string_equal(control.license, "MIT");
	deb_control_deinit(&control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test(dpkg_orders_them),
		cmocka_unit_test(bad_versions),
		cmocka_unit_test(architectures),
		cmocka_unit_test(bad_fields),
		cmocka_unit_test(no_or_too_long_fields),
		cmocka_unit_test(fields_are_ordered_and_mapped),
	};

	return cmocka_run_group_tests_name("package/control", tests, NULL, NULL);
}
