/*
 * Inputs that are seen through overlays: the stage may do with them what it likes, and nobody else sees it.
 * Runs as whoever calls it: root or a plain user.
 */
#include "unit/support.h"

#include <sys/stat.h>

#include "base/str.h"
#include "exec/layers.h"
#include "fakes/lab.h"
#include "host/fs.h"
#include "sandbox/overlay.h"

static struct lab_input inputs[] = {
	{ "src/a.txt", "one\n" },   { "src/b.txt", "two\n" }, { "src/sub/c.txt", "three\n" },
	{ "more/d.txt", "four\n" }, { "single", "five\n" },
};

static char *in_store(const struct lab *lab, const char *path)
{
	return str_fmt("%s/%s", lab->dir, path);
}

/* Where they do not work, there is nothing to look at. */
static void need_overlays(const struct lab *lab)
{
	if (overlay_works(lab->dir))
		return;
	print_message("# SKIP: overlays do not work in %s\n", lab->dir);
	skip();
}

/* Runs a script on the inputs; it must end well. */
static void run(struct lab *lab, const char *script, struct action_output *outputs, size_t n,
                struct exec_completion *ret)
{
	struct action action = { .argv = LAB_LIST("sh", "-ec", script),
		                 .n_argv = 3,
		                 .outputs = outputs,
		                 .n_outputs = n };

	lab_compose(lab, inputs, ARRAY_LEN(inputs), &action);
	lab_carry_out(lab, &action, ret);
}

static const char *out_of(struct lab *lab, const char *script)
{
	struct exec_completion c;

	run(lab, script, NULL, 0, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, lab_text(lab, &c.result.log));
	return lab_text(lab, &c.result.out);
}

static const char untouched[] =
	"cat src/a.txt src/b.txt src/sub/c.txt more/d.txt single; ls src src/sub more; "
	"stat -c '%u %g %a %Y' . src src/a.txt src/sub more";
static const char untouched_says[] = "one\ntwo\nthree\nfour\nfive\n"
				     "more:\nd.txt\n\nsrc:\na.txt\nb.txt\nsub\n\nsrc/sub:\nc.txt\n"
				     "1000 1000 755 1700000000\n1000 1000 755 1700000000\n"
				     "1000 1000 644 1700000000\n1000 1000 755 1700000000\n"
				     "1000 1000 755 1700000000\n";

static void they_are_overlays(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	need_overlays(lab);
	assert_string_equal(out_of(lab, "grep -c ' /build/.* overlay ' /proc/mounts"), "2\n");
	/* What is not copied does not count as brought in. */
	run(lab, "true", NULL, 0, &c);
	assert_int_equal(c.bytes_in, strlen("five\n"));
	lab_assert_no_work(lab);
}

