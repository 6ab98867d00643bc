#ifndef KILN_SNAPSHOT_RECORD_H
#define KILN_SNAPSHOT_RECORD_H

#include "snapshot/snapshot.h"

/*
 * A snapshot in the making: a nameless file that is filled while a run looks at things, and gets its
 * name when the run had nothing to do. Whatever cannot be recorded, or could change unseen, gives it
 * up: all calls are fine then, and do nothing. None of them fails.
 *
 * Stamps are those from before the content was read. A file that changed within the last moments could
 * change again without another stamp: it gives the snapshot up.
 */
struct snapshot_record;

/* Begins one in an open store, whose descriptor outlives it, before anything of the store is looked up.
 * `began_us` (the real clock) is before anything at all was looked at. Never NULL. */
struct snapshot_record *snapshot_record_new(int store_fd, const struct buf *key, int64_t began_us);
struct snapshot_record *snapshot_record_free(struct snapshot_record *record);

/* A folder by its whole path; entries follow by their names, none of them a folder. */
void snapshot_record_folder(struct snapshot_record *record, const char *path,
                            const struct stat *st);
void snapshot_record_entry(struct snapshot_record *record, const char *name, const struct stat *st);
/* What stands at a whole path, what that leads to through links, or only of which kind it is. */
void snapshot_record_file(struct snapshot_record *record, const char *path, const struct stat *st);
void snapshot_record_target(struct snapshot_record *record, const char *path,
                            const struct stat *st);
void snapshot_record_kind(struct snapshot_record *record, const char *path,
                          enum snapshot_kind kind);
void snapshot_record_blob(struct snapshot_record *record, const struct blob_ref *ref);

void snapshot_record_give_up(struct snapshot_record *record);
/* Ends it with all that was said and gives it its name, where it was not given up and nothing was changed in
 * the store. */
void snapshot_record_keep(struct snapshot_record *record, const struct buf *said);

#endif
