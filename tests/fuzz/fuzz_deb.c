/* The data member of a .deb from outside: every path that comes out is a tree path, every kind is known. */
#include "fuzz/fuzz.h"

#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "external/archive_read.h"

static int drain(struct unarchive *archive, struct err *err)
{
	char chunk[4096];
	size_t n = 0, most = 1 << 20;

	do {
		if (unarchive_read(archive, chunk, sizeof(chunk), &n, err) < 0)
			return -1;
		bug_on(n > sizeof(chunk));
		most -= n < most ? n : most;
	} while (n && most);
	return 0;
}

static void read_all(int fd)
{
	struct unarchive *archive = NULL;
	struct unarchive_entry entry;
	struct err err = ERR_INIT;
	int most = 1000;

	if (unarchive_open_deb(fd, "input", "data.tar", &archive, &err) < 0) {
		bug_on(err.code == ERR_NONE || !err.cause[0]);
		return;
	}
	while (most-- && unarchive_next(archive, &entry, &err) == 0) {
		bug_on(!path_is_tree(entry.path));
		bug_on(entry.mode > 07777);
		bug_on((entry.kind == UNARCHIVE_LINK || entry.kind == UNARCHIVE_HARD_LINK) !=
		       (entry.target != NULL));
		bug_on(entry.kind == UNARCHIVE_HARD_LINK && !path_is_tree(entry.target));
		if (entry.kind == UNARCHIVE_FILE && drain(archive, &err) < 0)
			break;
	}
	unarchive_free(archive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	bug_on(fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET) != 0);
	read_all(fd);
	close(fd);
	return 0;
}
