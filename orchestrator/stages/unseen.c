/*
 * unseen: how much of what the held-out runs execute lies in functions that no training run entered.
 * Both profiles are counts of the same instrumented programs, so that a function's counters can be
 * set side by side; the share is of all counts, not of functions: what is rare weighs little.
 */
#include "stages/kinds.h"
#include "stages/options.h"

static const struct schema_field part_fields[] = {
	{ "from", SCHEMA_REF, true, "the prof folder of one held-out run", NULL, NULL },
	{ 0 },
};

static const struct schema_field unseen_fields[] = {
	{ "trained", SCHEMA_REF, true, "the merged profile of the training runs", NULL, NULL },
	{ "profiles", SCHEMA_OBJECTS, true, "the held-out runs", NULL, part_fields },
	{ "tool", SCHEMA_STRING, true, "llvm-profdata of the image", NULL, NULL },
	{ 0 },
};

/* A name is written as it is but for what JSON escapes; the ten that count most are named. */
static const char unseen_script[] =
	"tool=$1; shift\n"
	"\"$tool\" merge --failure-mode=any -o held.profdata \"$@\"\n"
	"for side in trained held; do\n"
	"  \"$tool\" show --all-functions --counts $side.profdata >$side.txt\n"
	"done\n"
	"awk '\n"
	"  FNR == 1 { side++ }\n"
	"  /^  [^ ].*:$/ { name = substr($0, 3, length($0) - 3) }\n"
	"  /^    Block counts: \\[/ {\n"
	"    sum = 0; text = $0; sub(/^[^[]*\\[/, \"\", text)\n"
	"    n = split(text, counts, /, */)\n"
	"    for (i = 1; i <= n; i++) sum += counts[i]\n"
	"    if (side == 1) trained[name] += sum\n"
	"    else { held[name] += sum; all += sum }\n"
	"  }\n"
	"  END {\n"
	"    printf \"%.0f\\n\", all >\"all\"\n"
	"    for (name in held)\n"
	"      if (held[name] > 0 && !(trained[name] > 0)) printf \"%.0f %s\\n\", held[name], name\n"
	"  }' trained.txt held.txt | sort -k1,1nr -k2 >functions\n"
	"awk -v all=\"$(cat all)\" '\n"
	"  {\n"
	"    sum += $1; count = $1; name = substr($0, length($1) + 2)\n"
	"    if (NR > 10) next\n"
	"    gsub(/\\\\/, \"&&\", name); gsub(/\"/, \"\\\\\\\"\", name)\n"
	"    most = most (NR > 1 ? \",\" : \"\") \"{\\\"count\\\":\" count \",\\\"name\\\":\\\"\" name \"\\\"}\"\n"
	"  }\n"
	"  END {\n"
	"    if (!(all > 0)) { print \"the held-out runs count nothing\" >\"/dev/stderr\"; exit 1 }\n"
	"    printf \"{\\\"functions\\\":%d,\\\"millionths\\\":%.0f,\\\"most\\\":[%s],\", NR, sum / all * 1e6, most\n"
	"    print \"\\\"schema\\\":\\\"kiln.unseen/1\\\"}\"\n"
	"  }' functions >unseen.json\n";

static int add_parts(struct lowering *lowering, struct err *err)
{
	const json_t *list = option_list(lowering, "profiles");
	size_t n = json_array_size(list);

	if (n == 0)
		return lower_refuse(lowering, err, "profiles must name at least one run");
	for (size_t i = 0; i < n; i++) {
		const char *at = arena_fmt(lowering->arena, "prof/%zu", i);
		const json_t *from = json_object_get(json_array_get(list, i), "from");

		lower_input(lowering, at, lower_ref(lowering, from));
		lower_arg(lowering, at);
	}
	return 0;
}

static int lower_unseen(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                        struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0)
		goto fail;
	lower_input(&l, "trained.profdata", option_ref(&l, "trained"));
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, unseen_script);
	lower_arg(&l, "sh");
	lower_arg(&l, option_str(&l, "tool"));
	if (add_parts(&l, err) < 0)
		goto fail;
	lower_env(&l, "LC_ALL", "C");
	lower_output(&l, "unseen.json", true);
	lowering_finish(&l, ret);
	return 0;
fail:
	lowering_deinit(&l);
	return -1;
}

const struct stage_kind stage_unseen = {
	.name = "unseen",
	.doc = "how much of the held-out runs training never ran; output unseen.json",
	.fields = unseen_fields,
	.lower = lower_unseen,
	.advice = "the held-out runs must end by themselves under the counters too: see their logs",
};
