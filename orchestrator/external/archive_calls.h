#ifndef KILN_EXTERNAL_ARCHIVE_CALLS_H
#define KILN_EXTERNAL_ARCHIVE_CALLS_H

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"

/*
 * libarchive, loaded when an archive is read or written (external/late.h): it brings fourteen libraries,
 * XML and Unicode tables among them.
 */
#define ARCHIVE_CALLS(X)                                                                           \
	X(archive_entry_clear)                                                                     \
	X(archive_entry_copy_pathname)                                                             \
	X(archive_entry_copy_symlink)                                                              \
	X(archive_entry_filetype)                                                                  \
	X(archive_entry_free)                                                                      \
	X(archive_entry_gid)                                                                       \
	X(archive_entry_hardlink)                                                                  \
	X(archive_entry_mode)                                                                      \
	X(archive_entry_new)                                                                       \
	X(archive_entry_pathname)                                                                  \
	X(archive_entry_set_filetype)                                                              \
	X(archive_entry_set_gid)                                                                   \
	X(archive_entry_set_mtime)                                                                 \
	X(archive_entry_set_perm)                                                                  \
	X(archive_entry_set_size)                                                                  \
	X(archive_entry_set_uid)                                                                   \
	X(archive_entry_size)                                                                      \
	X(archive_entry_symlink)                                                                   \
	X(archive_entry_uid)                                                                       \
	X(archive_errno)                                                                           \
	X(archive_error_string)                                                                    \
	X(archive_read_data)                                                                       \
	X(archive_read_free)                                                                       \
	X(archive_read_new)                                                                        \
	X(archive_read_next_header)                                                                \
	X(archive_read_open)                                                                       \
	X(archive_read_open_fd)                                                                    \
	X(archive_read_support_filter_bzip2)                                                       \
	X(archive_read_support_filter_gzip)                                                        \
	X(archive_read_support_filter_lzma)                                                        \
	X(archive_read_support_filter_xz)                                                          \
	X(archive_read_support_filter_zstd)                                                        \
	X(archive_read_support_format_ar)                                                          \
	X(archive_read_support_format_gnutar)                                                      \
	X(archive_read_support_format_tar)                                                         \
	X(archive_set_error)                                                                       \
	X(archive_write_add_filter_none)                                                           \
	X(archive_write_close)                                                                     \
	X(archive_write_data)                                                                      \
	X(archive_write_free)                                                                      \
	X(archive_write_header)                                                                    \
	X(archive_write_new)                                                                       \
	X(archive_write_open)                                                                      \
	X(archive_write_set_bytes_in_last_block)                                                   \
	X(archive_write_set_format_ar_bsd)                                                         \
	X(archive_write_set_format_gnutar)                                                         \
	X(archive_write_set_format_pax_restricted)                                                 \
	X(archive_write_set_format_ustar)                                                          \
	X(archive_write_set_options)

struct archive_calls {
#define ARCHIVE_CALL(name) __typeof__(&(name)) name;
	ARCHIVE_CALLS(ARCHIVE_CALL)
#undef ARCHIVE_CALL
};

/* The calls, the same for everybody; NULL where the library is missing: ERR_MACHINE. */
const struct archive_calls *archive_calls(struct err *err);

#endif
