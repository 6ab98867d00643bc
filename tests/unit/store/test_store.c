/* The store: opening it whatever state it is in, what it remembers, and what it must not believe. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "external/crypto.h"
#include "host/tmpfile.h"
#include "store/place.h"
#include "store/store.h"
#include "store/store_impl.h"
#include "unit/support.h"

struct fixture {
	char *dir;  /* of the test */
	char *path; /* of the store, below it */
	int fd;     /* dir */
	struct store *store;
	struct arena *arena;
};

static struct store *open_store(const char *path)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;

	must(store_open(path, &store, &err), &err);
	return store;
}

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->path = str_fmt("%s/a/store", f->dir);
	f->fd = test_open_dir(f->dir);
	f->store = open_store(f->path);
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	arena_free(f->arena);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f->path);
	free(f);
	return 0;
}

static void reopen(struct fixture *f)
{
	store_close(f->store);
	f->store = open_store(f->path);
}

static void assert_refused(const char *path, const char *part, const char *hint)
{
	struct store *store = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(store_open(path, &store, &err), -1);
	assert_null(store);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, part);
	assert_contains(err.hint, hint);
}

/* ---- opening ------------------------------------------------------------------------------ */

static void a_new_store_is_private_and_known_by_its_version(void **state)
{
	const struct fixture *f = *state;
	struct stat st;
	char *text, *real = realpath(f->path, NULL);

	assert_int_equal(fstatat(f->fd, "a/store", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	text = test_read(f->fd, "a/store/VERSION");
	assert_string_equal(text, "3\n");
	assert_string_equal(store_dir(f->store), real);
	free(text);
	free(real);
}

static void newer_and_strange_versions_are_refused(void **state)
{
	struct fixture *f = *state;

	test_write(f->fd, "a/store/VERSION", "4\n", 0644);
	assert_refused(f->path, "version 4, made by a newer Kiln", "use the newer Kiln");
	test_write(f->fd, "a/store/VERSION", "two\n", 0644);
	assert_refused(f->path, "VERSION", "--store");
	test_write(f->fd, "a/store/VERSION", "3\n", 0644);
	assert_int_equal(db_set_version(f->store->db, 7, &(struct err){ 0 }), 0);
	assert_refused(f->path, "database", "--store");
}

/* What is left of a VERSION that a power loss caught is made anew, but only among a store's own. */
static void an_empty_version_is_made_anew(void **state)
{
	struct fixture *f = *state;
	char *text;

	test_write(f->fd, "a/store/VERSION", "", 0644);
	reopen(f);
	text = test_read(f->fd, "a/store/VERSION");
	assert_string_equal(text, "3\n");
	free(text);
	test_write(f->fd, "a/store/VERSION", "", 0644);
	test_write(f->fd, "a/store/letter.txt", "x", 0644);
	assert_refused(f->path, "letter.txt", "empty folder");
}

/* A store that somebody else can write to decides what this user builds. */
static void a_store_open_to_others_is_refused(void **state)
{
	struct fixture *f = *state;
	static const mode_t modes[] = { 0720, 0702, 01777 };

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		assert_int_equal(fchmodat(f->fd, "a/store", modes[i], 0), 0);
		assert_refused(f->path, "others can write", "chmod go-w ");
	}
	assert_int_equal(fchmodat(f->fd, "a/store", 0755, 0), 0);
	reopen(f);
	if (geteuid() != 0)
		return;
	assert_int_equal(fchownat(f->fd, "a/store", 4711, 0, 0), 0);
	assert_refused(f->path, "belongs to another user (uid 4711)", "--store");
}

static void other_peoples_folders_are_refused(void **state)
{
	const struct fixture *f = *state;

	test_write(f->fd, "home/letter.txt", "x", 0644);
	char *path = str_fmt("%s/home", f->dir);
	assert_refused(path, "letter.txt", "empty folder");
	assert_false(fs_exists(f->fd, "home/VERSION"));
	assert_false(fs_exists(f->fd, "home/blobs"));
	free(path);
}

static void a_file_in_its_place_is_refused(void **state)
{
	const struct fixture *f = *state;
	char *path = str_fmt("%s/file", f->dir);

	test_write(f->fd, "file", "x", 0644);
	assert_refused(path, path, "");
	free(path);
}

static void a_broken_database_says_what_to_remove(void **state)
{
	struct fixture *f = *state;
	char *garbage = alloc(8192);

	f->store = store_close(f->store);
	memset(garbage, 'x', 8191);
	test_write(f->fd, "a/store/db.sqlite", garbage, 0644);
	assert_refused(f->path, "db.sqlite", "remove");
	free(garbage);
}

static void the_environment_says_where(void **state)
{
	struct fixture *f = *state;
	char *cache = str_fmt("%s/cache", f->dir), *own = str_fmt("%s/own", f->dir);
	struct store *store;

	setenv("XDG_CACHE_HOME", cache, 1);
	unsetenv("KILN_STORE");
	store = open_store(NULL);
	assert_contains(store_dir(store), "/cache/kiln");
	store_close(store);
	setenv("KILN_STORE", own, 1);
	store = open_store(NULL);
	assert_contains(store_dir(store), "/own");
	store_close(store);
	unsetenv("KILN_STORE");
	unsetenv("XDG_CACHE_HOME");
	setenv("HOME", f->dir, 1);
	store = open_store(NULL);
	assert_contains(store_dir(store), "/.cache/kiln");
	store_close(store);
	free(cache);
	free(own);
}

/* ---- results ------------------------------------------------------------------------------ */

struct sample {
	struct tree_node file, dir;
	struct result_output outputs[2];
	struct result result;
	struct digest action;
};

static void put_text(struct store *store, const char *text, struct blob_ref *ret)
{
	struct err err = ERR_INIT;

	must(blobs_put(store_blobs(store), text, strlen(text), ret, &err), &err);
}

/* A result with a file and a folder "sub/leaf", all content in the store. */
static void sample_fill(struct store *store, const char *seed, struct sample *s)
{
	struct placement placement = { .at = "sub/leaf" };
	char *text = str_fmt("leaf of %s", seed);
	struct err err = ERR_INIT;

	*s = (struct sample){ .file = { .name = "", .kind = NODE_FILE, .executable = true },
		              .dir = { .name = "", .kind = NODE_DIR } };
	put_text(store, seed, &s->file.ref);
	put_text(store, text, &placement.node.ref);
	must(place_compose(store_blobs(store), &placement, 1, &s->dir.ref, &err), &err);
	s->outputs[0] = (struct result_output){ "out/dir", &s->dir };
	s->outputs[1] = (struct result_output){ "bin/file", &s->file };
	s->result = (struct result){ .outputs = s->outputs, .n_outputs = 2, .wall_us = 42 };
	put_text(store, "the log", &s->result.log);
	digest_of(seed, strlen(seed), &s->action);
	free(text);
}

static int get(const struct fixture *f, const struct sample *s, struct result *ret)
{
	struct err err = ERR_INIT;
	int rc = store_get_result(f->store, f->arena, &s->action, ret, &err);

	if (rc < 0)
		fail_msg("%s", err.cause);
	return rc;
}

static void results_outlive_the_process(void **state)
{
	struct fixture *f = *state;
	struct result result = { .exit_code = 77 };
	struct err err = ERR_INIT;
	struct digest last;
	struct sample s;
	int64_t wall = 0;

	sample_fill(f->store, "one", &s);
	assert_int_equal(get(f, &s, &result), STORE_MISS);
	assert_int_equal(result.exit_code, 77);
	assert_int_equal(store_last_action(f->store, "t/v/one", &last, &wall, &err), STORE_MISS);
	must(store_put_result(f->store, &s.action, "t/v/one", &s.result, &err), &err);
	reopen(f);
	assert_int_equal(get(f, &s, &result), 0);
	assert_int_equal(result.n_outputs, 2);
	assert_string_equal(result.outputs[0].path, "bin/file");
	assert_true(result.outputs[0].node->executable);
	assert_memory_equal(&result.outputs[1].node->ref, &s.dir.ref, sizeof(s.dir.ref));
	must(store_last_action(f->store, "t/v/one", &last, &wall, &err), &err);
	assert_true(digest_eq(&last, &s.action));
	assert_int_equal(wall, 42);
}

static void remove_blob(const struct fixture *f, const struct blob_ref *ref)
{
	char hex[DIGEST_HEX_SIZE];
	char *path;

	digest_hex(&ref->digest, hex);
	path = str_fmt("a/store/blobs/%.2s/%s", hex, hex + 2);
	assert_int_equal(unlinkat(f->fd, path, 0), 0);
	free(path);
}

/* The file, the folder's listing, a listing in it, a file in that, the log: each alone. */
static void a_result_counts_only_while_it_is_whole(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 5; i++) {
		struct tree_node found;
		struct result result;
		struct err err = ERR_INIT;
		struct sample s;
		struct blob_ref gone;

		sample_fill(f->store, "one", &s);
		must(store_put_result(f->store, &s.action, "a", &s.result, &err), &err);
		reopen(f);
		assert_int_equal(get(f, &s, &result), 0);
		gone = i == 0 ? s.file.ref : i == 1 ? s.dir.ref : s.result.log;
		if (i >= 3) {
			must(place_find(store_blobs(f->store), f->arena, &s.dir.ref,
			                i == 3 ? "sub" : "sub/leaf", &found, &err),
			     &err);
			gone = found.ref;
		}
		remove_blob(f, &gone);
		reopen(f);
		assert_int_equal(get(f, &s, &result), STORE_MISS);
	}
}

