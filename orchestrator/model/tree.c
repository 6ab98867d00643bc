/*
 * Directories as Directory messages of the Remote Execution API. What is decoded is encoded again
 * and compared: one directory has one encoding, so one digest.
 *
 * A directory may have 100,000 entries, so a message is never there as a whole in protobuf-c's form: its
 * fields are lists only, and the encoding of such a message is its entries' encodings one behind the other
 * (Protocol Buffers, "Encoding", https://protobuf.dev/programming-guides/encoding/).
 */
#include "model/tree.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "external/messages.h"

/* In the order of their fields in the message. */
static const enum node_kind kinds[] = { NODE_FILE, NODE_DIR, NODE_LINK };

/* Wire type 2: a length and so many bytes. */
#define FIELD_TAG(number) ((char)((number) << 3 | 2))

static int node_cmp(const void *a, const void *b)
{
	return strcmp(((const struct tree_node *)a)->name, ((const struct tree_node *)b)->name);
}

/* ---- encoding ------------------------------------------------------------------------------ */

static void pack_file(const struct tree_node *node, struct buf *buf)
{
	Kiln__V1__Directory directory = KILN__V1__DIRECTORY__INIT;
	Kiln__V1__FileNode file = KILN__V1__FILE_NODE__INIT, *list = &file;
	struct message_digest digest;

	file.name = (char *)node->name;
	file.is_executable = node->executable;
	message_digest_fill(&digest, &node->ref);
	file.digest = &digest.message;
	directory.files = &list;
	directory.n_files = 1;
	message_pack(&directory.base, buf);
}

static void pack_dir(const struct tree_node *node, struct buf *buf)
{
	Kiln__V1__Directory directory = KILN__V1__DIRECTORY__INIT;
	Kiln__V1__DirectoryNode dir = KILN__V1__DIRECTORY_NODE__INIT, *list = &dir;
	struct message_digest digest;

	dir.name = (char *)node->name;
	message_digest_fill(&digest, &node->ref);
	dir.digest = &digest.message;
	directory.directories = &list;
	directory.n_directories = 1;
	message_pack(&directory.base, buf);
}

static void pack_link(const struct tree_node *node, struct buf *buf)
{
	Kiln__V1__Directory directory = KILN__V1__DIRECTORY__INIT;
	Kiln__V1__SymlinkNode link = KILN__V1__SYMLINK_NODE__INIT, *list = &link;

	link.name = (char *)node->name;
	link.target = (char *)node->target;
	directory.symlinks = &list;
	directory.n_symlinks = 1;
	message_pack(&directory.base, buf);
}

/* The message of a directory that has this node alone. */
static void pack_node(const struct tree_node *node, struct buf *buf)
{
	switch (node->kind) {
	case NODE_FILE:
		pack_file(node, buf);
		return;
	case NODE_DIR:
		pack_dir(node, buf);
		return;
	case NODE_LINK:
		pack_link(node, buf);
		return;
	}
	bug_on(true);
}

void tree_dir_encode(struct tree_dir *dir, struct buf *buf)
{
	if (dir->n > 1)
		qsort(dir->nodes, dir->n, sizeof(*dir->nodes), node_cmp);
	for (size_t i = 1; i < dir->n; i++)
		bug_on(str_eq(dir->nodes[i - 1].name, dir->nodes[i].name));
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
		for (size_t i = 0; i < dir->n; i++)
			if (dir->nodes[i].kind == kinds[k])
				pack_node(&dir->nodes[i], buf);
}

/* ---- decoding ------------------------------------------------------------------------------ */

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

/* One field of a message: tag, length and value. */
struct field {
	char tag;
	struct str whole, value;
};

