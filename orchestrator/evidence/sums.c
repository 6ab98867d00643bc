/* SHA256SUMS, written sorted and read to the byte. */
#include "evidence/sums.h"

#include <string.h>

#include "evidence/manifest.h"

enum { LINES_MOST = 100001 };

void sums_deinit(struct sums *sums)
{
	for (size_t i = 0; i < sums->lines.n; i++)
		free(sums->lines.v[i].file);
	array_deinit(&sums->lines);
}

void sums_add(struct sums *sums, const char *file, const struct digest *digest)
{
	struct sums_line *line = array_add(&sums->lines);

	line->file = str_dup(file);
	line->digest = *digest;
}

static int cmp_line(const void *a, const void *b)
{
	return strcmp(((const struct sums_line *)a)->file, ((const struct sums_line *)b)->file);
}

void sums_write(struct sums *sums, struct buf *buf)
{
	array_sort(&sums->lines, cmp_line);
	for (size_t i = 0; i < sums->lines.n; i++)
		buf_fmt(buf, "%s  %s\n", DIGEST_TEXT(&sums->lines.v[i].digest),
		        sums->lines.v[i].file);
}

/* One line without its end. */
static int read_line(struct sums *sums, struct str text, struct err *err)
{
	size_t number = sums->lines.n + 1;
	_cleanup_free_ char *line = str_dup_n(text.p, text.n);
	struct digest digest;

	if (number > LINES_MOST || strlen(line) != text.n || text.n < DIGEST_HEX_LEN + 3 ||
	    strncmp(line + DIGEST_HEX_LEN, "  ", 2) != 0 ||
	    !manifest_name_ok(line + DIGEST_HEX_LEN + 2))
		return err_set(err, ERR_INPUT,
		               "SHA256SUMS:%zu: not a digest, two spaces and a "
		               "plain file name",
		               number);
	line[DIGEST_HEX_LEN] = '\0';
	if (!digest_parse(line, &digest))
		return err_set(err, ERR_INPUT, "SHA256SUMS:%zu: not a SHA-256 digest", number);
	if (number > 1 && strcmp(sums->lines.v[number - 2].file, line + DIGEST_HEX_LEN + 2) >= 0)
		return err_set(err, ERR_INPUT, "SHA256SUMS:%zu: listed twice or out of order",
		               number);
	sums_add(sums, line + DIGEST_HEX_LEN + 2, &digest);
	return 0;
}

int sums_read(const char *text, size_t n, struct sums *ret, struct err *err)
{
	struct sums sums = { 0 };
	struct str rest = { text, n };
	struct str line;

	if (n == 0 || text[n - 1] != '\n')
		return err_set(err, ERR_INPUT, "SHA256SUMS is empty or cut short");
	rest.n--;
	while (str_cut(&rest, '\n', &line)) {
		if (read_line(&sums, line, err) < 0) {
			sums_deinit(&sums);
			return -1;
		}
	}
	*ret = sums;
	return 0;
}

const struct digest *sums_find(const struct sums *sums, const char *file)
{
	for (size_t low = 0, high = sums->lines.n; low < high;) {
		size_t mid = low + (high - low) / 2;
		int c = strcmp(file, sums->lines.v[mid].file);

		if (c == 0)
			return &sums->lines.v[mid].digest;
		if (c < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}
