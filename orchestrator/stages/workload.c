/*
 * workload, bolt-workload, perf-record: one run of the programs. Each run is an action of its own, so
 * its profile folder is always fresh (in a new PID namespace process ids repeat, and two runs into
 * one folder would overwrite each other silently), and runs may go in parallel.
 */
#include "base/path.h"
#include "stages/kinds.h"
#include "stages/options.h"
#include "stages/program.h"

#define WORKLOAD_ADVICE                                                                            \
	"in run { }: exit = { … } names the statuses that are right, timeout = SECONDS a longer "  \
	"limit, tools = { … } Debian packages that a script needs"

#define PROFILED_FIELD                                                                             \
	{ "profiled", SCHEMA_STRINGS,                                                              \
	  false,      "programs with a profile of their own, in prof/NAME; default: one, in prof", \
	  NULL,       NULL }

static const char *const collect_values[] = { "none", "profraw", NULL };

static const struct schema_field workload_fields[] = {
	PROGRAM_FIELDS,
	{ "collect", SCHEMA_STRING, false, "what the run leaves behind: none, profraw",
	  collect_values, NULL },
	{ "run", SCHEMA_INT, false, "tells equal runs apart: the second run of a workload has 2",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field bolt_workload_fields[] = { PROGRAM_FIELDS, PROFILED_FIELD, { 0 } };

static const struct schema_field perf_fields[] = {
	PROGRAM_FIELDS,
	PROFILED_FIELD,
	{ "tool", SCHEMA_STRING, true, "perf2bolt of the image", NULL, NULL },
	{ 0 },
};

/*
 * A program that is run once writes a file for each of its processes. What a script runs may be run
 * any number of times: there every program has one file, into which each process adds its counts.
 */
static int lower_workload(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                          struct err *err)
{
	struct lowering l;
	bool counts;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	counts = str_eq(json_str_or(stage->options, "collect", "none"), "profraw");
	if (lower_program(&l, counts ? "/build/prof/server-*" : "", err) < 0)
		goto fail;
	if (counts) {
		lower_env(&l, "LLVM_PROFILE_FILE",
		          program_is_driven(&l) ? "/build/prof/%m.profraw" :
		                                  "/build/prof/%m-%p.profraw");
		lower_output(&l, "prof", true);
		l.out.action.fixed_addresses = true;
	}
	if (option_int(&l, "run", 1) != 1)
		lower_env(&l, "KILN_RUN",
		          arena_fmt(arena, "%lld", (long long)option_int(&l, "run", 1)));
	lowering_finish(&l, ret);
	return 0;
fail:
	lowering_deinit(&l);
	return -1;
}

/* The folder of a program's own profile, below the work folder. */
static const char *profile_folder(struct lowering *lowering, const char *name)
{
	const json_t *list = option_list(lowering, "profiled");

	return json_array_size(list) ? arena_fmt(lowering->arena, "prof/%s", name) : "prof";
}

/* What a server under BOLT's counters must leave; "" for one that has none. */
static const char *server_leaves(struct lowering *lowering)
{
	const json_t *list = option_list(lowering, "profiled");
	const char *name = option_str(lowering, "name");
	bool counts = json_array_size(list) == 0 || !name;
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)list, i, v)
		counts |= str_eq(json_string_value(v), name ? name : "");
	return !counts ? "" :
	                 arena_fmt(lowering->arena, "/build/%s/*.fdata",
	                           name ? profile_folder(lowering, name) : "prof");
}

static void keep_folder(struct lowering *lowering, const char *folder)
{
	lower_text(lowering, arena_fmt(lowering->arena, "%s/.keep", folder), "");
}

static int lower_bolt_workload(const struct stage *stage, struct arena *arena,
                               struct stage_lowered *ret, struct err *err)
{
	static const char *const excluded[] = { ".keep", "*/.keep" };
	struct lowering l;
	const json_t *list;
	struct action_output *output;

