/* Requests and replies come through whole; anything cut short is refused; so are unknown builtins. */
#include "unit/support.h"

#include "exec/builtin.h"
#include "exec/wire.h"
#include "package/packager.h"

static void requests_come_through(void **state)
{
	const struct action_env proxies[] = { { "http_proxy", "http://a" }, { "no_proxy", "" } };
	const struct sandbox_network network = { proxies, 2, "/etc/certificates" };
	struct runner_request request = { .store_dir = "/store",
		                          .images_dir = "/store/images",
		                          .runtime = "bwrap",
		                          .address = "t/v/s",
		                          .action_size = 77,
		                          .epoch = -5,
		                          .timeout_ms = 1000,
		                          .jobs = 4,
		                          .nice = 10,
		                          .memory = (int64_t)5 << 30,
		                          .disk = (int64_t)6 << 30,
		                          .processes = 7,
		                          .paranoid = true,
		                          .said = true,
		                          .network = &network };
	struct buf bytes = BUF_INIT(WIRE_REQUEST_MAX);
	struct arena *arena = arena_new();
	struct runner_request back;
	struct err err = ERR_INIT;

	(void)state;
	memset(request.action.bytes, 7, sizeof(request.action.bytes));
	wire_put_request(&request, &bytes);
	must(wire_take_request(arena, buf_str(&bytes), &back, &err), &err);
	assert_string_equal(back.store_dir, "/store");
	assert_string_equal(back.images_dir, "/store/images");
	assert_string_equal(back.runtime, "bwrap");
	assert_string_equal(back.address, "t/v/s");
	assert_true(digest_eq(&back.action, &request.action));
	assert_int_equal(back.action_size, 77);
	assert_int_equal(back.epoch, -5);
	assert_int_equal(back.timeout_ms, 1000);
	assert_int_equal(back.jobs, 4);
	assert_int_equal(back.nice, 10);
	assert_int_equal(back.memory, (int64_t)5 << 30);
	assert_int_equal(back.disk, (int64_t)6 << 30);
	assert_int_equal(back.processes, 7);
	assert_true(back.paranoid);
	assert_true(back.said);
	assert_string_equal(back.network->ca, "/etc/certificates");
	assert_int_equal(back.network->n_env, 2);
	assert_string_equal(back.network->env[1].name, "no_proxy");
	assert_string_equal(back.network->env[0].value, "http://a");
	for (size_t n = 0; n < bytes.n; n++) {
		err_clear(&err);
		assert_int_equal(wire_take_request(arena, (struct str){ bytes.p, n }, &back, &err),
		                 -1);
		assert_int_equal(err.code, ERR_BUG);
	}
	/* Without one there is none on the other side either. */
	request.network = NULL;
	buf_clear(&bytes);
	wire_put_request(&request, &bytes);
	must(wire_take_request(arena, buf_str(&bytes), &back, &err), &err);
	assert_null(back.network);
	arena_free(arena);
	buf_deinit(&bytes);
}

