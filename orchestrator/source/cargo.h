#ifndef KILN_SOURCE_CARGO_H
#define KILN_SOURCE_CARGO_H

#include "external/json.h"
#include "store/blobs.h"

/*
 * What a Cargo project depends on, as its lock says it, and the part of its source that cargo may
 * see where the network is.
 */

/*
 * The packages of a Cargo.lock that come from somewhere else, as an array sorted by name, version and
 * source: {"name", "version", "source", "checksum"}, the last where the lock has one. `shown` names
 * the file in errors (ERR_INPUT).
 */
int cargo_lock_read(struct str text, const char *shown, json_t **ret, struct err *err);
/*
 * The same packages as evidence names them: {"name", "version", "purl"} with "sha256" for those of a
 * registry and "commit" for those out of a git repository. A new reference.
 */
json_t *cargo_crates(const json_t *packages);
/*
 * The tree below `root` that names targets and dependencies and holds no code: Cargo.lock below
 * `dir` ("" is the top), every Cargo.toml, and an empty file for every *.rs.
 */
int cargo_stub_tree(struct blobs *blobs, const struct blob_ref *root, const char *dir,
                    struct blob_ref *ret, struct err *err);

#endif
