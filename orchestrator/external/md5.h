#ifndef KILN_EXTERNAL_MD5_H
#define KILN_EXTERNAL_MD5_H

#include "base/err.h"

/* MD5, for the md5sums file of a Debian package alone: it finds damage, not tampering. */
enum { MD5_HEX_SIZE = 33 };

/* Hashes from the descriptor's position to its end, as lower-case hex. */
int md5_of_fd(int fd, const char *what, char ret[MD5_HEX_SIZE], struct err *err);

#endif
