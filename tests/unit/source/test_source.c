/* The table of fetchers: one contract for all kinds, then what each does with a good and a bad leaf. */
#include "source/source.h"

#include <sys/stat.h>

#include "external/crypto.h"
#include "fakes/http_server.h"
#include "source/fetcher.h"
#include "store/directory.h"
#include "store/place.h"
#include "unit/stored.h"

struct fixture {
	char *dir;
	int fd;
	struct store *store;
};

static int setup(void **state)
{
	struct fixture *f = alloc(sizeof(*f));

	f->dir = test_folder();
	f->fd = test_open_dir(f->dir);
	f->store = test_store(f->dir, "store");
	return *state = f, 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(f->store);
	close(f->fd);
	test_folder_remove(f->dir);
	free(f);
	return 0;
}

static int fetch(struct fixture *f, json_t *leaf, bool offline, struct source_result *ret,
                 struct err *err)
{
	const struct source_request request = {
		.id = "source", .leaf = leaf, .recipe_dir = f->dir, .offline = offline
	};
	int rc = source_fetch(f->store, &request, NULL, ret, err);

	json_decref(leaf);
	return rc;
}

static json_t *leaf(const char *kind, const char *key, const char *value)
{
	return json_pack("{s:s, s:s, s:s}", "kind", kind, "where", "recipe.lua:7", key, value);
}

static void refused(struct fixture *f, json_t *bad, enum err_code code, const char *part)
{
	struct source_result result = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(fetch(f, bad, true, &result, &err), -1);
	assert_int_equal(err.code, code);
	assert_contains(err.cause, part);
	assert_null(result.fact);
}

static void test_contract(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; fetchers[i]; i++) {
		const char *kind = fetchers[i]->kind;

		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(kind, fetchers[j]->kind);
		/* A leaf without anything is refused at its place, before anything runs. */
		refused(f, leaf(kind, "x", "y"), ERR_INPUT, "recipe.lua:7");
	}
	refused(f, leaf("svn", "x", "y"), ERR_INPUT, "\"svn\"");
	refused(f, json_object(), ERR_INPUT, "unknown kind");
}

static void test_folder_leaf(void **state)
{
	struct fixture *f = *state;
	struct source_result result = { 0 };
	struct digest before;
	struct err err = ERR_INIT;
	struct arena *arena = arena_new();
	struct tree_node node;

	test_write(f->fd, "work/a.txt", "one", 0644);
	test_write(f->fd, "work/run.sh", "#!/bin/sh\n", 0755);
	must(fetch(f, leaf("folder", "path", "work"), true, &result, &err), &err);
	assert_int_equal(result.node.kind, NODE_DIR);
	assert_string_equal(json_str_or(result.fact, "uri", ""), "folder:work");
	assert_null(json_object_get(result.fact, "resolved_on"));
	before = result.node.ref.digest;
	must(place_find(store_blobs(f->store), arena, &result.node.ref, "run.sh", &node, &err),
	     &err);
	assert_true(node.executable);
	source_result_deinit(&result);
	test_write(f->fd, "work/a.txt", "two!", 0644); /* it is looked at every time */
	must(fetch(f, leaf("folder", "path", "work"), true, &result, &err), &err);
	assert_false(digest_eq(&before, &result.node.ref.digest));
	source_result_deinit(&result);
	must(fetch(f, leaf("folder", "path", "work/run.sh"), true, &result, &err), &err);
	assert_int_equal(result.node.kind, NODE_FILE);
	assert_true(result.node.executable);
	source_result_deinit(&result);
	arena_free(arena);
}

static void test_folder_faults(void **state)
{
	struct fixture *f = *state;

	refused(f, leaf("folder", "path", "nowhere"), ERR_INPUT, "nowhere");
	refused(f, leaf("folder", "path", "/etc"), ERR_INPUT, "is absolute");
	refused(f, leaf("folder", "path", "a/../.."), ERR_INPUT, "recipe.lua:7");
	assert_int_equal(symlinkat("/etc/passwd", f->fd, "link"), 0);
	refused(f, leaf("folder", "path", "link"), ERR_INPUT, "is a symbolic link");
	assert_int_equal(mkdirat(f->fd, "odd", 0755), 0);
	assert_int_equal(mkfifoat(f->fd, "odd/pipe", 0644), 0);
	refused(f, leaf("folder", "path", "odd"), ERR_INPUT, "pipe");
}

