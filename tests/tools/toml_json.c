/*
 * usage: toml_json FILE…
 * One line a file: the document as canonical JSON, or "refused" and the first line of why. For
 * comparing with what another reader of TOML makes of it.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "external/toml.h"
#include "host/fs.h"

static int show(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TOML_MOST), out = BUF_INIT(4 * (size_t)TOML_MOST);
	_cleanup_json_ json_t *json = NULL;
	struct err err = ERR_INIT;

	if (fs_read(AT_FDCWD, path, &text, &err) != 0) {
		fprintf(stderr, "toml_json: %s\n", err.cause);
		return 1;
	}
	if (toml_read(buf_str(&text), "x.toml", &json, &err) < 0) {
		printf("refused %.*s\n", (int)strcspn(err.cause, "\n"), err.cause);
		return 0;
	}
	json_write_canonical(json, &out);
	printf("%s\n", buf_text(&out));
	return 0;
}

int main(int argc, char **argv)
{
	int rc = 0;

	for (int i = 1; i < argc && rc == 0; i++)
		rc = show(argv[i]);
	return rc;
}
