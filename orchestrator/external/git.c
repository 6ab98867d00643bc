/* git as a child: every call names the folder, and leaves the user's configuration out where it would
 * change an answer. */
#include "external/git.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "host/child.h"

enum { ARGS_MOST = 24, LIST_MOST = 1 << 30 };

/* No lock is taken, nobody is asked, nothing is fetched behind our back. */
static const char *const quiet[] = { "GIT_OPTIONAL_LOCKS=0",
	                             "GIT_TERMINAL_PROMPT=0",
	                             "GIT_NO_LAZY_FETCH=1",
	                             "LC_ALL=C.UTF-8",
	                             "LANGUAGE=",
	                             NULL };

static int run_in(const char *dir, const char *const *args, const struct child_spec *more,
                  struct child_result *ret, struct err *err)
{
	const char *argv[ARGS_MOST] = { "git", "--no-pager",
		                        "-c",  "core.fsmonitor=false",
		                        "-c",  "log.showSignature=false",
		                        "-c",  "column.ui=never",
		                        "-C",  dir };
	struct child_spec spec = *more;
	size_t n = 10;

	while (*args && n + 1 < ARGS_MOST)
		argv[n++] = *args++;
	bug_on(*args);
	argv[n] = NULL;
	spec.argv = argv;
	spec.set_env = quiet;
	if (child_run(&spec, ret, err) == 0)
		return 0;
	if (err->code == ERR_MACHINE)
		err_hint(err, "install it: sudo apt-get install git");
	return -1;
}

/* Runs git; an exit status other than 0 is ERR_INPUT with its words. */
static int ask(const char *dir, const char *const *args, struct buf *ret, struct err *err)
{
	const struct child_spec spec = { .out_limit = LIST_MOST };
	_cleanup_child_result_ struct child_result result = { 0 };

	if (run_in(dir, args, &spec, &result, err) < 0)
		return -1;
	if (result.exit_code != 0) {
		_cleanup_free_ char *words = str_clean(buf_str(&result.log));

		return err_set(err, ERR_INPUT, "git %s in %s: %s", args[0], dir,
		               words[0] ? words : "it failed without a word");
	}
	buf_deinit(ret);
	*ret = result.out;
	result.out = BUF_INIT(1);
	return 0;
}

/* The same where the status says yes or no. Returns 0 or GIT_NONE. */
static int ask_whether(const char *dir, const char *const *args, struct buf *ret, struct err *err)
{
	const struct child_spec spec = { 0 };
	_cleanup_child_result_ struct child_result result = { 0 };

	if (run_in(dir, args, &spec, &result, err) < 0)
		return -1;
	if (result.exit_code != 0)
		return GIT_NONE;
	buf_deinit(ret);
	*ret = result.out;
	result.out = BUF_INIT(1);
	return 0;
}

static char *cut_line(struct str *rest)
{
	struct str line = { 0 };

	str_cut(rest, '\n', &line);
	return str_dup_n(line.p ? line.p : "", line.n);
}

/* ---- opening ------------------------------------------------------------------------------ */

static int open_failed(const char *dir, const struct child_result *result, struct err *err)
{
	_cleanup_free_ char *words = str_clean(buf_str(&result->log));

	if (strstr(words, "not a git repository"))
		return GIT_NONE;
	err_set(err, ERR_INPUT, "git refuses the repository of %s: %s", dir, words);
	return strstr(words, "dubious ownership") ?
	               err_hint(err,
	                        "it belongs to another user: run as that user, or tell git that "
	                        "you trust it (git config --global --add safe.directory DIR)") :
	               -1;
}

static int read_head(struct git_repo *repo, struct err *err)
{
	const char *const head[] = { "rev-parse", "--verify", "--quiet", "HEAD^{commit}", NULL };
	const char *const time[] = { "show", "--no-patch", "--format=%ct", "HEAD", NULL };
	_cleanup_buf_ struct buf id = BUF_INIT(1), text = BUF_INIT(1);
	int rc = ask_whether(repo->top, head, &id, err);
	struct str rest;
	char *end;

	if (rc != 0)
		return rc < 0 ? -1 : 0;
	if (ask(repo->top, time, &text, err) < 0)
		return -1;
	rest = buf_str(&id);
	repo->head = cut_line(&rest);
	repo->time = strtoll(buf_text(&text), &end, 10);
	if (end == buf_text(&text) || *end != '\n')
		return err_set(err, ERR_INPUT, "git show in %s tells no time of HEAD: %s",
		               repo->top, buf_text(&text));
	return 0;
}

