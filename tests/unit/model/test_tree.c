/* Directory messages: golden bytes that were computed without this code, and what is refused. */
#include "external/crypto.h"
#include "model/tree.h"
#include "unit/support.h"

static void fill_ref(const char *content, struct blob_ref *ret)
{
	digest_of(content, strlen(content), &ret->digest);
	ret->size = strlen(content);
}

static struct tree_node file(const char *name, const char *content, bool executable)
{
	struct tree_node node = { .name = name, .kind = NODE_FILE, .executable = executable };

	fill_ref(content, &node.ref);
	return node;
}

static struct tree_node folder(const char *name, const struct blob_ref *ref)
{
	return (struct tree_node){ .name = name, .kind = NODE_DIR, .ref = *ref };
}

static void encode(struct tree_node *nodes, size_t n, struct buf *buf, struct blob_ref *ret)
{
	struct tree_dir dir = { nodes, n };

	*buf = BUF_INIT(1 << 20);
	tree_dir_encode(&dir, buf);
	digest_of(buf_text(buf), buf->n, &ret->digest);
	ret->size = buf->n;
}

static void the_empty_directory_is_nothing(void **state)
{
	struct blob_ref ref, empty;
	struct buf buf;

	(void)state;
	encode(NULL, 0, &buf, &ref);
	tree_empty_ref(&empty);
	assert_int_equal(buf.n, 0);
	assert_memory_equal(&ref, &empty, sizeof(ref));
	assert_string_equal(DIGEST_TEXT(&ref.digest),
	                    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	buf_deinit(&buf);
}

static void one_file(void **state)
{
	struct tree_node nodes[] = { file("hello.txt", "hello\n", false) };
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	encode(nodes, 1, &buf, &ref);
	assert_int_equal(buf.n, 83);
	assert_string_equal(DIGEST_TEXT(&ref.digest),
	                    "106b6bf6e953adcfda77f9ac275b7780added4fbe2f56b7558141a6af42c5f82");
	buf_deinit(&buf);
}

/* Every kind, an empty file, an empty folder, a name beyond ASCII, given in no order. */
static void fill_mixed(struct tree_node nodes[5])
{
	struct tree_node run[] = { file("run", "#!/bin/sh\n", true) };
	struct blob_ref bin, empty;
	struct buf buf;

	encode(run, 1, &buf, &bin);
	assert_string_equal(DIGEST_TEXT(&bin.digest),
	                    "af81248717a6cf201a01e6d1d988682ee54d41917030f96d5a86195ff6b5f056");
	buf_deinit(&buf);
	tree_empty_ref(&empty);
	nodes[0] = folder("void", &empty);
	nodes[1] = file("é", "x", false);
	nodes[2] = (struct tree_node){ .name = "link", .kind = NODE_LINK, .target = "bin/run" };
	nodes[3] = folder("bin", &bin);
	nodes[4] = file("a", "", false);
}

static void all_kinds(void **state)
{
	static const char *const order[] = { "a", "bin", "link", "void", "é" };
	struct tree_node nodes[5];
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct tree_dir back;
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	fill_mixed(nodes);
	encode(nodes, 5, &buf, &ref);
	assert_int_equal(buf.n, 319);
	assert_string_equal(DIGEST_TEXT(&ref.digest),
	                    "cd4ccd894c069a42fc1ab6acee85fd53c107a16eac14b6a1e3a612d07ba56912");
	must(tree_dir_decode(arena, buf_str(&buf), &back, &err), &err);
	assert_int_equal(back.n, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_string_equal(back.nodes[i].name, order[i]);
		assert_int_equal(back.nodes[i].kind, nodes[i].kind);
		assert_int_equal(back.nodes[i].executable, nodes[i].executable);
		assert_memory_equal(&back.nodes[i].ref, &nodes[i].ref, sizeof(ref));
	}
	assert_string_equal(back.nodes[2].target, "bin/run");
	buf_deinit(&buf);
	arena_free(arena);
}

static void refused(const void *bytes, size_t n)
{
	struct tree_dir dir = { .n = 77 };
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;

	assert_int_equal(tree_dir_decode(arena, (struct str){ bytes, n }, &dir, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_int_equal(dir.n, 77);
	arena_free(arena);
}

static void every_cut_is_refused(void **state)
{
	struct tree_node nodes[5];
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	fill_mixed(nodes);
	encode(nodes, 5, &buf, &ref);
	/* A cut between two nodes is a directory of its own; all others are not. */
	for (size_t n = 1; n < buf.n; n++) {
		struct tree_dir dir = { 0 };
		struct arena *arena = arena_new();
		struct err err = ERR_INIT;

		if (tree_dir_decode(arena, (struct str){ buf.p, n }, &dir, &err) == 0)
			assert_true(dir.n > 0 && dir.n < 5);
		else
			assert_int_equal(err.code, ERR_IO);
		arena_free(arena);
	}
	buf_deinit(&buf);
}

/* Encodes a directory whose only file has a name of the same length as `name`, then puts it in. */
static void refused_name(const char *name, size_t n)
{
	char placeholder[300];
	struct tree_node nodes[1];
	struct blob_ref ref;
	struct buf buf;

	memset(placeholder, 'x', n);
	placeholder[n] = '\0';
	nodes[0] = file(placeholder, "c", false);
	encode(nodes, 1, &buf, &ref);
	memcpy(memmem(buf.p, buf.n, placeholder, n), name, n);
	refused(buf.p, buf.n);
	buf_deinit(&buf);
}

static void names_that_lead_elsewhere_are_refused(void **state)
{
	(void)state;
	refused_name(".", 1);
	refused_name("..", 2);
	refused_name("/", 1);
	refused_name("a/b", 3);
	refused_name("a\0b", 3);
	refused_name("\xff", 1);
	refused_name("\xc0\xaf", 2);
}

static void long_and_empty_names_are_refused(void **state)
{
	char name[257];
	struct tree_node nodes[1];
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	memset(name, 'n', 256);
	name[256] = '\0';
	nodes[0] = file(name, "c", false);
	encode(nodes, 1, &buf, &ref);
	refused(buf.p, buf.n);
	buf_deinit(&buf);
	nodes[0] = file("", "c", false);
	encode(nodes, 1, &buf, &ref);
	refused(buf.p, buf.n);
	buf_deinit(&buf);
}

static void clashes_and_disorder_are_refused(void **state)
{
	struct tree_node a[] = { file("a", "1", false) }, b[] = { file("b", "2", false) };
	struct tree_node dir[] = { folder("a", &a[0].ref) };
	struct blob_ref ref;
	struct buf first, second, third, twice;

	(void)state;
	encode(a, 1, &first, &ref);
	encode(b, 1, &second, &ref);
	encode(dir, 1, &third, &ref);
	buf_add(&second, first.p, first.n); /* b, a */
	refused(second.p, second.n);
	buf_add(&third, first.p, first.n); /* directories before files */
	refused(third.p, third.n);
	twice = BUF_INIT(1 << 20); /* a, a */
	buf_add(&twice, first.p, first.n);
	buf_add(&twice, first.p, first.n);
	refused(twice.p, twice.n);
	buf_deinit(&twice);
	buf_deinit(&first);
	buf_deinit(&second);
	buf_deinit(&third);
}

static void other_fields_and_spelled_out_defaults_are_refused(void **state)
{
	static const unsigned char unknown[] = { 0x2a, 0x01, 'x' }; /* field 5 */
	struct tree_node nodes[] = { file("a", "", false) };
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	encode(nodes, 1, &buf, &ref);
	buf_add(&buf, unknown, sizeof(unknown));
	refused(buf.p, buf.n);
	buf_deinit(&buf);
	encode(nodes, 1, &buf, &ref);
	buf.p[1] = (char)(buf.p[1] + 2);
	buf_add(&buf, "\x20\x00", 2); /* is_executable = false */
	refused(buf.p, buf.n);
	buf_deinit(&buf);
}

static void bad_digests_are_refused(void **state)
{
	struct tree_node nodes[] = { file("a", "c", false) };
	struct blob_ref ref;
	struct buf buf;

	(void)state;
	encode(nodes, 1, &buf, &ref);
	buf.p[9] = 'G';
	refused(buf.p, buf.n);
	buf.p[9] = 'A'; /* upper case is another spelling */
	refused(buf.p, buf.n);
	buf_deinit(&buf);
	refused("\x0a\x03\x0a\x01"
	        "a",
	        5); /* a file without a digest */
	refused("\x1a\x03\x0a\x01"
	        "l",
	        5); /* a link without a text */
}

/* ---- looking for names --------------------------------------------------------------------- */

static int find(struct arena *arena, const struct buf *buf, const char *name, struct tree_node *ret,
                struct err *err)
{
	struct tree_index index;

	if (tree_index_read(arena, buf_str(buf), &index, err) < 0)
		return -1;
	return tree_index_find(&index, arena, str_of(name), ret, err);
}

static void names_are_found_whatever_their_kind(void **state)
{
	struct arena *arena = arena_new();
	struct tree_node nodes[5], found;
	struct err err = ERR_INIT;
	struct blob_ref ref;
	struct tree_dir dir;
	struct buf buf;

	(void)state;
	fill_mixed(nodes);
	encode(nodes, 5, &buf, &ref);
	assert_int_equal(tree_dir_decode(arena, buf_str(&buf), &dir, &err), 0);
	for (size_t i = 0; i < dir.n; i++) {
		assert_int_equal(find(arena, &buf, dir.nodes[i].name, &found, &err), 0);
		assert_string_equal(found.name, dir.nodes[i].name);
		assert_int_equal(found.kind, dir.nodes[i].kind);
		assert_int_equal(found.executable, dir.nodes[i].executable);
		assert_memory_equal(&found.ref, &dir.nodes[i].ref, sizeof(found.ref));
	}
	assert_int_equal(find(arena, &buf, "", &found, &err), TREE_LACKS);
	assert_int_equal(find(arena, &buf, "0", &found, &err), TREE_LACKS);
	assert_int_equal(find(arena, &buf, "~~~", &found, &err), TREE_LACKS);
	buf_deinit(&buf);
	buf = BUF_INIT(16);
	assert_int_equal(find(arena, &buf, "a", &found, &err), TREE_LACKS);
	buf_deinit(&buf);
	arena_free(arena);
}

/* What a whole listing is refused for, where the way to a name leads past it. */
static void disorder_is_met(void **state)
{
	struct tree_node a[] = { file("a", "", false) }, b[] = { file("b", "", false) };
	struct tree_node l[] = { { .name = "a", .kind = NODE_LINK, .target = "x" } }, found;
	struct tree_node *const pairs[][2] = { { b, a }, { a, a }, { l, a } };
	struct arena *arena = arena_new();
	struct buf buf, second;
	struct blob_ref ref;
	struct err err = ERR_INIT;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		encode(pairs[i][0], 1, &buf, &ref);
		encode(pairs[i][1], 1, &second, &ref);
		buf_add(&buf, second.p, second.n);
		err = ERR_INIT;
		assert_int_equal(find(arena, &buf, "c", &found, &err), -1);
		assert_contains(err.cause, "is not canonical");
		buf_deinit(&buf);
		buf_deinit(&second);
	}
	/* A name in two lists, each of them in order. */
	encode(a, 1, &buf, &ref);
	encode(l, 1, &second, &ref);
	buf_add(&buf, second.p, second.n);
	err = ERR_INIT;
	assert_int_equal(find(arena, &buf, "a", &found, &err), -1);
	buf.n--;
	err = ERR_INIT;
	assert_int_equal(find(arena, &buf, "a", &found, &err), -1);
	assert_contains(err.cause, "is corrupt");
	buf_deinit(&buf);
	buf_deinit(&second);
	arena_free(arena);
}

/* "b" is in both, the others in one: what a pair says, "name:ab", an absent one as "-". */
static void two_are_walked_side_by_side(void **state)
{
	struct tree_node one[] = { { .name = "a" }, { .name = "b" }, { .name = "d" } };
	struct tree_node other[] = { { .name = "b" }, { .name = "c" }, { .name = "e" } };
	static const struct {
		size_t n_one, n_other;
		const char *says;
	} cases[] = {
		{ 3, 3, "a:a- b:ab c:-b d:a- e:-b " },
		{ 3, 0, "a:a- b:a- d:a- " },
		{ 0, 3, "b:-b c:-b e:-b " },
		{ 2, 1, "a:a- b:ab " },
		{ 0, 0, "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct tree_dir a = { one, cases[i].n_one }, b = { other, cases[i].n_other };
		struct tree_pair pair = { .a = &a, .b = &b };
		_cleanup_buf_ struct buf said = BUF_INIT(1000);
		const struct tree_node *in_a, *in_b;
		const char *name;

		while ((name = tree_pair_next(&pair, &in_a, &in_b))) {
			assert_true(!in_a || strcmp(in_a->name, name) == 0);
			assert_true(!in_b || strcmp(in_b->name, name) == 0);
			buf_fmt(&said, "%s:%c%c ", name, in_a ? 'a' : '-', in_b ? 'b' : '-');
		}
		assert_string_equal(buf_text(&said), cases[i].says);
		assert_null(tree_pair_next(&pair, &in_a, &in_b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_empty_directory_is_nothing),
		cmocka_unit_test(one_file),
		cmocka_unit_test(all_kinds),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(names_that_lead_elsewhere_are_refused),
		cmocka_unit_test(long_and_empty_names_are_refused),
		cmocka_unit_test(clashes_and_disorder_are_refused),
		cmocka_unit_test(other_fields_and_spelled_out_defaults_are_refused),
		cmocka_unit_test(bad_digests_are_refused),
		cmocka_unit_test(names_are_found_whatever_their_kind),
		cmocka_unit_test(disorder_is_met),
		cmocka_unit_test(two_are_walked_side_by_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
