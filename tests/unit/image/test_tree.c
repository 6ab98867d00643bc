/* Manifests: one text for one tree, and no other text accepted; what is dropped on the way. */
#include "image/tree.h"

#include "unit/support.h"

#define HASH "1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"

static void add(struct image_tree *tree, const char *path, char kind, uint32_t mode)
{
	struct image_node *node = image_tree_add(tree, path, kind);

	node->mode = mode;
	node->uid = 0;
	node->gid = 42;
	if (kind == 'f') {
		digest_parse(HASH, &node->ref.digest);
		node->ref.size = 7;
	}
	if (kind == 'l')
		node->target = str_dup("../a b\n");
}

static const char text[] = "kiln.image.manifest/1\n"
			   "d 0755 0 42 usr\n"
			   "l 0777 0 42 ../a\\x20b\\x0a usr/a\\x5cb\n"
			   "f 4755 0 42 " HASH " 7 usr/\303\244\n";

static void test_manifest(void **state)
{
	struct image_tree tree;
	struct buf buf = BUF_INIT(1 << 16);

	(void)state;
	image_tree_init(&tree);
	add(&tree, "usr/\303\244", 'f', 04755);
	add(&tree, "usr/a\\b", 'l', 0777);
	add(&tree, "usr", 'd', 0755);
	assert_int_equal(tree.nodes.n, 3);
	assert_ptr_equal(image_tree_add(&tree, "usr", 'd'), image_tree_find(&tree, "usr"));
	assert_int_equal(tree.nodes.n, 3);
	image_tree_manifest(&tree, &buf);
	assert_string_equal(buf_text(&buf), text);
	buf_deinit(&buf);
	image_tree_deinit(&tree);
}

static void test_round_trip(void **state)
{
	struct image_tree tree;
	struct buf buf = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	(void)state;
	image_tree_init(&tree);
	must(image_tree_parse(&tree, str_of(text), "manifest", &err), &err);
	assert_string_equal(image_tree_find(&tree, "usr/a\\b")->target, "../a b\n");
	assert_int_equal(image_tree_find(&tree, "usr/\303\244")->mode, 04755);
	image_tree_manifest(&tree, &buf);
	assert_string_equal(buf_text(&buf), text);
	buf_deinit(&buf);
	image_tree_deinit(&tree);
}

static void test_refused(void **state)
{
	static const char head[] = "not an image's manifest", line[] = "malformed line",
			  order[] = "not sorted by path",
			  spelling[] = "another spelling of a tree than the one that is digested";
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", head },
		{ "kiln.image.manifest/2\n", head },
		{ "d 0755 0 0 a\n", head },
		{ "kiln.image.manifest/1\nd 0755 0 0 a", spelling }, /* no newline at its end */
		{ "d 0755 00 0 a", spelling },
		{ "f 0644 0 0 " HASH " 07 a", spelling },
		{ "l 0755 0 0 t a", line },
		{ "x 0755 0 0 a", line },
		{ "d 755 0 0 a", line },
		{ "d 0855 0 0 a", line },
		{ "x 0755 0 0 a", line },
		{ "d 0755 -1 0 a", line },
		{ "d 0755 0 4294967296 a", line },
		{ "d 0755 0 0 ", line },
		{ "d 0755 0 0 /a", line },
		{ "d 0755 0 0 a/../b", line },
		{ "d 0755 0 0 a b", line },
		{ "d 0755 0 0 a\\x41", line },
		{ "d 0755 0 0 a\\x2", line },
		{ "d 0755 0 0 a\\x00", line },
		{ "d 0755 0 0 a\nd 0755 0 0 a", line },
		{ "d 0755 0 0 b\nd 0755 0 0 a", order },
		{ "f 0644 0 0 " HASH " a", line },
		{ "f 0644 0 0 12 7 a", line },
		{ "f 0644 0 0 " HASH " x a", line },
		{ "l 0777 0 0 a", line },
		{ "d 0755 0 0 a\n\nd 0755 0 0 b", line },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char *whole = i < 4 ? str_dup(bad[i].text) :
		                      str_fmt("kiln.image.manifest/1\n%s\n", bad[i].text);
		struct image_tree tree;
		struct err err = ERR_INIT;

		image_tree_init(&tree);
		if (image_tree_parse(&tree, str_of(whole), "the manifest", &err) != -1)
			fail_msg("accepted: %s", bad[i].text);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, "the manifest");
		assert_contains(err.cause, bad[i].words);
		image_tree_deinit(&tree);
		free(whole);
	}
}

static void test_rules(void **state)
{
	static const char *const dropped[] = { "dev/null",
		                               "dev/pts/0",
		                               "proc/1",
		                               "tmp/x",
		                               "run/lock",
		                               "etc/apt/sources.list",
		                               "etc/hostname",
		                               "etc/apt/sources.list.d/0000x.list",
		                               "etc/apt/apt.conf.d/99mmdebstrap",
		                               "var/lib/apt/lists/x_Packages",
		                               "var/lib/apt/lists/partial/x",
		                               "var/cache/apt/archives/make.deb",
		                               "var/log/dpkg.log",
		                               "var/log/apt/history.log",
		                               "build/x",
		                               "var/lib/apt/extended_states",
		                               "var/cache/ldconfig/aux-cache",
		                               "etc/shadow-",
		                               "var/lib/dpkg/status-old" };
	static const char *const kept[] = { "dev",
		                            "tmp",
		                            "var/log",
		                            "var/lib/dpkg/status",
		                            "etc/apt/apt.conf.d/01autoremove",
		                            "usr/bin/make",
		                            "usr/share/doc/make/copyright",
		                            "etc/shadow",
		                            "var/lib/dpkg/info/make.list",
		                            "usr/tmp/x",
		                            "device/x" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (image_rule_for(dropped[i]) != IMAGE_DROP)
			fail_msg("kept: %s", dropped[i]);
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		if (image_rule_for(kept[i]) != IMAGE_KEEP)
			fail_msg("dropped: %s", kept[i]);
	/* What every image has is never what the packages brought. */
	for (const struct image_fixed *f = image_fixed; f->path; f++)
		if (f->text && image_rule_for(f->path) != IMAGE_DROP)
			fail_msg("not dropped before it is laid: %s", f->path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manifest),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
