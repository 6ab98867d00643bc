/* From a work folder into the store without reading again. */
#include "store/moves.h"

#include <errno.h>
#include <fcntl.h>

#include "base/path.h"
#include "base/str.h"
#include "host/failpoint.h"
#include "host/fs.h"

void moves_deinit(struct moves *moves)
{
	for (size_t i = 0; i < moves->list.n; i++)
		free(moves->list.v[i].path);
	array_deinit(&moves->list);
}

static int changed(const struct move *move, struct err *err)
{
	_cleanup_free_ char *shown = str_escape(str_of(move->path));

	return err_set(err, ERR_STAGE, "%s changed while it was read", shown);
}

/* Opens the folder of the file, following no link. */
static int open_dir_of(const struct move *move, int dirfd, int *ret_fd, struct err *err)
{
	_cleanup_free_ char *dir = path_dir(move->path);
	struct err fault = ERR_INIT;
	int rc = fs_open_beneath(dirfd, dir, O_RDONLY | O_DIRECTORY, 0, true, ret_fd, &fault);

	if (rc == 0)
		return 0;
	if (rc == FS_MISSING || fault.code == ERR_INPUT) /* gone, or a link now */
		return changed(move, err);
	*err = fault;
	return -1;
}

static int copy(const struct move *move, struct blobs *blobs, int dir, struct err *err)
{
	const int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
	_cleanup_fd_ int fd =
		failpoint("move-open") ? -1 : openat(dir, path_base(move->path), flags);
	struct blob_ref ref;
	struct stat st;

	if (fd < 0 && errno != ENOENT && errno != ELOOP)
		return err_sys(err, ERR_IO, "cannot open %s", move->path);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return changed(move, err);
	if (blobs_put_fd(blobs, fd, move->path, &ref, err) < 0)
		return -1;
	return digest_eq(&ref.digest, &move->ref.digest) ? 0 : changed(move, err);
}

int moves_carry_out(const struct moves *moves, struct blobs *blobs, int dirfd, struct err *err)
{
	for (size_t i = 0; i < moves->list.n; i++) {
		const struct move *move = &moves->list.v[i];
		_cleanup_fd_ int dir = -1;
		int rc;

		/* Two outputs may name one file. */
		if (blobs_has(blobs, &move->ref))
			continue;
		if (open_dir_of(move, dirfd, &dir, err) < 0)
			return -1;
		rc = blobs_move(blobs, dir, path_base(move->path), &move->st, &move->ref, err);
		if (rc == BLOBS_STAYS)
			rc = copy(move, blobs, dir, err);
		if (rc < 0)
			return -1;
	}
	return 0;
}
