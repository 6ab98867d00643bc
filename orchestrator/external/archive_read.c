/*
 * Streaming reader over libarchive. Names are read under a UTF-8 character type, whatever locale
 * the program was started in: in the C locale libarchive would mangle what is not ASCII.
 */
#include "external/archive_read.h"

#include <locale.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/archive_calls.h"
#include "external/crypto.h"
#include "host/fs.h"

enum { BLOCK = 1 << 16, CHUNK = 1 << 17 };

struct unarchive {
	const struct archive_calls *calls;
	struct archive *in;    /* what is read */
	struct archive *outer; /* the .deb around it, or NULL */
	char *what;
	char *path, *target; /* of the current entry */
	locale_t names;      /* (locale_t)0 where the machine has no C.UTF-8 */
	char block[BLOCK];   /* what `outer` hands to `in` */
};

static int fail(struct unarchive *archive, struct archive *in, struct err *err)
{
	const char *text = archive->calls->archive_error_string(in);

	return err_set(err, ERR_INPUT, "%s: not a readable archive: %s", archive->what,
	               text ? text : "unknown fault");
}

/* NULL: libarchive is missing. */
static struct unarchive *reader_new(const char *what, struct err *err)
{
	const struct archive_calls *calls = archive_calls(err);
	struct unarchive *archive;

	if (!calls)
		return NULL;
	archive = alloc(sizeof(*archive));
	archive->calls = calls;
	archive->what = str_dup(what);
	archive->names = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
	archive->in = calls->archive_read_new();
	bug_on(!archive->in);
	calls->archive_read_support_format_tar(archive->in);
	calls->archive_read_support_format_gnutar(archive->in);
	calls->archive_read_support_filter_gzip(archive->in);
	calls->archive_read_support_filter_bzip2(archive->in);
	calls->archive_read_support_filter_xz(archive->in);
	calls->archive_read_support_filter_lzma(archive->in);
	calls->archive_read_support_filter_zstd(archive->in);
	return archive;
}

struct unarchive *unarchive_free(struct unarchive *archive)
{
	if (!archive)
		return NULL;
	archive->calls->archive_read_free(archive->in);
	if (archive->outer)
		archive->calls->archive_read_free(archive->outer);
	if (archive->names)
		freelocale(archive->names);
	free(archive->what);
	free(archive->path);
	free(archive->target);
	free(archive);
	return NULL;
}

int unarchive_open(int fd, const char *what, struct unarchive **ret, struct err *err)
{
	struct unarchive *archive = reader_new(what, err);

	if (!archive)
		return -1;
	if (archive->calls->archive_read_open_fd(archive->in, fd, BLOCK) != ARCHIVE_OK) {
		fail(archive, archive->in, err);
		unarchive_free(archive);
		return -1;
	}
	*ret = archive;
	return 0;
}

/* Hands the bytes of the .deb's member to the reader of the tar in it. */
static la_ssize_t read_member(struct archive *in, void *data, const void **ret_block)
{
	struct unarchive *archive = data;
	la_ssize_t n = archive->calls->archive_read_data(archive->outer, archive->block, BLOCK);

	*ret_block = archive->block;
	if (n < 0) {
		archive->calls->archive_set_error(
			in, archive->calls->archive_errno(archive->outer), "%s",
			archive->calls->archive_error_string(archive->outer));
		return -1;
	}
	return n;
}

static int find_member(struct unarchive *archive, const char *member, struct err *err)
{
	struct archive_entry *entry;
	int rc;

	while ((rc = archive->calls->archive_read_next_header(archive->outer, &entry)) ==
	       ARCHIVE_OK) {
		const char *name = archive->calls->archive_entry_pathname(entry);

		if (name && str_starts(name, member))
			return 0;
	}
	if (rc == ARCHIVE_EOF)
		return err_set(err, ERR_INPUT, "%s: not a Debian package: it has no %s",
		               archive->what, member);
	return fail(archive, archive->outer, err);
}

int unarchive_open_deb(int fd, const char *what, const char *member, struct unarchive **ret,
                       struct err *err)
{
	struct unarchive *archive = reader_new(what, err);

	if (!archive)
		return -1;
	archive->outer = archive->calls->archive_read_new();
	bug_on(!archive->outer);
	archive->calls->archive_read_support_format_ar(archive->outer);
	if (archive->calls->archive_read_open_fd(archive->outer, fd, BLOCK) != ARCHIVE_OK) {
		fail(archive, archive->outer, err);
		goto failed;
	}
	if (find_member(archive, member, err) < 0)
		goto failed;
	if (archive->calls->archive_read_open(archive->in, archive, NULL, read_member, NULL) !=
	    ARCHIVE_OK) {
		fail(archive, archive->in, err);
		goto failed;
	}
	*ret = archive;
	return 0;
failed:
	unarchive_free(archive);
	return -1;
}

