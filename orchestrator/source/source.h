#ifndef KILN_SOURCE_SOURCE_H
#define KILN_SOURCE_SOURCE_H

#include <stdbool.h>

#include "base/log.h"
#include "external/json.h"
#include "model/action.h"
#include "model/tree.h"
#include "store/store.h"

/*
 * Leaves: what a release is made from. A leaf is named by its pinned digest and brought in before
 * anything runs; what the store holds is not fetched again. Without a pin the answer of the first
 * time is kept, until `update`.
 */
/* Runs one action in an image, with network: what a package manager's own client fetches. It must
 * not see more than the action's inputs. */
struct source_runner {
	struct digest image; /* tree of the image, which is unpacked */
	const char *arch;    /* Debian's name of the machine's architecture */
	/* Returns 0 once the action was accepted, or SOURCE_RAN_BADLY: *ret_why is one line, the
	 * log what the program wrote, in a blob. Strings go to the arena. */
	int (*run)(void *data, struct arena *arena, struct action *action, struct result *ret,
	           const char **ret_why, struct err *err);
	void *data;
};
enum { SOURCE_RAN_BADLY = 1 };

struct source_request {
	const char *id;         /* of the leaf in the recipe */
	const json_t *leaf;     /* {"kind", "where", …} as in the recipe document */
	const char *recipe_dir; /* folders are relative to it */
	const char *mirror;     /* of Debian, named by the user, or NULL */
	bool committed;         /* a checkout is what HEAD holds; else what lies there */
	bool offline;
	bool update; /* ask again where nothing is pinned */
	int jobs;    /* -j: how many children may read files; 0: one for each processor */
	/* For kinds that fetch what another leaf asks for, in an image; else NULL. */
	const struct tree_node *source; /* that leaf's tree: the one that "source" names */
	const struct source_runner *runner;
};

struct source_result {
	struct tree_node node; /* a file or a folder; name "" */
	json_t *fact; /* {"uri","digest", "version" and "date" (epoch seconds) where known, and
	               * "resolved_on" where nothing pinned it} */
};

void source_result_deinit(struct source_result *result);

/* Whether the leaf of a recipe is what lies on this machine, looked at in every run: a folder, a checkout. */
bool source_lies_here(const json_t *leaf);

/*
 * Brings one leaf into the store. A digest that is not the pinned one, an unknown version, an
 * address that answers 404 are ERR_INPUT; a dead network or a broken transfer is ERR_IO.
 */
int source_fetch(struct store *store, const struct source_request *request, struct log *log,
                 struct source_result *ret, struct err *err);

#endif
