/*
 * What the last run found out: it says the same as doing the work again, and nothing where what a key is made
 * of, the store, or a blob is another.
 */
#include "fakes/world.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/str.h"
#include "engine/inputs.h"
#include "snapshot/kept.h"
#include "store/place.h"

#define RUN(name, options)                                                                         \
	"{'address':'t/plain/" name "','target':'t','variant':'plain','name':'" name               \
	"','kind':'run','where':'demo.lua:2','options':{'argv':['make','" name                     \
	"'],'outputs':['o']" options "}}"
#define FROM(name) "{'at':'" name "','from':{'$stage':'t/plain/" name "','path':'o'}}"
#define TAKES(...) ",'inputs':[" __VA_ARGS__ "]"

static struct buf key = BUF_INIT(100);

/* A run that has a ledger, which it leaves for the next one. */
static void run_with(struct world *w)
{
	w->request.ledger = ledger_new(w->store, &key);
	world_must_run(w);
	w->request.ledger = ledger_free(w->request.ledger);
}

/* How many wanted nodes a ledger gives a key and a result for, as they are now. */
struct known {
	size_t keys, results;
	bool all;
};

static struct known ask(struct world *w)
{
	struct ledger *ledger = ledger_new(w->store, &key);
	struct engine_node *nodes = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*nodes));
	struct known known = { 0 };

	ledger_begin(ledger, w->f.plan, nodes);
	known.all = ledger_knows_all(ledger);
	for (size_t i = 0; i < w->f.plan->n_wanted; i++) {
		size_t at = w->f.plan->order[i];
		const struct plan_node *node = &w->f.plan->nodes[at];
		struct placement *p = arena_array(w->f.arena, node->n_inputs + 1, sizeof(*p));
		const struct result *result = NULL;
		struct blob_ref action, made;

		for (size_t k = 0; k < node->n_inputs; k++)
			must(inputs_find(store_blobs(w->store), w->f.arena, w->f.plan, &w->f.facts,
			                 w->result.nodes, node, k, &p[k], &w->err),
			     &w->err);
		if (!ledger_key(ledger, at, p, &action))
			continue;
		known.keys++;
		must(inputs_key(store_blobs(w->store), w->f.plan, &w->f.facts, w->result.nodes, at,
		                NULL, &made, &w->err),
		     &w->err);
		assert_true(digest_eq(&action.digest, &made.digest) && action.size == made.size);
		if (ledger_result(ledger, at, w->f.arena, &result, &w->err) != 0)
			continue;
		known.results++;
		assert_int_equal(result->n_outputs, w->result.nodes[at].result->n_outputs);
		for (size_t o = 0; o < result->n_outputs; o++) {
			const struct result_output *a = &result->outputs[o];
			const struct result_output *b = &w->result.nodes[at].result->outputs[o];

			assert_string_equal(a->path, b->path);
			assert_int_equal(a->node->kind, b->node->kind);
			assert_int_equal(a->node->executable, b->node->executable);
			assert_memory_equal(&a->node->ref, &b->node->ref, sizeof(a->node->ref));
		}
		assert_int_equal(result->wall_us, w->result.nodes[at].result->wall_us);
		assert_memory_equal(&result->log, &w->result.nodes[at].result->log,
		                    sizeof(result->log));
		assert_memory_equal(&result->out, &w->result.nodes[at].result->out,
		                    sizeof(result->out));
	}
	ledger_free(ledger);
	return known;
}

static size_t n_keyed(const struct world *w)
{
	size_t n = 0;

	for (size_t i = 0; i < w->f.plan->n_wanted; i++)
		n += !w->f.plan->nodes[w->f.plan->order[i]].pinned;
	return n;
}

/* ---- the same ------------------------------------------------------------------------------- */

static void what_was_run_is_known(void **state)
{
	struct world *w = *state;
	struct known known;

	world_pipeline(w);
	run_with(w);
	known = ask(w);
	assert_int_equal(known.keys, n_keyed(w));
	assert_int_equal(known.results, n_keyed(w));
	assert_true(known.all);
	for (int i = 0; i < 2; i++) {
		run_with(w);
		assert_int_equal(w->fake.n_run, 0);
		assert_int_equal(w->result.n_cached, w->f.plan->n_wanted);
		fixture_must_plan(&w->f);
	}
}

/* The store is opened anew, as each run does. */
static void open_again(struct world *w)
{
	w->store = store_close(w->store);
	must(store_open(w->dir, &w->store, &w->err), &w->err);
	w->request.store = w->store;
	w->fake.blobs = store_blobs(w->store);
}

static void another_process_knows_it_too(void **state)
{
	struct world *w = *state;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	assert_true(ask(w).all);
	assert_int_equal(ask(w).results, n_keyed(w));
}