/* Cuts the next field off. false: there is none of wire type 2 in the length that is left. */
static bool cut_field(struct str *rest, struct field *ret)
{
	size_t at = 1, n = 0;
	int shift = 0;
	unsigned char byte;

	do {
		if (at >= rest->n || shift > 28)
			return false;
		byte = (unsigned char)rest->p[at++];
		n |= (size_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80);
	if (n > rest->n - at)
		return false;
	*ret = (struct field){ rest->p[0], { rest->p, at + n }, { rest->p + at, n } };
	*rest = (struct str){ rest->p + at + n, rest->n - at - n };
	return true;
}

static bool read_file(struct arena *arena, struct str bytes, struct tree_node *ret)
{
	Kiln__V1__FileNode *file =
		kiln__v1__file_node__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	bool good = file && message_digest_read(file->digest, &ret->ref);

	if (good) {
		ret->kind = NODE_FILE;
		ret->executable = file->is_executable;
		ret->name = arena_str(arena, file->name);
	}
	kiln__v1__file_node__free_unpacked(file, NULL);
	return good;
}

static bool read_dir(struct arena *arena, struct str bytes, struct tree_node *ret)
{
	Kiln__V1__DirectoryNode *dir =
		kiln__v1__directory_node__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	bool good = dir && message_digest_read(dir->digest, &ret->ref);

	if (good) {
		ret->kind = NODE_DIR;
		ret->name = arena_str(arena, dir->name);
	}
	kiln__v1__directory_node__free_unpacked(dir, NULL);
	return good;
}

static bool read_link(struct arena *arena, struct str bytes, struct tree_node *ret)
{
	Kiln__V1__SymlinkNode *link =
		kiln__v1__symlink_node__unpack(NULL, bytes.n, (const uint8_t *)bytes.p);
	bool good = link && target_is_good(link->target);

	if (good) {
		ret->kind = NODE_LINK;
		ret->name = arena_str(arena, link->name);
		ret->target = arena_str(arena, link->target);
	}
	kiln__v1__symlink_node__free_unpacked(link, NULL);
	return good;
}

/* Of what kind of node a field of a Directory is; -1: of none. */
static int kind_of(const struct field *field)
{
	return field->tag == FIELD_TAG(1) ? NODE_FILE :
	       field->tag == FIELD_TAG(2) ? NODE_DIR :
	       field->tag == FIELD_TAG(3) ? NODE_LINK :
	                                    -1;
}

static bool read_node(struct arena *arena, const struct field *field, struct tree_node *ret)
{
	switch (kind_of(field)) {
	case NODE_FILE:
		return read_file(arena, field->value, ret);
	case NODE_DIR:
		return read_dir(arena, field->value, ret);
	case NODE_LINK:
		return read_link(arena, field->value, ret);
	default:
		return false;
	}
}

/* Whether a node may stand behind another one in a message, and in these bytes. */
static bool is_canonical(const struct tree_node *before, const struct tree_node *node,
                         struct str bytes, struct buf *again)
{
	buf_clear(again);
	pack_node(node, again);
	if (!name_is_good(node->name) || !str_same(buf_str(again), bytes))
		return false;
	return !before || before->kind < node->kind ||
	       (before->kind == node->kind && strcmp(before->name, node->name) < 0);
}

/* Sorts the nodes of all lists by name; false where a name stands in two. */
static bool join(struct tree_dir *dir)
{
	if (dir->n > 1)
		qsort(dir->nodes, dir->n, sizeof(*dir->nodes), node_cmp);
	for (size_t i = 1; i < dir->n; i++)
		if (str_eq(dir->nodes[i - 1].name, dir->nodes[i].name))
			return false;
	return true;
}

int tree_dir_decode(struct arena *arena, struct str bytes, struct tree_dir *ret, struct err *err)
{
	_cleanup_buf_ struct buf again = BUF_INIT(bytes.n);
	struct tree_dir dir = { 0 };
	struct str rest = bytes;
	struct field field;
	bool good = true;

	for (; rest.n; dir.n++)
		if (!cut_field(&rest, &field))
			return err_set(err, ERR_IO, "the listing of a directory is corrupt");
	dir.nodes = arena_array(arena, dir.n, sizeof(*dir.nodes));
	rest = bytes;
	for (size_t i = 0; good && i < dir.n; i++) {
		struct tree_node *node = &dir.nodes[i];

		good = cut_field(&rest, &field) && read_node(arena, &field, node) &&
		       is_canonical(i ? node - 1 : NULL, node, field.whole, &again);
	}
	if (!good || !join(&dir))
		return err_set(err, ERR_IO, "the listing of a directory is not canonical");
	*ret = dir;
	return 0;
}

const char *tree_pair_next(struct tree_pair *pair, const struct tree_node **ret_a,
                           const struct tree_node **ret_b)
{
	const struct tree_node *a = pair->at_a < pair->a->n ? &pair->a->nodes[pair->at_a] : NULL;
	const struct tree_node *b = pair->at_b < pair->b->n ? &pair->b->nodes[pair->at_b] : NULL;
	const int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);
	const struct tree_node *first = order <= 0 ? a : b;

	*ret_a = order <= 0 ? a : NULL;
	*ret_b = order >= 0 ? b : NULL;
	pair->at_a += *ret_a != NULL;
	pair->at_b += *ret_b != NULL;
	return first ? first->name : NULL;
}

