/*
 * Debian control fields. dpkg is strict about a few names and silent about many mistakes, so each
 * field that a package cannot do without is checked here, with the field named.
 */
#include "package/control.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/array.h"

enum { CONTROL_MOST = 1 << 20 };

static const struct {
	const char *triple, *name;
} architectures[] = {
	{ "x86_64-", "amd64" },        { "aarch64-", "arm64" },     { "i686-", "i386" },
	{ "i586-", "i386" },           { "riscv64gc-", "riscv64" }, { "riscv64-", "riscv64" },
	{ "powerpc64le-", "ppc64el" }, { "s390x-", "s390x" },       { "loongarch64-", "loong64" },
};

static const char *const plain_names[] = { "amd64",   "arm64",    "armhf",   "armel",
	                                   "i386",    "riscv64",  "ppc64el", "s390x",
	                                   "loong64", "mips64el", "all",     NULL };

const char *deb_architecture(const char *triple)
{
	for (const char *const *name = plain_names; *name; name++) {
		if (str_eq(triple, *name))
			return *name;
	}
	if (!strstr(triple, "linux"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(architectures); i++) {
		if (str_starts(triple, architectures[i].triple))
			return architectures[i].name;
	}
	if (str_starts(triple, "arm"))
		return strstr(triple, "eabihf") ? "armhf" : "armel";
	return NULL;
}

/* Whether `suffix` is git describe's "-12-gab12cd" ("-12-gab12cd-dirty" too). */
static bool is_describe(const char *suffix)
{
	const char *p = suffix + 1;

	if (!isdigit((unsigned char)*p))
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	return str_starts(p, "-g") && isxdigit((unsigned char)p[2]);
}

/* The dash of a Debian revision at the end ("-1", "-2.1"), or NULL. */
static char *find_revision(char *text)
{
	char *dash = strrchr(text, '-');

	return dash && isdigit((unsigned char)dash[1]) ? dash : NULL;
}

/* Whether `suffix` is "-47", maybe with more parts behind. */
static bool is_number(const char *suffix)
{
	size_t n = strspn(suffix + 1, "0123456789");

	return n > 0 && (suffix[n + 1] == '\0' || suffix[n + 1] == '-');
}

int deb_version(const char *version, char **ret, struct err *err)
{
	const char *from =
		version[0] == 'v' && isdigit((unsigned char)version[1]) ? version + 1 : version;
	_cleanup_free_ char *text = str_dup(from);
	char *revision = find_revision(text);
	char *dash;

	if (!isdigit((unsigned char)text[0]) ||
	    text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	                      ".+~-:")] != '\0' ||
	    strlen(text) > 200)
		return err_set(
			err, ERR_INPUT,
			"the version \"%s\" cannot become a Debian version: it must start with a "
			"digit and hold letters, digits and . + ~ - only",
			version);
	if (revision)
		*revision++ = '\0';
	dash = strchr(text, '-');
	/* Letters behind a dash come before the version (1.0-rc.1), a number or commits after it. */
	if (dash)
		*dash = is_describe(dash) || is_number(dash) ? '+' : '~';
	for (char *p = dash; p && *p; p++) {
		if (*p == '-')
			*p = '.';
	}
	*ret = str_fmt("%s-%s", text, revision ? revision : "1");
	return 0;
}

void deb_control_deinit(struct deb_control *control)
{
	free(control->package);
	free(control->version);
	free(control->architecture);
	free(control->license);
	free(control->homepage);
	free(control->upstream);
	buf_deinit(&control->text);
}

static int package_name(const char *name, char **ret, struct err *err)
{
	_cleanup_free_ char *text = str_dup(name);

	for (char *p = text; *p; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	if (strlen(text) < 2 || strlen(text) > 100 || !isalnum((unsigned char)text[0]) ||
	    text[strspn(text, "0123456789abcdefghijklmnopqrstuvwxyz+-.")] != '\0')
		return err_set(err, ERR_INPUT,
		               "Package: \"%s\" is no name for a Debian package: at "
		               "least two of a-z 0-9 + - . beginning with a letter or digit",
		               name);
	*ret = steal(text);
	return 0;
}

/* The field by name without case; NULL where it is not there. */
static const char *field(const json_t *fields, const char *name)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)fields, key, value) {
		if (strcasecmp(key, name) == 0)
			return json_string_value(value);
	}
	return NULL;
}

static int required(const json_t *fields, const char *name, const char **ret, struct err *err)
{
	const char *value = field(fields, name);

	if (!value || value[strspn(value, " \t\n")] == '\0') {
		err_set(err, ERR_INPUT, "the Debian package lacks the field %s", name);
		return err_hint(err, "give it in the recipe's deb { … }");
	}
	*ret = value;
	return 0;
}