	if (lowering_begin(&l, stage, arena, err) < 0 ||
	    lower_program(&l, server_leaves(&l), err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	/* The instrumented program opens its file itself and cannot make folders. */
	list = option_list(&l, "profiled");
	for (size_t i = 0; i < json_array_size(list); i++)
		keep_folder(&l, profile_folder(&l, json_string_value(json_array_get(list, i))));
	if (json_array_size(list) == 0)
		keep_folder(&l, "prof");
	lower_output(&l, "prof", true);
	output = &l.outputs.v[l.outputs.n - 1];
	output->n_exclude = json_array_size(list) ? 2 : 1;
	output->exclude = arena_dup(arena, excluded, output->n_exclude * sizeof(*excluded));
	l.out.action.fixed_addresses = true;
	lowering_finish(&l, ret);
	return 0;
}

/*
 * Samples with branch stacks, then translates them in the same sandbox, for each program by itself:
 * the raw samples name addresses of this run only. perf gives back the status of what it ran, or one
 * of its own: the program's is therefore kept aside, and whatever fails besides it leaves no profile
 * behind, so that no accepted exit code can cover it. Arguments: TOOL, BINARY FOLDER …, --, COMMAND.
 */
static const char perf_script[] =
	"tool=$1; shift\n"
	"fail() { echo \"$1\" >&2; rm -rf prof; exit 125; }\n"
	"record() {\n"
	"  while [ \"$1\" != -- ]; do shift; done; shift\n"
	"  perf record -q -e cycles:u -j any,u -o prof/perf.data -- \\\n"
	"    /bin/sh -c '\"$@\"; echo $? >prof/status' sh \"$@\"\n"
	"}\n"
	"mkdir -p prof\n"
	"record \"$@\" || fail 'perf record failed'\n"
	"test -s prof/status || fail 'perf record did not run the program'\n"
	"status=$(cat prof/status)\n"
	"while [ \"$1\" != -- ]; do\n"
	"  mkdir -p \"$2\"\n"
	"  \"$tool\" -p prof/perf.data -o \"$2/p.0.fdata\" \"$1\" || fail \"perf2bolt failed for $1\"\n"
	"  test -s \"$2/p.0.fdata\" || fail \"perf took no sample of $1\"\n"
	"  shift 2\n"
	"done\n"
	"rm prof/perf.data prof/status\n"
	"exit \"$status\"\n";

static void lower_sampled(struct lowering *lowering, const char *name)
{
	lower_arg(lowering, arena_fmt(lowering->arena, "/build/bin/%s", name));
	lower_arg(lowering, profile_folder(lowering, name));
}

static int lower_perf(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                      struct err *err)
{
	struct lowering l;
	const json_t *list;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	list = option_list(&l, "profiled");
	if (json_array_size(list) == 0 && !option_str(&l, "name")) {
		lower_refuse(&l, err, "profiled must say which programs a script runs");
		goto fail;
	}
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, perf_script);
	lower_arg(&l, "sh");
	lower_arg(&l, option_str(&l, "tool"));
	for (size_t i = 0; i < json_array_size(list); i++)
		lower_sampled(&l, json_string_value(json_array_get(list, i)));
	if (json_array_size(list) == 0)
		lower_sampled(&l, option_str(&l, "name"));
	lower_arg(&l, "--");
	if (lower_program(&l, "", err) < 0)
		goto fail;
	lower_output(&l, "prof", true);
	l.out.action.fixed_addresses = true;
	lowering_finish(&l, ret);
	return 0;
fail:
	lowering_deinit(&l);
	return -1;
}

const struct stage_kind stage_workload = {
	.name = "workload",
	.doc = "runs a program, script or server once; may collect a compiler's profile",
	.fields = workload_fields,
	.lower = lower_workload,
	.advice = WORKLOAD_ADVICE,
};
const struct stage_kind stage_bolt_workload = {
	.name = "bolt-workload",
	.doc = "runs BOLT-instrumented programs once; leaves *.fdata in prof or prof/NAME",
	.fields = bolt_workload_fields,
	.lower = lower_bolt_workload,
	.advice = WORKLOAD_ADVICE,
};
const struct stage_kind stage_perf_record = {
	.name = "perf-record",
	.doc = "samples branch stacks of one run; only where the machine has them",
	.fields = perf_fields,
	.lower = lower_perf,
	.advice = "sample = false in fdo { } trains with counters instead",
};
