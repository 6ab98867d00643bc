/* Work folders that stay. */
#include "exec/dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"
#include "host/clock.h"
#include "host/fs.h"
#include "host/lock.h"
#include "sandbox/identity.h"
#include "store/update.h"

static const char inputs[] = "inputs", build[] = "build";

char *dev_name(const char *kept_under)
{
	struct digest digest;

	digest_of(kept_under, strlen(kept_under), &digest);
	return str_dup(DIGEST_TEXT(&digest));
}

struct digest dev_digest(const struct digest *action)
{
	static const char mark[] = "kiln: built by increments\n";
	char text[sizeof(mark) - 1 + sizeof(action->bytes)];
	struct digest ret;

	memcpy(text, mark, sizeof(mark) - 1);
	memcpy(text + sizeof(mark) - 1, action->bytes, sizeof(action->bytes));
	digest_of(text, sizeof(text), &ret);
	return ret;
}

/* The folder "build", the build user's. */
static int open_build(struct work *work, struct err *err)
{
	bool made = mkdirat(work->fd, build, 0755) == 0;

	if (!made && errno != EEXIST)
		return err_sys(err, ERR_IO, "cannot make the folder %s", work->build_path);
	work->build_fd = openat(work->fd, build, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (work->build_fd < 0)
		return err_sys(err, ERR_IO, "cannot open %s", work->build_path);
	if (made && sandbox_drops() && fchown(work->build_fd, sandbox_uid(), sandbox_gid()) < 0)
		return err_sys(err, ERR_IO, "cannot give %s to the build user", work->build_path);
	return 0;
}

static int open_parts(struct work *work, const char *dir, struct err *err)
{
	if (fs_make_dirs(AT_FDCWD, dir, 0700, err) < 0 ||
	    fs_must(fs_open_dir(AT_FDCWD, dir, &work->fd, err), dir, err) < 0 ||
	    lock_fd(work->fd, true, true, dir, err) < 0)
		return -1;
	work->build_path = path_join(dir, build);
	return open_build(work, err);
}

int dev_init(struct work *work, const char *store_dir, const char *name, struct err *err)
{
	_cleanup_free_ char *dir = str_fmt("%s/dev/%s", store_dir, name);
	struct work made = WORK_INIT;

	umask(022);
	made.stays = true;
	if (open_parts(&made, dir, err) < 0) {
		work_deinit(&made);
		return err_while(err, "opening the folder of a build by increments");
	}
	*work = made;
	return 0;
}

/* What an action is besides its inputs: where that differs, what is left of the last run was made by
 * another command. */
static struct digest manner_of(const struct action *action)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(64 << 20);
	struct action bare = *action;
	struct digest ret;

	bare.input_root = NULL;
	action_encode(&bare, &bytes);
	digest_of(bytes.p, bytes.n, &ret);
	return ret;
}

/* "INPUTS SIZE MANNER\n"; false where it is not known what is laid out, or it was for another command. */
static bool read_inputs(const struct work *work, const struct action *action, struct blob_ref *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256);
	struct digest manner, now = manner_of(action);
	struct err ignored = ERR_INIT;
	char *end;

	if (fs_read(work->fd, inputs, &text, &ignored) != 0 || text.n < DIGEST_HEX_LEN + 2)
		return false;
	text.p[DIGEST_HEX_LEN] = '\0';
	ret->size = strtoull(text.p + DIGEST_HEX_LEN + 1, &end, 10);
	if (*end != ' ' || strlen(end) != DIGEST_HEX_LEN + 2)
		return false;
	end[DIGEST_HEX_LEN + 1] = '\0';
	return digest_parse(text.p, &ret->digest) && digest_parse(end + 1, &manner) &&
	       digest_eq(&manner, &now);
}

void dev_keep(const struct work *work, const struct action *action)
{
	const struct blob_ref *root = action->input_root;
	struct digest manner = manner_of(action);
	char hex[DIGEST_HEX_SIZE];
	_cleanup_free_ char *text = NULL;
	struct err ignored = ERR_INIT;

	digest_hex(&manner, hex);
	text = str_fmt("%s %llu %s\n", DIGEST_TEXT(&root->digest), (unsigned long long)root->size,
	               hex);
	fs_write_file(work->fd, inputs, text, strlen(text), 0600, false, &ignored);
}

static int begin_anew(struct work *work, struct blobs *blobs, const struct action *action,
                      int64_t epoch, struct err *err)
{
	work->build_fd = fs_close(work->build_fd);
	if (fs_remove_tree(work->fd, build, err) < 0 || open_build(work, err) < 0)
		return -1;
	return work_lay_out(work, blobs, action, epoch, err);
}

int dev_lay_out(struct work *work, struct blobs *blobs, const struct action *action, int64_t epoch,
                struct err *err)
{
	const int64_t now_us = clock_real_us();
	const struct checkout_options now = {
		.epoch = now_us / 1000000,
		.ns = now_us % 1000000 * 1000,
		.uid = sandbox_drops() ? (int64_t)sandbox_uid() : -1,
		.gid = sandbox_drops() ? (int64_t)sandbox_gid() : -1,
	};
	struct blob_ref before;
	int rc = UPDATE_LOST;
	bool known;

	work->epoch = epoch;
	known = read_inputs(work, action, &before);
	unlinkat(work->fd, inputs, 0); /* until the stage has ended by itself */
	if (known) {
		rc = update_tree(blobs, &before, action->input_root, work->build_fd, &now, err);
		if (rc == 0)
			rc = work_make_folders(work, action, err);
	}
	if (rc == UPDATE_LOST)
		rc = begin_anew(work, blobs, action, epoch, err);
	return rc < 0 ? err_while(err, "laying out what changed of the inputs") : 0;
}