static int check_fields(const json_t *fields, struct err *err)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)fields, key, value) {
		const char *p = key;

		while (isalnum((unsigned char)*p) || (*p == '-' && p != key))
			p++;
		if (*p != '\0' || p == key)
			return err_set(err, ERR_INPUT,
			               "\"%s\" is no name for a field of a Debian "
			               "package",
			               key);
		if (json_string_value(value) != field(fields, key))
			return err_set(err, ERR_INPUT,
			               "the field %s of the Debian package is there twice: names "
			               "differ by more than case",
			               key);
		if (!json_is_string(value))
			return err_set(err, ERR_INPUT,
			               "the field %s of the Debian package is no "
			               "text",
			               key);
		if (strcasecmp(key, "Description") != 0 && strchr(json_string_value(value), '\n'))
			return err_set(err, ERR_INPUT,
			               "the field %s of the Debian package has more "
			               "than one line",
			               key);
	}
	return 0;
}

/* First line the synopsis; the others indented, empty ones as " .". */
static void add_description(struct buf *buf, const char *text)
{
	struct str rest = str_of(text);
	struct str line;
	bool first = true;

	while (rest.n > 0 && strchr(" \t\r\n", rest.p[rest.n - 1]))
		rest.n--;
	buf_add_str(buf, "Description: ");
	while (str_cut(&rest, '\n', &line)) {
		while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]))
			line.n--;
		if (!first)
			buf_add_str(buf, line.n ? " " : " .");
		buf_add(buf, line.p, line.n);
		buf_add_char(buf, '\n');
		first = false;
	}
}

static void add_known(struct deb_control *c, const json_t *fields)
{
	static const char *const order[] = { "Maintainer", "Section",    "Priority", "Pre-Depends",
		                             "Depends",    "Recommends", "Suggests", "Homepage" };

	buf_fmt(&c->text, "Package: %s\nVersion: %s\nArchitecture: %s\n", c->package, c->version,
	        c->architecture);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		const char *value = field(fields, order[i]);

		if (!value && str_eq(order[i], "Priority"))
			value = "optional";
		if (value && value[0])
			buf_fmt(&c->text, "%s: %s\n", order[i], value);
	}
}

static void add_others(struct deb_control *c, const json_t *fields)
{
	static const char *const taken[] = {
		"Package",    "Version",       "Architecture", "Maintainer",
		"Section",    "Priority",      "Pre-Depends",  "Depends",
		"Recommends", "Suggests",      "Homepage",     "Description",
		"License",    "Upstream-Name", "Source",       "Installed-Size",
	};
	ARRAY(const char *) names = { 0 };
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)fields, key, value) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(taken); i++)
			known = known || strcasecmp(key, taken[i]) == 0;
		if (!known && json_string_value(value)[0])
			array_push(&names, key);
	}
	array_sort(&names, str_cmp_ptr);
	for (size_t i = 0; i < names.n; i++)
		buf_fmt(&c->text, "%s: %s\n", names.v[i], field(fields, names.v[i]));
	array_deinit(&names);
}

static int read_fields(const json_t *fields, struct deb_control *c, struct err *err)
{
	const char *package, *version, *triple, *maintainer, *description;

	if (check_fields(fields, err) < 0 || required(fields, "Package", &package, err) < 0 ||
	    required(fields, "Version", &version, err) < 0 ||
	    required(fields, "Architecture", &triple, err) < 0 ||
	    required(fields, "Maintainer", &maintainer, err) < 0 ||
	    required(fields, "Description", &description, err) < 0)
		return -1;
	if (package_name(package, &c->package, err) < 0 ||
	    deb_version(version, &c->version, err) < 0)
		return -1;
	if (!deb_architecture(triple))
		return err_set(err, ERR_INPUT, "Architecture: Debian has no name for \"%s\"",
		               triple);
	c->architecture = str_dup(deb_architecture(triple));
	if (!strchr(maintainer, '<') || !str_ends(maintainer, ">"))
		return err_set(err, ERR_INPUT,
		               "Maintainer: \"%s\" is not of the form Name "
		               "<mail@address>",
		               maintainer);
	if (description[strspn(description, " \t\r")] == '\n')
		return err_set(err, ERR_INPUT,
		               "Description: its first line, the synopsis, is empty");
	c->license = str_dup(field(fields, "License"));
	c->homepage = str_dup(field(fields, "Homepage"));
	c->upstream = str_dup(field(fields, "Upstream-Name"));
	add_known(c, fields);
	add_others(c, fields);
	add_description(&c->text, description);
	if (c->text.overflow)
		return err_set(err, ERR_INPUT, "the control fields are longer than %d bytes",
		               CONTROL_MOST);
	return 0;
}

int deb_control_read(const json_t *fields, struct deb_control *ret, struct err *err)
{
	struct deb_control control = { .text = BUF_INIT(CONTROL_MOST) };

	if (!json_is_object(fields))
		return err_set(err, ERR_INPUT, "the Debian package has no control fields");
	if (read_fields(fields, &control, err) < 0) {
		deb_control_deinit(&control);
		return -1;
	}
	*ret = control;
	return 0;
}
