/* Differences between actions and between trees, leaf by leaf. */
#include "base/str.h"
#include "engine/change.h"
#include "store/place.h"
#include "unit/support.h"

struct fixture {
	struct arena *arena;
	struct blobs *blobs;
	struct changes changes;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->arena = arena_new();
	f->blobs = blobs_new_memory();
	f->changes.arena = f->arena;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	blobs_free(f->blobs);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* "kind what: before > after", one a line. */
static const char *shown(const struct fixture *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < f->changes.n; i++) {
		const struct change *c = &f->changes.list[i];

		buf_fmt(&text, "%s %s: %s > %s\n", change_kind_text(c->kind),
		        c->what ? c->what : "-", c->before ? c->before : "-",
		        c->after ? c->after : "-");
	}
	return arena_str(f->arena, buf_text(&text));
}

/* ---- command lines -------------------------------------------------------------------------- */

static const char **words(struct fixture *f, const char *text, size_t *ret_n)
{
	const char **list = arena_array(f->arena, strlen(text) + 1, sizeof(*list));
	struct str rest = str_of(text), word;

	*ret_n = 0;
	while (text[0] && str_cut(&rest, ' ', &word))
		list[(*ret_n)++] = arena_str_n(f->arena, word.p, word.n);
	return list;
}

static void assert_words(struct fixture *f, const char *before, const char *after,
                         const char *expected)
{
	struct action b = { .workdir = "", .arch = "amd64" }, a = b;

	b.argv = words(f, before, &b.n_argv);
	a.argv = words(f, after, &a.n_argv);
	f->changes.n = f->changes.n_more = 0;
	change_of_actions(&f->changes, &b, &a);
	assert_string_equal(shown(f), expected);
}

static void words_of_a_command_line(void **state)
{
	struct fixture *f = *state;

	assert_words(f, "cc -O2 x.c", "cc -O2 x.c", "");
	assert_words(f, "cc -O2 x.c", "cc -O3 x.c", "argument 2: -O2 > -O3\n");
	assert_words(f, "cc x.c", "cc -g x.c", "argument 2: - > -g\n");
	assert_words(f, "cc -g x.c", "cc x.c", "argument 2: -g > -\n");
	assert_words(f, "", "cc", "argument 1: - > cc\n");
	assert_words(f, "cc", "", "argument 1: cc > -\n");
	assert_words(f, "a b", "b a", "argument 1: a > -\nargument 2: - > a\n");
	/* What both have keeps them in step: two changes, not everything behind the first. */
	assert_words(f, "cc -a 1 2 3 -b x", "cc -c -a 1 2 3 -d -e x",
	             "argument 2: - > -c\nargument 7: -b > -d\nargument 8: - > -e\n");
	assert_words(f, "x x x", "x x", "argument 3: x > -\n");
}

static void long_command_lines_are_compared_word_by_word(void **state)
{
	struct fixture *f = *state;
	struct action b = { .workdir = "", .arch = "amd64", .n_argv = 3000 }, a = b;

	b.argv = arena_array(f->arena, b.n_argv, sizeof(*b.argv));
	a.argv = arena_array(f->arena, a.n_argv, sizeof(*a.argv));
	for (size_t i = 0; i < b.n_argv; i++) {
		b.argv[i] = arena_fmt(f->arena, "b%zu", i);
		a.argv[i] = arena_fmt(f->arena, "a%zu", i);
	}
	change_of_actions(&f->changes, &b, &a);
	assert_int_equal(f->changes.n, CHANGES_MOST);
	assert_int_equal(f->changes.n_more, 3000 - CHANGES_MOST);
	assert_string_equal(f->changes.list[999].what, "1000");
	assert_string_equal(f->changes.list[999].before, "b999");
	assert_string_equal(f->changes.list[999].after, "a999");
}

/* ---- the rest of an action ------------------------------------------------------------------- */

static void each_field_of_an_action_is_told(void **state)
{
	struct fixture *f = *state;
	struct action_env env[] = { { "A", "1" }, { "B", "2" } },
			  other_env[] = { { "B", "3" }, { "C", "" } };
	const char *exclude[] = { "*.log", "tmp" }, *reject[] = { "warning" },
		   *other_reject[] = { "error" };
	struct action_output outputs[] = { { "o", exclude, 2, false }, { "p", NULL, 0, false } };
	struct action_output other_outputs[] = { { "o", exclude, 1, true },
		                                 { "q", NULL, 0, true } };
	int codes[] = { 1, 7 };
	struct action b = { .workdir = "a", .arch = "amd64", .builtin = "tar@1" };
	struct action a = {
		.workdir = "b", .arch = "arm64", .builtin = "tar@2", .fixed_addresses = true
	};

	b.env = env, b.n_env = 2, a.env = other_env, a.n_env = 2;
	b.outputs = outputs, b.n_outputs = 2, a.outputs = other_outputs, a.n_outputs = 2;
	b.reject = reject, b.n_reject = 1, a.reject = other_reject, a.n_reject = 1;
	a.exit_codes = codes, a.n_exit_codes = 2;
	change_of_actions(&f->changes, &b, &a);
	assert_string_equal(shown(f),
	                    "builtin -: tar@1 > tar@2\n"
	                    "architecture -: amd64 > arm64\n"
	                    "variable A: 1 > -\n"
	                    "variable B: 2 > 3\n"
	                    "variable C: - > \n"
	                    "folder -: a > b\n"
	                    "output o: taken without *.log, tmp > not empty without *.log\n"
	                    "output p: taken > -\n"
	                    "output q: - > not empty\n"
	                    "exit-codes -: 0 > 0, 1, 7\n"
	                    "reject -: warning > -\n"
	                    "reject -: - > error\n"
	                    "fixed-addresses -: no > yes\n");
}

