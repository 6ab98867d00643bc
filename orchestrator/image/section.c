/* The lock's section of an image, to and from JSON. */
#include "image/section.h"

#include <string.h>

#include "base/map.h"
#include "base/str.h"
#include "source/deb822.h"

static const char dpkg_status[] = "dpkg's status";

void image_section_deinit(struct image_section *section)
{
	debs_deinit(&section->packages);
	debs_deinit(&section->files);
	free(section->resolved);
	section->resolved = NULL;
}

/* It becomes a part of an address: digits as in 20260131T142703Z and nothing else. */
static bool is_time(const char *text)
{
	static const char form[] = "00000000T000000Z";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
			return false;
	return true;
}

static int read_resolved(struct image_section *section, const json_t *json, const char *what,
                         struct err *err)
{
	const char *text = json_str_or(json, "resolved", NULL);

	if (text && !is_time(text))
		return err_set(err, ERR_INPUT,
		               "%s: member \"resolved\" is no time like "
		               "20260131T142703Z: %s",
		               what, text);
	section->resolved = text ? str_dup(text) : NULL;
	return 0;
}

static int read_digest(const json_t *json, const char *key, const char *what, struct digest *ret,
                       struct err *err)
{
	const char *text;

	if (json_get_str(json, key, what, &text, err) < 0)
		return -1;
	if (!digest_parse(text, ret))
		return err_set(err, ERR_INPUT, "%s: member \"%s\" is no SHA-256 digest: %s", what,
		               key, text);
	return 0;
}

static int read_deb(const json_t *json, const char *what, struct debs *debs, struct err *err)
{
	const char *name, *version, *architecture;
	struct blob_ref ref = { 0 };
	json_int_t size;

	if (json_get_str(json, "name", what, &name, err) < 0 ||
	    json_get_str(json, "version", what, &version, err) < 0 ||
	    json_get_str(json, "architecture", what, &architecture, err) < 0 ||
	    read_digest(json, "sha256", what, &ref.digest, err) < 0 ||
	    json_get_int(json, "size", what, &size, err) < 0)
		return -1;
	if (size < 0 || strpbrk(name, " \t\n/") || strpbrk(version, " \t\n/") || name[0] == '-' ||
	    strpbrk(architecture, " \t\n/"))
		return err_set(err, ERR_INPUT, "%s: the package %s %s %s is malformed", what, name,
		               version, architecture);
	ref.size = (uint64_t)size;
	debs_add(debs, name, version, architecture, &ref);
	return 0;
}

static int read_list(const json_t *json, const char *key, const char *what, struct debs *debs,
                     struct err *err)
{
	json_t *list, *item;
	size_t i;

	if (json_get_array(json, key, what, &list, err) < 0)
		return -1;
	json_array_foreach (list, i, item)
		if (read_deb(item, what, debs, err) < 0)
			return -1;
	return 0;
}

/* The files must be those of the definition: same package, same places. */
static int check_files(const struct image_section *section,
                       const struct image_definition *definition, const json_t *json,
                       const char *what, struct err *err)
{
	const json_t *list = json_object_get(json, "files");

	if (section->files.list.n != definition->files.n)
		return err_set(err, ERR_INPUT, "%s: it lists %zu files, container %s has %zu", what,
		               section->files.list.n, definition->name, definition->files.n);
	for (size_t i = 0; i < definition->files.n; i++) {
		const json_t *item = json_array_get(list, i);
		const struct image_file *file = &definition->files.v[i];

		if (!str_eq(json_str_or(item, "path", ""), file->path) ||
		    !str_eq(json_str_or(item, "to", ""), file->to))
			return err_set(err, ERR_INPUT,
			               "%s: its file %s is not the one container %s "
			               "names (%s)",
			               what, json_str_or(item, "to", "?"), definition->name,
			               file->to);
	}
	return 0;
}

static int read_all(struct image_section *section, const struct image_definition *definition,
                    const json_t *json, const char *what, struct err *err)
{
	if (!json_is_object(json))
		return err_set(err, ERR_INPUT, "%s: not an object", what);
	if (read_digest(json, "tree", what, &section->tree, err) < 0 ||
	    read_digest(json, "container", what, &section->container, err) < 0 ||
	    read_resolved(section, json, what, err) < 0)
		return -1;
	if (definition && !digest_eq(&section->container, &definition->digest)) {
		err_set(err, ERR_INPUT, "%s: it was made for another definition of container %s",
		        what, definition->name);
		return err_hint(err, "write the lock anew: kiln lock");
	}
	if (read_list(json, "packages", what, &section->packages, err) < 0 ||
	    read_list(json, "files", what, &section->files, err) < 0)
		return -1;
	return definition ? check_files(section, definition, json, what, err) : 0;
}