int git_open(const char *dir, struct git_repo *ret, struct err *err)
{
	const char *const args[] = {
		"rev-parse", "--path-format=absolute", "--show-toplevel",
		"--git-dir", "--git-common-dir",       "--is-shallow-repository",
		NULL
	};
	const struct child_spec spec = { 0 };
	_cleanup_child_result_ struct child_result result = { 0 };
	struct git_repo repo = { 0 };
	_cleanup_free_ char *shallow = NULL;
	struct str rest;

	if (run_in(dir, args, &spec, &result, err) < 0)
		return -1;
	if (result.exit_code != 0)
		return open_failed(dir, &result, err);
	rest = buf_str(&result.out);
	repo.top = cut_line(&rest);
	repo.dir = cut_line(&rest);
	repo.common = cut_line(&rest);
	shallow = cut_line(&rest);
	repo.shallow = str_eq(shallow, "true");
	if (read_head(&repo, err) < 0) {
		git_close(&repo);
		return -1;
	}
	*ret = repo;
	return 0;
}

void git_close(struct git_repo *repo)
{
	free(repo->top);
	free(repo->dir);
	free(repo->common);
	free(repo->head);
	*repo = (struct git_repo){ 0 };
}

int git_names_files(const struct git_repo *repo, struct err *err)
{
	const char *const args[] = { "config", "--name-only", "--get-regexp",
		                     "^(include|core\\.attributesfile)", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);

	return ask_whether(repo->top, args, &text, err);
}

/* ---- what changed, and tags --------------------------------------------------------------- */

int git_changed(const struct git_repo *repo, size_t *ret_n, char **ret_first, struct err *err)
{
	const char *const args[] = { "status",
		                     "--porcelain=v1",
		                     "-z",
		                     "--untracked-files=no",
		                     "--no-renames",
		                     "--ignore-submodules=untracked",
		                     NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);
	struct str rest, entry;

	*ret_n = 0;
	*ret_first = NULL;
	if (ask(repo->top, args, &text, err) < 0)
		return -1;
	rest = buf_str(&text);
	while (str_cut(&rest, '\0', &entry)) {
		if (entry.n <= 3)
			continue;
		if ((*ret_n)++ == 0)
			*ret_first = str_dup_n(entry.p + 3, entry.n - 3);
	}
	return 0;
}

int git_untracked(const struct git_repo *repo, const char *const *paths, char **ret_first,
                  struct err *err)
{
	*ret_first = NULL;
	/* A few at a time: a recipe may read many files. */
	while (*paths && !*ret_first) {
		const char *args[ARGS_MOST] = { "ls-files", "-z", "--others", "--" };
		_cleanup_buf_ struct buf text = BUF_INIT(1);
		size_t n = 4;

		while (*paths && n < ARGS_MOST - 12)
			args[n++] = *paths++;
		if (ask(repo->top, args, &text, err) < 0)
			return -1;
		if (text.n)
			*ret_first = str_dup(buf_text(&text));
	}
	return 0;
}

int git_tags(const struct git_repo *repo, char **ret, struct err *err)
{
	const char *const args[] = { "tag", "--list", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);

	if (ask(repo->top, args, &text, err) < 0)
		return -1;
	*ret = str_dup(buf_text(&text));
	return 0;
}

int git_tags_at(const struct git_repo *repo, const char *commit, const char *glob, char **ret,
                struct err *err)
{
	const char *const args[] = { "tag", "--list", "--points-at", commit, glob, NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);

	if (ask(repo->top, args, &text, err) < 0)
		return -1;
	*ret = str_dup(buf_text(&text));
	return 0;
}