static json_t *https_leaf(const char *url, const char *sha256)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "kind", "https", "where", "recipe.lua:7", "url",
	                 url, "sha256", sha256);
}

static void test_https_leaf(void **state)
{
	static const enum http_answer script[] = { HTTP_WHOLE };
	struct fixture *f = *state;
	struct source_result result = { 0 };
	struct http_server server;
	struct err err = ERR_INIT;
	struct digest digest;
	char *url, *asked;

	digest_of("the file", 8, &digest);
	http_server_start(&server, "the file", 8, script, 1);
	url = str_dup(server.url);
	must(fetch(f, https_leaf(url, DIGEST_TEXT(&digest)), false, &result, &err), &err);
	assert_int_equal(result.node.kind, NODE_FILE);
	assert_true(digest_eq(&result.node.ref.digest, &digest));
	assert_string_equal(json_str_or(result.fact, "uri", ""), url);
	source_result_deinit(&result);
	/* Known now: from the same address, and from one that nobody serves. */
	must(fetch(f, https_leaf(url, DIGEST_TEXT(&digest)), false, &result, &err), &err);
	source_result_deinit(&result);
	must(fetch(f, https_leaf("https://example.invalid/x", DIGEST_TEXT(&digest)), true, &result,
	           &err),
	     &err);
	assert_string_equal(json_str_or(result.fact, "uri", ""), "https://example.invalid/x");
	source_result_deinit(&result);
	asked = http_server_stop(&server);
	assert_string_equal(asked, "GET /file HTTP/1.1 -1\n");
	free(asked);
	free(url);
}