static void all_looks_as_if_it_were_copied(void **state)
{
	struct lab *lab = *state;

	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

/* Changed, removed, moved, made again, under another mode and time: the next one sees nothing of it. */
static void what_a_stage_does_is_its_own(void **state)
{
	struct lab *lab = *state;

	assert_string_equal(
		out_of(lab,
	               "echo more >>src/a.txt; rm src/b.txt; rm -r src/sub; mkdir src/sub; "
	               "ls src/sub; cp more/d.txt src/moved; rm more/d.txt; chmod 700 more; touch more/new; "
	               "ln src/a.txt src/hard; ln -s a.txt src/soft; cat src/soft src/moved; "
	               "perl -e 'rename \"src/moved\", \"src/renamed\" or die'; "
	               "ls -A src more"),
		"one\nmore\nfour\nmore:\nnew\n\nsrc:\na.txt\nhard\nrenamed\nsoft\nsub\n");
	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

static void outputs_are_what_the_stage_sees(void **state)
{
	static struct action_output outputs[] = { { .path = "src" },
		                                  { .path = "more/big" },
		                                  { .path = "out/big" } };
	struct lab *lab = *state;
	struct exec_completion c;
	struct tree_node found;
	struct err err = ERR_INIT;

	/* Large enough to be moved rather than copied, where that can be. */
	run(lab,
	    "rm src/b.txt; echo new >src/sub/new; head -c 3000000 /dev/zero >more/big; "
	    "cp more/big out/big",
	    outputs, ARRAY_LEN(outputs), &c);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s", c.why, lab_text(lab, &c.result.log));
	assert_int_equal(c.result.n_outputs, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct result_output *output = &c.result.outputs[i];

		if (!str_eq(output->path, "src")) {
			assert_int_equal(output->node->ref.size, 3000000);
			assert_true(blobs_verify(lab->blobs, &output->node->ref));
			continue;
		}
		must(place_find(lab->blobs, lab->arena, &output->node->ref, "sub/new", &found,
		                &err),
		     &err);
		must(place_find(lab->blobs, lab->arena, &output->node->ref, "a.txt", &found, &err),
		     &err);
		assert_string_equal(lab_text(lab, &found.ref), "one\n");
		assert_int_equal(place_find(lab->blobs, lab->arena, &output->node->ref, "b.txt",
		                            &found, &err),
		                 PLACE_MISSING);
	}
	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

static void read_kept(const struct lab *lab, const char *path, char text[64])
{
	_cleanup_free_ char *failed = in_store(lab, "failed");
	struct fs_names list = { 0 };
	_cleanup_free_ char *full = NULL;
	struct err err = ERR_INIT;
	struct buf buf = BUF_INIT(63);

	must(fs_list(AT_FDCWD, failed, &list, &err), &err);
	assert_int_equal(list.names.n, 1);
	full = str_fmt("%s/%s/%s", failed, list.names.v[0], path);
	if (fs_read(AT_FDCWD, full, &buf, &err) != 0)
		fail_msg("%s is not there", full);
	snprintf(text, 64, "%s", buf_text(&buf));
	buf_deinit(&buf);
	fs_names_deinit(&list);
}

/* What failed is kept as plain folders: with what was changed and with what was not. */
static void what_failed_is_kept_whole(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *failed = in_store(lab, "failed");
	struct exec_completion c;
	struct err err = ERR_INIT;
	char text[64];

	must(fs_remove_tree(AT_FDCWD, failed, &err), &err);
	run(lab, "echo changed >src/a.txt; rm src/sub/c.txt; chmod +x src/b.txt; exit 3", NULL, 0,
	    &c);
	assert_int_equal(c.status, EXEC_FAILED);
	read_kept(lab, "src/a.txt", text);
	assert_string_equal(text, "changed\n");
	read_kept(lab, "src/b.txt", text);
	assert_string_equal(text, "two\n");
	read_kept(lab, "more/d.txt", text);
	assert_string_equal(text, "four\n");
	read_kept(lab, "single", text);
	assert_string_equal(text, "five\n");
	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

/* What is written through an overlay counts. */
static void limits_hold(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	lab->disk = 8 << 20;
	run(lab, "head -c 60000000 /dev/zero >src/large; sleep 30", NULL, 0, &c);
	lab->disk = 0;
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(strstr(c.why, "killed"));
	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

/* Of which an overlay's options are made; the longest of them do not fit, and are copied. */
static void any_name_will_do(void **state)
{
	static char longest[256], at[300];
	struct lab *lab = *state;
	struct lab_input odd[] = { { "a,upperdir=b:c/x", "comma\n" },
		                   { "back\\slash/x", "back\n" },
		                   { "new\nline/x", "line\n" },
		                   { "tab\t\"'/x", "tab\n" },
		                   { "over/x", "over\n" },
		                   { at, "long\n" } };
	struct action action = {
		.argv = LAB_LIST("sh", "-ec", "cat */x; rm */x; ls */x 2>/dev/null || echo gone"),
		.n_argv = 3
	};
	struct exec_completion c;

	memset(longest, 'l', sizeof(longest) - 1);
	snprintf(at, sizeof(at), "%s/x", longest);
	lab_compose(lab, odd, ARRAY_LEN(odd), &action);
	lab_carry_out(lab, &action, &c);
	if (c.status != EXEC_OK)
		fail_msg("%s: %s %s", c.why, c.err.cause, lab_text(lab, &c.result.log));
	assert_string_equal(lab_text(lab, &c.result.out),
	                    "comma\nback\nlong\nline\nover\ntab\ngone\n");
	lab_assert_no_work(lab);
}

/* What cannot be done to a mount is done to a copy. */
static void what_overlays_refuse_is_done_in_copies(void **state)
{
	static const char *const scripts[] = {
		"rm -r src && mkdir src && ls src && echo good",
		"perl -e 'rename \"src\", \"other\" or die \"$!\"'; cat other/a.txt; echo good",
		("perl -e 'rename \"src/sub\", \"src/below\" or die \"$!\"'; cat src/below/c.txt; "
		 "echo good"),
	};
	struct lab *lab = *state;
	struct exec_completion c;

	need_overlays(lab);
	for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
		run(lab, scripts[i], NULL, 0, &c);
		if (c.status != EXEC_OK || !c.copied ||
		    !str_ends(lab_text(lab, &c.result.out), "good\n"))
			fail_msg("script %zu: %s", i, lab_text(lab, &c.result.log));
	}
	assert_string_equal(out_of(lab, untouched), untouched_says);
	lab_assert_no_work(lab);
}

/* One that fails for another reason while it says so fails once more, with copies, and is kept. */
static void what_fails_in_copies_fails(void **state)
{
	struct lab *lab = *state;
	_cleanup_free_ char *failed = in_store(lab, "failed");
	struct exec_completion c;
	struct err err = ERR_INIT;
	char text[64];

	need_overlays(lab);
	must(fs_remove_tree(AT_FDCWD, failed, &err), &err);
	run(lab, "echo changed >src/a.txt; echo mv: Device or resource busy >&2; exit 4", NULL, 0,
	    &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_true(c.copied);
	assert_int_equal(c.result.exit_code, 4);
	assert_string_equal(lab_text(lab, &c.result.log), "mv: Device or resource busy\n");
	read_kept(lab, "src/a.txt", text);
	assert_string_equal(text, "changed\n");
	lab_assert_no_work(lab);
}

/* A compiler that shows a line with an error's name in it says nothing of mounts. */
static void names_of_errors_mean_nothing(void **state)
{
	struct lab *lab = *state;
	struct exec_completion c;

	need_overlays(lab);
	run(lab, "echo \"error: undeclared 'EBUSY', 'EXDEV'\" >&2; exit 1", NULL, 0, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_false(c.copied);
	lab_assert_no_work(lab);
}

static void both_tries_are_in_the_time_limit(void **state)
{
	static const char script[] = "sleep 3; echo mv: Device or resource busy >&2; exit 4";
	struct lab *lab = *state;
	struct action action = { .argv = LAB_LIST("sh", "-ec", script), .n_argv = 3 };
	struct exec_completion c;

	need_overlays(lab);
	lab_compose(lab, inputs, ARRAY_LEN(inputs), &action);
	lab_submit(lab, &action, 5000, 0);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "killed after its time limit of 5 s");
	assert_true(c.copied);
	assert_true(c.result.wall_us >= 5000000);
	lab_assert_no_work(lab);
}

static int group(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_overlays),
		cmocka_unit_test(all_looks_as_if_it_were_copied),
		cmocka_unit_test(what_a_stage_does_is_its_own),
		cmocka_unit_test(outputs_are_what_the_stage_sees),
		cmocka_unit_test(what_failed_is_kept_whole),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(any_name_will_do),
		cmocka_unit_test(what_overlays_refuse_is_done_in_copies),
		cmocka_unit_test(what_fails_in_copies_fails),
		cmocka_unit_test(names_of_errors_mean_nothing),
		cmocka_unit_test(both_tries_are_in_the_time_limit),
	};

	return cmocka_run_group_tests_name("exec/layers", tests, lab_setup, lab_teardown);
}

int main(void)
{
	setenv(LAYERS_FROM, "1", 1);
	return lab_main(group);
}
