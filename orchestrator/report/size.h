#ifndef KILN_REPORT_SIZE_H
#define KILN_REPORT_SIZE_H

#include <stdint.h>

/* "412 KB", "1.3 MB": decimal, as download pages say it. */
const char *size_text(uint64_t bytes, char text[24]);

#endif
