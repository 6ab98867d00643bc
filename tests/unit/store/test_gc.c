/* Collecting: what goes, what stays, what is said of it. */
#include <sys/stat.h>
#include <sys/wait.h>

#include "host/clock.h"
#include "host/failpoint.h"
#include "host/lock.h"
#include "store/store_impl.h"
#include "store/use.h"
#include "unit/store/a_result.h"

/* As if a result was used last so many days ago. */
static void age(struct fixture *f, const void *what, size_t n, int days)
{
	struct err err = ERR_INIT;
	struct db_stmt *stmt;

	must(db_prepare(f->store->db, "INSERT OR REPLACE INTO uses VALUES(?1, ?2)", &stmt, &err),
	     &err);
	db_bind_bytes(stmt, 1, what, n);
	db_bind_int(stmt, 2, clock_real_us() / 1000000 - days * 86400);
	must(db_run(stmt, &err), &err);
	db_stmt_free(stmt);
}

static void age_result(struct fixture *f, const struct made *m, int days)
{
	age(f, &m->action.digest, sizeof(m->action.digest), days);
}

static void collect(struct fixture *f, struct gc_request request)
{
	struct err err = ERR_INIT;

	request.needed = f->needed;
	must(store_gc(f->store, &request, &f->outcome, &err), &err);
	/* Others may come again. */
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
}

static int64_t days_ago(int days)
{
	return clock_real_us() / 1000000 - days * 86400;
}

/* ---- what goes -------------------------------------------------------------------------------- */

static void what_nothing_names_goes(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");
	const struct blob_ref stray = blob(f, "stray"), root = tree(f, "stray below");

	collect(f, (struct gc_request){ .budget = -1 });
	assert_false(is_there(f, &stray));
	assert_false(is_there(f, &root));
	assert_true(is_known(f, &m));
	assert_int_equal(f->outcome.n_results, 1);
	assert_int_equal(f->outcome.n_results_gone, 0);
	/* The stray file, a tree of three, and the file that the action took; the listings stay. */
	assert_int_equal(f->outcome.blobs_gone.n, 1 + 3 + 1);
	assert_true(is_there(f, &m.taken));
	assert_true(is_there(f, &m.folder));
}

static void a_dry_run_says_the_same_and_does_nothing(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");
	const struct blob_ref stray = blob(f, "stray");
	struct gc_outcome dry;

	age_result(f, &m, 10);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(5), .dry = true });
	dry = f->outcome;
	assert_int_equal(dry.n_results_gone, 1);
	assert_true(is_there(f, &stray));
	assert_true(is_known(f, &m));
	age_result(f, &m, 10);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(5) });
	assert_memory_equal(&dry, &f->outcome, sizeof(dry));
	assert_false(is_known(f, &m));
	assert_false(is_there(f, &m.file));
}

static void what_two_hold_stays_until_both_are_gone(void **state)
{
	struct fixture *f = *state;
	const struct made old = result(f, "old"), other = result(f, "new");
	struct tree_node node = { "", NODE_FILE, false, old.file, NULL };
	struct result_output outputs[] = { { "a", &node } };
	struct result shared = { .outputs = outputs, .n_outputs = 1 };
	struct err err = ERR_INIT;

	shared.out = shared.log = blob(f, "");
	must(store_put_result(f->store, &other.action.digest, "new", &shared, &err), &err);
	age_result(f, &old, 10);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(5) });
	assert_false(is_known(f, &old));
	assert_true(is_known(f, &other));
	assert_true(is_there(f, &old.file));
	assert_false(is_there(f, &old.folder));
}

static void a_budget_takes_the_longest_unused_first(void **state)
{
	struct fixture *f = *state;
	const struct made first = result(f, "first"), second = result(f, "second"),
			  third = result(f, "third");
	uint64_t each;

	age_result(f, &first, 1);
	age_result(f, &second, 30);
	age_result(f, &third, 2);
	collect(f, (struct gc_request){ .budget = -1, .dry = true });
	each = (f->outcome.blobs.bytes - f->outcome.blobs_gone.bytes) / 3;
	collect(f, (struct gc_request){ .budget = (int64_t)(2 * each + each / 2) });
	assert_false(is_known(f, &second));
	assert_true(is_known(f, &third));
	assert_true(is_known(f, &first));
	collect(f, (struct gc_request){ .budget = 0 });
	assert_false(is_known(f, &first));
	assert_int_equal(f->outcome.blobs.n, f->outcome.blobs_gone.n);
}