static void replies_come_through(void **state)
{
	struct tree_node node = { .name = "", .kind = NODE_LINK, .target = "a/b" };
	struct result_output output = { "out/x", &node };
	struct runner_reply reply = {
		.status = EXEC_FAILED,
		.why = "exit status 2",
		.err = { .code = ERR_IO,
		         .sys = 28,
		         .cause = "no space",
		         .trail = "while writing",
		         .hint = "free some" },
		.result = { .exit_code = 2, .outputs = &output, .n_outputs = 1, .wall_us = 12 },
		.bytes_in = 1000,
		.bytes_out = (uint64_t)5 << 32,
	};
	struct buf bytes = BUF_INIT(WIRE_REPLY_MAX);
	struct arena *arena = arena_new();
	struct runner_reply back;
	struct err err = ERR_INIT;

	(void)state;
	wire_put_reply(&reply, &bytes);
	must(wire_take_reply(arena, buf_str(&bytes), &back, &err), &err);
	assert_int_equal(back.status, EXEC_FAILED);
	assert_string_equal(back.why, "exit status 2");
	assert_int_equal(back.err.code, ERR_IO);
	assert_int_equal(back.err.sys, 28);
	assert_string_equal(back.err.cause, "no space");
	assert_string_equal(back.err.trail, "while writing");
	assert_string_equal(back.err.hint, "free some");
	assert_int_equal(back.result.exit_code, 2);
	assert_int_equal(back.result.wall_us, 12);
	assert_int_equal(back.bytes_in, 1000);
	assert_int_equal(back.bytes_out, (uint64_t)5 << 32);
	assert_string_equal(back.result.outputs[0].path, "out/x");
	assert_string_equal(back.result.outputs[0].node->target, "a/b");
	for (size_t n = 0; n < bytes.n; n++) {
		err_clear(&err);
		assert_int_equal(wire_take_reply(arena, (struct str){ bytes.p, n }, &back, &err),
		                 -1);
	}
	arena_free(arena);
	buf_deinit(&bytes);
}

/* Lines come off the front, whole ones only, and a reply behind them is none. */
static void what_was_said_comes_before(void **state)
{
	struct runner_reply reply = { .status = EXEC_OK, .err = ERR_INIT }, back;
	struct buf bytes = BUF_INIT(WIRE_REPLY_MAX);
	struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct str line = STR("before");
	size_t first, both;

	(void)state;
	wire_put_said("one", &bytes);
	first = bytes.n;
	wire_put_said("two and more", &bytes);
	both = bytes.n;
	wire_put_reply(&reply, &bytes);
	for (size_t n = 0; n < first; n++)
		assert_int_equal(wire_take_said((struct str){ bytes.p, n }, &line), 0);
	assert_true(str_same(line, STR("before")));
	assert_int_equal(wire_take_said((struct str){ bytes.p, both - 1 }, &line), first);
	assert_true(str_same(line, STR("one")));
	assert_int_equal(wire_take_said(buf_str(&bytes), &line), both);
	assert_true(str_same(line, STR("two and more")));
	/* A reply is only what is left; with a line before it, it is no reply. */
	assert_int_equal(wire_take_reply(arena, buf_str(&bytes), &back, &err), -1);
	err_clear(&err);
	must(wire_take_reply(arena, (struct str){ bytes.p + both, bytes.n - both }, &back, &err),
	     &err);
	assert_int_equal(back.status, EXEC_OK);
	arena_free(arena);
	buf_deinit(&bytes);
}

static void builtins_by_name_and_version(void **state)
{
	(void)state;
	assert_ptr_equal(builtin_find("smoke@2"), &builtin_smoke);
	assert_ptr_equal(builtin_find("tar@1"), &builtin_tar);
	assert_null(builtin_find("tar@2"));
	assert_null(builtin_find("tar@1x"));
	assert_null(builtin_find("tar"));
	assert_null(builtin_find("ta@1"));
	assert_null(builtin_find("@1"));
	for (size_t i = 0; builtins[i]; i++) {
		_cleanup_free_ char *name =
			str_fmt("%s@%d", builtins[i]->name, builtins[i]->version);

		assert_ptr_equal(builtin_find(name), builtins[i]);
	}
}

/* What a packager writes, its builtin promises. */
static void builtins_have_their_packagers_version(void **state)
{
	(void)state;
	for (const struct packager *p = packagers; p->name; p++) {
		_cleanup_free_ char *name = str_fmt("%s@%d", p->name, p->version);

		if (!builtin_find(name))
			fail_msg("there is no builtin %s", name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_come_through),
		cmocka_unit_test(replies_come_through),
		cmocka_unit_test(what_was_said_comes_before),
		cmocka_unit_test(builtins_by_name_and_version),
		cmocka_unit_test(builtins_have_their_packagers_version),
	};

	return cmocka_run_group_tests_name("exec/wire", tests, NULL, NULL);
}
