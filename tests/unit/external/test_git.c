/* Repositories that git refuses, or that hold what nobody committed by ordinary means. */
#include "external/git.h"

#include "fakes/folder.h"
#include "unit/support.h"

static const char new_repo[] = "git init -q repo && cd repo && git config user.name A && "
			       "git config user.email a@example.org && seq 20000 > file && "
			       "git add file && git commit -qm one";

static int setup(void **state)
{
	struct folder *folder = alloc(sizeof(*folder));

	folder_init(folder);
	assert_int_equal(folder_sh(folder, new_repo), 0);
	*state = folder;
	return 0;
}

static int teardown(void **state)
{
	folder_deinit(*state);
	free(*state);
	return 0;
}

static int open_repo(const struct folder *folder, struct git_repo *ret, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/repo", folder->path);

	return git_open(dir, ret, err);
}

static void a_format_of_the_future_is_refused(void **state)
{
	const struct folder *folder = *state;
	struct git_repo repo = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(folder_sh(folder, "git -C repo config core.repositoryformatversion 99"),
	                 0);
	assert_int_equal(open_repo(folder, &repo, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "git refuses the repository of ");
	assert_contains(err.cause, "/repo: ");
}

/* A commit whose committer has no date. */
static void a_commit_without_time_is_refused(void **state)
{
	const struct folder *folder = *state;
	struct git_repo repo = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(
		folder_sh(
			folder,
			"cd repo && git cat-file commit HEAD | sed 's/^\\(committer .*>\\).*/\\1/' "
			"> ../c && git update-ref HEAD "
			"$(git hash-object -t commit -w --literally ../c)"),
		0);
	assert_int_equal(open_repo(folder, &repo, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "/repo tells no time of HEAD: ");
}

static void damaged_content_is_refused(void **state)
{
	const struct folder *folder = *state;
	struct git_repo repo = { 0 };
	struct git_entries entries = { 0 };
	const struct git_entry *one;
	struct err err = ERR_INIT;
	FILE *file = tmpfile();

	must(open_repo(folder, &repo, &err), &err);
	must(git_list(&repo, "HEAD", &entries, &err), &err);
	assert_int_equal(entries.list.n, 1);
	one = &entries.list.v[0];
	must(git_cat(&repo, &one, 1, fileno(file), &err), &err);
	assert_int_equal(folder_sh(folder, "cd repo && id=$(git rev-parse HEAD:file) && "
	                                   "object=.git/objects/${id%${id#??}}/${id#??} && "
	                                   "chmod u+w $object && truncate -s 1000 $object"),
	                 0);
	assert_int_equal(git_cat(&repo, &one, 1, fileno(file), &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "git cat-file in ");
	assert_contains(err.cause, "/repo: ");
	fclose(file);
	git_entries_deinit(&entries);
	git_close(&repo);
}

/* Another program that is called git. */
static void strange_answers_are_refused(void **state)
{
	_cleanup_free_ char *before = str_dup(getenv("PATH")), *path = NULL, *tag = NULL;
	struct folder *folder = *state;
	struct git_repo repo = { 0 };
	unsigned long distance;
	struct err err = ERR_INIT;

	folder_write(folder, "bin/git", "#!/bin/sh\necho hello\n", 21, 0755);
	path = str_fmt("%s/bin:%s", folder->path, before);
	setenv("PATH", path, 1);
	repo.top = folder->path;
	assert_int_equal(git_nearest_tag(&repo, "v*", &tag, &distance, &err), -1);
	setenv("PATH", before, 1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, " answers what nobody expects: hello");
	assert_null(tag);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_format_of_the_future_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(a_commit_without_time_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(damaged_content_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(strange_answers_are_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
