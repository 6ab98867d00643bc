/* Which kinds there are, and what all of them take. */
#include "stages/stage.h"

#include "base/alloc.h"
#include "base/str.h"
#include "stages/kinds.h"

static const struct schema_field input_fields[] = {
	{ "at", SCHEMA_STRING, true, "where it is placed below the work folder; \"\" is its root",
	  NULL, NULL },
	{ "from", SCHEMA_REF, true, "an output of a stage, or a source", NULL, NULL },
	{ 0 },
};

const struct schema_field stage_common_fields[] = {
	{ "inputs", SCHEMA_OBJECTS, false, "what the work folder holds at the start", NULL,
	  input_fields },
	{ "env", SCHEMA_MAP, false, "environment variables besides the fixed ones", NULL, NULL },
	{ "image", SCHEMA_STRING, false, "the container it runs in; default: the target's", NULL,
	  NULL },
	{ "workdir", SCHEMA_STRING, false, "the folder below the work folder it starts in", NULL,
	  NULL },
	{ "exit", SCHEMA_INTS, false, "accepted exit codes; 0 always is", NULL, NULL },
	{ "reject", SCHEMA_STRINGS, false, "texts whose presence in the log fails the stage", NULL,
	  NULL },
	{ "timeout", SCHEMA_INT, false, "seconds after which it is ended; 0 is never", NULL, NULL },
	{ "cpus", SCHEMA_INT, false, "processors it can use", NULL, NULL },
	{ "memory", SCHEMA_INT, false, "bytes that its processes may have; more ends it", NULL,
	  NULL },
	{ "processes", SCHEMA_INT, false,
	  "processes and threads that it may have at once; more ends it; 0 is 4096", NULL, NULL },
	{ "disk", SCHEMA_INT, false, "bytes that its work folder may hold; more ends it", NULL,
	  NULL },
	{ "pool", SCHEMA_STRING, false, "of the release's pools: only so many of them run at once",
	  NULL, NULL },
	{ "retries", SCHEMA_INT, false,
	  "how often it is run again when the machine failed, never when the stage did", NULL,
	  NULL },
	{ "exclusive", SCHEMA_BOOL, false, "runs alone on the machine", NULL, NULL },
	{ 0 },
};

const struct stage_kind *const stage_kinds[] = {
	&stage_bolt_instrument,
	&stage_bolt_workload,
	&stage_build,
	&stage_compress,
	&stage_deb_ar,
	&stage_deb_members,
	&stage_fdata_merge,
	&stage_instrument,
	&stage_llvm_bolt,
	&stage_perf_record,
	&stage_profdata_merge,
	&stage_rebuild,
	&stage_run,
	&stage_smoke,
	&stage_strip,
	&stage_tar,
	&stage_unseen,
	&stage_workload,
	&stage_zip,
	NULL,
};

const struct stage_kind *stage_kind_find(const char *name)
{
	for (size_t i = 0; stage_kinds[i]; i++)
		if (str_eq(stage_kinds[i]->name, name))
			return stage_kinds[i];
	return NULL;
}

static const char *nearest_kind(const char *name)
{
	const char *names[ARRAY_LEN(stage_kinds)] = { 0 };

	for (size_t i = 0; stage_kinds[i]; i++)
		names[i] = stage_kinds[i]->name;
	return str_nearest(name, names);
}

/* The document comes out of a child that ran somebody's Lua: its options are checked here too. */
static int check_options(const struct stage *stage, const struct stage_kind *kind, json_t *options,
                         struct err *err)
{
	const struct schema_field *const tables[] = { kind->fields, stage_common_fields, NULL };
	struct schema_fault fault;

	if (schema_check(options, tables, &fault) == 0)
		return 0;
	return err_set(err, ERR_INPUT, "%s: %s: %s%s%s%s (at %s)", stage->where, stage->address,
	               fault.text, fault.note[0] ? " (" : "", fault.note, fault.note[0] ? ")" : "",
	               fault.pointer[0] ? fault.pointer : "/");
}

static const struct stage_kind *kind_of(const struct stage *stage, struct err *err)
{
	const struct stage_kind *kind = stage_kind_find(stage->kind);
	const char *near;

	if (kind)
		return kind;
	near = nearest_kind(stage->kind);
	err_set(err, ERR_INPUT, "%s: %s: unknown stage kind \"%s\"%s%s%s", stage->where,
	        stage->address, stage->kind, near ? " (did you mean \"" : "", near ? near : "",
	        near ? "\"?)" : "");
	return NULL;
}

/* The options are the caller's, and checked here. */
static int lower(const struct stage *stage, const struct stage_kind *kind, json_t *options,
                 struct arena *arena, struct stage_lowered *ret, struct err *err)
{
	struct stage checked = *stage;

	if (!json_is_object(options))
		return err_set(err, ERR_INPUT, "%s: %s: its options are no JSON object",
		               stage->where, stage->address);
	if (check_options(stage, kind, options, err) < 0)
		return -1;
	checked.options = options;
	if (kind->lower(&checked, arena, ret, err) < 0)
		return -1;
	if (!ret->advice)
		ret->advice = kind->advice;
	return 0;
}

int stage_lower(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                struct err *err)
{
	const struct stage_kind *kind = kind_of(stage, err);
	_cleanup_json_ json_t *options = kind ? stage_options(stage) : NULL;

	return kind ? lower(stage, kind, options, arena, ret, err) : -1;
}

void stage_take_options(struct stage *stage, struct str text, struct arena *arena)
{
	const struct stage_kind *kind = stage_kind_find(stage->kind);
	_cleanup_json_ json_t *options = NULL;
	struct stage_lowered lowered;
	struct err later = ERR_INIT; /* whoever plans is told */

	if (kind && json_parse(text.p, text.n, "options", &options, &later) == 0 &&
	    lower(stage, kind, options, arena, &lowered, &later) == 0)
		stage->lowered = arena_dup(arena, &lowered, sizeof(lowered));
	if (!kind || !stage->lowered || kind->relowered)
		stage->text = arena_str_n(arena, text.p, text.n);
}
