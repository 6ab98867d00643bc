/*
 * What becomes of a stage's outputs, in real sandboxes: large ones are moved into the store, and only
 * when the stage counts.
 */
#include "unit/support.h"

#include <sys/stat.h>

#include "base/array.h"
#include "exec/work.h"
#include "fakes/lab.h"
#include "sandbox/identity.h"

/* 1,000,000 bytes that no other test has. */
#define LARGE_PERL "perl -e 'print \"%s\" x 100000' >%s; "

static void submit(struct lab *lab, const char *script, struct action_output *outputs, size_t n,
                   struct exec_completion *ret)
{
	struct action action = { .argv = LAB_LIST("sh", "-ec", script),
		                 .n_argv = 3,
		                 .outputs = outputs,
		                 .n_outputs = n };

	lab_carry_out(lab, &action, ret);
}

static void look_at(struct lab *lab, const struct blob_ref *ref, struct stat *ret)
{
	char hex[DIGEST_HEX_SIZE], *path;

	digest_hex(&ref->digest, hex);
	path = str_fmt("%s/blobs/%.2s/%s", lab->dir, hex, hex + 2);
	assert_int_equal(stat(path, ret), 0);
	free(path);
}

/* The stage says which inode its file has. */
static void assert_moved(struct lab *lab, const struct exec_completion *c,
                         const struct blob_ref *ref, bool moved)
{
	ino_t ino = (ino_t)strtoull(lab_text(lab, &c->result.out), NULL, 10);
	struct stat st;

	look_at(lab, ref, &st);
	if (moved)
		assert_int_equal(st.st_ino, ino);
	else
		assert_int_not_equal(st.st_ino, ino);
	assert_int_equal(st.st_mode & 07777, 0444);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(st.st_gid, getegid());
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mtim.tv_sec, 1);
	assert_true(blobs_verify(lab->blobs, ref));
}

static void a_large_output_is_moved(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "tree" } };
	_cleanup_free_ char *script =
		str_fmt("mkdir tree; " LARGE_PERL "chmod 700 tree/big; stat -c %%i tree/big",
	                "moved-tree", "tree/big");
	struct exec_completion c;
	struct blob_ref ref;
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	submit(lab, script, outputs, 1, &c);
	assert_int_equal(c.status, EXEC_OK);
	for (int i = 0; i < 100000; i++)
		buf_add_str(&text, "moved-tree");
	must(blobs_put(lab->blobs, text.p, text.n, &ref, &err), &err);
	assert_moved(lab, &c, &ref, true);
	lab_assert_no_work(lab);
}

static void an_output_that_is_a_file_is_moved(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "out/program" } };
	_cleanup_free_ char *script =
		str_fmt(LARGE_PERL "chmod 755 out/program; stat -c %%i out/program", "moved-file",
	                "out/program");
	struct exec_completion c;

	submit(lab, script, outputs, 1, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_true(c.result.outputs[0].node->executable);
	assert_moved(lab, &c, &c.result.outputs[0].node->ref, true);
}

/* Neither what stays in the work folder nor a link of another output may be the store's file. */
static void hard_links_are_copied(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "a" }, { .path = "b" } };
	_cleanup_free_ char *script =
		str_fmt(LARGE_PERL "ln a b; ln a c; stat -c %%i a", "hard-links", "a");
	struct exec_completion c;

	submit(lab, script, outputs, 2, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_moved(lab, &c, &c.result.outputs[0].node->ref, false);
	assert_memory_equal(&c.result.outputs[0].node->ref, &c.result.outputs[1].node->ref,
	                    sizeof(struct blob_ref));
}

/* A folder that its owner cannot write to, a file that he cannot either; one output in another. */
static void odd_modes_and_nested_outputs_are_taken(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "d" }, { .path = "d/big" } };
	_cleanup_free_ char *script =
		str_fmt("mkdir -p d; " LARGE_PERL "stat -c %%i d/big; chmod 400 d/big; chmod 500 d",
	                "odd--modes", "d/big");
	struct exec_completion c;

	submit(lab, script, outputs, 2, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_int_equal(c.result.outputs[1].node->ref.size, 1000000);
	assert_true(blobs_verify(lab->blobs, &c.result.outputs[1].node->ref));
	lab_assert_no_work(lab);
}

/* A writer that outlives the stage's main process is dead before anything is hashed. */
static void what_is_written_late_is_not_in_the_store(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "big" } };
	_cleanup_free_ char *script = str_fmt(
		LARGE_PERL "setsid perl -e 'open(F, \"+<\", \"big\"); open(G, \">\", \"ready\"); "
			   "for (;;) { seek(F, 0, 0); syswrite(F, rand()) }' & "
			   "until [ -e ready ]; do sleep 0.01; done; stat -c %%i big",
		"late-write", "big");
	struct exec_completion c;

	submit(lab, script, outputs, 1, &c);
	assert_int_equal(c.status, EXEC_OK);
	assert_moved(lab, &c, &c.result.outputs[0].node->ref, true);
}

/* The second output is missing: what is kept for `kiln shell --failed` has the first, as it was. */
static void a_failed_stage_keeps_its_large_files(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "big" }, { .path = "missing" } };
	_cleanup_free_ char *script = str_fmt(LARGE_PERL "chmod 640 big", "kept--file", "big");
	_cleanup_free_ char *failed = str_fmt("%s/failed", lab->dir);
	struct exec_completion c;
	struct fs_names kept = { 0 };
	struct err err = ERR_INIT;
	struct stat st;
	bool found = false;

	submit(lab, script, outputs, 2, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_contains(c.why, "the output missing is missing");
	must(fs_list(AT_FDCWD, failed, &kept, &err), &err);
	for (size_t i = 0; i < kept.names.n; i++) {
		_cleanup_free_ char *path = str_fmt("%s/%s/big", failed, kept.names.v[i]);

		if (stat(path, &st) < 0)
			continue;
		found = true;
		assert_int_equal(st.st_size, 1000000);
		assert_int_equal(st.st_mode & 07777, 0640);
		assert_int_equal(st.st_uid, sandbox_drops() ? sandbox_uid() : geteuid());
	}
	assert_true(found);
	fs_names_deinit(&kept);
}

/* So much that children hash it. */
static void many_large_outputs_are_hashed_by_children(void **state)
{
	struct lab *lab = *state;
	struct action_output outputs[] = { { .path = "many" } };
	static const char script[] =
		"mkdir many; for i in 1 2 3 4 5 6 7 8 9; do "
		"perl -e 'print $ARGV[0] x 5000000' $i >many/$i; done; stat -c %i many/9";
	_cleanup_buf_ struct buf text = BUF_INIT(8 << 20);
	struct exec_completion c;
	struct blob_ref ref;
	struct err err = ERR_INIT;

	submit(lab, script, outputs, 1, &c);
	assert_int_equal(c.status, EXEC_OK);
	for (int i = 0; i < 5000000; i++)
		buf_add_char(&text, '9');
	must(blobs_put(lab->blobs, text.p, text.n, &ref, &err), &err);
	assert_moved(lab, &c, &ref, true);
	lab_assert_no_work(lab);
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_large_output_is_moved),
		cmocka_unit_test(an_output_that_is_a_file_is_moved),
		cmocka_unit_test(hard_links_are_copied),
		cmocka_unit_test(odd_modes_and_nested_outputs_are_taken),
		cmocka_unit_test(what_is_written_late_is_not_in_the_store),
		cmocka_unit_test(a_failed_stage_keeps_its_large_files),
		cmocka_unit_test(many_large_outputs_are_hashed_by_children),
	};

	return cmocka_run_group_tests_name("exec/outputs", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
