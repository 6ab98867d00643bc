#ifndef KILN_STORE_INGEST_IMPL_H
#define KILN_STORE_INGEST_IMPL_H

#include "base/array.h"
#include "store/ingest.h"
#include "store/moves.h"

/* Inside of an ingest: ingest.c walks and gathers, ingest_files.c reads what was gathered. */

/* A file that is to be read. */
struct found_file {
	const char *dir;        /* of the file, below the root; NULL: it is itself what is taken */
	struct tree_node *node; /* its name; gets its content */
	struct stat st;         /* as it was listed */
};

struct ingest {
	struct blobs *blobs;
	struct arena *arena; /* until the end */
	const struct ingest_options *options;
	struct ingest_stamps *stamps; /* or NULL */
	enum err_code blame;          /* for what the content itself does wrong */
	int root;                     /* the folder that is taken, or that holds the file */
	const char *base;             /* its path below what the caller named it in */
	const char *shown;            /* what is taken, for messages */
	struct buf path;              /* below it, while walking */
	size_t files;                 /* taken so far */
	ARRAY(struct found_file) found;
};

/* The errors of an entry: `dir` as in struct found_file. Both return -1. */
int ingest_refuse(const struct ingest *in, const char *dir, const char *name, const char *why,
                  struct err *err);
int ingest_cannot(const struct ingest *in, const char *what, const char *dir, const char *name,
                  struct err *err);
/* Refuses what a tree cannot hold. */
int ingest_check(const struct ingest *in, const char *dir, const char *name, const struct stat *st,
                 struct err *err);
/* Reads all that was found so far, fills in the nodes, and forgets the list. */
int ingest_read_found(struct ingest *in, struct err *err);

#endif
