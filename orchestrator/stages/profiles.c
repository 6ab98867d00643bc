/*
 * profdata-merge and fdata-merge: many runs become one profile. Both refuse what the tools accept
 * silently: empty inputs (llvm-profdata merges a 0-byte profraw with status 0), a profile of
 * nothing, and line orders that vary between runs (BOLT's output depends on the order of lines).
 */
#include "stages/kinds.h"
#include "stages/options.h"

static const struct schema_field part_fields[] = {
	{ "from", SCHEMA_REF, true, "the prof folder of one run", NULL, NULL },
	{ "weight", SCHEMA_INT, false, "how much it counts; default 1", NULL, NULL },
	{ 0 },
};

static const struct schema_field profdata_fields[] = {
	{ "profiles", SCHEMA_OBJECTS, true, "the runs", NULL, part_fields },
	{ "tool", SCHEMA_STRING, true, "llvm-profdata of the image", NULL, NULL },
	{ "functions", SCHEMA_INT, false, "fewest functions the profile must cover; default 1",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field fdata_fields[] = {
	{ "profiles", SCHEMA_OBJECTS, true, "the runs", NULL, part_fields },
	{ "tool", SCHEMA_STRING, true, "merge-fdata of the image", NULL, NULL },
	{ 0 },
};

static const char profdata_script[] =
	"tool=$1 floor=$2; shift 2\n"
	"\"$tool\" merge --failure-mode=any -o merged.profdata \"$@\"\n"
	"\"$tool\" show merged.profdata >summary.txt\n"
	"functions=$(sed -n 's/^Total functions: *//p' summary.txt)\n"
	"most=$(sed -n 's/^Maximum .* count: *//p' summary.txt | sort -n | tail -n 1)\n"
	"if [ \"${functions:-0}\" -lt \"$floor\" ]; then\n"
	"  echo \"the merged profile covers ${functions:-0} functions, fewer than $floor: was the\" \\\n"
	"       \"instrumented program really run, and built by the same compiler?\" >&2; exit 1\n"
	"fi\n"
	"if [ \"${most:-0}\" -eq 0 ]; then\n"
	"  echo 'the merged profile counts no call at all: the training runs executed nothing of it' >&2\n"
	"  exit 1\n"
	"fi\n";

/* One run of the tool over all files: two would leave two counts of one branch. The tool's own order
 * is that of a hash table. */
#define MERGE_LISTED                                                                               \
	"test -s list || { echo 'no run left an fdata file' >&2; exit 1; }\n"                      \
	"set --\n"                                                                                 \
	"while IFS= read -r file; do set -- \"$@\" \"$file\"; done <list\n"                        \
	"\"$tool\" \"$@\" >merged\n"                                                               \
	"sort merged >merged.fdata\n"

static const char fdata_script[] =
	"tool=$1; shift\n"
	"find \"$@\" -type f -name '*.fdata' | sort >list\n" MERGE_LISTED;

/*
 * The same where runs weigh differently: arguments are WEIGHT FOLDER …. merge-fdata knows no weights,
 * so the counts at the end of each line are multiplied before: the last number, and in front of it
 * the mispredictions of a branch. Lines that begin with 3, 4 or 5 are memory accesses, and those
 * below "no_lbr" are samples: both have one count. Headers have none.
 */
static const char weighted_fdata_script[] =
	"tool=$1; shift\n"
	"mkdir weighted\n"
	"run=0\n"
	"while [ $# -gt 0 ]; do\n"
	"  run=$((run + 1)) part=0\n"
	"  find \"$2\" -type f -name '*.fdata' | sort >parts\n"
	"  while IFS= read -r file; do\n"
	"    part=$((part + 1))\n"
	"    awk -v weight=\"$1\" '\n"
	"      /^no_lbr/ { samples = 1 }\n"
	"      weight == 1 || !/ [0-9]+$/ { print; next }\n"
	"      {\n"
	"        counts = samples || /^[345]/ ? 1 : 2\n"
	"        text = $0; tail = \"\"\n"
	"        while (counts-- > 0 && match(text, / [0-9]+$/)) {\n"
	"          tail = sprintf(\" %.0f\", substr(text, RSTART + 1) * weight) tail\n"
	"          text = substr(text, 1, RSTART - 1)\n"
	"        }\n"
	"        print text tail\n"
	"      }' \"$file\" >\"weighted/$run-$part\"\n"
	"    echo \"weighted/$run-$part\" >>list\n"
	"  done <parts\n"
	"  shift 2\n"
	"done\n" MERGE_LISTED;

/* How a run's weight stands on the command line. */
enum weights { WEIGHTS_OPTION, WEIGHTS_ARGUMENT, WEIGHTS_NONE };

static long long weight_of(const json_t *part)
{
	json_t *weight = json_object_get(part, "weight");

	return json_is_integer(weight) ? json_integer_value(weight) : 1;
}

static int lower_parts(struct lowering *lowering, enum weights weights, struct err *err)
{
	const json_t *list = option_list(lowering, "profiles");
	size_t n = json_array_size(list);

	if (n == 0)
		return lower_refuse(lowering, err, "profiles must name at least one run");
	for (size_t i = 0; i < n; i++) {
		const json_t *part = json_array_get(list, i);
		long long w = weight_of(part);
		const char *at = arena_fmt(lowering->arena, "prof/%zu", i);

		if (w < 1)
			return lower_refuse(lowering, err, "profiles[%zu].weight must be 1 or more",
			                    i + 1);
		lower_input(lowering, at, lower_ref(lowering, json_object_get(part, "from")));
		if (weights == WEIGHTS_OPTION)
			at = arena_fmt(lowering->arena, "--weighted-input=%lld,%s", w, at);
		else if (weights == WEIGHTS_ARGUMENT)
			lower_arg(lowering, arena_fmt(lowering->arena, "%lld", w));
		lower_arg(lowering, at);
	}
	return 0;
}

static bool all_weigh_one(const struct lowering *lowering)
{
	const json_t *list = option_list(lowering, "profiles");
	size_t i;
	json_t *part;

	json_array_foreach ((json_t *)list, i, part)
		if (weight_of(part) != 1)
			return false;
	return true;
}

static int lower_profdata(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                          struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, profdata_script);
	lower_arg(&l, "sh");
	lower_arg(&l, option_str(&l, "tool"));
	lower_arg(&l, arena_fmt(arena, "%lld", (long long)option_int(&l, "functions", 1)));
	if (lower_parts(&l, WEIGHTS_OPTION, err) < 0)
		goto fail;
	lower_output(&l, "merged.profdata", true);
	lower_output(&l, "summary.txt", true);
	lowering_finish(&l, ret);
	return 0;
fail:
	lowering_deinit(&l);
	return -1;
}

static int lower_fdata(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                       struct err *err)
{
	struct lowering l;
	bool plain;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	plain = all_weigh_one(&l);
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, plain ? fdata_script : weighted_fdata_script);
	lower_arg(&l, "sh");
	lower_arg(&l, option_str(&l, "tool"));
	if (lower_parts(&l, plain ? WEIGHTS_NONE : WEIGHTS_ARGUMENT, err) < 0)
		goto fail;
	lower_env(&l, "LC_ALL", "C");
	lower_output(&l, "merged.fdata", true);
	lowering_finish(&l, ret);
	return 0;
fail:
	lowering_deinit(&l);
	return -1;
}

const struct stage_kind stage_profdata_merge = {
	.name = "profdata-merge",
	.doc = "merges compiler profiles of several runs; output merged.profdata",
	.fields = profdata_fields,
	.lower = lower_profdata,
	.advice = "every training run must end by itself, and train what is hot: see their "
		  "logs, add runs to train, or lower functions = in fdo { }",
};
const struct stage_kind stage_fdata_merge = {
	.name = "fdata-merge",
	.doc = "merges and sorts BOLT profiles of several runs; output merged.fdata",
	.fields = fdata_fields,
	.lower = lower_fdata,
	.advice =
		"every training run must end by itself, and run the program: see their logs (bins = { … } in "
		"run { } says what a script runs); bolt = false ships without BOLT",
};
