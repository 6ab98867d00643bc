/*
 * Archives out, by libarchive. Its own file output pads to the block size for some kinds of file
 * and not for others, so the bytes go through a callback here; nothing is set on an entry that the
 * format could write down beyond what the caller gave.
 */
#include "external/archive.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "external/archive_calls.h"
#include "host/failpoint.h"
#include "host/fs.h"

struct archive_writer {
	const struct archive_calls *calls;
	struct archive *archive; /* NULL: it failed before it began */
	struct archive_entry *entry;
	int fd;
	const char *what;
	uint64_t left;     /* bytes that the member in progress still lacks */
	struct err failed; /* why nothing (more) can be written */
	bool discard;      /* the rest of the output goes nowhere */
};

enum { USTAR_NAME = 100, USTAR_PREFIX = 155 };
static const uint64_t USTAR_SIZE_MOST = 077777777777ull;

bool archive_ustar_fits(const struct archive_member *member)
{
	/* A folder's name gets a '/' at its end. */
	size_t n = strlen(member->name) + (member->kind == ARCHIVE_DIR);

	if (member->kind == ARCHIVE_LINK && strlen(member->link) > USTAR_NAME)
		return false;
	if (member->size > USTAR_SIZE_MOST || member->mtime < 0 ||
	    (uint64_t)member->mtime > USTAR_SIZE_MOST)
		return false;
	if (n <= USTAR_NAME)
		return true;
	for (const char *p = strchr(member->name, '/'); p; p = strchr(p + 1, '/')) {
		size_t prefix = (size_t)(p - member->name);

		if (prefix > 0 && prefix <= USTAR_PREFIX && n - prefix - 1 <= USTAR_NAME &&
		    n - prefix - 1 > 1)
			return true;
	}
	return false;
}

static bool is_ascii(const char *text)
{
	for (; text && *text; text++) {
		if (*text & 0x80)
			return false;
	}
	return true;
}

enum archive_format archive_tar_format(const struct archive_member *members, size_t n)
{
	bool fits = true, ascii = true;

	for (size_t i = 0; i < n; i++) {
		fits = fits && archive_ustar_fits(&members[i]);
		ascii = ascii && is_ascii(members[i].name) && is_ascii(members[i].link);
	}
	if (fits)
		return ARCHIVE_USTAR;
	return ascii ? ARCHIVE_PAX : ARCHIVE_PAX_BYTES;
}

/* Failures are kept here, not told to libarchive: a writer that failed is never freed whole there. */
static la_ssize_t write_out(struct archive *archive, void *data, const void *p, size_t n)
{
	struct archive_writer *writer = data;

	(void)archive;
	if (!writer->discard && fs_write_all(writer->fd, p, n, writer->what, &writer->failed) < 0)
		writer->discard = true;
	return (la_ssize_t)n;
}

int archive_ready(struct err *err)
{
	return archive_calls(err) ? 0 : -1;
}

static int set_format(const struct archive_calls *calls, struct archive *a,
                      enum archive_format format)
{
	int rc;

	if (format == ARCHIVE_AR_BSD)
		rc = calls->archive_write_set_format_ar_bsd(a);
	else if (format == ARCHIVE_USTAR)
		rc = calls->archive_write_set_format_ustar(a);
	else if (format == ARCHIVE_GNU)
		rc = calls->archive_write_set_format_gnutar(a);
	else
		rc = calls->archive_write_set_format_pax_restricted(a);
	/* Else names would be recoded from the locale's character set. */
	if (format == ARCHIVE_PAX_BYTES)
		rc |= calls->archive_write_set_options(a, "hdrcharset=BINARY");
	rc |= calls->archive_write_add_filter_none(a);
	return rc | calls->archive_write_set_bytes_in_last_block(a, 1);
}

struct archive_writer *archive_writer_new(int fd, enum archive_format format, const char *what)
{
	struct archive_writer *writer = alloc(sizeof(*writer));
	const struct archive_calls *calls = archive_calls(&writer->failed);
	int rc;

	writer->fd = fd;
	writer->what = what;
	if (!calls)
		return writer;
	writer->calls = calls;
	writer->archive = calls->archive_write_new();
	writer->entry = calls->archive_entry_new();
	bug_on(!writer->archive || !writer->entry);
	rc = set_format(calls, writer->archive, format);
	rc |= calls->archive_write_open(writer->archive, writer, NULL, write_out, NULL);
	bug_on(rc != ARCHIVE_OK);
	return writer;
}