/* Changes a blob's bytes but neither its size nor its stamp, as a lost write might. */
static void rot(const struct fixture *f, const struct blob_ref *ref)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = 1 } };
	char hex[DIGEST_HEX_SIZE];
	char *path;
	int fd;

	digest_hex(&ref->digest, hex);
	path = str_fmt("a/store/blobs/%.2s/%s", hex, hex + 2);
	assert_int_equal(fchmodat(f->fd, path, 0644, 0), 0);
	fd = openat(f->fd, path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "", 1, 0), 1);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
	free(path);
}

static void reboot(struct fixture *f)
{
	static int count;

	snprintf(f->store->boot, sizeof(f->store->boot), "boot %d", ++count);
}

static void after_another_boot_content_is_hashed_before_it_counts(void **state)
{
	struct fixture *f = *state;
	struct result result;
	struct err err = ERR_INIT;
	struct sample good, bad;

	sample_fill(f->store, "good", &good);
	sample_fill(f->store, "bad", &bad);
	must(store_put_result(f->store, &good.action, "g", &good.result, &err), &err);
	must(store_put_result(f->store, &bad.action, "b", &bad.result, &err), &err);
	rot(f, &bad.file.ref);
	assert_int_equal(get(f, &bad, &result), 0); /* nothing has told of it yet */
	reboot(f);
	assert_int_equal(get(f, &good, &result), 0);
	assert_int_equal(get(f, &bad, &result), STORE_MISS);
	/* What was found good is settled: a further boot hashes nothing again. */
	rot(f, &good.file.ref);
	reboot(f);
	assert_int_equal(get(f, &good, &result), 0);
}