static void an_edit_runs_what_it_changes(void **state)
{
	struct world *w = *state;
	struct known known;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	world_leaf(w, "work", "other words\n");
	fixture_must_plan(&w->f);
	known = ask(w);
	assert_true(known.all); /* what was */
	assert_true(known.keys > 0 && known.keys < n_keyed(w));
	run_with(w);
	assert_int_equal(world_state(w, "t/plain/build"), NODE_CACHED);
	assert_true(world_ran(w, "t/shared/train"));
	assert_int_equal(w->result.n_cached, 3);
	assert_int_equal(ask(w).results, n_keyed(w));
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
}

/* ---- the store is another ------------------------------------------------------------------- */

static void others_may_have_changed_the_store(void **state)
{
	struct world *w = *state;
	struct store *other;
	struct known known;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	must(store_open(w->dir, &other, &w->err), &w->err);
	must(store_put_fact(other, "test", "name", "{}", &w->err), &w->err);
	store_close(other);
	known = ask(w);
	assert_false(known.all);
	assert_int_equal(known.results, 0);
	assert_int_equal(known.keys, n_keyed(w)); /* keys are the same in every store */
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

/* Two runs at once: whoever ends last does not know what the other one did. */
static void a_run_beside_it_leaves_no_promise(void **state)
{
	struct world *w = *state;
	struct store *other;

	world_pipeline(w);
	must(store_open(w->dir, &other, &w->err), &w->err);
	run_with(w);
	must(store_put_fact(other, "test", "name", "{}", &w->err), &w->err);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	store_close(other);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
}

/* A process that changes the store for long: whoever comes and goes meanwhile keeps nothing. */
static void a_run_within_anothers_leaves_no_promise(void **state)
{
	struct world *w = *state;
	struct store *other;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	must(store_open(w->dir, &other, &w->err), &w->err);
	must(store_put_fact(other, "test", "one", "{}", &w->err), &w->err);
	open_again(w);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	must(store_put_fact(other, "test", "two", "{}", &w->err), &w->err);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	store_close(other);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

/* … even where it is killed: the next one finds no generation, and gives it a new one. */
static void a_killed_one_leaves_no_promise(void **state)
{
	struct world *w = *state;
	pid_t pid;
	int status;

	world_pipeline(w);
	run_with(w);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	pid = fork();
	if (pid == 0) {
		struct store *other;
		struct err err = ERR_INIT;

		if (store_open(w->dir, &other, &err) == 0)
			store_put_fact(other, "test", "one", "{}", &err);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	open_again(w);
	assert_int_equal(ask(w).results, 0);
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	open_again(w);
	assert_int_equal(ask(w).results, n_keyed(w));
}

static void lost_content_is_made_again(void **state)
{
	struct world *w = *state;
	const struct blob_ref *lost;
	char hex[DIGEST_HEX_SIZE], *path;

	world_pipeline(w);
	world_plan(w, "t/plain/hold");
	run_with(w);
	lost = &world_node(w, "t/plain/build")->result->outputs[0].node->ref;
	digest_hex(&lost->digest, hex);
	path = str_fmt("%s/blobs/%.2s/%s", w->dir, hex, hex + 2);
	assert_int_equal(unlink(path), 0);
	free(path);
	run_with(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/build");
	assert_int_equal(world_state(w, "t/plain/hold"), NODE_CACHED);
}

static char *ledger_path(const struct world *w)
{
	char name[64];

	kept_name(&key, ".ledger", name);
	return str_fmt("%s/%s", w->dir, name);
}

/* The same file as of another time. */
static void set_time(struct world *w, int64_t time)
{
	char name[64], generation[SNAPSHOT_GENERATION];
	struct kept kept;
	struct kept_writer *writer;
	int64_t was;
	size_t n;

	kept_name(&key, ".ledger", name);
	assert_true(kept_open(store_folder(w->store), name, "kilnldg1", &key, &kept));
	kept_take_into(&kept, generation, sizeof(generation));
	kept_take_into(&kept, &was, sizeof(was));
	writer = kept_new(store_folder(w->store), "kilnldg1", &key);
	kept_put(writer, generation, sizeof(generation));
	kept_put(writer, &time, sizeof(time));
	n = kept.n - kept.at;
	kept_put(writer, kept_take(&kept, n), n);
	kept_keep(writer, name);
	kept_free(writer);
	kept_close(&kept);
}

/* Results that are used are looked up once a day, for a collection to know. */
static void it_grows_old(void **state)
{
	static const int64_t times[] = { 0, INT64_MAX };
	struct world *w = *state;

	world_pipeline(w);
	run_with(w);
	assert_int_equal(ask(w).results, n_keyed(w));
	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		set_time(w, times[i]);
		assert_int_equal(ask(w).results, 0);
		assert_int_equal(ask(w).keys, n_keyed(w));
	}
}

/* What the disk made of a file is no ledger. */
static void a_flipped_bit_is_seen(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = ledger_path(w);
	struct stat st;

	world_pipeline(w);
	run_with(w);
	assert_int_equal(stat(path, &st), 0);
	for (off_t at = 1; at < st.st_size; at += 101) {
		int fd = open(path, O_RDWR | O_CLOEXEC);
		char byte;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		assert_int_equal(ask(w).keys, 0);
		byte ^= 4;
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
		close(fd);
	}
	assert_int_equal(ask(w).keys, n_keyed(w));
}

static void half_of_it_is_no_harm(void **state)
{
	struct world *w = *state;
	_cleanup_free_ char *path = ledger_path(w);
	struct stat st;

	world_pipeline(w);
	run_with(w);
	assert_int_equal(stat(path, &st), 0);
	for (off_t n = st.st_size - 1; n > 0; n -= n > 600 ? 97 : 1) {
		assert_int_equal(truncate(path, n), 0);
		assert_false(ask(w).all);
	}
	run_with(w);
	assert_int_equal(w->fake.n_run, 0);
	assert_true(ask(w).all);
}

/* ---- what a key is made of ------------------------------------------------------------------ */

static const char *exclude[] = { "*.o" }, *more_exclude[] = { "*.x" };
static const char *reject[] = { "warning" }, *more_reject[] = { "error" };
static int codes[] = { 3 }, more_codes[] = { 4 };

/* A change of an action; the second time it is called, back again. */
typedef void (*change_fn)(struct plan *plan, struct plan_node *node, struct action *action);

#define SWAP(a, b)                                                                                 \
	do {                                                                                       \
		__typeof__(a) swap_was = (a);                                                      \
		(a) = (b);                                                                         \
		(b) = swap_was;                                                                    \
	} while (0)
#define CHANGE(name, type, member, value)                                                          \
	static void name(struct plan *plan, struct plan_node *node, struct action *action)         \
	{                                                                                          \
		static type other = value;                                                         \
		(void)plan, (void)node, (void)action;                                              \
		SWAP(member, other);                                                               \
	}

static const char *other_argv[] = { "make", "other" };
static struct action_env other_env[] = { { "A", "2" } };

CHANGE(argv, const char **, action->argv, other_argv)
CHANGE(fewer_words, size_t, action->n_argv, 1)
CHANGE(workdir, const char *, action->workdir, "sub")
CHANGE(output, const char *, action->outputs[0].path, "other")
CHANGE(non_empty, bool, action->outputs[0].non_empty, true)
CHANGE(excludes, const char **, action->outputs[0].exclude, more_exclude)
CHANGE(no_excludes, size_t, action->outputs[0].n_exclude, 0)
CHANGE(no_outputs, size_t, action->n_outputs, 0)
CHANGE(builtin, const char *, action->builtin, "archive@9")
CHANGE(fixed, bool, action->fixed_addresses, true)
CHANGE(exit_codes, int *, action->exit_codes, more_codes)
CHANGE(no_exit_codes, size_t, action->n_exit_codes, 0)
CHANGE(rejects, const char **, action->reject, more_reject)
CHANGE(no_rejects, size_t, action->n_reject, 0)
CHANGE(arch, const char *, plan->arch, "riscv64")

static void image(struct plan *plan, struct plan_node *node, struct action *action)
{
	static struct digest digest = { { 1 } };
	static const struct digest *other = &digest;

	(void)plan, (void)action;
	SWAP(node->image, other);
}

static void env(struct plan *plan, struct plan_node *node, struct action *action)
{
	static struct action_env *other = other_env;
	static uint32_t n = 1;

	(void)plan, (void)action;
	SWAP(node->env, other);
	SWAP(node->n_env, n);
}

static const struct {
	const char *name;
	change_fn change;
} changes[] = {
	{ "argv", argv },           { "fewer words", fewer_words },
	{ "workdir", workdir },     { "output", output },
	{ "non-empty", non_empty }, { "excludes", excludes },
	{ "no excludes", no_excludes }, { "no outputs", no_outputs },
	{ "builtin", builtin },     { "fixed addresses", fixed },
	{ "exit codes", exit_codes }, { "no exit codes", no_exit_codes },
	{ "rejects", rejects },     { "no rejects", no_rejects },
	{ "arch", arch },           { "image", image },
	{ "env", env },
};

static struct ledger *begin_ledger(struct world *w)
{
	struct ledger *ledger = ledger_new(w->store, &key);
	struct engine_node *nodes = arena_array(w->f.arena, w->f.plan->n_nodes, sizeof(*nodes));

	ledger_begin(ledger, w->f.plan, nodes);
	return ledger;
}

/* One stage of one input, in the middle of what can be said of it. */
static size_t load_one(struct world *w)
{
	struct plan_node *node;
	struct action *action;
	size_t at;

	fixture_load_parts(&w->f,
	                   "[" RUN("a", TAKES("{'at':'in','from':{'$leaf':'source','path':''}}")) "]",
	                   "");
	world_leaf(w, "source", "text\n");
	world_plan(w, "t/plain/a");
	at = fixture_node(&w->f, "t/plain/a");
	node = &w->f.plan->nodes[at];
	action = (struct action *)&node->lowered->action;
	action->outputs[0].exclude = exclude;
	action->outputs[0].n_exclude = 1;
	action->exit_codes = codes;
	action->n_exit_codes = 1;
	action->reject = reject;
	action->n_reject = 1;
	run_with(w);
	return at;
}

static struct blob_ref key_of(struct world *w, size_t at)
{
	struct blob_ref made;

	must(inputs_key(store_blobs(w->store), w->f.plan, &w->f.facts, w->result.nodes, at, NULL,
	                &made, &w->err),
	     &w->err);
	return made;
}

static void any_change_of_an_action_is_seen(void **state)
{
	struct world *w = *state;
	const size_t at = load_one(w);
	struct plan_node *node = &w->f.plan->nodes[at];
	struct action *action = (struct action *)&node->lowered->action;
	const struct blob_ref before = key_of(w, at);

	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct blob_ref now;

		assert_int_equal(ask(w).keys, 1);
		changes[i].change(w->f.plan, node, action);
		now = key_of(w, at);
		if (digest_eq(&now.digest, &before.digest))
			fail_msg("%s is not part of the key", changes[i].name);
		if (ask(w).keys != 0)
			fail_msg("%s is not seen", changes[i].name);
		changes[i].change(w->f.plan, node, action);
	}
	assert_int_equal(ask(w).keys, 1);
}

static bool is_known(struct ledger *ledger, size_t at, const struct placement *placement)
{
	struct blob_ref action;

	return ledger_key(ledger, at, placement, &action);
}

static void any_change_of_an_input_is_seen(void **state)
{
	struct world *w = *state;
	const size_t at = load_one(w);
	struct ledger *ledger = begin_ledger(w);
	const struct plan_node *node = &w->f.plan->nodes[at];
	struct placement was, now;

	must(inputs_find(store_blobs(w->store), w->f.arena, w->f.plan, &w->f.facts, w->result.nodes,
	                 node, 0, &was, &w->err),
	     &w->err);
	assert_true(is_known(ledger, at, &was));
	now = was;
	now.at = "inn";
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.kind = NODE_FILE;
	assert_false(is_known(ledger, at, &now));
	now.node.executable = true;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.executable = true;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.ref.digest.bytes[31] ^= 1;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.ref.size++;
	assert_false(is_known(ledger, at, &now));
	now = was;
	now.node.kind = NODE_LINK;
	now.node.target = "text";
	assert_false(is_known(ledger, at, &now));
	assert_true(is_known(ledger, at, &was));
	ledger_free(ledger);
}

/* A stage that stands elsewhere in the recipe, or under another name, is another one. */
static void records_are_found_by_address(void **state)
{
	struct world *w = *state;

	fixture_load_parts(&w->f, "[" RUN("a", "") "," RUN("b", TAKES(FROM("a"))) "]", "");
	world_plan(w, "t/plain/*");
	run_with(w);
	fixture_load_parts(&w->f,
	                   "[" RUN("new", "") "," RUN("a", "") "," RUN("b", TAKES(FROM("a"))) "]",
	                   "");
	world_plan(w, "t/plain/*");
	run_with(w);
	assert_int_equal(w->fake.n_run, 1);
	assert_string_equal(w->fake.ran[0], "t/plain/new");
	assert_int_equal(ask(w).results, 3);
}

static int setup(void **state)
{
	if (!key.n)
		buf_add_str(&key, "key");
	return world_setup(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_run_is_known),
		TEST(another_process_knows_it_too),
		TEST(an_edit_runs_what_it_changes),
		TEST(others_may_have_changed_the_store),
		TEST(a_run_beside_it_leaves_no_promise),
		TEST(a_run_within_anothers_leaves_no_promise),
		TEST(a_killed_one_leaves_no_promise),
		TEST(a_flipped_bit_is_seen),
		TEST(lost_content_is_made_again),
		TEST(it_grows_old),
		TEST(half_of_it_is_no_harm),
		TEST(any_change_of_an_action_is_seen),
		TEST(any_change_of_an_input_is_seen),
		TEST(records_are_found_by_address),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	buf_deinit(&key);
	return failed;
}
