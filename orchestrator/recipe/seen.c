/* Noting and comparing stand side by side, so that both look in one way. */
#include "recipe/seen.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "external/crypto.h"
#include "snapshot/snapshot.h"

/* As a recipe sees it, which sees nothing outside of the project. */
static int open_seen(int project, const char *path, int flags, int *ret_fd)
{
	struct err ignored = ERR_INIT;

	return fs_open_beneath(project, path, flags, 0, false, ret_fd, &ignored);
}

/* A fifo or a device blocks nobody. */
enum { READ_ONLY = O_RDONLY | O_NONBLOCK | O_NOCTTY };

static bool file_is_same(int project, const json_t *file)
{
	const char *path = json_str_or(file, "path", "");
	_cleanup_fd_ int fd = -1;
	struct blob_ref found;
	struct err ignored = ERR_INIT;
	struct stat st;

	if (str_eq(json_str_or(file, "origin", ""), "embedded"))
		return true;
	return open_seen(project, path, READ_ONLY, &fd) == 0 && fstat(fd, &st) == 0 &&
	       S_ISREG(st.st_mode) && digest_of_fd(fd, path, &found, &ignored) == 0 &&
	       strstr(json_str_or(file, "sha256", "?"), DIGEST_TEXT(&found.digest));
}

static bool look_is_same(int project, const char *path, const json_t *kind)
{
	enum snapshot_kind now = SNAPSHOT_NOTHING;
	_cleanup_fd_ int fd = -1;
	struct stat st;
	int rc = open_seen(project, path, O_PATH, &fd);

	if (rc < 0 || (rc == 0 && fstat(fd, &st) < 0))
		return false;
	if (rc == 0)
		now = snapshot_kind_of(&st);
	return json_integer_value(kind) == (json_int_t)now;
}

void seen_listing(const struct fs_names *names, struct digest *ret)
{
	struct hasher *hasher = hasher_new();

	for (size_t i = 0; i < names->names.n; i++)
		hasher_add(hasher, names->names.v[i], strlen(names->names.v[i]) + 1);
	hasher_finish(hasher, ret);
	hasher_free(hasher);
}

static bool listing_is_same(int project, const char *path, const json_t *listing)
{
	struct fs_names names = { 0 };
	struct err ignored = ERR_INIT;
	_cleanup_fd_ int fd = -1;
	struct digest now;
	bool same = open_seen(project, path, O_RDONLY | O_DIRECTORY, &fd) == 0 &&
	            fs_list(fd, ".", &names, &ignored) == 0;

	seen_listing(&names, &now);
	fs_names_deinit(&names);
	return same && str_eq(json_string_value(listing), DIGEST_TEXT(&now));
}

int seen_peek(int fd, char ret[SEEN_PEEK])
{
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (n = read(fd, ret + 1, SEEN_PEEK - 2)) < 0)
		return -1;
	ret[0] = st.st_mode & S_IXUSR ? 'x' : '-';
	ret[1 + n] = '\0';
	ret[1 + strcspn(ret + 1, "\n")] = '\0';
	return 0;
}

static bool script_is_same(int project, const char *path, const json_t *peeked)
{
	_cleanup_fd_ int fd = -1;
	char now[SEEN_PEEK];

	return open_seen(project, path, READ_ONLY, &fd) == 0 && seen_peek(fd, now) == 0 &&
	       str_eq(json_string_value(peeked), now);
}

bool seen_is_same(const char *folder, const json_t *document)
{
	_cleanup_fd_ int project = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	json_t *file, *kind, *listing, *peeked;
	const char *path;
	size_t i;

	json_object_foreach (json_object_get(document, "peeked"), path, peeked)
		if (!script_is_same(project, path, peeked))
			return false;
	json_array_foreach (json_object_get(document, "files"), i, file)
		if (!file_is_same(project, file))
			return false;
	json_object_foreach (json_object_get(document, "looked"), path, kind)
		if (!look_is_same(project, path, kind))
			return false;
	json_object_foreach (json_object_get(document, "listed"), path, listing)
		if (!listing_is_same(project, path, listing))
			return false;
	return true;
}
