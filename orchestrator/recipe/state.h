#ifndef KILN_RECIPE_STATE_H
#define KILN_RECIPE_STATE_H

#include <lua.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/map.h"
#include "host/fs.h"
#include "recipe/recipe.h"

/*
 * One evaluation: the sandboxed Lua state, the files it read and the document it builds. Internal
 * to recipe/.
 *
 * Lua skips cleanup attributes when it raises, so a binding is two functions: an inner one that
 * may own things, calls nothing of Lua that can raise, and returns int and err; and an outer one
 * that owns nothing and raises (state_raise) as its last statement.
 */
struct recipe_file {
	char *path;  /* as shown: tree path in the project, or "recipes/lib/x.lua" */
	char *chunk; /* Lua's chunk name: "@path", or "=kiln.x" */
	char *text;
	size_t n;
	bool embedded;
};

/* A place in a project file. */
struct place {
	const struct recipe_file *file; /* NULL: unknown */
	int line;
};

struct recipe_state {
	lua_State *L;
	const struct recipe_request *request;
	char *folder; /* the recipe's folder, a tree path; "" is the root */
	size_t memory, memory_most;
	size_t refused;          /* what the heap's cap said no to just now; 0: nothing */
	int failures;            /* how often that was the last word */
	struct place last_place; /* where the hook saw the recipe last */
	long long instructions;  /* left */
	bool exhausted;          /* the budget is gone: err says where, whatever pcall did since */
	struct err err;          /* of the last error that Kiln itself raised */
	struct map *files;       /* chunk name → struct recipe_file */
	struct map *addresses;   /* stage address → its "where", of `wheres` */
	struct map *wheres;      /* "where" of stages → the same text, owned */
	struct map *targets; /* target that stages name → json_t of the first such stage, owned */
	struct map *toolchains; /* NAME/TRIPLE → json_t, owned */
	json_t *document;
	bool declared;    /* kiln.recipe was called */
	size_t nodes;     /* JSON values that may still be held */
	size_t passing;   /* … that may still pass through stages, which are handed on one by one */
	size_t text_left; /* bytes of text that may still be in them */
	size_t printed;   /* bytes */
	void (*print)(void *data, const char *text);
	void *print_data;
	/* Takes each stage as it is declared; NULL: nobody does. */
	void (*stage)(void *data, const char *kind, const char *address, const char *where,
	              const json_t *options);
	void *stage_data;
};

int state_open(const struct recipe_request *request, struct recipe_state *state, struct err *err);
void state_close(struct recipe_state *state);
/* Runs the recipe; the document is then in state->document. */
int state_run(struct recipe_state *state, struct err *err);
struct recipe_state *state_of(lua_State *L);
/* state->err, cleared: for an inner half whose outer one raises it. */
struct err *state_err(struct recipe_state *state);
/* Raises state->err as a Lua error. Never returns. */
int state_raise(lua_State *L) __attribute__((noreturn));
/* The innermost line of a project file that is being run. Allocates nothing. */
struct place state_place(lua_State *L);
/*
 * What lies at a path below the project; never outside, whatever links say (ERR_INPUT). With ret_fd
 * a regular file is opened for reading as well, and nothing else is. Returns 0, or FS_MISSING.
 */
int state_look(const struct recipe_state *state, const char *path, int *ret_fd, struct stat *ret_st,
               struct err *err);
/* Reads a file once. Returns 0, or FS_MISSING. `path` is below the project. */
int state_read(struct recipe_state *state, const char *path, const struct recipe_file **ret,
               struct err *err);
const struct recipe_file *state_embedded(struct recipe_state *state, const char *module);
/* Notes a YAML or Lua file in the document's "files". */
void state_note_file(struct recipe_state *state, const char *path, const char *sha256,
                     bool embedded);
/* Notes that the recipe met what the rest of the document does not tell, so that nobody takes it for the same
 * another time. */
void state_unsure(const struct recipe_state *state);
/* Notes what was seen of a script in its "peeked". */
void state_note_peek(struct recipe_state *state, const char *path, const char *peeked);
/* Notes what a folder was found to hold in its "listed". */
void state_note_listing(struct recipe_state *state, const char *path, const struct fs_names *names);

#endif
