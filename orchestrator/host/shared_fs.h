#ifndef KILN_HOST_SHARED_FS_H
#define KILN_HOST_SHARED_FS_H

/*
 * The name of the file system that an open file or folder is on, where other machines may write to it at
 * the same time (statfs(2), linux/magic.h): their locks, and memory that is mapped from its files, mean
 * nothing here. NULL where it is this machine's alone, or where that cannot be told, as with FUSE.
 */
const char *shared_fs_name(int fd);

#endif
