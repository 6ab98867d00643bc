#ifndef KILN_MODEL_DEFINITION_H
#define KILN_MODEL_DEFINITION_H

#include "base/digest.h"
#include "external/yaml.h"
#include "host/fs.h"
#include "model/schema.h"

/*
 * A YAML file that is known by name: a toolchain or a container. The project's own
 * .kiln/FOLDER/NAME.yaml comes first, then the one embedded in the program.
 */
struct definition {
	char *path; /* ".kiln/toolchains/x.yaml" or "toolchains/x.yaml" */
	bool embedded;
	struct digest digest; /* of the file's bytes */
	struct yaml_doc *yaml;
};

/* Outcome: no definition of that name. */
enum { DEFINITION_UNKNOWN = 1 };

void definition_deinit(struct definition *definition);

/*
 * Reads FOLDER/NAME.yaml and checks it against the table. `project` is the project's root folder,
 * or NULL for the embedded ones alone. Returns 0, DEFINITION_UNKNOWN, or -1 (ERR_INPUT with the
 * place in the file).
 */
int definition_load(const char *project, const char *folder, const char *name,
                    const struct schema_field *fields, struct definition *ret, struct err *err);
/* Sorted names of all there are. */
int definition_names(const char *project, const char *folder, struct fs_names *ret,
                     struct err *err);
/*
 * The error for DEFINITION_UNKNOWN: `what` is "toolchain" or "container". Names the nearest, or
 * all there are. Returns -1.
 */
int definition_refuse(const char *project, const char *folder, const char *what, const char *name,
                      struct err *err);

#endif