/* ---- trees ---------------------------------------------------------------------------------- */

static struct placement file(struct fixture *f, const char *at, const char *text)
{
	struct placement p = { .at = at, .node = { .name = "", .kind = NODE_FILE } };
	struct err err = ERR_INIT;

	must(blobs_put(f->blobs, text, strlen(text), &p.node.ref, &err), &err);
	return p;
}

static struct tree_node tree(struct fixture *f, const struct placement *placements, size_t n)
{
	struct tree_node node = { .name = "", .kind = NODE_DIR };
	struct err err = ERR_INIT;

	must(place_compose(f->blobs, placements, n, &node.ref, &err), &err);
	return node;
}

/* The kinds and paths, without digests. */
static const char *paths(const struct fixture *f)
{
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);

	for (size_t i = 0; i < f->changes.n; i++)
		buf_fmt(&text, "%c%s ",
		        !f->changes.list[i].before ? '+' :
		        !f->changes.list[i].after  ? '-' :
		                                     '~',
		        f->changes.list[i].what);
	return arena_str(f->arena, buf_text(&text));
}

static void files_in_folders(void **state)
{
	struct fixture *f = *state;
	const struct placement before[] = { file(f, "a/b/same", "1"), file(f, "a/b/edited", "1"),
		                            file(f, "a/gone/x", "1"), file(f, "a/gone/y", "1"),
		                            file(f, "b.c", "1") };
	const struct placement after[] = { file(f, "a/b/same", "1"), file(f, "a/b/edited", "2"),
		                           file(f, "a/new/x", "1"), file(f, "b.c", "1") };
	const struct tree_node b = tree(f, before, ARRAY_LEN(before)),
			       a = tree(f, after, ARRAY_LEN(after));

	change_of_nodes(&f->changes, f->blobs, "source", "sub", &b, &a);
	assert_string_equal(paths(f), "~sub/a/b/edited -sub/a/gone/x -sub/a/gone/y +sub/a/new/x ");
	assert_string_equal(f->changes.list[0].from, "source");
	f->changes.n = 0;
	change_of_nodes(&f->changes, f->blobs, NULL, "", NULL, &a);
	assert_string_equal(paths(f), "+a/b/edited +a/b/same +a/new/x +b.c ");
}

static void kinds_bits_and_links(void **state)
{
	struct fixture *f = *state;
	struct placement was = file(f, "x", "1"), is = was;
	const struct tree_node link = { "", NODE_LINK, false, { .size = 0 }, "there" };
	const struct tree_node empty = tree(f, NULL, 0);
	struct tree_node b, a;

	is.node.executable = true;
	b = tree(f, &was, 1), a = tree(f, &is, 1);
	change_of_nodes(&f->changes, f->blobs, NULL, "", &b, &a);
	assert_string_equal(paths(f), "~x ");
	assert_true(str_ends(f->changes.list[0].after, " executable"));
	f->changes.n = 0;
	change_of_nodes(&f->changes, f->blobs, NULL, "l", &was.node, &link);
	assert_string_equal(f->changes.list[0].after, "-> there");
	f->changes.n = 0;
	/* An empty folder is something, too. */
	change_of_nodes(&f->changes, f->blobs, NULL, "e", NULL, &empty);
	assert_string_equal(shown(f), "file e: - > a folder\n");
	f->changes.n = 0;
	change_of_nodes(&f->changes, f->blobs, NULL, "d", &was.node, &a);
	assert_string_equal(paths(f), "+d/x ~d ");
}

/* What the store has lost cannot be looked into: that the folder differs is still known. */
static void a_lost_listing_is_one_change(void **state)
{
	struct fixture *f = *state;
	const struct placement p = file(f, "x", "1");
	struct tree_node a = tree(f, &p, 1), lost = a;

	lost.ref.digest.bytes[0] ^= 1;
	change_of_nodes(&f->changes, f->blobs, NULL, "d", &lost, &a);
	assert_string_equal(paths(f), "~d ");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(words_of_a_command_line),
		TEST(long_command_lines_are_compared_word_by_word),
		TEST(each_field_of_an_action_is_told),
		TEST(files_in_folders),
		TEST(kinds_bits_and_links),
		TEST(a_lost_listing_is_one_change),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