static void what_locks_name_stays(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one"), other = result(f, "other");
	const struct blob_ref profile = blob(f, "a profile"), source = tree(f, "a source");
	char *text;

	age_result(f, &m, 100);
	age_result(f, &other, 100);
	text = str_fmt(
		"{\"sha256\":\"%s\",\"tree\":\"sha256:%s\",\"action\":\"%s\", \"ab\":\"%sab\"}",
		DIGEST_TEXT(&profile.digest), DIGEST_TEXT(&source.digest),
		DIGEST_TEXT(&m.action.digest), DIGEST_TEXT(&other.action.digest));
	gc_need(f->needed, text, strlen(text));
	free(text);
	assert_int_equal(map_count(f->needed), 3);
	collect(f, (struct gc_request){ .budget = 0, .used_before = days_ago(1) });
	assert_true(is_there(f, &profile));
	assert_true(is_there(f, &source));
	assert_true(is_known(f, &m));
	assert_false(is_known(f, &other));
	assert_true(f->outcome.needed > 0);
}

static void facts_grow_old_from_when_they_are_first_seen(void **state)
{
	struct fixture *f = *state;
	const struct blob_ref source = tree(f, "a source");
	char *text, *json = NULL;
	struct err err = ERR_INIT;

	text = str_fmt("{\"node\":\"%s\"}", DIGEST_TEXT(&source.digest));
	must(store_put_fact(f->store, "leaf", "x", text, &err), &err);
	free(text);
	must(db_exec(f->store->db, "DELETE FROM uses", &err), &err);
	use_drop(f->store);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(1) });
	assert_int_equal(f->outcome.n_facts_gone, 0);
	assert_true(is_there(f, &source));
	age(f, "fact leaf x", 11, 3);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(1) });
	assert_int_equal(f->outcome.n_facts_gone, 1);
	assert_false(is_there(f, &source));
	assert_int_equal(store_get_fact(f->store, "leaf", "x", &json, &err), STORE_MISS);
}

static void images_go_with_their_packages(void **state)
{
	struct fixture *f = *state;
	const struct blob_ref package = blob(f, "a package");
	char *about = str_fmt("{\"packages\":[{\"sha256\":\"%s\"}]}", DIGEST_TEXT(&package.digest));
	struct gc_image image = { .tree = { { 7 } }, .bytes = 1000, .about = about };
	char *use = str_fmt("image %s", DIGEST_TEXT(&image.tree));
	struct gc_request request = {
		.budget = -1, .used_before = days_ago(1), .images = &image, .n_images = 1
	};

	collect(f, request);
	assert_false(image.goes);
	assert_true(is_there(f, &package));
	age(f, use, strlen(use), 3);
	collect(f, request);
	assert_true(image.goes);
	assert_int_equal(f->outcome.images_gone.bytes, 1000);
	assert_false(is_there(f, &package));
	free(about);
	free(use);
}

/* A hit is a use, but writes only when the last one is a day old. */
static void uses_are_noted(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");

	age_result(f, &m, 30);
	assert_true(is_known(f, &m));
	assert_int_equal(map_count(f->store->uses), 1);
	f->store = store_close(f->store);
	f->store = test_store(f->dir, "store");
	assert_true(is_known(f, &m));
	assert_int_equal(map_count(f->store->uses), 0);
	collect(f, (struct gc_request){ .budget = -1, .used_before = days_ago(2) });
	assert_true(is_known(f, &m));
}

/* The log of a failed run has no time of use: it stays as long as the stage fails. */
static void logs_of_failures_stay(void **state)
{
	struct fixture *f = *state;
	const struct made m = result(f, "one");
	const struct blob_ref log = blob(f, "it failed");
	struct result failed = { .exit_code = 1, .log = log };
	struct digest action = { { 3 } };
	struct err err = ERR_INIT;

	failed.out = blob(f, "");
	must(store_put_failure(f->store, "two", &action, &failed, &err), &err);
	collect(f, (struct gc_request){ .budget = 0 });
	assert_false(is_known(f, &m));
	assert_true(is_there(f, &log));
}