int image_section_read(struct image_section *ret, const struct image_definition *definition,
                       const json_t *json, const char *what, struct err *err)
{
	struct image_section section = { 0 };

	if (read_all(&section, definition, json, what, err) < 0) {
		image_section_deinit(&section);
		return -1;
	}
	*ret = section;
	return 0;
}

static void set_digest(json_t *json, const char *key, const struct digest *digest)
{
	_cleanup_free_ char *text = str_fmt("sha256:%s", DIGEST_TEXT(digest));

	json_object_set_new(json, key, json_string(text));
}

static json_t *write_deb(const struct deb *deb)
{
	json_t *json = json_object();

	json_object_set_new(json, "name", json_string(deb->name));
	json_object_set_new(json, "version", json_string(deb->version));
	json_object_set_new(json, "architecture", json_string(deb->architecture));
	json_object_set_new(json, "sha256", json_string(DIGEST_TEXT(&deb->ref.digest)));
	json_object_set_new(json, "size", json_integer((json_int_t)deb->ref.size));
	return json;
}

json_t *image_section_write(const struct image_section *section,
                            const struct image_definition *definition)
{
	json_t *json = json_object(), *packages = json_array(), *files = json_array();

	set_digest(json, "tree", &section->tree);
	set_digest(json, "container", &section->container);
	json_object_set_new(json, "suite", json_string(definition->suite));
	if (section->resolved)
		json_object_set_new(json, "resolved", json_string(section->resolved));
	for (size_t i = 0; i < section->packages.list.n; i++)
		json_array_append_new(packages, write_deb(&section->packages.list.v[i]));
	for (size_t i = 0; i < section->files.list.n; i++) {
		json_t *file = write_deb(&section->files.list.v[i]);

		json_object_set_new(file, "path", json_string(definition->files.v[i].path));
		json_object_set_new(file, "to", json_string(definition->files.v[i].to));
		json_array_append_new(files, file);
	}
	json_object_set_new(json, "packages", packages);
	json_object_set_new(json, "files", files);
	return json;
}

static int note_installed(const struct deb822 *stanza, const struct map *known,
                          struct map *installed, struct err *err)
{
	_cleanup_free_ char *name = deb822_get_dup(stanza, "Package");
	_cleanup_free_ char *version = deb822_get_dup(stanza, "Version");
	_cleanup_free_ char *arch = deb822_get_dup(stanza, "Architecture");
	_cleanup_free_ char *key = NULL;

	if (!deb822_is(stanza, "Status", "install ok installed"))
		return 0;
	key = str_fmt("%s %s %s", name ? name : "", version ? version : "", arch ? arch : "");
	if (!map_has(known, key))
		return err_set(err, ERR_BUG, "the image has %s, which nobody put there", key);
	map_set(installed, key, installed);
	return 0;
}

static char *deb_key(const struct deb *deb)
{
	return str_fmt("%s %s %s", deb->name, deb->version, deb->architecture);
}

int image_section_installed(struct image_section *section, struct str status, struct err *err)
{
	_cleanup_deb822_ struct deb822 stanza = { 0 };
	struct map *known = map_new(), *installed = map_new();
	struct debs kept = { 0 };
	int rc;

	for (size_t i = 0; i < section->packages.list.n; i++) {
		_cleanup_free_ char *key = deb_key(&section->packages.list.v[i]);

		map_set(known, key, known);
	}
	while ((rc = deb822_next(&status, &stanza, dpkg_status, err)) == 0)
		if (note_installed(&stanza, known, installed, err) < 0) {
			rc = -1;
			break;
		}
	for (size_t i = 0; rc >= 0 && i < section->packages.list.n; i++) {
		const struct deb *deb = &section->packages.list.v[i];
		_cleanup_free_ char *key = deb_key(deb);

		if (map_has(installed, key))
			debs_add(&kept, deb->name, deb->version, deb->architecture, &deb->ref);
	}
	if (rc >= 0) {
		debs_deinit(&section->packages);
		section->packages = kept;
		debs_sort(&section->packages);
	}
	map_free(known);
	map_free(installed);
	return rc < 0 ? -1 : 0;
}
