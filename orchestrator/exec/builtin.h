#ifndef KILN_EXEC_BUILTIN_H
#define KILN_EXEC_BUILTIN_H

#include <stdio.h>

#include "base/err.h"
#include "external/json.h"

/*
 * Actions that Kiln itself carries out. A builtin runs shut into its work folder, which is / and
 * the current folder, as the build user, without network: it reads inputs there, writes declared
 * outputs there, and its standard output to `out`. Parameters too large for arguments are the input
 * file kiln.json; the environment is the action's. Its bytes must depend on these alone, and never
 * on the version of a library: a change in what it writes takes a new `version`.
 *
 * Returns 0, or -1 with err: ERR_STAGE or ERR_INPUT for the fault of what it was given, which fails
 * the stage with that text in its log.
 */
struct builtin {
	const char *name;
	int version;
	/* Fetches what lies outside the work folder and is needed there, a library for one: nothing of the
	 * machine can be reached later. The action's environment is not there yet. NULL: nothing. */
	int (*ready)(struct err *err);
	int (*run)(int workdir_fd, const char *const *argv, FILE *out, struct err *err);
};

/* NULL-ended. */
extern const struct builtin *const builtins[];
/* By "name@version", or NULL. */
const struct builtin *builtin_find(const char *name_at_version);

extern const struct builtin builtin_deb_ar, builtin_deb_members, builtin_smoke, builtin_tar;

/* The name of the parameter document. */
#define BUILTIN_PARAMS "kiln.json"
/* Reads it; ERR_INPUT where it is not there. */
int builtin_read_params(int workdir_fd, json_t **ret, struct err *err);

#endif
