#ifndef KILN_CLI_SHELLS_H
#define KILN_CLI_SHELLS_H

/* The shells that completion knows, NULL-ended, and the script for each, in the same order. */
extern const char *const shell_names[];
extern const char *const shell_scripts[];

#endif
