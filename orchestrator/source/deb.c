/* Lists of binary packages, and how apt-get writes and is asked for them. */
#include "source/deb.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "source/deb822.h"

void debs_deinit(struct debs *debs)
{
	for (size_t i = 0; i < debs->list.n; i++) {
		free(debs->list.v[i].name);
		free(debs->list.v[i].version);
		free(debs->list.v[i].architecture);
	}
	array_deinit(&debs->list);
}

void debs_add(struct debs *debs, const char *name, const char *version, const char *architecture,
              const struct blob_ref *ref)
{
	*array_add(&debs->list) =
		(struct deb){ str_dup(name), str_dup(version), str_dup(architecture), *ref };
}

static int deb_cmp(const void *a, const void *b)
{
	const struct deb *x = a, *y = b;
	int rc = strcmp(x->name, y->name);

	if (rc == 0)
		rc = strcmp(x->architecture, y->architecture);
	return rc ? rc : strcmp(x->version, y->version);
}

void debs_sort(struct debs *debs)
{
	array_sort(&debs->list, deb_cmp);
}

char *deb_spec(const struct deb *deb)
{
	if (str_eq(deb->architecture, "all"))
		return str_fmt("%s=%s", deb->name, deb->version);
	return str_fmt("%s:%s=%s", deb->name, deb->architecture, deb->version);
}

/* apt writes '_', ':' and '%' of a version as %xx in file names. */
static char *decode(struct str text)
{
	char *out = alloc(text.n + 1), *to = out;

	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] == '%' && i + 2 < text.n) {
			char hex[3] = { text.p[i + 1], text.p[i + 2], '\0' };

			*to++ = (char)strtol(hex, NULL, 16);
			i += 2;
		} else {
			*to++ = text.p[i];
		}
	}
	return out;
}

bool debs_add_uri_line(struct debs *debs, struct str line)
{
	struct str uri, file, size, hash, part[3];
	char digits[24] = "", hex[DIGEST_HEX_SIZE] = "";
	struct deb *deb;
	struct blob_ref ref;

	if (!deb822_word(&line, &uri) || uri.p[0] != '\'' || !deb822_word(&line, &file) ||
	    !deb822_word(&line, &size) || !deb822_word(&line, &hash))
		return false;
	if (file.n < 5 || memcmp(file.p + file.n - 4, ".deb", 4) != 0 || size.n >= sizeof(digits) ||
	    hash.n != 7 + DIGEST_HEX_LEN || memcmp(hash.p, "SHA256:", 7) != 0)
		return false;
	file.n -= 4;
	for (size_t i = 0; i < 3; i++)
		if (!str_cut(&file, '_', &part[i]))
			return false;
	memcpy(digits, size.p, size.n);
	memcpy(hex, hash.p + 7, DIGEST_HEX_LEN);
	if (file.p || !digest_parse(hex, &ref.digest))
		return false;
	ref.size = strtoull(digits, NULL, 10);
	deb = array_add(&debs->list);
	*deb = (struct deb){ decode(part[0]), decode(part[1]), decode(part[2]), ref };
	return true;
}
