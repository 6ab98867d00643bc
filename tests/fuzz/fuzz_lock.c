/* kiln.lock as merges and hands leave it: refused, or readable and settable in every section. */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "host/fs.h"
#include "model/lock.h"

static void read_all(const json_t *lock)
{
	lock_image(lock, "trixie", "amd64");
	lock_source(lock, "gawk", "source");
	lock_profile(lock, "gawk", "t", "pgo");
	lock_verdict(lock, "gawk", "t");
	lock_toolchain(lock, "llvm-19");
}

static void set_all(json_t *lock)
{
	lock_set_image(lock, "trixie", "amd64", json_integer(1));
	lock_set_source(lock, "gawk", "source", json_integer(2));
	lock_set_profile(lock, "gawk", "t", "pgo", json_integer(3));
	lock_set_verdict(lock, "gawk", "t", json_integer(4));
	lock_set_toolchain(lock, "llvm-19", "x");
	lock_set_library(lock, "y");
	bug_on(json_integer_value(lock_image(lock, "trixie", "amd64")) != 1);
	bug_on(json_integer_value(lock_source(lock, "gawk", "source")) != 2);
	bug_on(json_integer_value(lock_profile(lock, "gawk", "t", "pgo")) != 3);
	bug_on(json_integer_value(lock_verdict(lock, "gawk", "t")) != 4);
	bug_on(!lock_toolchain(lock, "llvm-19"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_json_ json_t *lock = NULL;
	char path[64];
	int fd = memfd_create("lock", MFD_CLOEXEC);

	bug_on(fd < 0 || fs_write_all(fd, data, size, "lock", &err) < 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (lock_read(path, &lock, NULL, &err) < 0) {
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
	} else {
		read_all(lock);
		set_all(lock);
	}
	close(fd);
	return 0;
}
