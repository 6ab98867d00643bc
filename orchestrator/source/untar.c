/* Tarballs of sources: the reader of external/ feeding the unpacker. */
#include "source/untar.h"

#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "external/archive_read.h"
#include "host/fs.h"
#include "source/unpack.h"

enum { NODES_MOST = 2000000 };

static const uint64_t bytes_most = (uint64_t)16 << 30;

struct untarring {
	struct unarchive *archive;
	struct unpacker unpacker;
	const char *what;
	uint64_t bytes, nodes;
};

static int take_file(struct untarring *u, const struct unarchive_entry *entry, struct err *err)
{
	struct blob_ref ref;
	int fd = -1;

	if (unpacker_open_file(&u->unpacker, entry->path, (entry->mode & 0100) != 0, &fd, err) < 0)
		return -1;
	/* All of it together may have so many bytes. */
	if (unarchive_copy(u->archive, fd, entry->path, bytes_most - u->bytes, NULL, &ref, err) <
	    0) {
		fs_close(fd);
		return -1;
	}
	u->bytes += ref.size;
	return unpacker_close_file(&u->unpacker, entry->path, fd, err);
}

static int take(struct untarring *u, const struct unarchive_entry *entry, struct err *err)
{
	if (++u->nodes > NODES_MOST)
		return err_set(err, ERR_INPUT, "%s: it has more than %d entries", u->what,
		               NODES_MOST);
	if (!*entry->path)
		return 0;
	switch (entry->kind) {
	case UNARCHIVE_FILE:
		return take_file(u, entry, err);
	case UNARCHIVE_DIR:
		return unpacker_dir(&u->unpacker, entry->path, err);
	case UNARCHIVE_LINK:
		return unpacker_link(&u->unpacker, entry->path, entry->target, err);
	case UNARCHIVE_HARD_LINK:
		return unpacker_hard_link(&u->unpacker, entry->path, entry->target, err);
	case UNARCHIVE_OTHER:
		break;
	}
	return err_set(err, ERR_INPUT, "%s: %s is neither file, folder nor link", u->what,
	               entry->path);
}

int untar(int fd, const char *what, int root, struct err *err)
{
	struct untarring u = { .what = what };
	struct unarchive_entry entry;
	int rc;

	if (unarchive_open(fd, what, &u.archive, err) < 0)
		return -1;
	unpacker_init(&u.unpacker, root, -1, -1, 0);
	while ((rc = unarchive_next(u.archive, &entry, err)) == 0)
		if (take(&u, &entry, err) < 0) {
			rc = -1;
			break;
		}
	unpacker_deinit(&u.unpacker);
	unarchive_free(u.archive);
	return rc < 0 ? err_while(err, "unpacking %s", what) : 0;
}

/* Whether an entry is `path`, or `path` within one top folder. */
static bool is_wanted(const struct unarchive_entry *entry, const char *path)
{
	const char *slash;

	if (entry->kind != UNARCHIVE_FILE)
		return false;
	if (str_eq(entry->path, path))
		return true;
	slash = strchr(entry->path, '/');
	return slash && str_eq(slash + 1, path);
}

int untar_one(int fd, const char *what, const char *path, struct buf *buf, struct err *err)
{
	struct unarchive *archive;
	struct unarchive_entry entry;
	char chunk[8192];
	size_t n = 0;
	int rc;

	if (unarchive_open(fd, what, &archive, err) < 0)
		return -1;
	while ((rc = unarchive_next(archive, &entry, err)) == 0)
		if (is_wanted(&entry, path))
			break;
	while (rc == 0 && (rc = unarchive_read(archive, chunk, sizeof(chunk), &n, err)) == 0 && n)
		buf_add(buf, chunk, n);
	unarchive_free(archive);
	if (rc == UNARCHIVE_END)
		return UNTAR_MISSING;
	if (rc == 0 && buf->overflow)
		return err_set(err, ERR_INPUT, "%s: %s is larger than %zu bytes", what, path,
		               buf->limit);
	return rc;
}
