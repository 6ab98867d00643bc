/*
 * run, build, instrument, rebuild: a command over inputs. They differ in what they promise: an
 * instrumented build never ships, and a rebuild refuses a profile that does not fit its source.
 */
#include "base/path.h"
#include "stages/kinds.h"
#include "stages/options.h"

#define RUN_FIELDS                                                                                  \
	{ "argv", SCHEMA_STRINGS, true, "the command and its arguments; no shell is added", NULL,   \
	  NULL },                                                                                   \
		{ "outputs", SCHEMA_OUTPUTS, true, "what is kept of the work folder", NULL, NULL }, \
	{                                                                                           \
		"fixed_addresses", SCHEMA_BOOL, false,                                              \
			"run without address space layout randomisation", NULL, NULL                \
	}

static const struct schema_field run_fields[] = {
	RUN_FIELDS,
	{ "incremental", SCHEMA_BOOL, false,
	  "with --dev it goes on in the folder of its last run, as what compiles does", NULL,
	  NULL },
	{ 0 },
};

static const struct schema_field rebuild_fields[] = {
	RUN_FIELDS,
	{ "profile", SCHEMA_REF, true, "the merged profile, placed as kiln.profdata", NULL, NULL },
	{ 0 },
};

/* What clang says when a profile belongs to another source; it only warns (LLVM's
 * diag::warn_profile_data_*, and the backend's "hash mismatch"). */
static const char *const stale_texts[] = {
	"[-Werror,-Wbackend-plugin]",
	"[-Wbackend-plugin]",
	"profile data may be out of date",
	"Function control flow change detected (hash mismatch)",
	NULL,
};

static int add_excludes(struct lowering *lowering, const json_t *from, struct action_output *output)
{
	size_t n = json_array_size(from);

	output->exclude = arena_array(lowering->arena, n, sizeof(*output->exclude));
	output->n_exclude = n;
	for (size_t i = 0; i < n; i++)
		output->exclude[i] =
			arena_str(lowering->arena, json_string_value(json_array_get(from, i)));
	return 0;
}

static int add_output(struct lowering *lowering, const json_t *v, struct err *err)
{
	const char *path = json_is_string(v) ? json_string_value(v) : json_str_or(v, "path", "");

	if (path[0] == '\0')
		return lower_refuse(lowering, err, "an output path must not be empty");
	lower_output(lowering, path, json_is_true(json_object_get(v, "non_empty")));
	return add_excludes(lowering, json_object_get(v, "exclude"),
	                    &lowering->outputs.v[lowering->outputs.n - 1]);
}

static int lower_command(struct lowering *lowering, struct err *err)
{
	const json_t *outputs = option_list(lowering, "outputs");
	size_t i;
	json_t *v;

	lower_args_of(lowering, "argv");
	if (lowering->argv.n == 0 || lowering->argv.v[0][0] == '\0')
		return lower_refuse(lowering, err, "argv must name a command");
	lowering->out.action.fixed_addresses = option_bool(lowering, "fixed_addresses");
	if (outputs)
		json_array_foreach ((json_t *)outputs, i, v)
			if (add_output(lowering, v, err) < 0)
				return -1;
	return 0;
}

static int lower_run(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                     struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0 || lower_command(&l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	l.out.never_ships = str_eq(stage->kind, "instrument");
	l.out.incremental = !str_eq(stage->kind, "run") || option_bool(&l, "incremental");
	lowering_finish(&l, ret);
	return 0;
}

static int lower_rebuild(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                         struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0 || lower_command(&l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	lower_input(&l, "kiln.profdata", option_ref(&l, "profile"));
	for (size_t i = 0; stale_texts[i]; i++)
		lower_reject(&l, stale_texts[i]);
	l.out.incremental = true;
	lowering_finish(&l, ret);
	return 0;
}

const struct stage_kind stage_run = {
	.name = "run",
	.doc = "runs one command in the sandbox",
	.fields = run_fields,
	.lower = lower_run,
};
const struct stage_kind stage_build = {
	.name = "build",
	.doc = "compiles a variant",
	.fields = run_fields,
	.lower = lower_run,
};
const struct stage_kind stage_instrument = {
	.name = "instrument",
	.doc = "compiles the variant that counts; it never ships",
	.fields = run_fields,
	.lower = lower_run,
};
const struct stage_kind stage_rebuild = {
	.name = "rebuild",
	.doc = "compiles with a profile; a profile of another source fails it",
	.fields = rebuild_fields,
	.lower = lower_rebuild,
	.advice =
		"a stale profile: `kiln train` makes it anew; a program that no training run really "
		"runs has none, and gets another one's: run it; a compiler error: see whether the "
		"plain variant builds (kiln build --variant plain)",
};
