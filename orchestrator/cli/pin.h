#ifndef KILN_CLI_PIN_H
#define KILN_CLI_PIN_H

#include "cli/session.h"

/*
 * Writes the lock: images, sources, toolchains, and of each target in the plan the profiles (files
 * under kiln.profiles/ beside the lock) and the verdict. What the plan did not touch stays.
 */
int pin_write(struct session *session, const struct plan *plan, const struct engine_result *result,
              struct err *err);
/* The same in memory only: session->lock says what a lock written now would say. */
int pin_update(struct session *session, const struct plan *plan, const struct engine_result *result,
               struct err *err);

/* The verdict of a target: {"kind":"declared", ship, candidates, smoke: {VARIANT: {CASE: sha256}}}.
 * A new reference. */
int pin_verdict(struct session *session, const struct plan *plan,
                const struct engine_result *result, const struct recipe_target *target,
                json_t **ret, struct err *err);

/* The content of a profile that the plan wants, and its identity. */
int pin_profile_content(struct session *session, const struct plan *plan,
                        const struct engine_result *result, size_t i, struct tree_node *ret_node,
                        struct digest *ret_identity, struct err *err);
/* The profile's file name: NAME-TRIPLE.profdata or .fdata, or NAME-TRIPLE-WHICH.fdata. */
char *pin_profile_name(struct session *session, const struct recipe_profile *profile);

#endif