struct archive_writer *archive_writer_free(struct archive_writer *writer)
{
	if (!writer)
		return NULL;
	writer->discard = true;
	if (writer->archive) {
		writer->calls->archive_entry_free(writer->entry);
		writer->calls->archive_write_free(writer->archive);
	}
	free(writer);
	return NULL;
}

static int fault(struct archive_writer *writer, const char *name, struct err *err)
{
	const char *text;

	if (writer->failed.code != ERR_NONE) {
		*err = err->code == ERR_NONE ? writer->failed : *err;
		return -1;
	}
	text = writer->calls->archive_error_string(writer->archive);
	return err_set(err, ERR_INPUT, "cannot put %s into %s: %s", name, writer->what,
	               text ? text : "unknown reason");
}

static int complete(const struct archive_writer *writer, const char *what, struct err *err)
{
	if (writer->left == 0)
		return 0;
	return err_set(err, ERR_IO, "%s: a file is %llu bytes shorter than it was at first", what,
	               (unsigned long long)writer->left);
}

int archive_writer_add(struct archive_writer *writer, const struct archive_member *member,
                       struct err *err)
{
	static const mode_t types[] = { S_IFREG, S_IFDIR, S_IFLNK };
	const struct archive_calls *calls = writer->calls;
	struct archive_entry *entry;

	if (!writer->archive)
		return fault(writer, member->name, err);
	if (complete(writer, writer->what, err) < 0)
		return -1;
	entry = calls->archive_entry_clear(writer->entry);
	calls->archive_entry_copy_pathname(entry, member->name);
	calls->archive_entry_set_filetype(entry, types[member->kind]);
	calls->archive_entry_set_perm(entry, (mode_t)member->mode);
	calls->archive_entry_set_uid(entry, 0);
	calls->archive_entry_set_gid(entry, 0);
	calls->archive_entry_set_mtime(entry, (time_t)member->mtime, 0);
	calls->archive_entry_set_size(entry,
	                              member->kind == ARCHIVE_FILE ? (la_int64_t)member->size : 0);
	if (member->kind == ARCHIVE_LINK)
		calls->archive_entry_copy_symlink(entry, member->link);
	if (calls->archive_write_header(writer->archive, entry) != ARCHIVE_OK || writer->discard)
		return fault(writer, member->name, err);
	writer->left = member->kind == ARCHIVE_FILE ? member->size : 0;
	return 0;
}

int archive_writer_data(struct archive_writer *writer, const void *p, size_t n, struct err *err)
{
	if (n > writer->left)
		return err_set(err, ERR_IO, "%s: a file is longer than it was at first",
		               writer->what);
	if (n > 0 && (writer->calls->archive_write_data(writer->archive, p, n) != (la_ssize_t)n ||
	              writer->discard))
		return fault(writer, "a file", err);
	writer->left -= n;
	return 0;
}

int archive_writer_copy(struct archive_writer *writer, int fd, const char *name, struct err *err)
{
	char chunk[65536];

	for (;;) {
		ssize_t n = failpoint("archive-copy") ? -1 : read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_sys(err, ERR_IO, "cannot read %s", name);
		if (n == 0)
			return complete(writer, name, err);
		if (archive_writer_data(writer, chunk, (size_t)n, err) < 0)
			return err_while(err, "packing %s", name);
	}
}

int archive_writer_file(struct archive_writer *writer, const char *name, unsigned int mode,
                        int64_t mtime, const void *p, size_t n, struct err *err)
{
	struct archive_member member = {
		.name = name,
		.kind = ARCHIVE_FILE,
		.mode = mode,
		.mtime = mtime,
		.size = n,
	};

	if (archive_writer_add(writer, &member, err) < 0)
		return -1;
	return archive_writer_data(writer, p, n, err);
}

int archive_writer_finish(struct archive_writer *writer, struct err *err)
{
	if (!writer->archive)
		return fault(writer, "the end", err);
	if (complete(writer, writer->what, err) < 0)
		return -1;
	if (writer->calls->archive_write_close(writer->archive) != ARCHIVE_OK || writer->discard)
		return fault(writer, "the end", err);
	return 0;
}
