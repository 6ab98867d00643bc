/*
 * Debian packages in three steps: deb-members@2 writes control.tar and data.tar, the image's tools
 * compress them, deb-ar@1 joins them. dpkg-deb is not used: its bytes change with its version.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/path.h"
#include "external/md5.h"
#include "host/fs.h"
#include "package/control.h"
#include "package/members.h"
#include "package/packager.h"

enum { TEXT_MOST = 64 << 20 };

/* dpkg-gencontrol's rule: files in KiB rounded up, everything else counts one. */
static uint64_t installed_size(const struct package_members *members)
{
	uint64_t kib = 0;

	for (size_t i = 0; i < members->list.n; i++) {
		const struct package_member *member = &members->list.v[i];

		kib += member->kind == ARCHIVE_FILE ? (member->size + 1023) / 1024 : 1;
	}
	return kib;
}

static int add_md5sums(int dirfd, const struct package_members *members, struct buf *sums,
                       struct buf *conffiles, struct err *err)
{
	for (size_t i = 0; i < members->list.n; i++) {
		const char *path = members->list.v[i].path;
		_cleanup_free_ char *full = str_fmt("tree/%s", path);
		_cleanup_fd_ int fd = -1;
		char hex[MD5_HEX_SIZE];

		if (members->list.v[i].kind != ARCHIVE_FILE)
			continue;
		if (strchr(path, '\n'))
			return err_set(err, ERR_INPUT,
			               "%s: a Debian package cannot hold a name "
			               "with a line break",
			               path);
		if (path_is_below(path, "etc")) {
			buf_fmt(conffiles, "/%s\n", path);
			continue;
		}
		if (fs_open_beneath(dirfd, full, O_RDONLY, 0, true, &fd, err) != 0)
			return err_set(err, ERR_IO, "%s vanished while it was packed", path);
		if (md5_of_fd(fd, path, hex, err) < 0)
			return -1;
		buf_fmt(sums, "%s  %s\n", hex, path);
	}
	if (sums->overflow || conffiles->overflow)
		return err_set(err, ERR_INPUT, "the package has too many files");
	return 0;
}

static int write_control(struct archive_writer *writer, const struct buf *control,
                         const struct buf *sums, const struct buf *conffiles, int64_t epoch,
                         struct err *err)
{
	struct archive_member top = { ".", ARCHIVE_DIR, 0755, epoch, 0, NULL };

	if (archive_writer_add(writer, &top, err) < 0)
		return -1;
	if (conffiles->n > 0 && archive_writer_file(writer, "./conffiles", 0644, epoch,
	                                            conffiles->p, conffiles->n, err) < 0)
		return -1;
	if (archive_writer_file(writer, "./control", 0644, epoch, control->p, control->n, err) <
	            0 ||
	    archive_writer_file(writer, "./md5sums", 0644, epoch, buf_text(sums), sums->n, err) < 0)
		return -1;
	return archive_writer_finish(writer, err);
}

static int control_tar(int dirfd, struct deb_control *control,
                       const struct package_members *members, int64_t epoch, struct err *err)
{
	_cleanup_buf_ struct buf sums = BUF_INIT(TEXT_MOST);
	_cleanup_buf_ struct buf conffiles = BUF_INIT(TEXT_MOST);
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	_cleanup_fd_ int fd = -1;
	struct archive_writer *writer;
	int rc;

	if (add_md5sums(dirfd, members, &sums, &conffiles, err) < 0)
		return -1;
	buf_add(&text, control->text.p, control->text.n);
	buf_fmt(&text, "Installed-Size: %llu\n", (unsigned long long)installed_size(members));
	fd = openat(dirfd, "control.tar", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
	            0644);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create control.tar");
	writer = archive_writer_new(fd, ARCHIVE_USTAR, "control.tar");
	rc = write_control(writer, &text, &sums, &conffiles, epoch, err);
	archive_writer_free(writer);
	return rc;
}

/* Lists the licence texts that the package installs beside the copyright file. */
static void add_licence_files(const struct package_members *members, const char *doc,
                              struct buf *text)
{
	for (size_t i = 0; i < members->list.n; i++) {
		const char *path = members->list.v[i].path;
		const char *name = path_base(path);

		if (members->list.v[i].kind == ARCHIVE_FILE && path_is_below(path, doc) &&
		    (str_starts(name, "LICEN") || str_starts(name, "COPYING") ||
		     str_starts(name, "NOTICE")))
			buf_fmt(text, " The full text is in /%s.\n", path);
	}
}

