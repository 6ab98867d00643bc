#ifndef KILN_STAGES_KINDS_H
#define KILN_STAGES_KINDS_H

#include "stages/stage.h"

/* The kinds, for the table in table.c alone. */
extern const struct stage_kind stage_bolt_instrument, stage_bolt_workload, stage_build,
	stage_compress, stage_deb_ar, stage_deb_members, stage_fdata_merge, stage_instrument,
	stage_llvm_bolt, stage_perf_record, stage_profdata_merge, stage_rebuild, stage_run,
	stage_smoke, stage_strip, stage_tar, stage_unseen, stage_workload, stage_zip;

#endif