/* ---- others ----------------------------------------------------------------------------------- */

static void it_waits_for_those_who_work_in_the_store(void **state)
{
	struct fixture *f = *state;
	struct store *other = test_store(f->dir, "store");
	struct err err = ERR_INIT;

	assert_int_equal(store_alone(f->store, false, &err), STORE_BUSY);
	store_close(other);
	assert_int_equal(store_alone(f->store, false, &err), 0);
}

/* Who comes in holds the gate while it waits for the one that is alone. */
static void who_is_alone_waits_for_nobody_at_the_gate(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	pid_t other;
	int status;

	must(store_alone(f->store, true, &err), &err);
	other = fork();
	if (other == 0) {
		close(f->store->in_use);
		store_close(test_store(f->dir, "store"));
		_exit(0);
	}
	usleep(200000);
	alarm(20);
	must(store_alone(f->store, true, &err), &err);
	alarm(0);
	f->store = store_close(f->store);
	assert_int_equal(waitpid(other, &status, 0), other);
	assert_int_equal(status, 0);
	f->store = test_store(f->dir, "store");
}

enum { BUSY_ONES = 4 };

/* Opens the store again as soon as it has closed it, until it is told to end. Of several there is nearly
 * always one that has it open. */
static pid_t keep_it_busy(struct fixture *f, int stop)
{
	pid_t pid = fork();
	char byte;

	if (pid != 0)
		return pid;
	close(f->store->in_use);
	while (read(stop, &byte, 1) != 1) {
		struct store *one = test_store(f->dir, "store");

		usleep(30000);
		store_close(one);
	}
	_exit(0);
}

static void those_who_follow_each_other_let_it_in(void **state)
{
	struct fixture *f = *state;
	pid_t pids[BUSY_ONES];
	struct err err = ERR_INIT;
	int stop[2], status;

	assert_int_equal(pipe(stop), 0);
	fcntl(stop[0], F_SETFL, O_NONBLOCK);
	for (size_t i = 0; i < BUSY_ONES; i++)
		pids[i] = keep_it_busy(f, stop[0]);
	usleep(100000);
	must(store_alone(f->store, true, &err), &err); /* they wait at the gate meanwhile */
	f->store = store_close(f->store);
	assert_int_equal(write(stop[1], "xxxx", BUSY_ONES), BUSY_ONES);
	for (size_t i = 0; i < BUSY_ONES; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	close(stop[0]);
	close(stop[1]);
	f->store = test_store(f->dir, "store");
}

/* Who comes while it works waits until it has ended. */
static void others_wait_for_it(void **state)
{
	struct fixture *f = *state;
	struct err err = ERR_INIT;
	int status, ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	must(store_alone(f->store, true, &err), &err);
	pid = fork();
	if (pid == 0) {
		close(f->store->in_use);
		store_close(test_store(f->dir, "store"));
		_exit(write(ready[1], "x", 1) == 1 ? 0 : 1);
	}
	fcntl(ready[0], F_SETFL, O_NONBLOCK);
	usleep(200000);
	assert_int_equal(read(ready[0], &byte, 1), -1);
	f->store = store_close(f->store);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	f->store = test_store(f->dir, "store");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_nothing_names_goes),
		TEST(a_dry_run_says_the_same_and_does_nothing),
		TEST(what_two_hold_stays_until_both_are_gone),
		TEST(a_budget_takes_the_longest_unused_first),
		TEST(what_locks_name_stays),
		TEST(facts_grow_old_from_when_they_are_first_seen),
		TEST(images_go_with_their_packages),
		TEST(uses_are_noted),
		TEST(logs_of_failures_stay),
		TEST(it_waits_for_those_who_work_in_the_store),
		TEST(who_is_alone_waits_for_nobody_at_the_gate),
		TEST(those_who_follow_each_other_let_it_in),
		TEST(others_wait_for_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
