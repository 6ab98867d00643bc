/*
 * usage: small_image FOLDER [PROGRAM]...
 * Makes a root file system of this machine's programs, as the unit tests' (fakes/rootfs.h), with further
 * programs in its /bin.
 */
#include <stdio.h>

#include "fakes/rootfs.h"

int main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	int rc = argc < 2 ? -1 : fake_rootfs_make(argv[1], &err);

	for (int i = 2; rc == 0 && i < argc; i++)
		rc = fake_rootfs_add(argv[1], argv[i], &err);
	if (rc < 0)
		fprintf(stderr, "small_image: %s\n", err.cause);
	return rc < 0 ? 1 : 0;
}