int git_nearest_tag(const struct git_repo *repo, const char *glob, char **ret_tag,
                    unsigned long *ret_distance, struct err *err)
{
	const char *const args[] = { "describe", "--tags", "--long", "--abbrev=40",
		                     "--match",  glob,     "HEAD",   NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);
	_cleanup_free_ char *line = NULL;
	int rc = ask_whether(repo->top, args, &text, err);
	struct str rest;
	char *id, *count;

	if (rc != 0)
		return rc;
	/* TAG-COUNT-gID; a tag may hold dashes. */
	rest = buf_str(&text);
	line = cut_line(&rest);
	id = strrchr(line, '-');
	if (id)
		*id = '\0';
	count = id ? strrchr(line, '-') : NULL;
	if (!count)
		return err_set(err, ERR_INPUT, "git describe in %s answers what nobody expects: %s",
		               repo->top, line);
	*count = '\0';
	*ret_distance = strtoul(count + 1, NULL, 10);
	*ret_tag = steal(line);
	return 0;
}

int git_count(const struct git_repo *repo, unsigned long *ret, struct err *err)
{
	const char *const args[] = { "rev-list", "--count", "HEAD", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);

	if (ask(repo->top, args, &text, err) < 0)
		return -1;
	*ret = strtoul(buf_text(&text), NULL, 10);
	return 0;
}

/* ---- content ------------------------------------------------------------------------------ */

void git_entries_deinit(struct git_entries *entries)
{
	for (size_t i = 0; i < entries->list.n; i++) {
		free(entries->list.v[i].path);
		free(entries->list.v[i].id);
	}
	array_deinit(&entries->list);
}

static int cmp_entry(const void *a, const void *b)
{
	return strcmp(((const struct git_entry *)a)->path, ((const struct git_entry *)b)->path);
}

/* "MODE TYPE ID\tPATH" of ls-tree, "MODE ID STAGE\tPATH" of ls-files. */
static bool read_entry(struct str line, bool from_index, struct git_entry *ret)
{
	struct str mode, second, third;

	if (!str_cut(&line, ' ', &mode) || !str_cut(&line, ' ', &second) ||
	    !str_cut(&line, '\t', &third) || !line.n)
		return false;
	/* Unmerged files stand there three times; the first speaks for all. */
	if (from_index && third.n == 1 && third.p[0] > '1')
		return false;
	*ret = (struct git_entry){
		.path = str_dup_n(line.p, line.n),
		.mode = (unsigned int)strtoul(mode.p, NULL, 8),
		.id = from_index ? str_dup_n(second.p, second.n) : str_dup_n(third.p, third.n),
	};
	return true;
}

int git_list(const struct git_repo *repo, const char *commit, struct git_entries *ret,
             struct err *err)
{
	const char *const tree[] = { "ls-tree", "-r", "-z", "--full-tree", commit, NULL };
	const char *const index[] = { "ls-files", "-z", "--stage", "--full-name", NULL };
	_cleanup_buf_ struct buf text = BUF_INIT(1);
	struct git_entries entries = { 0 };
	struct git_entry entry;
	struct str rest, line;

	if (ask(repo->top, commit ? tree : index, &text, err) < 0)
		return -1;
	rest = buf_str(&text);
	while (str_cut(&rest, '\0', &line))
		if (line.n && read_entry(line, !commit, &entry))
			array_push(&entries.list, entry);
	array_sort(&entries.list, cmp_entry);
	*ret = entries;
	return 0;
}

int git_cat(const struct git_repo *repo, const struct git_entry *const *entries, size_t n, int fd,
            struct err *err)
{
	const char *const args[] = { "cat-file", "--batch", "--buffer", NULL };
	_cleanup_buf_ struct buf ids = BUF_INIT(LIST_MOST);
	_cleanup_child_result_ struct child_result result = { 0 };

	for (size_t i = 0; i < n; i++)
		buf_fmt(&ids, "%s\n", entries[i]->id);
	const struct child_spec spec = { .input = buf_text(&ids),
		                         .input_n = ids.n,
		                         .stdout_fd = fd };
	if (run_in(repo->top, args, &spec, &result, err) < 0)
		return -1;
	if (result.exit_code != 0) {
		_cleanup_free_ char *words = str_clean(buf_str(&result.log));

		return err_set(err, ERR_INPUT, "git cat-file in %s: %s", repo->top, words);
	}
	return 0;
}
