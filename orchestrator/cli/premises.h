#ifndef KILN_CLI_PREMISES_H
#define KILN_CLI_PREMISES_H

#include "cli/session.h"

/*
 * What toolchains, options, facts and Kiln's library say in this session, as a blob of the store: with
 * it a later `kiln explain` tells which field of what a changed argument comes of (engine/cause.h).
 */
int premises_keep(struct session *session, struct digest *ret, struct err *err);

#endif
