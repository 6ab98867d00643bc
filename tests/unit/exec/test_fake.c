/* The fake executor keeps the executor's contract, so that tests that stand on it mean something. */
#include "unit/support.h"

#include <poll.h>

#include "fakes/executor.h"
#include "store/place.h"

static void submit(struct fake_executor *fake, const char *address, uint64_t token)
{
	struct action_output output = { .path = "out" };
	struct action action = { .argv = (const char *[]){ address },
		                 .n_argv = 1,
		                 .workdir = "",
		                 .arch = "amd64",
		                 .outputs = &output,
		                 .n_outputs = 1 };
	struct buf bytes = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;
	struct blob_ref ref;
	struct exec_request request = { .address = address, .token = token };

	tree_empty_ref(&action.input_root);
	action_encode(&action, &bytes);
	must(blobs_put(fake->blobs, bytes.p, bytes.n, &ref, &err), &err);
	buf_deinit(&bytes);
	request.action = &ref.digest;
	request.action_size = ref.size;
	must(fake->base.ops->submit(&fake->base, &request, &err), &err);
}

static void keeps_the_contract(void **state)
{
	struct blobs *blobs = blobs_new_memory();
	struct arena *arena = arena_new();
	struct fake_executor fake;
	struct exec_completion c;
	struct err err = ERR_INIT;
	struct pollfd p;

	(void)state;
	fake_executor_init(&fake, blobs);
	p = (struct pollfd){ fake.base.ops->poll_fd(&fake.base), POLLIN, 0 };
	assert_int_equal(fake.base.ops->wait(&fake.base, arena, -1, &c, &err), EXECUTOR_IDLE);
	assert_int_equal(poll(&p, 1, 0), 0);
	fake.fail = "b";
	fake.broken = "c";
	submit(&fake, "a", 1);
	submit(&fake, "b", 2);
	submit(&fake, "c", 3);
	assert_int_equal(poll(&p, 1, 0), 1);
	must(fake.base.ops->wait(&fake.base, arena, 0, &c, &err), &err);
	assert_int_equal(c.token, 1);
	assert_int_equal(c.status, EXEC_OK);
	assert_string_equal(c.result.outputs[0].path, "out");
	assert_true(blobs_has(blobs, &c.result.outputs[0].node->ref));
	must(fake.base.ops->wait(&fake.base, arena, 0, &c, &err), &err);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_non_null(c.why);
	must(fake.base.ops->wait(&fake.base, arena, 0, &c, &err), &err);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.err.code, ERR_IO);
	assert_int_equal(poll(&p, 1, 0), 0);
	submit(&fake, "d", 4);
	fake.base.ops->cancel(&fake.base);
	must(fake.base.ops->wait(&fake.base, arena, 0, &c, &err), &err);
	assert_int_equal(c.status, EXEC_CANCELLED);
	assert_int_equal(fake.most_at_once, 3);
	assert_int_equal(fake_executor_count(&fake, "a"), 1);
	assert_int_equal(fake_executor_count(&fake, "x"), 0);
	fake.base.ops->free(&fake.base);
	arena_free(arena);
	blobs_free(blobs);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(keeps_the_contract) };

	return cmocka_run_group_tests_name("exec/fake", tests, NULL, NULL);
}
