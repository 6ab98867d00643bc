/*
 * Reads an exported image. Nothing in the file is believed: packages count by the digests of its
 * lock section, nodes by the manifest, the manifest by the tree's digest.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/archive_read.h"
#include "external/crypto.h"
#include "host/fs.h"
#include "host/lock.h"
#include "host/tmpfile.h"
#include "image/bundle.h"
#include "image/place.h"
#include "image/section.h"
#include "image/tree.h"

enum { MANIFEST_MOST = 256 << 20, HEAD_MOST = 16 << 20, CHUNK = 1 << 17 };

struct import {
	struct store *store;
	const char *path;
	struct unarchive *archive;
	json_t *head;
	const char *name, *arch;
	struct image_definition definition;
	struct image_section section;
	struct blob_ref manifest;
	struct image_tree tree;
	bool *seen;  /* per node of the tree */
	char *fresh; /* the folder the tree is unpacked in */
	int root, lock;
	struct unpacker unpacker;
	uint64_t bytes;
	char *chunk;
};

static int malformed(struct import *import, struct err *err, const char *text)
{
	return err_set(err, ERR_INPUT, "%s: not an exported image: %s", import->path, text);
}

/* Names that may be shown and stand in paths. */
static bool is_plain(const char *word)
{
	return word[0] && word[0] != '.' && word[0] != '-' &&
	       word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                         "._+-")] == '\0';
}

/* The next entry must be this file. */
static int expect(struct import *import, const char *name, struct buf *buf, struct err *err)
{
	struct unarchive_entry entry;
	size_t n = 0;
	int rc = unarchive_next(import->archive, &entry, err);

	if (rc < 0)
		return -1;
	if (rc > 0 || !str_eq(entry.path, name) || entry.kind != UNARCHIVE_FILE)
		return malformed(import, err,
		                 "it does not begin with kiln-image.json and manifest");
	for (;;) {
		if (unarchive_read(import->archive, import->chunk, CHUNK, &n, err) < 0)
			return -1;
		if (n == 0)
			return buf->overflow ? malformed(import, err, "its head is too large") : 0;
		buf_add(buf, import->chunk, n);
	}
}

static int read_head(struct import *import, struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(HEAD_MOST), manifest = BUF_INIT(MANIFEST_MOST);
	struct digest digest;

	if (expect(import, "kiln-image.json", &text, err) < 0 ||
	    expect(import, "manifest", &manifest, err) < 0 ||
	    json_parse(buf_text(&text), text.n, "kiln-image.json", &import->head, err) < 0 ||
	    json_get_str(import->head, "name", import->path, &import->name, err) < 0 ||
	    json_get_str(import->head, "architecture", import->path, &import->arch, err) < 0)
		return -1;
	if (!str_eq(json_str_or(import->head, "schema", ""), "kiln.image.export/1"))
		return malformed(import, err, "its schema is not kiln.image.export/1");
	if (!is_plain(import->name) || !is_plain(import->arch))
		return malformed(import, err, "its name or architecture is no plain word");
	if (image_definition_init(&import->definition, import->name,
	                          json_object_get(import->head, "container"), import->arch,
	                          err) < 0 ||
	    image_section_read(&import->section, &import->definition,
	                       json_object_get(import->head, "lock"), import->path, err) < 0)
		return -1;
	digest_of(buf_text(&manifest), manifest.n, &digest);
	if (!digest_eq(&digest, &import->section.tree))
		return err_set(err, ERR_INPUT,
		               "%s: its manifest has sha256:%s, but it claims the tree "
		               "sha256:%s",
		               import->path, DIGEST_TEXT(&digest),
		               DIGEST_TEXT(&import->section.tree));
	if (image_tree_parse(&import->tree, buf_str(&manifest), "manifest", err) < 0)
		return -1;
	import->seen = alloc_array(import->tree.nodes.n + 1, sizeof(*import->seen));
	return blobs_put(store_blobs(import->store), buf_text(&manifest), manifest.n,
	                 &import->manifest, err);
}

/* The package of the lock section with that digest, or NULL. */
static const struct deb *find_deb(const struct debs *debs, const struct digest *digest)
{
	for (size_t i = 0; i < debs->list.n; i++)
		if (digest_eq(&debs->list.v[i].ref.digest, digest))
			return &debs->list.v[i];
	return NULL;
}

