#ifndef KILN_CLI_EDITOR_H
#define KILN_CLI_EDITOR_H

#include "cli/command.h"

/* What editors read, below the project's root. */
#define EDITOR_FOLDER ".kiln/annotations"
#define EDITOR_SETTINGS ".luarc.json"

/*
 * Writes what language servers need into a project: EDITOR_FOLDER with the annotations of what
 * recipes can call and the schemas of the YAML files, as this Kiln has them, and EDITOR_SETTINGS,
 * which leads a Lua server there. Settings that are there already stay as they are:
 * *ret_kept says so.
 */
int editor_write(const char *project, bool *ret_kept, struct err *err);

#endif