static void without_a_boot_id_results_are_kept_too(void **state)
{
	struct fixture *f = *state;
	struct result result;
	struct err err = ERR_INIT;
	struct sample s;

	sample_fill(f->store, "one", &s);
	f->store->boot[0] = '\0';
	must(store_put_result(f->store, &s.action, "a", &s.result, &err), &err);
	reboot(f);
	assert_int_equal(get(f, &s, &result), 0);
}

static void failures_are_kept_for_people_until_it_works(void **state)
{
	struct fixture *f = *state;
	struct result result;
	struct err err = ERR_INIT;
	struct digest action;
	struct sample s, other;

	sample_fill(f->store, "one", &s);
	sample_fill(f->store, "other", &other);
	s.result.exit_code = 2;
	assert_int_equal(store_get_failure(f->store, f->arena, "a", &action, &result, &err),
	                 STORE_MISS);
	must(store_put_failure(f->store, "a", &s.action, &s.result, &err), &err);
	assert_int_equal(get(f, &s, &result), STORE_MISS);
	must(store_get_failure(f->store, f->arena, "a", &action, &result, &err), &err);
	assert_int_equal(result.exit_code, 2);
	assert_true(digest_eq(&action, &s.action));
	must(store_put_result(f->store, &other.action, "a", &other.result, &err), &err);
	assert_int_equal(store_get_failure(f->store, f->arena, "a", &action, &result, &err),
	                 STORE_MISS);
}

static void a_hit_is_noted_under_its_address(void **state)
{
	struct fixture *f = *state;
	struct result result;
	struct err err = ERR_INIT;
	struct digest last;
	struct sample s;

	sample_fill(f->store, "one", &s);
	must(store_put_result(f->store, &s.action, "a", &s.result, &err), &err);
	assert_int_equal(store_note_action(f->store, "b", &s.action, 5, &err), STORE_NOTED);
	assert_int_equal(store_note_action(f->store, "b", &s.action, 5, &err), 0);
	must(store_last_action(f->store, "b", &last, NULL, &err), &err);
	assert_true(digest_eq(&last, &s.action));
	/* A failure under the address is over, also when the last action stays the same. */
	must(store_put_failure(f->store, "b", &s.action, &s.result, &err), &err);
	assert_int_equal(store_note_action(f->store, "b", &s.action, 5, &err), STORE_NOTED);
	assert_int_equal(store_get_failure(f->store, f->arena, "b", &last, &result, &err),
	                 STORE_MISS);
}

