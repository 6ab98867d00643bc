#ifndef KILN_MODEL_CARGO_H
#define KILN_MODEL_CARGO_H

#include "base/err.h"
#include "external/json.h"

/* What Cargo reads out of a package's manifest (doc.rust-lang.org/cargo/reference/manifest.html and
 * cargo-targets.html), without running it. `toml` is the manifest as external/toml.h gives it. */

/*
 * Adds the names of a package's programs to an array: those of [[bin]] tables, and those found by
 * their place where autobins is not off. Programs that need a feature are built on request alone and
 * left out. `files`: which of src/main.rs, src/bin/NAME.rs and src/bin/NAME/main.rs there are, NULL
 * at the end. A table without a name is ERR_INPUT that begins with its number.
 */
int cargo_programs(const json_t *toml, const char *package, const char *const *files, json_t *bins,
                   struct err *err);

/* A license field as an SPDX expression, in new memory: before there were any, "MIT/Apache-2.0" was a
 * choice. What is no expression either way is given back as it is written. */
char *cargo_license(const char *written);

#endif
