#ifndef KILN_STORE_CLOSURE_H
#define KILN_STORE_CLOSURE_H

#include "model/action.h"
#include "store/blobs.h"

/*
 * The blobs that something names, itself and through the directories that it names. What is not there
 * is passed over. A blob is told as often as it is named; below a directory it goes on where `tell`
 * says so, so that whoever counts may follow each directory once.
 */
enum closure_how {
	CLOSURE_WHOLE,   /* the blob, and of a directory all below it */
	CLOSURE_LISTING, /* of a directory the listings below it, without files */
};
typedef bool (*closure_fn)(void *data, const struct digest *digest, enum closure_how how);

struct closure {
	struct blobs *blobs;
	closure_fn tell;
	void *data;
};

/* Outputs, streams, and the action's own document with the listings of what it took. */
void closure_of_result(struct closure *c, const struct digest *action, const struct result *result);
/* A digest in some document: the blob, and where that is a directory all below it. */
void closure_of_digest(struct closure *c, const struct digest *digest);
/* Every digest (64 hexadecimal digits) in a text, without what these name. */
void closure_of_text(struct closure *c, const char *text, size_t n);

#endif
