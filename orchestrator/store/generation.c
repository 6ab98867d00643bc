/*
 * The store's generation (snapshot/snapshot.h), and who changes it. While somebody changes a store it has
 * none, so that nobody keeps anything of a state that is half another one; the last who changes it gives it a
 * new one. Who changes it holds locks/changes, shared, and has put a byte into it: whose is not the last one
 * there knows that others changed it, too.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "host/fs.h"
#include "host/lock.h"
#include "store/store_impl.h"

enum { BYTES_MOST = 1 << 20 };

static const char file[] = "locks/changes";

static int open_changes(const struct store *store)
{
	return openat(store->fd, file, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* Nobody else changes the store, and nobody begins to as long as this is held. */
static bool try_alone(int fd)
{
	struct err ignored = ERR_INIT;

	return fd >= 0 && lock_fd(fd, true, false, file, &ignored) == 0;
}

/* Beside others who change it. */
static bool hold(int fd)
{
	struct err ignored = ERR_INIT;

	return fd >= 0 && lock_fd(fd, false, true, file, &ignored) == 0;
}

void generation_open(struct store *store)
{
	_cleanup_fd_ int fd = -1;

	if (snapshot_generation(store->fd, store->generation))
		return;
	/* It is new, or who changed it last was killed. */
	fd = open_changes(store);
	if (try_alone(fd) && !snapshot_generation(store->fd, store->generation))
		snapshot_renew(store->fd);
	if (!snapshot_generation(store->fd, store->generation))
		store->generation[0] = '\0';
}

static bool is_as_found(const struct store *store)
{
	char now[SNAPSHOT_GENERATION + 1];

	return snapshot_generation(store->fd, now) && str_eq(now, store->generation);
}

static off_t size_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : -1;
}

void store_changes(struct store *store)
{
	bool alone, marked;

	if (store->changed)
		return;
	store->changed = true;
	store->changes = open_changes(store);
	alone = try_alone(store->changes);
	if (alone && size_of(store->changes) > BYTES_MOST)
		(void)!ftruncate(store->changes, 0);
	/* Also where others are at it: they are to see it. */
	marked = write(store->changes, ".", 1) == 1;
	if (!alone || !is_as_found(store) || !marked)
		store->foreign = true;
	store->mark = size_of(store->changes);
	/* Between one lock and the other somebody may be alone: he finds the old generation still, and gives
	 * the store no new one. */
	if (!hold(store->changes))
		store->foreign = true;
	snapshot_set_generation(store->fd, "");
}

/* Whether nobody else changed it since it was opened. */
static bool is_ours_alone(const struct store *store)
{
	return !store->foreign && store->mark > 0 && size_of(store->changes) == store->mark;
}

void generation_close(struct store *store)
{
	if (store->changed && try_alone(store->changes)) {
		if (store->next[0] && is_ours_alone(store))
			snapshot_set_generation(store->fd, store->next);
		else
			snapshot_renew(store->fd);
	}
	store->changes = fs_close(store->changes);
}

bool store_generation(struct store *store, char ret[SNAPSHOT_GENERATION + 1])
{
	if (store->changed ? !is_ours_alone(store) : !is_as_found(store))
		return false;
	if (store->changed && !store->next[0])
		snapshot_draw(store->next);
	memcpy(ret, store->changed ? store->next : store->generation, sizeof(store->next));
	return ret[0] != '\0';
}