static void facts_are_kept_by_kind_and_name(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	char *json = NULL;

	assert_int_equal(store_get_fact(f->store, "k", "n", &json, &err), STORE_MISS);
	assert_null(json);
	must(store_put_fact(f->store, "k", "n", "{\"é\":1}", &err), &err);
	must(store_put_fact(f->store, "k2", "n", "{}", &err), &err);
	must(store_put_fact(f->store, "k", "n", "{\"é\":2}", &err), &err);
	reopen(f);
	must(store_get_fact(f->store, "k", "n", &json, &err), &err);
	assert_string_equal(json, "{\"é\":2}");
	free(json);
}

/* ---- many processes ----------------------------------------------------------------------- */

static void many_processes_open_and_write_at_once(void **state)
{
	enum { PROCESSES = 5, EACH = 20 };
	struct fixture *f = *state;
	char *path = str_fmt("%s/new/store", f->dir);
	pid_t pids[PROCESSES];
	struct store *store;

	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		assert_true(pids[p] >= 0);
		if (pids[p] == 0) {
			struct err err = ERR_INIT;
			int bad = store_open(path, &store, &err) != 0;

			for (int i = 0; i < EACH && !bad; i++) {
				char *seed = str_fmt("%d", i * (p % 2 + 1));
				struct sample s;

				sample_fill(store, seed, &s);
				bad |= store_put_result(store, &s.action, seed, &s.result, &err) !=
				       0;
				free(seed);
			}
			if (bad)
				fprintf(stderr, "%s\n", err.cause);
			else
				store_close(store);
			_exit(bad);
		}
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status;

		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
	}
	store = open_store(path);
	for (int i = 0; i < EACH; i++) {
		char *seed = str_fmt("%d", i);
		struct result result;
		struct err err = ERR_INIT;
		struct sample s;

		sample_fill(store, seed, &s);
		must(store_get_result(store, f->arena, &s.action, &result, &err), &err);
		free(seed);
	}
	store_close(store);
	free(path);
}

/* Makes a folder in `part` and blobs' temporary files, says so, and sleeps until it is killed. */
static void live_until_killed(const char *path, const char *part, int say)
{
	struct store *store = open_store(path);
	struct tmpdir dir = { 0 };
	struct err err = ERR_INIT;
	char *parent = str_fmt("%s/%s", path, part);

	must(tmpdir_init(&dir, test_open_dir(parent), "run", &err), &err);
	test_write(dir.fd, "below/file", "x", 0644);
	put_text(store, "written by who gets killed", &(struct blob_ref){ 0 });
	assert_int_equal(write(say, dir.name, strlen(dir.name)), strlen(dir.name));
	close(say);
	pause();
	_exit(0);
}

static void only_what_the_dead_left_is_swept(void **state)
{
	struct fixture *f = *state;
	char name[100] = { 0 }, *left;
	struct fs_names tmp = { 0 };
	struct err err = ERR_INIT;
	int pipes[2], status;
	pid_t pid;

	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		live_until_killed(f->path, "work", pipes[1]);
	close(pipes[1]);
	assert_true(read(pipes[0], name, sizeof(name) - 1) > 0);
	close(pipes[0]);
	left = str_fmt("a/store/work/%s/below/file", name);
	must(store_sweep(f->store, &err), &err);
	assert_true(fs_exists(f->fd, left));
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(fs_exists(f->fd, left));
	must(store_sweep(f->store, &err), &err);
	assert_false(fs_exists(f->fd, left));
	must(fs_list(f->fd, "a/store/tmp", &tmp, &err), &err);
	assert_int_equal(tmp.names.n, 0);
	fs_names_deinit(&tmp);
	free(left);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_new_store_is_private_and_known_by_its_version),
		TEST(newer_and_strange_versions_are_refused),
		TEST(an_empty_version_is_made_anew),
		TEST(a_store_open_to_others_is_refused),
		TEST(other_peoples_folders_are_refused),
		TEST(a_file_in_its_place_is_refused),
		TEST(a_broken_database_says_what_to_remove),
		TEST(the_environment_says_where),
		TEST(results_outlive_the_process),
		TEST(a_result_counts_only_while_it_is_whole),
		TEST(after_another_boot_content_is_hashed_before_it_counts),
		TEST(without_a_boot_id_results_are_kept_too),
		TEST(failures_are_kept_for_people_until_it_works),
		TEST(a_hit_is_noted_under_its_address),
		TEST(facts_are_kept_by_kind_and_name),
		TEST(many_processes_open_and_write_at_once),
		TEST(only_what_the_dead_left_is_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
