/* One pass over sorted paths: what has a common first part is a folder of its own. */
#include "store/flat.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "store/directory.h"

struct span {
	struct flat_entry *entries;
	size_t n;
	size_t depth; /* bytes of each path that lead here, with the slash */
};

/* Bytewise, but the slash comes first: a folder's files stand together. */
static int cmp_path(const void *a, const void *b)
{
	const char *x = ((const struct flat_entry *)a)->path;
	const char *y = ((const struct flat_entry *)b)->path;

	while (*x && *x == *y) {
		x++;
		y++;
	}
	if (*x == *y)
		return 0;
	if (*x == '\0' || *y == '\0')
		return *x == '\0' ? -1 : 1;
	if (*x == '/' || *y == '/')
		return *x == '/' ? -1 : 1;
	return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
}

static size_t part_length(const char *path)
{
	return strcspn(path, "/");
}

/* How many entries from `i` on lie in the folder that the first one's path names. */
static size_t folder_span(const struct span *span, size_t i, size_t part)
{
	const char *first = span->entries[i].path + span->depth;
	size_t n = 1;

	while (i + n < span->n &&
	       strncmp(span->entries[i + n].path + span->depth, first, part + 1) == 0)
		n++;
	return n;
}

static int clash(const char *path, struct err *err)
{
	return err_set(err, ERR_INPUT, "%s stands in a tree twice, or is a folder there as well",
	               path);
}

static int save(struct blobs *blobs, const struct span *span, struct blob_ref *ret,
                struct err *err);

/* One node of the folder, which covers *ret_n entries. Its name is for the caller to free. */
static int take(struct blobs *blobs, const struct span *span, size_t i, struct tree_node *ret,
                size_t *ret_n, struct err *err)
{
	const char *rest = span->entries[i].path + span->depth;
	size_t part = part_length(rest);

	*ret_n = 1;
	if (rest[part] == '\0') {
		*ret = span->entries[i].node;
	} else {
		const struct span below = { span->entries + i, folder_span(span, i, part),
			                    span->depth + part + 1 };

		*ret = (struct tree_node){ .kind = NODE_DIR };
		*ret_n = below.n;
		if (save(blobs, &below, &ret->ref, err) < 0)
			return -1;
	}
	ret->name = str_dup_n(rest, part);
	return 0;
}

static int save(struct blobs *blobs, const struct span *span, struct blob_ref *ret, struct err *err)
{
	struct tree_dir dir = { .nodes = alloc_array(span->n, sizeof(*dir.nodes)) };
	int rc = 0;

	for (size_t i = 0, n; i < span->n && rc == 0; i += n) {
		n = 1;
		rc = take(blobs, span, i, &dir.nodes[dir.n], &n, err);
		if (rc < 0)
			break;
		dir.n++;
		if (dir.n > 1 && str_eq(dir.nodes[dir.n - 1].name, dir.nodes[dir.n - 2].name))
			rc = clash(span->entries[i].path, err);
	}
	if (rc == 0)
		rc = directory_save(blobs, &dir, ret, err);
	for (size_t i = 0; i < dir.n; i++)
		free((char *)dir.nodes[i].name);
	free(dir.nodes);
	return rc;
}

int flat_save(struct blobs *blobs, struct flat_entry *entries, size_t n, struct blob_ref *ret_root,
              struct err *err)
{
	const struct span all = { entries, n, 0 };

	if (n > 1)
		qsort(entries, n, sizeof(*entries), cmp_path);
	return save(blobs, &all, ret_root, err);
}
