/*
 * The packagers as builtins: tar@1, deb-members@2, deb-ar@1. Their time stamp is the action's
 * SOURCE_DATE_EPOCH, which is in the key like every byte they read.
 */
#include <errno.h>
#include <stdlib.h>

#include "exec/builtin.h"
#include "external/archive.h"
#include "external/json.h"
#include "package/packager.h"

typedef int (*package_fn)(int dirfd, const json_t *parameters, int64_t epoch, struct err *err);

/* The time that everything in the package gets. */
static int read_epoch(int64_t *ret, struct err *err)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	long long epoch;
	char *end;

	if (!text || !*text)
		return err_set(err, ERR_INPUT, "packaging needs SOURCE_DATE_EPOCH");
	errno = 0;
	epoch = strtoll(text, &end, 10);
	if (errno || *end || epoch < 0)
		return err_set(err, ERR_INPUT, "SOURCE_DATE_EPOCH is no time: %s", text);
	*ret = epoch;
	return 0;
}

static int run_packager(package_fn fn, int dir_fd, struct err *err)
{
	_cleanup_json_ json_t *parameters = NULL;
	int64_t epoch;

	if (read_epoch(&epoch, err) < 0 || builtin_read_params(dir_fd, &parameters, err) < 0)
		return -1;
	return fn(dir_fd, parameters, epoch, err);
}

static int tar_run(int dir_fd, const char *const *argv, FILE *out, struct err *err)
{
	(void)argv;
	(void)out;
	return run_packager(package_tar, dir_fd, err);
}

static int deb_members_run(int dir_fd, const char *const *argv, FILE *out, struct err *err)
{
	(void)argv;
	(void)out;
	return run_packager(package_deb_members, dir_fd, err);
}

/* It takes no parameters: its members are all it needs. */
static int deb_ar_run(int dir_fd, const char *const *argv, FILE *out, struct err *err)
{
	int64_t epoch;

	(void)argv;
	(void)out;
	return read_epoch(&epoch, err) < 0 ? -1 : package_deb_ar(dir_fd, NULL, epoch, err);
}

const struct builtin builtin_tar = {
	.name = "tar", .version = 1, .ready = archive_ready, .run = tar_run
};
const struct builtin builtin_deb_members = {
	.name = "deb-members", .version = 2, .ready = archive_ready, .run = deb_members_run
};
const struct builtin builtin_deb_ar = {
	.name = "deb-ar", .version = 1, .ready = archive_ready, .run = deb_ar_run
};
