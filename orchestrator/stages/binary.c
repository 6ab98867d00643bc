/*
 * bolt-instrument, llvm-bolt, strip: one binary in, one binary out. BOLT prints its worst troubles
 * and ends with status 0; their texts are refused here.
 */
#include "base/path.h"
#include "stages/kinds.h"
#include "stages/options.h"

#define BINARY_FIELDS                                                                              \
	{ "binary", SCHEMA_REF, true, "the file to rewrite", NULL, NULL },                         \
		{ "tool", SCHEMA_STRING, true, "the tool's path in the image", NULL, NULL },       \
	{                                                                                          \
		"flags", SCHEMA_STRINGS, false, "further arguments", NULL, NULL                    \
	}

static const struct schema_field strip_fields[] = { BINARY_FIELDS, { 0 } };

static const struct schema_field instrument_fields[] = {
	BINARY_FIELDS,
	{ "runtime_library", SCHEMA_STRING, false,
	  "BOLT's instrumentation runtime for a foreign architecture", NULL, NULL },
	{ "profile", SCHEMA_STRING, false,
	  "a folder below prof for its counts; default: prof itself", NULL, NULL },
	{ 0 },
};

static const struct schema_field bolt_fields[] = {
	BINARY_FIELDS,
	{ "fdata", SCHEMA_REF, true, "the merged BOLT profile", NULL, NULL },
	{ 0 },
};

static int begin(struct lowering *lowering, const struct stage *stage, struct arena *arena,
                 struct err *err)
{
	if (lowering_begin(lowering, stage, arena, err) < 0) {
		lowering_deinit(lowering);
		return -1;
	}
	lower_input(lowering, "input", option_ref(lowering, "binary"));
	lower_arg(lowering, option_str(lowering, "tool"));
	return 0;
}

static int lower_strip(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                       struct err *err)
{
	struct lowering l;

	if (begin(&l, stage, arena, err) < 0)
		return -1;
	lower_args_of(&l, "flags");
	lower_arg(&l, "-o");
	lower_arg(&l, "stripped");
	lower_arg(&l, "input");
	lower_output(&l, "stripped", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

static int lower_instrument(const struct stage *stage, struct arena *arena,
                            struct stage_lowered *ret, struct err *err)
{
	struct lowering l;
	const char *library, *folder;

	if (begin(&l, stage, arena, err) < 0)
		return -1;
	library = option_str(&l, "runtime_library");
	lower_arg(&l, "input");
	lower_arg(&l, "-instrument");
	lower_arg(&l, "-o");
	lower_arg(&l, "instrumented");
	folder = option_str(&l, "profile");
	if (folder && (!folder[0] || !path_is_tree(folder))) {
		lower_refuse(&l, err, "profile must name a folder below prof");
		lowering_deinit(&l);
		return -1;
	}
	lower_arg(&l, arena_fmt(arena, "--instrumentation-file=/build/prof/%s%sp",
	                        folder ? folder : "", folder ? "/" : ""));
	lower_arg(&l, "--instrumentation-file-append-pid");
	if (library)
		lower_arg(&l, arena_fmt(arena, "--runtime-instrumentation-lib=%s", library));
	lower_args_of(&l, "flags");
	lower_reject(&l, "BOLT-ERROR");
	lower_output(&l, "instrumented", true);
	l.out.never_ships = true;
	lowering_finish(&l, ret);
	return 0;
}

static int lower_bolt(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                      struct err *err)
{
	struct lowering l;

	if (begin(&l, stage, arena, err) < 0)
		return -1;
	lower_input(&l, "profile.fdata", option_ref(&l, "fdata"));
	lower_arg(&l, "input");
	lower_arg(&l, "-o");
	lower_arg(&l, "bolted");
	lower_arg(&l, "-data=profile.fdata");
	lower_args_of(&l, "flags");
	lower_reject(&l, "BOLT-ERROR");
	lower_reject(&l, "invalid (possibly stale) profile");
	lower_reject(&l, "BOLT-INFO: 0 out of ");
	lower_output(&l, "bolted", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

const struct stage_kind stage_strip = {
	.name = "strip",
	.doc = "removes symbols; output stripped",
	.fields = strip_fields,
	.lower = lower_strip,
};
const struct stage_kind stage_bolt_instrument = {
	.name = "bolt-instrument",
	.doc = "adds BOLT's counters to a linked binary; output instrumented",
	.fields = instrument_fields,
	.lower = lower_instrument,
	.advice = "bolt = false in fdo { } ships without BOLT",
};
const struct stage_kind stage_llvm_bolt = {
	.name = "llvm-bolt",
	.doc = "re-lays a binary by a BOLT profile; a stale profile fails it; output bolted",
	.fields = bolt_fields,
	.lower = lower_bolt,
	.advice =
		"`kiln train` makes the profile anew; bolt_skip = { REGEX } leaves functions alone; "
		"bolt = false ships without BOLT",
};