static void test_https_faults(void **state)
{
	static const enum http_answer script[] = { HTTP_WHOLE };
	struct fixture *f = *state;
	struct source_result result = { 0 };
	struct http_server server;
	struct err err = ERR_INIT;
	struct digest digest;

	digest_of("x", 1, &digest);
	refused(f, leaf("https", "url", "https://example.invalid/x"), ERR_INPUT, "has no sha256");
	refused(f, https_leaf("https://me:secret@example.invalid/x", DIGEST_TEXT(&digest)),
	        ERR_INPUT, "names a user or a password");
	refused(f, https_leaf("https://example.invalid/x", "abc"), ERR_INPUT, "no SHA-256 digest");
	refused(f, https_leaf("http://example.invalid/x", DIGEST_TEXT(&digest)), ERR_INPUT,
	        "no https address");
	refused(f, https_leaf("https://example.invalid/x", DIGEST_TEXT(&digest)), ERR_IO,
	        "--offline");
	http_server_start(&server, "the file", 8, script, 1);
	assert_int_equal(
		fetch(f, https_leaf(server.url, DIGEST_TEXT(&digest)), false, &result, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, DIGEST_TEXT(&digest));
	assert_contains(err.trail, "recipe.lua:7");
	free(http_server_stop(&server));
}

static void test_debian_faults(void **state)
{
	struct fixture *f = *state;

	refused(f, leaf("debian", "name", "-o"), ERR_INPUT, "is no source package's name");
	refused(f, leaf("debian", "name", "a b"), ERR_INPUT, "is no source package's name");
	refused(f, json_pack("{s:s, s:s, s:s}", "kind", "debian", "name", "x", "version", "1;2"),
	        ERR_INPUT, "no version");
	refused(f, json_pack("{s:s, s:s, s:s}", "kind", "debian", "name", "x", "dsc", "12"),
	        ERR_INPUT, "no SHA-256 digest");
	refused(f, json_pack("{s:s, s:s, s:s}", "kind", "debian", "name", "x", "suite", "../x"),
	        ERR_INPUT, "is no suite");
	refused(f, leaf("debian", "name", "gawk"), ERR_IO, "--offline");
}

/* Nothing of a failed or finished fetch stays behind. */
/* ---- cargo -------------------------------------------------------------------------------- */

#define REGISTRY "registry+https://example.org/index"

static const char cargo_lock[] =
	"version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n"
	"[[package]]\nname = \"zeta\"\nversion = \"2.0.0\"\nsource = \"" REGISTRY "\"\n"
	"checksum = \"aa00000000000000000000000000000000000000000000000000000000000000\"\n"
	"[[package]]\nname = \"alpha\"\nversion = \"0.1.0\"\n"
	"source = \"git+https://example.org/alpha?rev=1#0123456789\"\n";

/* What a fetch in an image is asked for, and what the made-up client in it answers. */
struct cargo_lab {
	struct store *store;
	int runs;
	bool fails, without; /* its folder */
	const char *says;    /* its log */
	char *seen;          /* paths and sizes of its input */
};

static int note_path(void *data, const char *path, const struct tree_node *node, struct err *err)
{
	struct buf *seen = data;

	(void)err;
	if (node->kind == NODE_FILE)
		buf_fmt(seen, "%s%s ", path, node->ref.size ? "" : "(empty)");
	return 0;
}

static int fake_cargo(void *data, struct arena *arena, struct action *action, struct result *ret,
                      const char **ret_why, struct err *err)
{
	struct cargo_lab *lab = data;
	struct blobs *blobs = store_blobs(lab->store);
	struct buf seen = BUF_INIT(10000);
	struct tree_node *node = arena_alloc(arena, sizeof(*node));
	struct tree_dir none = { 0 };

	lab->runs++;
	must(tree_walk(blobs, action->input_root, note_path, &seen, err), err);
	free(lab->seen);
	lab->seen = buf_steal(&seen);
	assert_string_equal(action->argv[0], "cargo");
	assert_string_equal(action->argv[1], "vendor");
	must(blobs_put(blobs, lab->says, strlen(lab->says), &ret->log, err), err);
	if (lab->fails) {
		*ret_why = "exit status 101";
		return SOURCE_RAN_BADLY;
	}
	must(blobs_put(blobs, "[source]\n", 9, &ret->out, err), err);
	if (lab->without)
		return 0;
	*node = (struct tree_node){ .name = "", .kind = NODE_DIR };
	must(directory_save(blobs, &none, &node->ref, err), err);
	ret->outputs = arena_alloc(arena, sizeof(*ret->outputs));
	ret->outputs[0] = (struct result_output){ "cargo/vendor", node };
	ret->n_outputs = 1;
	return 0;
}

/* Fetches the crates of ./app. */
static int fetch_crates(struct fixture *f, struct cargo_lab *lab, bool offline,
                        struct source_result *ret, struct err *err)
{
	const struct source_runner runner = { .arch = "amd64", .run = fake_cargo, .data = lab };
	_cleanup_json_ json_t *spec = json_pack("{s:s, s:s, s:s, s:s}", "kind", "cargo", "where",
	                                        "recipe.lua:7", "source", "app", "dir", "cli");
	struct source_result app = { 0 };
	struct source_request request = {
		.id = "crates", .leaf = spec, .offline = offline, .runner = &runner
	};
	int rc;

	lab->store = f->store;
	lab->says = lab->says ? lab->says : "";
	must(fetch(f, leaf("folder", "path", "app"), true, &app, err), err);
	request.source = &app.node;
	rc = source_fetch(f->store, &request, NULL, ret, err);
	source_result_deinit(&app);
	return rc;
}

static void write_app(struct fixture *f, const char *lock)
{
	test_write(f->fd, "app/cli/src/main.rs", "fn main() {}\n", 0644);
	test_write(f->fd, "app/cli/Cargo.toml", "[package]\n", 0644);
	test_write(f->fd, "app/lib/Cargo.toml", "[package]\n", 0644);
	test_write(f->fd, "app/secret.txt", "secret", 0600);
	if (lock)
		test_write(f->fd, "app/cli/Cargo.lock", lock, 0644);
}

static void test_cargo_leaf(void **state)
{
	struct fixture *f = *state;
	struct cargo_lab lab = { 0 };
	struct source_result result = { 0 };
	struct err err = ERR_INIT;
	_cleanup_free_ char *edited = str_dup(cargo_lock);
	json_t *crates;

	write_app(f, cargo_lock);
	must(fetch_crates(f, &lab, false, &result, &err), &err);
	/* Where the network is there is the lock, manifests, and nothing of the code. */
	assert_string_equal(lab.seen, "src/cli/Cargo.lock src/cli/Cargo.toml "
	                              "src/cli/src/main.rs(empty) src/lib/Cargo.toml ");
	crates = json_object_get(result.fact, "crates");
	assert_int_equal(json_array_size(crates), 2);
	assert_string_equal(json_str_or(json_array_get(crates, 0), "commit", ""), "0123456789");
	assert_string_equal(json_str_or(json_array_get(crates, 1), "purl", ""),
	                    "pkg:cargo/zeta@2.0.0");
	assert_true(str_starts(json_str_or(json_array_get(crates, 1), "sha256", ""), "aa00"));
	source_result_deinit(&result);
	/* The project's own version is no reason to fetch again; a crate's is. */
	memcpy(strstr(edited, "1.0.0"), "1.0.1", 5);
	write_app(f, edited);
	must(fetch_crates(f, &lab, true, &result, &err), &err);
	source_result_deinit(&result);
	assert_int_equal(lab.runs, 1);
	memcpy(strstr(edited, "2.0.0"), "2.0.1", 5);
	write_app(f, edited);
	assert_int_equal(fetch_crates(f, &lab, true, &result, &err), -1);
	assert_int_equal(err.code, ERR_IO);
	assert_contains(err.cause, "2 crates");
	err_clear(&err);
	must(fetch_crates(f, &lab, false, &result, &err), &err);
	source_result_deinit(&result);
	assert_int_equal(lab.runs, 2);
	/* Without a crate there is nothing to run. */
	write_app(f, "version = 4\n[[package]]\nname = \"own\"\nversion = \"1.0.0\"\n");
	must(fetch_crates(f, &lab, true, &result, &err), &err);
	source_result_deinit(&result);
	assert_int_equal(lab.runs, 2);
	free(lab.seen);
}

static void test_cargo_faults(void **state)
{
	static const struct {
		const char *says, *part;
		enum err_code code;
	} faults[] = {
		{ "error: the lock file needs to be updated but --locked was passed to prevent this",
		  "does not fit", ERR_INPUT },
		{ "error: failed to get `x`\nCould not resolve host: example.org", "resolve host",
		  ERR_IO },
		{ "error: failed to verify the checksum of `x v1`", "the checksum of", ERR_INPUT },
		{ "error: failed to parse manifest", "failed to parse", ERR_INPUT },
	};
	struct fixture *f = *state;
	struct source_result result = { 0 };
	struct err err = ERR_INIT;
	struct cargo_lab lab = { .fails = true };
	_cleanup_free_ char *edited = str_dup(cargo_lock);

	write_app(f, NULL);
	assert_int_equal(fetch_crates(f, &lab, false, &result, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "recipe.lua:7: cli/Cargo.lock is not in the source");
	assert_contains(err.hint, "cargo generate-lockfile");
	write_app(f, cargo_lock);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		err_clear(&err);
		lab.says = faults[i].says;
		assert_int_equal(fetch_crates(f, &lab, false, &result, &err), -1);
		assert_int_equal(err.code, faults[i].code);
		assert_contains(err.cause, faults[i].part);
	}
	write_app(f, "package = 1");
	err_clear(&err);
	lab.fails = false;
	must(fetch_crates(f, &lab, false, &result, &err), &err);
	source_result_deinit(&result);
	write_app(f, "[[package]]\nname = \n");
	assert_int_equal(fetch_crates(f, &lab, false, &result, &err), -1);
	assert_contains(err.cause, "cli/Cargo.lock:2:");
	write_app(f, "[[package]]\nname = \"own\"\n");
	err_clear(&err);
	assert_int_equal(fetch_crates(f, &lab, false, &result, &err), -1);
	assert_contains(err.cause, "Cargo.lock: [[package]] number 1 has no name or version");
	memcpy(strstr(edited, "2.0.0"), "2.0.9", 5);
	write_app(f, edited);
	err_clear(&err);
	lab.without = true;
	assert_int_equal(fetch_crates(f, &lab, false, &result, &err), -1);
	assert_contains(err.cause, "recipe.lua:7: cargo vendored no folder");
	free(lab.seen);
}

static void test_no_leftovers(void **state)
{
	struct fixture *f = *state;
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	char *path = str_fmt("%s/store/tmp", f->dir);

	test_https_faults(state);
	test_https_leaf(state);
	must(fs_list(AT_FDCWD, path, &names, &err), &err);
	for (size_t i = 0; i < names.names.n; i++) /* the open store has a folder of its own */
		assert_null(strstr(names.names.v[i], "source"));
	fs_names_deinit(&names);
	free(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_contract, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_leaf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_https_leaf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_https_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_debian_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cargo_leaf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cargo_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_leftovers, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
