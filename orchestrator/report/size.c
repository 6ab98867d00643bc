/* Sizes for people. */
#include "report/size.h"

#include <stdio.h>

const char *size_text(uint64_t bytes, char text[24])
{
	if (bytes < 1000)
		snprintf(text, 24, "%u B", (unsigned int)bytes);
	else if (bytes < 1000000)
		snprintf(text, 24, "%.0f KB", (double)bytes / 1e3);
	else if (bytes < 1000000000)
		snprintf(text, 24, "%.1f MB", (double)bytes / 1e6);
	else
		snprintf(text, 24, "%.1f GB", (double)bytes / 1e9);
	return text;
}
