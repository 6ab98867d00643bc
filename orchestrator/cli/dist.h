#ifndef KILN_CLI_DIST_H
#define KILN_CLI_DIST_H

#include "cli/session.h"
#include "release/dist.h"

/* From a finished run to the release folder: gathers what release/ writes and signs. */
struct dist_options {
	const struct signer *signer; /* NULL: unsigned */
	bool replace;
	const char *out; /* folder that holds releases: "dist" */
	int64_t started; /* seconds since 1970 */
};

/* Returns 0 or DIST_SAME. *ret_dir is "OUT/NAME-VERSION", in the session's arena. */
int dist_from_run(struct session *session, const struct plan *plan,
                  const struct engine_result *result, const struct dist_options *options,
                  const char **ret_dir, struct dist_result *ret, struct err *err);

#endif
