#ifndef KILN_HOST_BOOT_H
#define KILN_HOST_BOOT_H

/* What the kernel calls its present run, 36 characters; "" where it does not say. */
enum { BOOT_ID_SIZE = 37 };
void boot_id(char ret[BOOT_ID_SIZE]);

#endif
