/* Tars and Debian packages for tests, by the project's own writer. */
#include "fakes/debs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "external/archive.h"
#include "host/fs.h"

enum { DEB_MOST = 1 << 20 };

/* The descriptor of a new file that is gone when it is closed. */
static int nameless(void)
{
	FILE *file = tmpfile();
	int fd;

	bug_on(!file);
	fd = dup(fileno(file));
	bug_on(fd < 0);
	fclose(file);
	return fd;
}

int tar_file(const struct tar_entry *entries, size_t n)
{
	int fd = nameless();
	struct archive_writer *writer = archive_writer_new(fd, ARCHIVE_PAX_BYTES, "tar");
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++) {
		const struct tar_entry *e = &entries[i];
		const struct archive_member member = {
			.name = e->path,
			.kind = e->kind == 'd' ? ARCHIVE_DIR :
			        e->kind == 'l' ? ARCHIVE_LINK :
			                         ARCHIVE_FILE,
			.mode = e->mode,
			.size = e->kind == 'f' ? strlen(e->text) : 0,
			.link = e->kind == 'l' ? e->text : NULL,
		};

		bug_on(archive_writer_add(writer, &member, &err) < 0);
		if (member.size)
			bug_on(archive_writer_data(writer, e->text, member.size, &err) < 0);
	}
	bug_on(archive_writer_finish(writer, &err) < 0);
	archive_writer_free(writer);
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void add_member(struct archive_writer *writer, const char *name, int fd)
{
	struct buf buf = BUF_INIT(DEB_MOST);
	struct err err = ERR_INIT;

	bug_on(fs_read_fd(fd, name, &buf, &err) < 0);
	bug_on(archive_writer_file(writer, name, 0644, 0, buf_text(&buf), buf.n, &err) < 0);
	buf_deinit(&buf);
	close(fd);
}

int deb_file(struct blobs *blobs, const char *control, const struct tar_entry *entries, size_t n,
             struct blob_ref *ret)
{
	const struct tar_entry head = { "control", 'f', 0644, control };
	int fd = nameless();
	struct archive_writer *writer = archive_writer_new(fd, ARCHIVE_AR_BSD, "deb");
	struct err err = ERR_INIT;

	bug_on(archive_writer_file(writer, "debian-binary", 0644, 0, "2.0\n", 4, &err) < 0);
	add_member(writer, "control.tar", tar_file(&head, 1));
	add_member(writer, "data.tar", tar_file(entries, n));
	bug_on(archive_writer_finish(writer, &err) < 0);
	archive_writer_free(writer);
	lseek(fd, 0, SEEK_SET);
	if (blobs) {
		bug_on(blobs_put_fd(blobs, fd, "deb", ret, &err) < 0);
		lseek(fd, 0, SEEK_SET);
	}
	return fd;
}
