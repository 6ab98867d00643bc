#ifndef KILN_ENGINE_INPUTS_H
#define KILN_ENGINE_INPUTS_H

#include "engine/engine.h"

/*
 * The key of a node whose inputs are known: composes its input root, encodes the action, keeps its
 * bytes as a blob. A leaf or output that lacks the named path is ERR_INPUT with the stage's place.
 */
int inputs_key(struct blobs *blobs, const struct plan *plan, const struct facts *facts,
               const struct engine_node *nodes, size_t at, struct blob_ref *ret_action,
               struct err *err);

#endif
