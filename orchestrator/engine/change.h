#ifndef KILN_ENGINE_CHANGE_H
#define KILN_ENGINE_CHANGE_H

#include "model/action.h"
#include "store/blobs.h"

/*
 * What differs between two actions, or between two trees, one change a leaf: the exact file, argument
 * or variable, with what it was and what it is.
 */
enum change_kind {
	CHANGE_FILE,  /* what: its path; before and after: "sha256:…", "-> target", "a folder" */
	CHANGE_TEXT,  /* what: where it is placed; before and after: what the recipe writes there */
	CHANGE_INPUT, /* what: where it is placed; came, went, or comes from something else */
	CHANGE_PLACE, /* what: the source or output that is placed elsewhere; before, after: where */
	CHANGE_PROFILE,  /* what: the profile that the lock pins */
	CHANGE_ARGUMENT, /* what: its number in the command line, counted from 1 */
	CHANGE_VARIABLE, /* what: its name */
	CHANGE_PACKAGE,  /* of the image; what: its name; before and after: versions */
	CHANGE_IMAGE,    /* digests of its tree */
	CHANGE_BUILTIN,  /* "name@version" */
	CHANGE_ARCHITECTURE,
	CHANGE_FOLDER,    /* where the command runs */
	CHANGE_OUTPUT,    /* what: its path */
	CHANGE_EXIT,      /* accepted exit codes */
	CHANGE_REJECT,    /* a text that the log must not hold */
	CHANGE_ADDRESSES, /* whether addresses of memory are fixed */
	CHANGE_STAGE,     /* what: a stage that gives, or may give, another output */
	CHANGE_KINDS,
};

struct explanation;

struct change {
	enum change_kind kind;
	const char *what;
	const char *before, *after; /* NULL: it was not there; is not there */
	const char *from;   /* FILE, INPUT: the source it belongs to; STAGE: the output; or NULL */
	const char *caused; /* what it comes of: "toolchain llvm-19: cc", "option jobs"; or NULL */
	const struct explanation *because; /* STAGE: why that one gives it */
};

enum { CHANGES_MOST = 1000 }; /* kept; the others are counted */

struct changes {
	struct arena *arena;
	struct change *list;
	size_t n, n_more, cap;
};

/* As in JSON: "file", "argument", … */
const char *change_kind_text(enum change_kind kind);
void changes_add(struct changes *changes, const struct change *change);

/* Everything but what is laid out as input, and the image's packages. */
void change_of_actions(struct changes *changes, const struct action *before,
                       const struct action *after);
/*
 * Every file, link and empty folder in which two nodes differ; NULL: there is none. `path` stands in
 * front of each name. A folder whose listing the store has lost is one change.
 */
void change_of_nodes(struct changes *changes, struct blobs *blobs, const char *from,
                     const char *path, const struct tree_node *before,
                     const struct tree_node *after);

/* Of the same content, kind and mode; the name aside. */
bool change_same_node(const struct tree_node *a, const struct tree_node *b);
/* "sha256:…" in the arena; NULL for none. */
const char *change_digest_text(struct arena *arena, const struct digest *digest);

#endif
