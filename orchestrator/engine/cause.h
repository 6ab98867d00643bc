#ifndef KILN_ENGINE_CAUSE_H
#define KILN_ENGINE_CAUSE_H

#include "engine/change.h"

/*
 * What changed arguments, variables, texts and places come of, out of two documents of what toolchains,
 * options and facts said: {"toolchain": {NAME: {…}}, "option": {…}, "fact": {…}, "library": TEXT}. A
 * difference of the documents is the cause of a change when putting the new text in the place of the
 * old one turns what was into what is. Documents that the store lacks say nothing.
 */
struct causes;

/* Everything in which two documents differ; never NULL, in the arena. */
struct causes *causes_between(struct arena *arena, struct blobs *blobs, const struct digest *before,
                              const struct digest *after);
void causes_find(const struct causes *causes, struct changes *changes);

#endif
