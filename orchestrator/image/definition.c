/* Container definitions as the image code reads them; the YAML was checked by its schema before. */
#include "image/definition.h"

#include <ctype.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/path.h"
#include "base/str.h"
#include "external/crypto.h"

enum { DEFINITION_MOST = 1 << 20, NAME_MOST = 200 };

static int fail(const struct image_definition *definition, struct err *err, const char *text,
                const char *value)
{
	return err_set(err, ERR_INPUT, "container %s: %s \"%s\"", definition->name, text, value);
}

/* What apt takes as a name: no option, no pattern, no blanks. */
static bool is_package(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > NAME_MOST || !isalnum((unsigned char)text[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("+-.:=~_", text[i]))
			return false;
	return true;
}

static bool is_word(const char *text)
{
	size_t n = strlen(text);

	if (n == 0 || n > NAME_MOST)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isalnum((unsigned char)text[i]) && !strchr("-._", text[i]))
			return false;
	return text[0] != '-' && text[0] != '.';
}

static int take_architectures(struct image_definition *definition, const json_t *list,
                              const char *arch, struct err *err)
{
	bool found = json_array_size(list) == 0;
	const json_t *item;
	size_t i;

	array_push(&definition->architectures, arch);
	json_array_foreach ((json_t *)list, i, item) {
		const char *text = json_is_string(item) ? json_string_value(item) : "";

		if (!is_word(text))
			return fail(definition, err, "not an architecture:", text);
		if (str_eq(text, arch))
			found = true;
		else
			array_push(&definition->architectures, text);
	}
	array_push(&definition->architectures, NULL);
	definition->architectures.n--;
	if (found)
		return 0;
	err_set(err, ERR_INPUT, "container %s is not defined for builds on %s", definition->name,
	        arch);
	return err_hint(err, "add %s to its list of architectures", arch);
}

static int take_packages(struct image_definition *definition, const json_t *list, struct err *err)
{
	const json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item) {
		const char *text = json_is_string(item) ? json_string_value(item) : "";

		if (!is_package(text))
			return fail(definition, err, "not a package:", text);
		array_push(&definition->packages, text);
	}
	return 0;
}

static int take_files(struct image_definition *definition, const json_t *list, struct err *err)
{
	_cleanup_free_ char *what = str_fmt("container %s: files", definition->name);
	const json_t *item;
	size_t i;

	json_array_foreach ((json_t *)list, i, item) {
		struct image_file *file = array_add(&definition->files);

		if (json_get_str(item, "deb", what, &file->deb, err) < 0 ||
		    json_get_str(item, "path", what, &file->path, err) < 0 ||
		    json_get_str(item, "to", what, &file->to, err) < 0)
			return -1;
		if (!is_package(file->deb))
			return fail(definition, err, "not a package:", file->deb);
		if (!*file->path || path_tree_fault(file->path))
			return fail(definition, err,
			            "not a relative path in a package:", file->path);
		if (!*file->to || path_tree_fault(file->to))
			return fail(definition, err, "not a relative path in the image:", file->to);
	}
	return 0;
}

static int take_all(struct image_definition *definition, const char *arch, struct err *err)
{
	_cleanup_free_ char *what = str_fmt("container %s", definition->name);
	_cleanup_buf_ struct buf text = BUF_INIT(DEFINITION_MOST);
	const json_t *json = definition->json;

	if (!json_is_object(json))
		return err_set(err, ERR_INPUT, "%s: its definition is no object", what);
	json_write_canonical(json, &text);
	if (text.overflow)
		return err_set(err, ERR_INPUT, "%s: its definition is too large", what);
	digest_of(text.p, text.n, &definition->digest);
	definition->distribution = json_str_or(json, "distribution", "debian");
	definition->snapshot = json_str_or(json, "snapshot", NULL);
	if (!str_eq(definition->distribution, "debian"))
		return fail(definition, err, "only debian is known, not", definition->distribution);
	if (json_get_str(json, "suite", what, &definition->suite, err) < 0)
		return -1;
	if (!is_word(definition->suite))
		return fail(definition, err, "not a suite:", definition->suite);
	if (definition->snapshot && !is_word(definition->snapshot))
		return fail(definition, err, "not a snapshot time:", definition->snapshot);
	if (take_architectures(definition, json_object_get(json, "architectures"), arch, err) < 0 ||
	    take_packages(definition, json_object_get(json, "packages"), err) < 0)
		return -1;
	return take_files(definition, json_object_get(json, "files"), err);
}

int image_definition_init(struct image_definition *ret, const char *name, const json_t *json,
                          const char *arch, struct err *err)
{
	struct image_definition definition = { .name = name };

	definition.json = json_incref((json_t *)json);
	if (take_all(&definition, arch, err) < 0) {
		image_definition_deinit(&definition);
		return -1;
	}
	*ret = definition;
	return 0;
}

void image_definition_deinit(struct image_definition *definition)
{
	array_deinit(&definition->architectures);
	array_deinit(&definition->packages);
	array_deinit(&definition->files);
	json_cleanup(&definition->json);
}

const char *image_machine_arch(void)
{
	static const char *const names[][2] = { { "x86_64", "amd64" },    { "aarch64", "arm64" },
		                                { "riscv64", "riscv64" }, { "armv7l", "armhf" },
		                                { "ppc64le", "ppc64el" }, { "s390x", "s390x" } };
	struct utsname machine;

	if (uname(&machine) < 0)
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_eq(machine.machine, names[i][0]))
			return names[i][1];
	return NULL;
}
