/*
 * Reading options and collecting an action. stage_lower has checked the options against the kind's
 * schema; what is read here is therefore of the right type or missing.
 */
#include "stages/options.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/path.h"

enum { PARAMETERS_MOST = 1 << 30, TIMEOUT_MOST = 366 * 24 * 3600, RETRIES_MOST = 100 };

int lower_refuse(const struct lowering *lowering, struct err *err, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(err, ERR_INPUT, "%s: %s: %s", lowering->stage->where,
	               lowering->stage->address, text);
}

const char *option_str(const struct lowering *lowering, const char *name)
{
	const char *s = json_str_or(lowering->stage->options, name, NULL);

	return arena_str(lowering->arena, s);
}

int64_t option_int(const struct lowering *lowering, const char *name, int64_t fallback)
{
	const json_t *v = json_object_get(lowering->stage->options, name);

	return json_is_integer(v) ? json_integer_value(v) : fallback;
}

bool option_bool(const struct lowering *lowering, const char *name)
{
	return json_is_true(json_object_get(lowering->stage->options, name));
}

const json_t *option_list(const struct lowering *lowering, const char *name)
{
	const json_t *v = json_object_get(lowering->stage->options, name);

	return json_is_array(v) ? v : NULL;
}

struct ref lower_ref(const struct lowering *lowering, const json_t *value)
{
	struct ref ref;
	int rc = ref_from_json(lowering->arena, value, &ref);

	bug_on(rc < 0);
	return ref;
}

struct ref option_ref(const struct lowering *lowering, const char *name)
{
	return lower_ref(lowering, json_object_get(lowering->stage->options, name));
}

void lower_arg(struct lowering *lowering, const char *arg)
{
	array_push(&lowering->argv, arena_str(lowering->arena, arg));
}

void lower_args_of(struct lowering *lowering, const char *name)
{
	const json_t *list = option_list(lowering, name);
	size_t i;
	json_t *v;

	if (list)
		json_array_foreach ((json_t *)list, i, v)
			lower_arg(lowering, json_string_value(v) ? json_string_value(v) : "");
}

void lower_env(struct lowering *lowering, const char *name, const char *value)
{
	for (size_t i = 0; i < lowering->env.n; i++)
		if (str_eq(lowering->env.v[i].name, name)) {
			lowering->env.v[i].value = arena_str(lowering->arena, value);
			return;
		}
	array_push(&lowering->env, ((struct action_env){ arena_str(lowering->arena, name),
	                                                 arena_str(lowering->arena, value) }));
}

void lower_output(struct lowering *lowering, const char *path, bool non_empty)
{
	array_push(&lowering->outputs,
	           ((struct action_output){ .path = arena_str(lowering->arena, path),
	                                    .non_empty = non_empty }));
}

void lower_reject(struct lowering *lowering, const char *text)
{
	array_push(&lowering->reject, arena_str(lowering->arena, text));
}

void lower_input(struct lowering *lowering, const char *at, struct ref from)
{
	array_push(&lowering->inputs,
	           ((struct stage_input){ arena_str(lowering->arena, at), from }));
}

void lower_text(struct lowering *lowering, const char *at, const char *text)
{
	lower_input(lowering, at, (struct ref){ REF_TEXT, arena_str(lowering->arena, text), "" });
}

void lower_parameters(struct lowering *lowering, const json_t *parameters)
{
	_cleanup_buf_ struct buf text = BUF_INIT(PARAMETERS_MOST);

	json_write_canonical(parameters, &text); /* of options: the document itself is smaller */
	bug_on(text.overflow);
	lower_text(lowering, "kiln.json", buf_text(&text));
}

static int add_inputs(struct lowering *lowering, struct err *err)
{
	const json_t *list = option_list(lowering, "inputs");
	size_t i;
	json_t *v;

	if (!list)
		return 0;
	json_array_foreach ((json_t *)list, i, v) {
		const char *at = json_str_or(v, "at", "");
		const char *fault = path_tree_fault(at);

		if (fault)
			return lower_refuse(lowering, err, "the input path \"%s\" %s", at, fault);
		lower_input(lowering, at, lower_ref(lowering, json_object_get(v, "from")));
	}
	return 0;
}

static int add_env(struct lowering *lowering, struct err *err)
{
	json_t *env = json_object_get(lowering->stage->options, "env");
	const char *name;
	json_t *value;

	json_object_foreach (env, name, value) {
		if (name[0] == '\0' || strchr(name, '='))
			return lower_refuse(lowering, err,
			                    "\"%s\" is no name of an environment variable", name);
		lower_env(lowering, name, json_string_value(value));
	}
	return 0;
}

