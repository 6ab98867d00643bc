#ifndef KILN_MODEL_FACTS_H
#define KILN_MODEL_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "external/json.h"
#include "model/tree.h"

/*
 * What a plan depends on besides the recipe: small typed facts, each known before the plan is
 * made. plan = f(recipe, facts), pure. Maps own nothing; values live in the caller's arena.
 */
struct fact_leaf {
	struct tree_node node; /* a folder or a file */
	const json_t *about;   /* date, version, uri, digest; NULL: nothing */
};

struct fact_image {
	struct digest tree;
	const char *compiler; /* versions of the packages that profiles depend on, one text */
};

/* A profile that the lock pins. */
struct fact_pin {
	struct tree_node file;
	struct digest identity; /* what it was trained on: see plan/identity.h */
};

struct facts {
	int64_t epoch;        /* SOURCE_DATE_EPOCH of the release */
	const char *arch;     /* Debian's name of the machine's architecture: "amd64" */
	struct map *leaves;   /* id → struct fact_leaf */
	struct map *images;   /* container name → struct fact_image */
	struct map *pins;     /* profile id → struct fact_pin */
	struct map *verdicts; /* triple → const json_t verdict that the lock pins */
	bool branch_stacks;   /* the machine probe found LBR, BRBE or AMD's LBR v2 */
	const char *profiler; /* the probe's sentence: what it found, for the plan */
};

#endif