/* The package that a member's name, packages/SHA256.deb, stands for; NULL: none of the section's. */
static const struct deb *named_package(const struct import *import, const char *name)
{
	const char *file = name + strlen("packages/");
	_cleanup_free_ char *hex = NULL;
	struct digest digest;
	const struct deb *deb;

	if (strlen(file) != DIGEST_HEX_LEN + strlen(".deb") || !str_ends(file, ".deb"))
		return NULL;
	hex = str_dup_n(file, DIGEST_HEX_LEN);
	if (!digest_parse(hex, &digest))
		return NULL;
	deb = find_deb(&import->section.packages, &digest);
	return deb ? deb : find_deb(&import->section.files, &digest);
}

/* What is there already is not read: a file that repeats itself costs nothing. */
static int take_package(struct import *import, const char *name, struct err *err)
{
	const struct deb *deb = named_package(import, name);
	_cleanup_fd_ int dir = -1, fd = -1;
	struct blob_ref ref, stored;

	if (!deb)
		return err_set(err, ERR_INPUT, "%s: its lock section names no package %s",
		               import->path, name);
	if (blobs_has(store_blobs(import->store), &deb->ref))
		return 0;
	if (fs_must(fs_open_dir(AT_FDCWD, store_dir(import->store), &dir, err),
	            store_dir(import->store), err) < 0 ||
	    tmpfile_open(dir, name, &fd, err) < 0 ||
	    unarchive_copy(import->archive, fd, name, deb->ref.size, NULL, &ref, err) < 0)
		return -1;
	if (!digest_eq(&ref.digest, &deb->ref.digest))
		return err_set(err, ERR_INPUT, "%s: %s has sha256:%s", import->path, name,
		               DIGEST_TEXT(&ref.digest));
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s again", name);
	return blobs_put_fd(store_blobs(import->store), fd, name, &stored, err);
}

/* Prepares the folder for the tree, alone. */
static int begin_tree(struct import *import, struct err *err)
{
	const char *hex = DIGEST_TEXT(&import->section.tree);
	_cleanup_free_ char *locks = path_join(store_dir(import->store), "locks");
	_cleanup_free_ char *file = str_fmt("%s/image-import-%s", locks, hex);
	_cleanup_free_ char *root = NULL;

	import->fresh = str_fmt("%s/images/.new-import-%s", store_dir(import->store), hex);
	root = path_join(import->fresh, "root");
	if (fs_make_dirs(AT_FDCWD, locks, 0700, err) < 0 ||
	    lock_file(AT_FDCWD, file, true, true, &import->lock, err) < 0 ||
	    fs_remove_tree(AT_FDCWD, import->fresh, err) < 0 ||
	    fs_make_dirs(AT_FDCWD, root, 0755, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, root, &import->root, err), root, err) < 0)
		return -1;
	image_place_unpacker(&import->unpacker, import->root);
	return unpacker_dir(&import->unpacker, "", err);
}

static int take_file(struct import *import, const struct image_node *node, struct err *err)
{
	struct blob_ref ref;
	int fd = -1;

	if (unpacker_open_file(&import->unpacker, node->path, (node->mode & 0111) != 0, &fd, err) <
	    0)
		return -1;
	if (unarchive_copy(import->archive, fd, node->path, node->ref.size, NULL, &ref, err) < 0) {
		fs_close(fd);
		return -1;
	}
	if (unpacker_close_file(&import->unpacker, node->path, fd, err) < 0)
		return -1;
	if (ref.size != node->ref.size || !digest_eq(&ref.digest, &node->ref.digest))
		return err_set(err, ERR_INPUT,
		               "%s: root/%s has sha256:%s, its manifest says sha256:%s",
		               import->path, node->path, DIGEST_TEXT(&ref.digest),
		               DIGEST_TEXT(&node->ref.digest));
	import->bytes += ref.size;
	return 0;
}

