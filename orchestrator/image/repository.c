/*
 * Index files of a local archive. The control text of each package comes out of the .deb itself, so
 * nothing but the files is needed. The archive is unsigned on purpose: every file in it was checked
 * against a digest before.
 */
#include "image/repository.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/path.h"
#include "external/archive_read.h"
#include "external/crypto.h"
#include "host/fs.h"

enum { CONTROL_MOST = 1 << 20, PACKAGES_MOST = 64 << 20, RELEASE_MOST = 1 << 20 };

/* The text of the package's control file, ended by one newline. */
static int read_control(int fd, const char *what, struct buf *buf, struct err *err)
{
	struct unarchive *archive;
	struct unarchive_entry entry;
	char chunk[4096];
	size_t n = 0;
	int rc;

	if (unarchive_open_deb(fd, what, "control.tar", &archive, err) < 0)
		return -1;
	while ((rc = unarchive_next(archive, &entry, err)) == 0)
		if (str_eq(entry.path, "control") && entry.kind == UNARCHIVE_FILE)
			break;
	while (rc == 0 && (rc = unarchive_read(archive, chunk, sizeof(chunk), &n, err)) == 0 && n)
		buf_add(buf, chunk, n);
	unarchive_free(archive);
	if (rc < 0)
		return -1;
	if (rc == UNARCHIVE_END || buf->n == 0 || buf->overflow)
		return err_set(err, ERR_INPUT, "the package %s has no usable control file", what);
	while (buf->n > 0 && buf->p[buf->n - 1] == '\n')
		buf->p[--buf->n] = '\0';
	buf_add_char(buf, '\n');
	return 0;
}

static int copy_to_pool(int fd, const char *dir, const struct deb *deb, struct err *err)
{
	_cleanup_free_ char *path = str_fmt("%s/pool/%s.deb", dir, DIGEST_TEXT(&deb->ref.digest));
	_cleanup_fd_ int to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (to < 0)
		return errno == EEXIST ? 0 : err_sys(err, ERR_IO, "cannot create %s", path);
	return fs_copy_fd(fd, to, path, err);
}

static int add_package(struct blobs *blobs, const char *dir, const struct deb *deb,
                       struct buf *packages, struct err *err)
{
	_cleanup_buf_ struct buf control = BUF_INIT(CONTROL_MOST);
	_cleanup_free_ char *what = deb_spec(deb);
	_cleanup_fd_ int fd = -1;
	int rc = blobs_open_fd(blobs, &deb->ref, &fd, err);

	if (rc == BLOBS_MISS)
		return err_set(err, ERR_IO, "the package %s is no longer in the store", what);
	if (rc < 0 || copy_to_pool(fd, dir, deb, err) < 0)
		return -1;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_sys(err, ERR_IO, "cannot read %s again", what);
	if (read_control(fd, what, &control, err) < 0)
		return -1;
	buf_add(packages, control.p, control.n);
	buf_fmt(packages, "Filename: pool/%s.deb\nSize: %llu\nSHA256: %s\n\n",
	        DIGEST_TEXT(&deb->ref.digest), (unsigned long long)deb->ref.size,
	        DIGEST_TEXT(&deb->ref.digest));
	return 0;
}

/* The index of one architecture; packages for all of them stand in the native one's. */
static int write_packages(struct blobs *blobs, const char *dir, const char *suite, const char *arch,
                          bool native, const struct debs *debs, struct buf *release,
                          struct err *err)
{
	_cleanup_free_ char *folder = str_fmt("%s/dists/%s/main/binary-%s", dir, suite, arch);
	_cleanup_free_ char *path = path_join(folder, "Packages");
	_cleanup_buf_ struct buf packages = BUF_INIT(PACKAGES_MOST);
	struct digest digest;

	if (fs_make_dirs(AT_FDCWD, folder, 0755, err) < 0)
		return -1;
	for (size_t i = 0; i < debs->list.n; i++) {
		const struct deb *deb = &debs->list.v[i];

		if (!str_eq(deb->architecture, arch) &&
		    !(native && str_eq(deb->architecture, "all")))
			continue;
		if (add_package(blobs, dir, deb, &packages, err) < 0)
			return -1;
	}
	if (packages.overflow)
		return err_set(err, ERR_INPUT, "the index of %zu packages is too large",
		               debs->list.n);
	digest_of(buf_text(&packages), packages.n, &digest);
	buf_fmt(release, " %s %zu main/binary-%s/Packages\n", DIGEST_TEXT(&digest), packages.n,
	        arch);
	return fs_write_file(AT_FDCWD, path, buf_text(&packages), packages.n, 0644, false, err);
}

int repository_write(struct blobs *blobs, const char *dir, const char *suite,
                     const char *const *architectures, const struct debs *debs, struct err *err)
{
	_cleanup_free_ char *pool = path_join(dir, "pool");
	_cleanup_free_ char *path = str_fmt("%s/dists/%s/Release", dir, suite);
	_cleanup_buf_ struct buf release = BUF_INIT(RELEASE_MOST);

	if (fs_make_dirs(AT_FDCWD, pool, 0755, err) < 0)
		return -1;
	buf_fmt(&release, "Origin: Kiln\nLabel: Kiln\nSuite: %s\nCodename: %s\n", suite, suite);
	buf_add_str(&release, "Date: Thu, 01 Jan 1970 00:00:00 UTC\nArchitectures:");
	for (size_t i = 0; architectures[i]; i++)
		buf_fmt(&release, " %s", architectures[i]);
	buf_add_str(&release, "\nComponents: main\nSHA256:\n");
	for (size_t i = 0; architectures[i]; i++)
		if (write_packages(blobs, dir, suite, architectures[i], i == 0, debs, &release,
		                   err) < 0)
			return -1;
	return fs_write_file(AT_FDCWD, path, buf_text(&release), release.n, 0644, false, err);
}
