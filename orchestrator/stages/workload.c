/*
 * workload, bolt-workload, perf-record: one run of a program. Each run is an action of its own, so
 * its profile folder is always fresh (in a new PID namespace process ids repeat, and two runs into
 * one folder would overwrite each other silently), and runs may go in parallel.
 */
#include "base/path.h"
#include "stages/kinds.h"
#include "stages/options.h"

#define WORKLOAD_FIELDS                                                                            \
	{ "binary", SCHEMA_REF, true, "the program, placed as bin/NAME", NULL, NULL },             \
		{ "name", SCHEMA_STRING, true, "the program's file name", NULL, NULL },            \
		{ "argv", SCHEMA_STRINGS, false, "arguments behind the program", NULL, NULL },     \
		{ "emulator", SCHEMA_STRINGS,                                                      \
		  false,      "command in front of the program where it is foreign",               \
		  NULL,       NULL },                                                              \
	{                                                                                          \
		"stdin", SCHEMA_STRING, false, "tree path of the file that standard input reads",  \
			NULL, NULL                                                                 \
	}

#define WORKLOAD_ADVICE                                                                            \
	"in run { }: exit = { … } names the statuses that are right, timeout = SECONDS a longer limit"

static const char *const collect_values[] = { "none", "profraw", NULL };

static const struct schema_field workload_fields[] = {
	WORKLOAD_FIELDS,
	{ "collect", SCHEMA_STRING, false, "what the run leaves behind: none, profraw",
	  collect_values, NULL },
	{ "run", SCHEMA_INT, false, "tells equal runs apart: the second run of a workload has 2",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field bolt_workload_fields[] = { WORKLOAD_FIELDS, { 0 } };

static const struct schema_field perf_fields[] = {
	WORKLOAD_FIELDS,
	{ "tool", SCHEMA_STRING, true, "perf2bolt of the image", NULL, NULL },
	{ 0 },
};

/* Connects standard input without quoting anything: the file is $0, the command is "$@". */
static const char stdin_script[] = "exec \"$@\" <\"$0\"";
static const char no_stdin_script[] = "exec \"$@\" </dev/null";

/* The program's own command line, below the emulator. */
static int lower_program(struct lowering *lowering, struct err *err)
{
	const char *name = option_str(lowering, "name");
	const char *input = option_str(lowering, "stdin");
	struct ref binary;

	if (option_ref(lowering, "binary", &binary, err) < 0)
		return -1;
	if (!name || name[0] == '\0' || strchr(name, '/') || !path_is_tree(name))
		return lower_refuse(lowering, err, "name must be a file name");
	if (input && !path_is_tree(input))
		return lower_refuse(lowering, err, "stdin \"%s\" %s", input,
		                    path_tree_fault(input));
	lower_input(lowering, arena_fmt(lowering->arena, "bin/%s", name), binary);
	lower_arg(lowering, "/bin/sh");
	lower_arg(lowering, "-ec");
	lower_arg(lowering, input ? stdin_script : no_stdin_script);
	lower_arg(lowering, input ? arena_fmt(lowering->arena, "/build/%s", input) : "sh");
	return 0;
}

static void lower_program_args(struct lowering *lowering)
{
	lower_args_of(lowering, "emulator");
	lower_arg(lowering,
	          arena_fmt(lowering->arena, "/build/bin/%s", option_str(lowering, "name")));
	lower_args_of(lowering, "argv");
}

static int lower_workload(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                          struct err *err)
{
	struct lowering l;
	const char *collect;

	if (lowering_begin(&l, stage, arena, err) < 0 || lower_program(&l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	lower_program_args(&l);
	collect = option_str(&l, "collect");
	if (collect && str_eq(collect, "profraw")) {
		lower_env(&l, "LLVM_PROFILE_FILE", "/build/prof/%m-%p.profraw");
		lower_output(&l, "prof", true);
		l.out.action.fixed_addresses = true;
	}
	if (option_int(&l, "run", 1) != 1)
		lower_env(&l, "KILN_RUN",
		          arena_fmt(arena, "%lld", (long long)option_int(&l, "run", 1)));
	lowering_finish(&l, ret);
	return 0;
}

static int lower_bolt_workload(const struct stage *stage, struct arena *arena,
                               struct stage_lowered *ret, struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0 || lower_program(&l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	lower_program_args(&l);
	/* The instrumented program opens /build/prof/p.PID.fdata itself and cannot make folders. */
	lower_text(&l, "prof/.keep", "");
	lower_output(&l, "prof", true);
	l.outputs.v[l.outputs.n - 1].exclude =
		arena_dup(arena, &(const char *){ ".keep" }, sizeof(const char *));
	l.outputs.v[l.outputs.n - 1].n_exclude = 1;
	l.out.action.fixed_addresses = true;
	lowering_finish(&l, ret);
	return 0;
}

/*
 * Samples with branch stacks, then translates them in the same sandbox: the raw samples name
 * addresses of this run only. perf gives back the status of what it ran, or one of its own: the
 * program's is therefore kept aside, and whatever fails besides it leaves no profile behind, so that
 * no accepted exit code can cover it.
 */
static const char perf_script[] =
	"tool=$1 binary=$2; shift 2\n"
	"fail() { echo \"$1\" >&2; rm -rf prof; exit 125; }\n"
	"mkdir -p prof\n"
	"perf record -q -e cycles:u -j any,u -o prof/perf.data -- \\\n"
	"  /bin/sh -c '\"$@\"; echo $? >prof/status' sh \"$@\" || fail 'perf record failed'\n"
	"test -s prof/status || fail 'perf record did not run the program'\n"
	"status=$(cat prof/status)\n"
	"\"$tool\" -p prof/perf.data -o prof/p.0.fdata \"$binary\" || fail 'perf2bolt failed'\n"
	"test -s prof/p.0.fdata || fail 'perf took no sample of the program'\n"
	"rm prof/perf.data prof/status\n"
	"exit \"$status\"\n";

static int lower_perf(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                      struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, perf_script);
	lower_arg(&l, "sh");
	lower_arg(&l, option_str(&l, "tool"));
	lower_arg(&l, arena_fmt(arena, "/build/bin/%s", option_str(&l, "name")));
	if (lower_program(&l, err) < 0)
		goto fail;
	lower_program_args(&l);
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
	.doc = "runs the program once; may collect a compiler's profile",
	.fields = workload_fields,
	.lower = lower_workload,
	.advice = WORKLOAD_ADVICE,
};
const struct stage_kind stage_bolt_workload = {
	.name = "bolt-workload",
	.doc = "runs a BOLT-instrumented program once; leaves prof/*.fdata",
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
