/*
 * One contract over every executor: this machine's, and the fake one that engine tests stand on. A
 * new executor is a line in the table.
 */
#include "unit/support.h"

#include <poll.h>

#include "base/array.h"
#include "fakes/executor.h"
#include "fakes/lab.h"

static struct fake_executor the_fake;

static struct executor *local_of(struct lab *lab)
{
	return lab->executor;
}

static struct executor *fake_of(struct lab *lab)
{
	fake_executor_init(&the_fake, lab->blobs);
	return &the_fake.base;
}

static struct executor *(*const executors[])(struct lab *lab) = { local_of, fake_of };

static bool is_ready(struct executor *executor, int timeout_ms)
{
	struct pollfd p = { executor->ops->poll_fd(executor), POLLIN, 0 };

	return poll(&p, 1, timeout_ms) == 1;
}

static void submit_touch(struct lab *lab, uint64_t token)
{
	struct action_output output = { .path = "out" };
	struct action action = {
		.argv = LAB_LIST("touch", "out"), .n_argv = 2, .outputs = &output, .n_outputs = 1
	};

	lab_submit(lab, &action, 10000, token);
}

static void nothing_is_idle(struct lab *lab)
{
	struct executor *e = lab->executor;
	struct exec_completion c;
	struct err err = ERR_INIT;

	assert_int_equal(e->ops->wait(e, lab->arena, -1, &c, &err), EXECUTOR_IDLE);
	assert_int_equal(e->ops->wait(e, lab->arena, 0, &c, &err), EXECUTOR_IDLE);
	assert_false(is_ready(e, 0));
	e->ops->cancel(e);
	assert_int_equal(e->ops->wait(e, lab->arena, -1, &c, &err), EXECUTOR_IDLE);
}

static void each_token_comes_back_once(struct lab *lab)
{
	struct exec_completion c;
	struct err err = ERR_INIT;
	unsigned int seen = 0;

	for (uint64_t i = 0; i < 5; i++)
		submit_touch(lab, i);
	for (int i = 0; i < 5; i++) {
		assert_true(is_ready(lab->executor, 10000));
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_OK);
		assert_null(c.why);
		assert_int_equal(c.err.code, ERR_NONE);
		assert_int_equal(c.result.n_outputs, 1);
		assert_string_equal(c.result.outputs[0].path, "out");
		assert_string_equal(c.result.outputs[0].node->name, "");
		assert_true(blobs_has(lab->blobs, &c.result.outputs[0].node->ref));
		assert_true(blobs_has(lab->blobs, &c.result.out));
		assert_true(blobs_has(lab->blobs, &c.result.log));
		assert_false(seen & 1u << c.token);
		seen |= 1u << c.token;
	}
	assert_int_equal(seen, 31);
	assert_int_equal(lab->executor->ops->wait(lab->executor, lab->arena, 0, &c, &err),
	                 EXECUTOR_IDLE);
}

static void cancel_ends_all(struct lab *lab)
{
	struct action action = { .argv = LAB_LIST("sleep", "60"), .n_argv = 2 };
	struct exec_completion c;

	for (uint64_t i = 0; i < 4; i++)
		lab_submit(lab, &action, 0, i);
	lab->executor->ops->cancel(lab->executor);
	for (int i = 0; i < 4; i++) {
		assert_true(is_ready(lab->executor, 2000));
		lab_wait(lab, &c);
		assert_int_equal(c.status, EXEC_CANCELLED);
	}
	assert_false(is_ready(lab->executor, 0));
}

static void every_executor_keeps_the_contract(void **state)
{
	struct lab *lab = *state;
	struct executor *own = lab->executor;

	for (size_t i = 0; i < ARRAY_LEN(executors); i++) {
		lab->executor = own;
		lab->executor = executors[i](lab);
		assert_non_null(lab->executor->ops->name);
		nothing_is_idle(lab);
		each_token_comes_back_once(lab);
		cancel_ends_all(lab);
		each_token_comes_back_once(lab);
		if (lab->executor != own)
			lab->executor->ops->free(lab->executor);
	}
	lab->executor = own;
}

/* What engine tests ask of the fake one. */
static void the_fake_fails_as_told(void **state)
{
	struct lab *lab = *state;
	struct executor *own = lab->executor;
	struct exec_completion c;

	lab->executor = fake_of(lab);
	the_fake.fail = "test/plain/stage";
	submit_touch(lab, 1);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_FAILED);
	assert_string_equal(c.why, "exit status 1");
	the_fake.fail = NULL;
	the_fake.broken = "test/plain/stage";
	submit_touch(lab, 2);
	lab_wait(lab, &c);
	assert_int_equal(c.status, EXEC_BROKEN);
	assert_int_equal(c.err.code, ERR_IO);
	the_fake.broken = NULL;
	the_fake.last_first = true;
	submit_touch(lab, 3);
	submit_touch(lab, 4);
	lab_wait(lab, &c);
	assert_int_equal(c.token, 4);
	lab_wait(lab, &c);
	assert_int_equal(c.token, 3);
	assert_int_equal(the_fake.most_at_once, 2);
	assert_int_equal(fake_executor_count(&the_fake, "test/plain/stage"), 4);
	assert_int_equal(fake_executor_count(&the_fake, "other"), 0);
	lab->executor->ops->free(lab->executor);
	lab->executor = own;
}

static int run(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_executor_keeps_the_contract),
		cmocka_unit_test(the_fake_fails_as_told),
	};

	return cmocka_run_group_tests_name("exec/executors", tests, lab_setup, lab_teardown);
}

int main(void)
{
	return lab_main(run);
}