static int take_node(struct import *import, const char *path, const struct unarchive_entry *entry,
                     struct err *err)
{
	const struct image_node *node = image_tree_find(&import->tree, path);
	static const char kinds[] = { [UNARCHIVE_FILE] = 'f',
		                      [UNARCHIVE_DIR] = 'd',
		                      [UNARCHIVE_LINK] = 'l',
		                      [UNARCHIVE_HARD_LINK] = 'h',
		                      [UNARCHIVE_OTHER] = 'o' };
	size_t place;

	if (!node || node->kind != kinds[entry->kind] ||
	    (node->kind == 'l' && !str_eq(node->target, entry->target)))
		return err_set(err, ERR_INPUT, "%s: %s is not what its manifest says", import->path,
		               entry->path);
	place = (size_t)(node - import->tree.nodes.v);
	if (import->seen[place])
		return err_set(err, ERR_INPUT, "%s: %s is in it twice", import->path, entry->path);
	import->seen[place] = true;
	if (import->root < 0 && begin_tree(import, err) < 0)
		return -1;
	if (node->kind == 'd')
		return unpacker_dir(&import->unpacker, path, err);
	if (node->kind == 'l')
		return unpacker_link(&import->unpacker, path, entry->target, err);
	return take_file(import, node, err);
}

static int read_members(struct import *import, struct err *err)
{
	struct unarchive_entry entry;
	int rc;

	while ((rc = unarchive_next(import->archive, &entry, err)) == 0) {
		if (str_starts(entry.path, "packages/") && entry.kind == UNARCHIVE_FILE)
			rc = take_package(import, entry.path, err);
		else if (str_starts(entry.path, "root/"))
			rc = take_node(import, entry.path + 5, &entry, err);
		else
			rc = err_set(err, ERR_INPUT, "%s: it has the unknown member %s",
			             import->path, entry.path);
		if (rc < 0)
			return -1;
	}
	return rc < 0 ? -1 : 0;
}

static int place_tree(struct import *import, struct err *err)
{
	const struct image_place_info info = {
		.name = import->name,
		.arch = import->arch,
		.tree = import->section.tree,
		.manifest = import->manifest,
		.nodes = import->tree.nodes.n,
		.bytes = import->bytes,
		.section = json_object_get(import->head, "lock"),
		.container = json_object_get(import->head, "container"),
		.imported = true,
	};

	for (size_t i = 0; i < import->tree.nodes.n; i++)
		if (!import->seen[i])
			return err_set(err, ERR_INPUT, "%s: it ends without root/%s", import->path,
			               import->tree.nodes.v[i].path);
	if (unpacker_finish(&import->unpacker, err) < 0)
		return -1;
	return image_place(import->store, import->fresh, import->root, &info, err);
}

static int run(struct import *import, int fd, struct log *log, struct image *ret, struct err *err)
{
	struct image_request request = { .offline = true };

	import->chunk = alloc(CHUNK);
	image_tree_init(&import->tree);
	if (unarchive_open(fd, import->path, &import->archive, err) < 0 ||
	    read_head(import, err) < 0 || read_members(import, err) < 0)
		return -1;
	if (import->root >= 0 && place_tree(import, err) < 0)
		return -1;
	request.name = import->name;
	request.arch = import->arch;
	request.container = json_object_get(import->head, "container");
	request.lock = json_object_get(import->head, "lock");
	return image_ensure(import->store, &request, log, ret, err);
}

int image_import(struct store *store, const char *path, struct log *log, struct image *ret,
                 struct err *err)
{
	struct import import = { .store = store, .path = path, .root = -1, .lock = -1 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;
	int rc = fs_open(AT_FDCWD, path, &fd, err);

	if (rc > 0)
		return err_set(err, ERR_INPUT, "there is no file %s", path);
	if (rc == 0)
		rc = run(&import, fd, log, ret, err);
	if (import.root >= 0)
		unpacker_deinit(&import.unpacker);
	if (import.fresh)
		fs_remove_tree(AT_FDCWD, import.fresh, &ignored);
	fs_close(import.root);
	fs_close(import.lock);
	unarchive_free(import.archive);
	image_tree_deinit(&import.tree);
	image_section_deinit(&import.section);
	image_definition_deinit(&import.definition);
	json_cleanup(&import.head);
	free(import.seen);
	free(import.fresh);
	free(import.chunk);
	return rc < 0 ? err_while(err, "importing %s", path) : 0;
}
