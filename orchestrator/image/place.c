/* A folder of images: STORE/images/<hex>/{root/, complete}. */
#include "image/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/failpoint.h"
#include "host/fs.h"
#include "host/lock.h"
#include "image/image.h"
#include "sandbox/identity.h"

enum { MARKER_MOST = 16 << 20 };

/* The oldest time that every archive format can say. */
enum { IMAGE_MTIME = 315532800 };

static const char marker_schema[] = "kiln.image/1";

static char *place_of(struct store *store, const char *hex)
{
	return str_fmt("%s/images/%s", store_dir(store), hex);
}

char *image_place_root(struct store *store, const struct digest *tree)
{
	return str_fmt("%s/images/%s/root", store_dir(store), DIGEST_TEXT(tree));
}

/* The marker of a complete image, or NULL. */
static json_t *read_marker(struct store *store, const char *hex)
{
	_cleanup_free_ char *place = place_of(store, hex);
	_cleanup_free_ char *path = path_join(place, "complete");
	_cleanup_json_ json_t *marker = NULL;
	struct err ignored = ERR_INIT;
	json_int_t uid = -1;

	if (json_read_file(AT_FDCWD, path, &marker, &ignored) != 0 ||
	    !str_eq(json_str_or(marker, "schema", ""), marker_schema) ||
	    json_get_int(marker, "uid", path, &uid, &ignored) < 0 ||
	    uid != (json_int_t)sandbox_uid())
		return NULL;
	return steal(marker);
}

json_t *image_place_info(struct store *store, const struct digest *tree)
{
	return digest_is_none(tree) ? NULL : read_marker(store, DIGEST_TEXT(tree));
}

void image_place_unpacker(struct unpacker *unpacker, int root_fd)
{
	unpacker_init(unpacker, root_fd, sandbox_drops() ? (int64_t)sandbox_uid() : -1,
	              sandbox_drops() ? (int64_t)sandbox_gid() : -1, IMAGE_MTIME);
}

bool image_place_has(struct store *store, const struct digest *tree, const json_t *section)
{
	_cleanup_json_ json_t *marker = image_place_info(store, tree);
	const json_t *lock = json_object_get(marker, "lock");

	return marker &&
	       json_equal(json_object_get(lock, "packages"),
	                  json_object_get(section, "packages")) &&
	       json_equal(json_object_get(lock, "files"), json_object_get(section, "files"));
}

static int write_marker(const char *fresh, const struct image_place_info *info, struct err *err)
{
	_cleanup_free_ char *path = path_join(fresh, "complete");
	_cleanup_buf_ struct buf text = BUF_INIT(MARKER_MOST);
	_cleanup_json_ json_t *marker = json_object();

	json_object_set_new(marker, "schema", json_string(marker_schema));
	json_object_set_new(marker, "name", json_string(info->name));
	json_object_set_new(marker, "architecture", json_string(info->arch));
	json_object_set_new(marker, "manifest", json_string(DIGEST_TEXT(&info->manifest.digest)));
	json_object_set_new(marker, "manifest_size", json_integer((json_int_t)info->manifest.size));
	json_object_set_new(marker, "nodes", json_integer((json_int_t)info->nodes));
	json_object_set_new(marker, "bytes", json_integer((json_int_t)info->bytes));
	json_object_set_new(marker, "uid", json_integer((json_int_t)sandbox_uid()));
	json_object_set_new(marker, "imported", json_boolean(info->imported));
	json_object_set(marker, "lock", (json_t *)info->section);
	json_object_set(marker, "container", (json_t *)info->container);
	json_write_pretty(marker, &text);
	return fs_write_file(AT_FDCWD, path, buf_text(&text), text.n, 0644, true, err);
}

/* A file's word never replaces what is known from having made the tree here. */
static int say_anew(const char *place, const json_t *marker, const struct image_place_info *info,
                    struct err *err)
{
	struct image_place_info said = *info;

