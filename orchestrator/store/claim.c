/* One process at a time runs an action: a lock file each, there while somebody does. */
#include "store/store.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/str.h"
#include "host/fs.h"
#include "host/lock.h"
#include "store/store_impl.h"

static const char prefix[] = "action-";

static char *name_of(const struct digest *action)
{
	return str_fmt("locks/%s%s", prefix, DIGEST_TEXT(action));
}

int store_claim(struct store *store, const struct digest *action, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *name = name_of(action);

	for (;;) {
		_cleanup_fd_ int fd = -1;
		int rc = lock_file(store->fd, name, true, false, &fd, err);

		if (rc)
			return rc < 0 ? -1 : STORE_CLAIMED;
		/* Who held it before may have taken the file away in between. */
		if (!fs_is_named(fd, store->fd, name))
			continue;
		*ret_fd = fd;
		fd = -1;
		return 0;
	}
}

void store_release_claim(struct store *store, const struct digest *action, int fd)
{
	_cleanup_free_ char *name = name_of(action);

	if (fd < 0)
		return;
	unlinkat(store->fd, name, 0);
	fs_close(fd);
}

int store_sweep_claims(struct store *store, struct err *err)
{
	_cleanup_fd_ int dir = -1;
	struct fs_names list = { 0 };
	int rc = fs_open_dir(store->fd, "locks", &dir, err);

	if (rc == 0)
		rc = fs_list(dir, ".", &list, err);
	for (size_t i = 0; rc == 0 && i < list.names.n; i++) {
		_cleanup_fd_ int fd = -1;
		struct err ignored = ERR_INIT;

		if (str_starts(list.names.v[i], prefix) &&
		    lock_file(dir, list.names.v[i], true, false, &fd, &ignored) == 0 &&
		    fs_is_named(fd, dir, list.names.v[i]))
			unlinkat(dir, list.names.v[i], 0);
	}
	fs_names_deinit(&list);
	return rc < 0 ? -1 : 0;
}
