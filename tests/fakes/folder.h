#ifndef KILN_TESTS_FAKES_FOLDER_H
#define KILN_TESTS_FAKES_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* A scratch folder for a test, and small files in it. Every failure ends the test. */
struct folder {
	char path[64];
	int fd;
};

void folder_init(struct folder *folder);
void folder_deinit(struct folder *folder);
/* Writes a file, making its folders. */
void folder_write(const struct folder *folder, const char *path, const void *p, size_t n,
                  mode_t mode);
void folder_text(const struct folder *folder, const char *path, const char *text);
/* Reads a file whole, NUL-ended; caller frees. NULL where it is not there. */
char *folder_read(const struct folder *folder, const char *path, size_t *ret_n);
bool folder_has(const struct folder *folder, const char *path);
/* Runs a shell command in the folder; returns its exit status. */
int folder_sh(const struct folder *folder, const char *command);
bool have_tool(const char *name);

#endif