	if (info->imported && json_is_false(json_object_get(marker, "imported")))
		return 0;
	/* One image may be what two names mean; it keeps the one by which it is listed. */
	said.name = json_str_or(marker, "name", info->name);
	return write_marker(place, &said, err);
}

/* One process at a time puts this tree in place: none removes what another has just completed. */
static int lock_place(struct store *store, const struct digest *tree, int *ret_lock,
                      struct err *err)
{
	_cleanup_free_ char *locks = path_join(store_dir(store), "locks");
	_cleanup_free_ char *file = str_fmt("%s/image-place-%s", locks, DIGEST_TEXT(tree));

	if (fs_make_dirs(AT_FDCWD, locks, 0700, err) < 0)
		return -1;
	return lock_file(AT_FDCWD, file, true, true, ret_lock, err);
}

int image_place(struct store *store, const char *fresh, int root_fd,
                const struct image_place_info *info, struct err *err)
{
	_cleanup_free_ char *place = place_of(store, DIGEST_TEXT(&info->tree));
	_cleanup_json_ json_t *marker = NULL;
	_cleanup_fd_ int lock = -1;
	struct err fault = ERR_INIT;

	if (failpoint("image-sync") || syncfs(root_fd) < 0)
		return err_sys(err, ERR_IO, "cannot make image %s durable", info->name);
	if (write_marker(fresh, info, err) < 0 || lock_place(store, &info->tree, &lock, err) < 0)
		return -1;
	marker = image_place_info(store, &info->tree);
	if (marker) /* the same tree, made of other packages: what is said about it changes */
		return say_anew(place, marker, info, err);
	if (fs_remove_tree(AT_FDCWD, place, err) < 0)
		return -1;
	if (!failpoint("image-place") && rename(fresh, place) == 0)
		return 0;
	err_sys(&fault, ERR_IO, "cannot put image %s in place", info->name);
	marker = image_place_info(store, &info->tree); /* another process was first? */
	if (marker)
		return say_anew(place, marker, info, err);
	*err = fault;
	return -1;
}

int image_place_remove(struct store *store, const struct digest *tree, struct err *err)
{
	_cleanup_free_ char *place = place_of(store, DIGEST_TEXT(tree));
	_cleanup_free_ char *marker = path_join(place, "complete");

	if (fs_remove_tree(AT_FDCWD, marker, err) < 0 || fs_remove_tree(AT_FDCWD, place, err) < 0)
		return err_while(err, "removing the image sha256:%s", DIGEST_TEXT(tree));
	return 0;
}

int image_place_sweep(struct store *store, struct err *err)
{
	_cleanup_free_ char *images = path_join(store_dir(store), "images");
	struct fs_names names = { 0 };
	int rc = fs_list(AT_FDCWD, images, &names, err);

	for (size_t i = 0; rc == 0 && i < names.names.n; i++) {
		_cleanup_free_ char *place = path_join(images, names.names.v[i]);
		_cleanup_free_ char *marker = path_join(place, "complete");

		if (!fs_exists(AT_FDCWD, marker))
			rc = fs_remove_tree(AT_FDCWD, place, err);
	}
	fs_names_deinit(&names);
	return rc < 0 ? -1 : 0;
}

void image_entries_deinit(struct image_entries *entries)
{
	for (size_t i = 0; i < entries->list.n; i++)
		json_cleanup(&entries->list.v[i].info);
	array_deinit(&entries->list);
}

int image_list(struct store *store, struct image_entries *ret, struct err *err)
{
	_cleanup_free_ char *images = path_join(store_dir(store), "images");
	struct fs_names names = { 0 };

	if (fs_list(AT_FDCWD, images, &names, err) < 0)
		return -1;
	for (size_t i = 0; i < names.names.n; i++) {
		struct image_entry *entry;
		struct digest digest;
		json_t *marker;

		if (!digest_parse(names.names.v[i], &digest))
			continue;
		marker = read_marker(store, names.names.v[i]);
		if (!marker)
			continue;
		entry = array_add(&ret->list);
		digest_hex(&digest, entry->hex);
		entry->info = marker;
	}
	fs_names_deinit(&names);
	return 0;
}
