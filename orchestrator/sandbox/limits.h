#ifndef KILN_SANDBOX_LIMITS_H
#define KILN_SANDBOX_LIMITS_H

#include <stdbool.h>

/*
 * Fixes what a build could otherwise learn from the shell Kiln was started in: resource limits,
 * personality, umask; and how soon it is ended when the machine is out of memory. A hard limit below
 * the fixed value stays. Never fails: what cannot be set is left.
 */
void sandbox_fix_limits(bool fixed_addresses);

#endif
