/*
 * Directories as Directory messages of the Remote Execution API. What is decoded is encoded again
 * and compared: one directory has one encoding, so one digest.
 */
#include "model/tree.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/messages.h"

/* One node in the shape protobuf-c packs. */
struct packed_node {
	union {
		Kiln__V1__FileNode file;
		Kiln__V1__DirectoryNode dir;
		Kiln__V1__SymlinkNode link;
	};
	struct message_digest digest;
};

static int node_cmp(const void *a, const void *b)
{
	return strcmp(((const struct tree_node *)a)->name, ((const struct tree_node *)b)->name);
}

/* Fills one node and puts it into its list. */
static void pack_node(const struct tree_node *node, struct packed_node *packed,
                      Kiln__V1__Directory *message)
{
	switch (node->kind) {
	case NODE_FILE:
		kiln__v1__file_node__init(&packed->file);
		packed->file.name = (char *)node->name;
		packed->file.is_executable = node->executable;
		message_digest_fill(&packed->digest, &node->ref);
		packed->file.digest = &packed->digest.message;
		message->files[message->n_files++] = &packed->file;
		return;
	case NODE_DIR:
		kiln__v1__directory_node__init(&packed->dir);
		packed->dir.name = (char *)node->name;
		message_digest_fill(&packed->digest, &node->ref);
		packed->dir.digest = &packed->digest.message;
		message->directories[message->n_directories++] = &packed->dir;
		return;
	case NODE_LINK:
		kiln__v1__symlink_node__init(&packed->link);
		packed->link.name = (char *)node->name;
		packed->link.target = (char *)node->target;
		message->symlinks[message->n_symlinks++] = &packed->link;
		return;
	}
	bug_on(true);
}

void tree_dir_encode(struct tree_dir *dir, struct buf *buf)
{
	_cleanup_free_ struct packed_node *packed = alloc_array(dir->n, sizeof(*packed));
	_cleanup_free_ void **lists = alloc_array(dir->n * 3, sizeof(*lists));
	Kiln__V1__Directory message = KILN__V1__DIRECTORY__INIT;

	if (dir->n > 1)
		qsort(dir->nodes, dir->n, sizeof(*dir->nodes), node_cmp);
	message.files = (void *)lists;
	message.directories = (void *)(lists + dir->n);
	message.symlinks = (void *)(lists + dir->n * 2);
	for (size_t i = 0; i < dir->n; i++) {
		bug_on(i > 0 && str_eq(dir->nodes[i - 1].name, dir->nodes[i].name));
		pack_node(&dir->nodes[i], &packed[i], &message);
	}
	message_pack(&message.base, buf);
}

/* Whether a name can stand in a directory. */
static bool name_is_good(const char *name)
{
	return name[0] && !strchr(name, '/') && path_is_tree(name) && str_is_utf8(str_of(name));
}

static bool target_is_good(const char *target)
{
	size_t n = strlen(target);

	return n > 0 && n < PATH_MAX && str_is_utf8((struct str){ target, n });
}

/* Copies the nodes of a message; false when one is malformed. */
static bool read_nodes(struct arena *arena, const Kiln__V1__Directory *message,
                       struct tree_node *nodes)
{
	struct tree_node *node = nodes;

	for (size_t i = 0; i < message->n_files; i++, node++) {
		const Kiln__V1__FileNode *file = message->files[i];

		*node = (struct tree_node){ .kind = NODE_FILE, .executable = file->is_executable };
		node->name = arena_str(arena, file->name);
		if (!message_digest_read(file->digest, &node->ref))
			return false;
	}
	for (size_t i = 0; i < message->n_directories; i++, node++) {
		const Kiln__V1__DirectoryNode *dir = message->directories[i];

		*node = (struct tree_node){ .kind = NODE_DIR };
		node->name = arena_str(arena, dir->name);
		if (!message_digest_read(dir->digest, &node->ref))
			return false;
	}
	for (size_t i = 0; i < message->n_symlinks; i++, node++) {
		const Kiln__V1__SymlinkNode *link = message->symlinks[i];

		*node = (struct tree_node){ .kind = NODE_LINK };
		node->name = arena_str(arena, link->name);
		node->target = arena_str(arena, link->target);
		if (!target_is_good(link->target))
			return false;
	}
	return true;
}

static bool is_canonical(struct str bytes, struct tree_dir *dir)
{
	_cleanup_buf_ struct buf again = BUF_INIT(bytes.n);

	if (dir->n > 1)
		qsort(dir->nodes, dir->n, sizeof(*dir->nodes), node_cmp);
	for (size_t i = 0; i < dir->n; i++) {
		if (!name_is_good(dir->nodes[i].name))
			return false;
		if (i > 0 && str_eq(dir->nodes[i - 1].name, dir->nodes[i].name))
			return false;
	}
	tree_dir_encode(dir, &again);
	return !again.overflow && str_same(buf_str(&again), bytes);
}

int tree_dir_decode(struct arena *arena, struct str bytes, struct tree_dir *ret, struct err *err)
{
	Kiln__V1__Directory *message =
		kiln__v1__directory__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	struct tree_dir dir = { 0 };
	bool good;

	if (!message)
		return err_set(err, ERR_IO, "the listing of a directory is corrupt");
	dir.n = message->n_files + message->n_directories + message->n_symlinks;
	dir.nodes = arena_array(arena, dir.n, sizeof(*dir.nodes));
	good = read_nodes(arena, message, dir.nodes);
	kiln__v1__directory__free_unpacked(message, NULL);
	if (!good || !is_canonical(bytes, &dir))
		return err_set(err, ERR_IO, "the listing of a directory is not canonical");
	*ret = dir;
	return 0;
}

void tree_empty_ref(struct blob_ref *ret)
{
	/* The SHA-256 of no bytes: a message without fields is empty. */
	static const struct blob_ref empty = {
		.digest.bytes = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4,
		                  0xc8, 0x99, 0x6f, 0xb9, 0x24, 0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b,
		                  0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55 },
		.size = 0,
	};

	*ret = empty;
}
