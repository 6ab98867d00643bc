#ifndef KILN_STORE_FOLDER_H
#define KILN_STORE_FOLDER_H

#include "store/place.h"
#include "store/store.h"

/* ingest_node of a file of the user's: `dir`, absolute, is dirfd's path. */
int ingest_file(struct store *store, struct arena *arena, int dirfd, const char *dir,
                const char *path, const struct ingest_options *options, struct tree_node *ret,
                struct err *err);
/*
 * Takes a folder of the user's into the store. A file whose device, inode, size, mtime and ctime
 * are those it had when it was hashed last is not read again, provided that both times were older
 * than that reading by a margin (a file may change twice within one tick) and its blob is there.
 * What the content does wrong is ERR_INPUT unless options->blame says otherwise. Strings of the node
 * go to the arena. Returns 0 or PLACE_MISSING (also when `dir` is no folder).
 */
int ingest_folder(struct store *store, struct arena *arena, const char *dir,
                  const struct ingest_options *options, struct tree_node *ret, struct err *err);
/*
 * From now on, with `on`, a known file counts as taken in without a look at its blob: for who knows that all
 * were there and that nobody has changed the store since. Whoever uses the content looks then
 * (store_has_node), for a blob may be gone by what is none of Kiln's doing.
 */
void store_trust_stamps(struct store *store, bool on);
bool store_trusts_stamps(const struct store *store);
/* Something went wrong, and may be what was trusted: whoever comes next trusts nothing. */
void store_end_trust(struct store *store);

/*
 * What is looked at besides, for a snapshot (snapshot/record.h) where one is in the making: a file by its
 * whole path, through links, or that there is none; a folder with all its entries that are no folders, or,
 * with `below`, with all that is below it. What cannot be told so, a link in such a folder too, makes that
 * there will be none.
 */
bool store_is_recorded(const struct store *store);
void store_saw_file(struct store *store, const char *path);
void store_saw_folder(struct store *store, const char *path, bool below);
void store_saw_more(struct store *store);

#endif
