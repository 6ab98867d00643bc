/* File systems by their magic numbers. */
#include "host/shared_fs.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

#include "base/alloc.h"

static const struct shared_fs {
	uint32_t magic;
	const char *name;
} shared[] = {
	{ 0x6969, "NFS" },          { 0xff534d42, "CIFS" },   { 0xfe534d42, "SMB" },
	{ 0x517b, "SMB" },          { 0x5346414f, "AFS" },    { 0x6b414653, "AFS" },
	{ 0x73757245, "Coda" },     { 0x00c36400, "Ceph" },   { 0x01021997, "9P" },
	{ 0x01161970, "GFS2" },     { 0x7461636f, "OCFS2" },  { 0x0bd00bd0, "Lustre" },
	{ 0x47504653, "GPFS" },     { 0x19830326, "BeeGFS" }, { 0x564c, "NCP" },
	{ 0x20030528, "OrangeFS" },
};

const char *shared_fs_name(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(shared); i++)
		if ((uint32_t)fs.f_type == shared[i].magic)
			return shared[i].name;
	return NULL;
}
