#ifndef KILN_PROFILE_HELDOUT_H
#define KILN_PROFILE_HELDOUT_H

#include "model/facts.h"
#include "model/recipe_doc.h"
#include "store/blobs.h"

/*
 * Held-out data that was trained on would measure what was learnt by heart. Compares by content what
 * the training runs are given with what the held-out runs are given, under whatever name, in folders
 * and in downloads; empty files do not count. The first file in both is ERR_INPUT with both places.
 * The recipe's leaves are facts already.
 */
int heldout_check(struct blobs *blobs, const struct recipe *recipe, const struct facts *facts,
                  struct err *err);

#endif