/* Writes usr/share/doc/PACKAGE/copyright into the tree unless the recipe placed one. */
static int add_copyright(int dirfd, const struct deb_control *control, struct err *err)
{
	_cleanup_free_ char *doc = str_fmt("usr/share/doc/%s", control->package);
	_cleanup_free_ char *dir = str_fmt("tree/%s", doc);
	_cleanup_free_ char *path = str_fmt("%s/copyright", dir);
	_cleanup_buf_ struct buf text = BUF_INIT(TEXT_MOST);
	struct package_members members;
	_cleanup_fd_ int fd = -1;

	if (fs_exists(dirfd, path))
		return 0;
	if (!control->license || !control->license[0]) {
		err_set(err, ERR_INPUT, "the Debian package has no licence");
		return err_hint(err, "give the recipe a license, or install a file as %s/copyright",
		                doc);
	}
	if (package_members_read(dirfd, "tree", NULL, "", &members, err) < 0)
		return -1;
	buf_add_str(&text, "Format: https://www.debian.org/doc/packaging-manuals/"
	                   "copyright-format/1.0/\n");
	buf_fmt(&text, "Upstream-Name: %s\n",
	        control->upstream ? control->upstream : control->package);
	if (control->homepage && control->homepage[0])
		buf_fmt(&text, "Source: %s\n", control->homepage);
	buf_fmt(&text, "\nFiles: *\nCopyright: the authors of %s\nLicense: %s\n",
	        control->upstream ? control->upstream : control->package, control->license);
	add_licence_files(&members, doc, &text);
	package_members_deinit(&members);
	if (fs_make_dirs(dirfd, dir, 0755, err) < 0 ||
	    fs_open_beneath(dirfd, path, O_WRONLY | O_CREAT | O_EXCL, 0644, true, &fd, err) != 0)
		return err_set(err, ERR_INPUT, "cannot write %s", path);
	return fs_write_all(fd, text.p, text.n, path, err);
}

static int make_members(int dirfd, const json_t *parameters, struct deb_control *control,
                        int64_t epoch, struct err *err)
{
	struct package_members members;
	int rc;

	if (add_copyright(dirfd, control, err) < 0 ||
	    package_members_read(dirfd, "tree", json_object_get(parameters, "modes"), "", &members,
	                         err) < 0)
		return -1;
	rc = control_tar(dirfd, control, &members, epoch, err);
	if (rc == 0)
		rc = package_members_tar(dirfd, "tree", &members, "./", epoch, MEMBERS_DPKG,
		                         "data.tar", err);
	package_members_deinit(&members);
	return rc;
}

int package_deb_members(int dirfd, const json_t *parameters, int64_t epoch, struct err *err)
{
	static const char *const known[] = { "control", "modes", NULL };
	struct deb_control control;
	int rc;

	if (json_only_members(parameters, known, "deb-members", err) < 0 ||
	    deb_control_read(json_object_get(parameters, "control"), &control, err) < 0)
		return -1;
	rc = make_members(dirfd, parameters, &control, epoch, err);
	if (rc < 0)
		err_while(err, "packing the Debian package %s", control.package);
	deb_control_deinit(&control);
	return rc;
}

/* The one name in members/ that is STEM or STEM.EXT with an ending that dpkg knows. */
static int find_member(const struct fs_names *names, const char *stem, const char **ret,
                       struct err *err)
{
	static const char *const endings[] = { "", ".zst", ".xz", ".gz" };

	for (size_t i = 0; i < names->names.n; i++) {
		const char *name = names->names.v[i];

		for (size_t e = 0; str_starts(name, stem) && e < ARRAY_LEN(endings); e++) {
			if (str_eq(name + strlen(stem), endings[e])) {
				*ret = name;
				return 0;
			}
		}
	}
	return err_set(err, ERR_INPUT, "there is no %s[.zst|.xz|.gz] to join into a Debian package",
	               stem);
}

static int add_file(struct archive_writer *writer, int dirfd, const char *name, int64_t epoch,
                    struct err *err)
{
	struct archive_member member = { name, ARCHIVE_FILE, 0644, epoch, 0, NULL };
	_cleanup_free_ char *path = str_fmt("members/%s", name);
	_cleanup_fd_ int fd = -1;
	struct stat st;

	if (fs_open_beneath(dirfd, path, O_RDONLY, 0, true, &fd, err) != 0)
		return err_set(err, ERR_INPUT, "cannot read %s", path);
	if (fstat(fd, &st) < 0)
		return err_sys(err, ERR_IO, "cannot look at %s", path);
	member.size = (uint64_t)st.st_size;
	if (archive_writer_add(writer, &member, err) < 0)
		return -1;
	return archive_writer_copy(writer, fd, path, err);
}

static int join(int dirfd, const struct fs_names *names, int64_t epoch, struct err *err)
{
	_cleanup_fd_ int fd = -1;
	struct archive_writer *writer;
	const char *control, *data;
	int rc;

	if (find_member(names, "control.tar", &control, err) < 0 ||
	    find_member(names, "data.tar", &data, err) < 0)
		return -1;
	fd = openat(dirfd, "out.deb", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_sys(err, ERR_IO, "cannot create out.deb");
	writer = archive_writer_new(fd, ARCHIVE_AR_BSD, "out.deb");
	rc = archive_writer_file(writer, "debian-binary", 0644, epoch, "2.0\n", 4, err);
	if (rc == 0)
		rc = add_file(writer, dirfd, control, epoch, err);
	if (rc == 0)
		rc = add_file(writer, dirfd, data, epoch, err);
	if (rc == 0)
		rc = archive_writer_finish(writer, err);
	archive_writer_free(writer);
	return rc;
}

int package_deb_ar(int dirfd, const json_t *parameters, int64_t epoch, struct err *err)
{
	struct fs_names names = { 0 };
	int rc = fs_list(dirfd, "members", &names, err);

	(void)parameters;
	if (rc > 0)
		return err_set(err, ERR_INPUT, "there is no folder members to join");
	if (rc == 0)
		rc = join(dirfd, &names, epoch, err);
	fs_names_deinit(&names);
	return rc < 0 ? err_while(err, "joining a Debian package") : 0;
}
