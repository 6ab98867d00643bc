#ifndef KILN_PROFILE_PROBE_H
#define KILN_PROFILE_PROBE_H

#include <stdbool.h>

/*
 * Whether this machine can sample branch stacks (Intel LBR, AMD LBR v2, Arm BRBE) for unprivileged
 * user code: asked of the kernel by perf_event_open(2), before a build is paid for. `ret_sentence`
 * says what was found, for the plan; what becomes of each profile the plan says itself.
 */
bool profiler_probe(const char **ret_sentence);
/* The sentence for an errno of perf_event_open(2), 0: it can. Static. */
const char *profiler_sentence(int fault);

#endif
