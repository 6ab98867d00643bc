/* Of proc(5), /proc/sys/kernel/random/boot_id. */
#include "host/boot.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "host/fs.h"

void boot_id(char ret[BOOT_ID_SIZE])
{
	_cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, ret, BOOT_ID_SIZE - 1);

	ret[n > 0 ? n : 0] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}