/* "./usr/bin/" → "usr/bin"; refuses what is then no tree path. */
static int clean_path(struct unarchive *archive, const char *name, char **ret, struct err *err)
{
	const char *fault;
	char *path;
	size_t n;

	if (!name)
		return err_set(err, ERR_INPUT, "%s: an entry has no readable name", archive->what);
	while (name[0] == '.' && name[1] == '/') {
		name += 2;
		while (*name == '/')
			name++;
	}
	if (str_eq(name, "."))
		name = "";
	n = strlen(name);
	while (n > 0 && name[n - 1] == '/')
		n--;
	path = str_dup_n(name, n);
	fault = n == 0 && *name ? "is absolute" : path_tree_fault(path);
	if (fault) {
		err_set(err, ERR_INPUT, "%s: the path \"%s\" in the archive %s", archive->what,
		        name, fault);
		free(path);
		return -1;
	}
	free(*ret);
	*ret = path;
	return 0;
}

static enum unarchive_kind kind_of(const struct unarchive *archive, struct archive_entry *entry)
{
	switch (archive->calls->archive_entry_filetype(entry)) {
	case AE_IFREG:
		return UNARCHIVE_FILE;
	case AE_IFDIR:
		return UNARCHIVE_DIR;
	case AE_IFLNK:
		return UNARCHIVE_LINK;
	default:
		return UNARCHIVE_OTHER;
	}
}

static int take_entry(struct unarchive *archive, struct archive_entry *entry,
                      struct unarchive_entry *ret, struct err *err)
{
	const char *link = archive->calls->archive_entry_hardlink(entry);

	if (clean_path(archive, archive->calls->archive_entry_pathname(entry), &archive->path,
	               err) < 0)
		return -1;
	*ret = (struct unarchive_entry){
		.path = archive->path,
		.kind = link ? UNARCHIVE_HARD_LINK : kind_of(archive, entry),
		.mode = (uint32_t)archive->calls->archive_entry_mode(entry) & 07777,
		.uid = archive->calls->archive_entry_uid(entry),
		.gid = archive->calls->archive_entry_gid(entry),
	};
	if (link) {
		if (clean_path(archive, link, &archive->target, err) < 0)
			return -1;
		ret->target = archive->target;
	} else if (ret->kind == UNARCHIVE_LINK) {
		ret->target = archive->calls->archive_entry_symlink(entry);
		if (!ret->target)
			return err_set(err, ERR_INPUT, "%s: the link %s has no readable target",
			               archive->what, ret->path);
	} else if (ret->kind == UNARCHIVE_FILE) {
		ret->size = (uint64_t)archive->calls->archive_entry_size(entry);
	}
	return 0;
}

int unarchive_next(struct unarchive *archive, struct unarchive_entry *ret, struct err *err)
{
	locale_t before = archive->names ? uselocale(archive->names) : (locale_t)0;
	struct archive_entry *entry;
	int rc = archive->calls->archive_read_next_header(archive->in, &entry);

	if (rc == ARCHIVE_OK)
		rc = take_entry(archive, entry, ret, err);
	else if (rc == ARCHIVE_EOF)
		rc = UNARCHIVE_END;
	else
		rc = fail(archive, archive->in, err);
	if (before)
		uselocale(before);
	return rc;
}

int unarchive_read(struct unarchive *archive, void *p, size_t n, size_t *ret_n, struct err *err)
{
	la_ssize_t got = archive->calls->archive_read_data(archive->in, p, n);

	if (got < 0)
		return fail(archive, archive->in, err);
	*ret_n = (size_t)got;
	return 0;
}

int unarchive_copy(struct unarchive *archive, int fd, const char *path, uint64_t most,
                   struct buf *keep, struct blob_ref *ret, struct err *err)
{
	struct hasher *hasher = hasher_new();
	char *chunk = alloc(CHUNK);
	size_t n = 0;
	int rc;

	ret->size = 0;
	while ((rc = unarchive_read(archive, chunk, CHUNK, &n, err)) == 0 && n > 0) {
		if (n > most - ret->size) {
			rc = err_set(err, ERR_INPUT, "%s: %s is larger than it may be",
			             archive->what, path);
			break;
		}
		ret->size += n;
		hasher_add(hasher, chunk, n);
		if (keep)
			buf_add(keep, chunk, n);
		rc = fs_write_all(fd, chunk, n, path, err);
		if (rc < 0)
			break;
	}
	hasher_finish(hasher, &ret->digest);
	hasher_free(hasher);
	free(chunk);
	return rc;
}
