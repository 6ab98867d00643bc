#ifndef KILN_IMAGE_DEFINITION_H
#define KILN_IMAGE_DEFINITION_H

#include "base/array.h"
#include "base/digest.h"
#include "external/json.h"

/*
 * What a container definition asks for, for one build architecture. Strings point into the JSON
 * document, which the definition holds.
 */
struct image_file {
	const char *deb;  /* "NAME", "NAME:ARCH", "NAME:ARCH=VERSION" */
	const char *path; /* in the package */
	const char *to;   /* in the image */
};

struct image_definition {
	const char *name;
	json_t *json;
	const char *distribution, *suite;
	const char *snapshot; /* "20250901T000000Z" or NULL */
	ARRAY(const char *)
	architectures; /* the build architecture first; NULL-ended (n counts it not) */
	ARRAY(const char *) packages;
	ARRAY(struct image_file) files;
	struct digest digest; /* of the canonical document: another one means another image */
};

/* `name` outlives the definition. A malformed document is ERR_INPUT naming image and member. */
int image_definition_init(struct image_definition *ret, const char *name, const json_t *json,
                          const char *arch, struct err *err);
void image_definition_deinit(struct image_definition *definition);

/* Debian's name of this machine's architecture ("amd64"), or NULL for one Debian does not have. */
const char *image_machine_arch(void);

#endif