/* ---- looking for names --------------------------------------------------------------------- */

/* The name of a node as it stands: it is the first field of each of the three messages. */
static bool cut_name(const struct field *field, struct str *ret)
{
	struct str rest = field->value;
	struct field name;

	if (!rest.n || !cut_field(&rest, &name) || name.tag != FIELD_TAG(1))
		return false;
	*ret = name.value;
	return true;
}

static int compare_names(struct str a, struct str b)
{
	int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

	return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Takes the node at the beginning of `rest` in; false where it may not stand behind the one before. */
static bool add_to_index(struct tree_index *index, struct str *rest, size_t i, int *kind,
                         struct str *before)
{
	size_t at = (size_t)(rest->p - index->bytes.p);
	struct field field;
	struct str name;
	int now;

	if (!cut_field(rest, &field) || !cut_name(&field, &name))
		return false;
	now = kind_of(&field);
	if (now < *kind || (now == *kind && i > 0 && compare_names(*before, name) >= 0))
		return false;
	index->at[i] = (uint32_t)at;
	for (int k = now; k <= NODE_LINK; k++)
		index->end[k] = i + 1;
	*kind = now;
	*before = name;
	return true;
}

int tree_index_read(struct arena *arena, struct str bytes, struct tree_index *ret, struct err *err)
{
	struct tree_index index = { .bytes = bytes };
	struct str rest = bytes, before = { 0 };
	struct field field;
	size_t n = 0;
	int kind = NODE_FILE;

	for (; rest.n && bytes.n <= UINT32_MAX; n++)
		if (!cut_field(&rest, &field))
			break;
	if (rest.n)
		return err_set(err, ERR_IO, "the listing of a directory is corrupt");
	index.at = arena_array(arena, n, sizeof(*index.at));
	rest = bytes;
	for (size_t i = 0; i < n; i++)
		if (!add_to_index(&index, &rest, i, &kind, &before))
			return err_set(err, ERR_IO, "the listing of a directory is not canonical");
	*ret = index;
	return 0;
}

/* The field of a name among the nodes of a kind. */
static bool find_field(const struct tree_index *index, enum node_kind kind, struct str name,
                       struct field *ret)
{
	size_t low = kind == NODE_FILE ? 0 : index->end[kind - 1], high = index->end[kind];

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		struct str rest = { index->bytes.p + index->at[middle],
			            index->bytes.n - index->at[middle] };
		struct str found;
		int order;

		bug_on(!cut_field(&rest, ret) || !cut_name(ret, &found));
		order = compare_names(name, found);
		if (order == 0)
			return true;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return false;
}

int tree_index_find(const struct tree_index *index, struct arena *arena, struct str name,
                    struct tree_node *ret, struct err *err)
{
	struct tree_node node = { 0 };
	size_t n = 0;

	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		struct field field;

		if (!find_field(index, kinds[k], name, &field))
			continue;
		if (++n > 1 || !read_node(arena, &field, &node) ||
		    !str_same(str_of(node.name), name) || !name_is_good(node.name))
			return err_set(err, ERR_IO, "the listing of a directory is not canonical");
	}
	if (n)
		*ret = node;
	return n ? 0 : TREE_LACKS;
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
