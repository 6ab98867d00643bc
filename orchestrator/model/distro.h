#ifndef KILN_MODEL_DISTRO_H
#define KILN_MODEL_DISTRO_H

/*
 * What Debian calls the packages of what builds look for. Each function returns the package, "" where
 * every image has it, NULL where the name is not known.
 */

/* By the name that pkg-config(1), a find module of CMake or the linker's -l has for it, in any case. */
const char *distro_library(const char *name);
const char *distro_tool(const char *command);
/* As it is included: "openssl/ssl.h". */
const char *distro_header(const char *header);

#endif
