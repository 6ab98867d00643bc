/* .dsc files and changelogs: the two texts that say what a Debian source package is. */
#include "source/dsc.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/path.h"
#include "source/deb822.h"

enum { FILES_MOST = 1000 };

void dsc_deinit(struct dsc *dsc)
{
	for (size_t i = 0; i < dsc->files.n; i++)
		free(dsc->files.v[i].name);
	array_deinit(&dsc->files);
	free(dsc->source);
	free(dsc->version);
	free(dsc->format);
	*dsc = (struct dsc){ 0 };
}

static bool parse_number(struct str text, uint64_t *ret)
{
	uint64_t value = 0;

	if (text.n == 0 || text.n > 15)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (!isdigit((unsigned char)text.p[i]))
			return false;
		value = value * 10 + (uint64_t)(text.p[i] - '0');
	}
	*ret = value;
	return true;
}

/* "HEX SIZE NAME" */
static int add_file(struct dsc *dsc, struct str line, const char *what, struct err *err)
{
	struct str hash, size, name, more;
	char hex[DIGEST_HEX_SIZE] = "";
	struct blob_ref ref;
	char *copy;

	if (!deb822_word(&line, &hash))
		return 0;
	if (!deb822_word(&line, &size) || !deb822_word(&line, &name) || deb822_word(&line, &more) ||
	    hash.n != DIGEST_HEX_LEN || !parse_number(size, &ref.size))
		return err_set(err, ERR_INPUT, "%s: a line of Checksums-Sha256 is malformed", what);
	memcpy(hex, hash.p, DIGEST_HEX_LEN);
	copy = str_dup_n(name.p, name.n);
	if (!digest_parse(hex, &ref.digest) || strchr(copy, '/') || path_tree_fault(copy) ||
	    copy[0] == '.' || copy[0] == '-' || dsc->files.n >= FILES_MOST) {
		free(copy);
		return err_set(err, ERR_INPUT, "%s: a line of Checksums-Sha256 is malformed", what);
	}
	*array_add(&dsc->files) = (struct dsc_file){ copy, ref };
	return 0;
}

static int read_stanza(struct dsc *dsc, const struct deb822 *stanza, const char *what,
                       struct err *err)
{
	struct str sums = deb822_get(stanza, "Checksums-Sha256"), line;

	dsc->source = deb822_get_dup(stanza, "Source");
	dsc->version = deb822_get_dup(stanza, "Version");
	dsc->format = deb822_get_dup(stanza, "Format");
	if (!dsc->source || !dsc->version)
		return err_set(err, ERR_INPUT, "%s: no source package's description", what);
	if (!dsc->format)
		dsc->format = str_dup("1.0");
	while (str_cut(&sums, '\n', &line))
		if (add_file(dsc, line, what, err) < 0)
			return -1;
	if (dsc->files.n == 0)
		return err_set(err, ERR_INPUT, "%s: it lists no files with SHA-256", what);
	return 0;
}

int dsc_parse(struct str text, const char *what, struct dsc *ret, struct err *err)
{
	_cleanup_deb822_ struct deb822 stanza = { 0 };
	struct dsc dsc = { 0 };
	int rc = deb822_next(&text, &stanza, what, err);

	if (rc == DEB822_END)
		return err_set(err, ERR_INPUT, "%s: empty", what);
	if (rc < 0)
		return -1;
	if (read_stanza(&dsc, &stanza, what, err) < 0) {
		dsc_deinit(&dsc);
		return -1;
	}
	*ret = dsc;
	return 0;
}

static bool number_in(struct str text, uint64_t from, uint64_t to, int *ret)
{
	uint64_t value;

	if (!parse_number(text, &value) || value < from || value > to)
		return false;
	*ret = (int)value;
	return true;
}

static bool month_of(struct str text, int *ret)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

	for (int i = 0; i < 12; i++)
		if (text.n == 3 && memcmp(text.p, names + (ptrdiff_t)i * 3, 3) == 0) {
			*ret = i;
			return true;
		}
	return false;
}

static bool clock_of(struct str text, struct tm *tm)
{
	struct str hours, minutes, seconds;

	return str_cut(&text, ':', &hours) && str_cut(&text, ':', &minutes) &&
	       str_cut(&text, ':', &seconds) && !text.p && number_in(hours, 0, 23, &tm->tm_hour) &&
	       number_in(minutes, 0, 59, &tm->tm_min) && number_in(seconds, 0, 60, &tm->tm_sec);
}

/* "+0200" in seconds. */
static bool zone_of(struct str text, int64_t *ret)
{
	int hours, minutes;

	if (text.n != 5 || (text.p[0] != '+' && text.p[0] != '-') ||
	    !number_in((struct str){ text.p + 1, 2 }, 0, 23, &hours) ||
	    !number_in((struct str){ text.p + 3, 2 }, 0, 59, &minutes))
		return false;
	*ret = (hours * 60 + minutes) * (text.p[0] == '-' ? -60 : 60);
	return true;
}

bool rfc5322_date(struct str text, int64_t *ret)
{
	struct str day_name, day, month, year, clock, zone, more;
	struct tm tm = { 0 };
	int64_t offset;

	if (!deb822_word(&text, &day_name) || !deb822_word(&text, &day) ||
	    !deb822_word(&text, &month) || !deb822_word(&text, &year) ||
	    !deb822_word(&text, &clock) || !deb822_word(&text, &zone) || deb822_word(&text, &more))
		return false;
	if (!number_in(day, 1, 31, &tm.tm_mday) || !month_of(month, &tm.tm_mon) ||
	    !number_in(year, 1970, 9999, &tm.tm_year) || !clock_of(clock, &tm) ||
	    !zone_of(zone, &offset))
		return false;
	tm.tm_year -= 1900;
	*ret = (int64_t)timegm(&tm) - offset;
	return *ret >= 0;
}

int changelog_date(struct str text, const char *what, int64_t *ret, struct err *err)
{
	struct str line;

	while (str_cut(&text, '\n', &line)) {
		const char *end;

		if (line.n < 4 || memcmp(line.p, " -- ", 4) != 0)
			continue;
		end = memmem(line.p, line.n, ">  ", 3);
		if (end &&
		    rfc5322_date((struct str){ end + 3, line.n - (size_t)(end + 3 - line.p) }, ret))
			return 0;
		return err_set(err, ERR_INPUT, "%s: its first entry has no readable date: %.*s",
		               what, (int)(line.n < 200 ? line.n : 200), line.p);
	}
	return err_set(err, ERR_INPUT, "%s: it has no entry with a date", what);
}
