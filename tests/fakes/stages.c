/* Member by member: whoever adds one to a stage compares it here. */
#include "fakes/stages.h"

#include "unit/support.h"

static void same_text(const char *a, const char *b)
{
	assert_int_equal(a == NULL, b == NULL);
	if (a)
		assert_string_equal(a, b);
}

static void same_texts(const char *const *a, size_t n, const char *const *b, size_t m)
{
	assert_int_equal(n, m);
	for (size_t i = 0; i < n; i++)
		same_text(a[i], b[i]);
}

static void same_action(const struct action *a, const struct action *b)
{
	same_texts(a->argv, a->n_argv, b->argv, b->n_argv);
	assert_int_equal(a->n_env, b->n_env);
	for (size_t i = 0; i < a->n_env; i++) {
		same_text(a->env[i].name, b->env[i].name);
		same_text(a->env[i].value, b->env[i].value);
	}
	same_text(a->workdir, b->workdir);
	assert_int_equal(a->n_outputs, b->n_outputs);
	for (size_t i = 0; i < a->n_outputs; i++) {
		same_text(a->outputs[i].path, b->outputs[i].path);
		assert_int_equal(a->outputs[i].non_empty, b->outputs[i].non_empty);
		same_texts(a->outputs[i].exclude, a->outputs[i].n_exclude, b->outputs[i].exclude,
		           b->outputs[i].n_exclude);
	}
	assert_true(!a->input_root && !b->input_root && !a->image && !b->image);
	same_text(a->arch, b->arch);
	same_text(a->builtin, b->builtin);
	assert_int_equal(a->fixed_addresses, b->fixed_addresses);
	assert_int_equal(a->n_exit_codes, b->n_exit_codes);
	for (size_t i = 0; i < a->n_exit_codes; i++)
		assert_int_equal(a->exit_codes[i], b->exit_codes[i]);
	same_texts(a->reject, a->n_reject, b->reject, b->n_reject);
}

static void same_needs(const struct stage_needs *a, const struct stage_needs *b)
{
	assert_int_equal(a->cpus, b->cpus);
	assert_int_equal(a->retries, b->retries);
	assert_int_equal(a->memory, b->memory);
	assert_int_equal(a->disk, b->disk);
	assert_int_equal(a->processes, b->processes);
	assert_int_equal(a->timeout_ms, b->timeout_ms);
	same_text(a->pool, b->pool);
	assert_int_equal(a->exclusive, b->exclusive);
}

static void same_lowered(const struct stage_lowered *a, const struct stage_lowered *b)
{
	same_action(&a->action, &b->action);
	assert_int_equal(a->n_inputs, b->n_inputs);
	for (size_t i = 0; i < a->n_inputs; i++) {
		same_text(a->inputs[i].at, b->inputs[i].at);
		assert_int_equal(a->inputs[i].from.kind, b->inputs[i].from.kind);
		same_text(a->inputs[i].from.id, b->inputs[i].from.id);
		same_text(a->inputs[i].from.path, b->inputs[i].from.path);
	}
	same_text(a->image, b->image);
	same_needs(a->needs, b->needs);
	same_text(a->advice, b->advice);
	assert_int_equal(a->incremental, b->incremental);
	assert_int_equal(a->never_ships, b->never_ships);
	assert_int_equal(a->passes_on, b->passes_on);
}

void assert_same_stage(const struct stage *a, const struct stage *b)
{
	same_text(a->address, b->address);
	same_text(a->target, b->target);
	same_text(a->variant, b->variant);
	same_text(a->name, b->name);
	same_text(a->kind, b->kind);
	same_text(a->where, b->where);
	same_text(a->text, b->text);
	assert_true(!a->options && !b->options);
	assert_int_equal(a->lowered == NULL, b->lowered == NULL);
	if (a->lowered)
		same_lowered(a->lowered, b->lowered);
}
