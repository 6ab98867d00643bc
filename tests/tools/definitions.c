/*
 * usage: definitions toolchains|containers [PROJECT]
 * One line for each that there is, in the program and in PROJECT/.kiln: "NAME accepted", or "NAME
 * refused" and why. For comparing with what other programs make of the JSON Schemas.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "model/container.h"
#include "model/toolchain.h"

int main(int argc, char **argv)
{
	const char *project = argc > 2 ? argv[2] : NULL;
	struct fs_names names = { 0 };
	struct err err = ERR_INIT;
	bool toolchains = argc > 1 && str_eq(argv[1], "toolchains");

	if (argc < 2 || definition_names(project, argv[1], &names, &err) < 0) {
		fprintf(stderr, "definitions: %s\n", argc < 2 ? "what?" : err.cause);
		return 1;
	}
	for (size_t i = 0; i < names.names.n; i++) {
		const char *name = names.names.v[i];
		struct definition d = { 0 };
		struct err why = ERR_INIT;
		int rc = toolchains ? toolchain_load(project, name, &d, &why) :
		                      container_load(project, name, &d, &why);

		printf("%s %s%.*s\n", name, rc == 0 ? "accepted" : "refused ",
		       (int)strcspn(why.cause, "\n"), why.cause);
		definition_deinit(&d);
	}
	fs_names_deinit(&names);
	return 0;
}