static int add_exit_codes(struct lowering *lowering, struct err *err)
{
	const json_t *exits = option_list(lowering, "exit");
	size_t n = json_array_size(exits);

	for (size_t i = 0; i < n; i++) {
		json_int_t code = json_integer_value(json_array_get(exits, i));

		if (code < 0 || code > 255)
			return lower_refuse(lowering, err,
			                    "exit[%zu] is %lld; exit codes are 0 to 255", i + 1,
			                    (long long)code);
		if (code != 0)
			array_push(&lowering->exit_codes, (int)code);
	}
	return 0;
}

static void add_rejects(struct lowering *lowering)
{
	const json_t *rejects = option_list(lowering, "reject");
	size_t n = json_array_size(rejects);

	for (size_t i = 0; i < n; i++)
		lower_reject(lowering, json_string_value(json_array_get(rejects, i)));
}

/* A number of 0 to `most`. */
static int limited(const struct lowering *lowering, const char *name, int64_t most, int64_t *ret,
                   struct err *err)
{
	*ret = option_int(lowering, name, 0);
	if (*ret < 0 || *ret > most)
		return lower_refuse(lowering, err, "%s must be 0 to %lld", name, (long long)most);
	return 0;
}

static int add_limits(struct lowering *lowering, struct err *err)
{
	struct stage_needs *out = &lowering->needs;
	int64_t cpus, timeout, retries;

	if (limited(lowering, "cpus", 4096, &cpus, err) < 0 ||
	    limited(lowering, "memory", INT64_MAX, &out->memory, err) < 0 ||
	    limited(lowering, "disk", INT64_MAX, &out->disk, err) < 0 ||
	    limited(lowering, "processes", INT32_MAX, &out->processes, err) < 0 ||
	    limited(lowering, "timeout", TIMEOUT_MOST, &timeout, err) < 0 ||
	    limited(lowering, "retries", RETRIES_MOST, &retries, err) < 0)
		return -1;
	out->pool = option_str(lowering, "pool");
	out->retries = (int)retries;
	out->cpus = (int)cpus;
	out->timeout_ms = timeout * 1000;
	return 0;
}

int lowering_begin(struct lowering *lowering, const struct stage *stage, struct arena *arena,
                   struct err *err)
{
	const char *fault;

	*lowering = (struct lowering){ .stage = stage, .arena = arena };
	lowering->out.image = option_str(lowering, "image");
	lowering->needs.exclusive = option_bool(lowering, "exclusive");
	lowering->out.action.workdir = option_str(lowering, "workdir");
	if (!lowering->out.action.workdir)
		lowering->out.action.workdir = "";
	fault = path_tree_fault(lowering->out.action.workdir);
	if (fault)
		return lower_refuse(lowering, err, "workdir \"%s\" %s",
		                    lowering->out.action.workdir, fault);
	add_rejects(lowering);
	if (add_limits(lowering, err) < 0 || add_env(lowering, err) < 0 ||
	    add_exit_codes(lowering, err) < 0)
		return -1;
	return add_inputs(lowering, err);
}

void lowering_deinit(struct lowering *lowering)
{
	array_deinit(&lowering->argv);
	array_deinit(&lowering->env);
	array_deinit(&lowering->outputs);
	array_deinit(&lowering->inputs);
	array_deinit(&lowering->reject);
	array_deinit(&lowering->exit_codes);
}

#define FREEZE(lowering, array, pointer, count)                                                    \
	do {                                                                                       \
		(pointer) =                                                                        \
			arena_dup((lowering)->arena, (array).v, (array).n * sizeof(*(array).v));   \
		(count) = (array).n;                                                               \
	} while (0)

static bool says_nothing(const struct stage_needs *n)
{
	return !n->cpus && !n->retries && !n->memory && !n->disk && !n->processes &&
	       !n->timeout_ms && !n->pool && !n->exclusive;
}

void lowering_finish(struct lowering *lowering, struct stage_lowered *ret)
{
	static const struct stage_needs nothing;
	struct action *a = &lowering->out.action;

	FREEZE(lowering, lowering->argv, a->argv, a->n_argv);
	FREEZE(lowering, lowering->env, a->env, a->n_env);
	FREEZE(lowering, lowering->outputs, a->outputs, a->n_outputs);
	FREEZE(lowering, lowering->reject, a->reject, a->n_reject);
	FREEZE(lowering, lowering->exit_codes, a->exit_codes, a->n_exit_codes);
	FREEZE(lowering, lowering->inputs, lowering->out.inputs, lowering->out.n_inputs);
	lowering->out.needs =
		says_nothing(&lowering->needs) ?
			&nothing :
			arena_dup(lowering->arena, &lowering->needs, sizeof(lowering->needs));
	*ret = lowering->out;
	lowering_deinit(lowering);
}
