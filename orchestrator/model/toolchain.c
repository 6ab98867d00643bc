/* Toolchain files: the table of their fields, and the view for one target. */
#include "model/toolchain.h"

#include "base/str.h"
#include "model/triple.h"

static const struct schema_field tool_fields[] = {
	{ "ar", SCHEMA_STRING, true, "archiver that reads LTO objects", NULL, NULL },
	{ "ranlib", SCHEMA_STRING, true, "its ranlib", NULL, NULL },
	{ "nm", SCHEMA_STRING, true, "lists symbols, LTO objects included", NULL, NULL },
	{ "strip", SCHEMA_STRING, true, "removes symbols; absolute path", NULL, NULL },
	{ "profdata", SCHEMA_STRING, true, "merges compiler profiles; absolute path", NULL, NULL },
	{ "bolt", SCHEMA_STRING, false, "llvm-bolt; absolute path", NULL, NULL },
	{ "merge_fdata", SCHEMA_STRING, false, "merges BOLT profiles; absolute path", NULL, NULL },
	{ "perf2bolt", SCHEMA_STRING, false, "makes BOLT profiles of samples; absolute path", NULL,
	  NULL },
	{ 0 },
};

static const struct schema_field bolt_fields[] = {
	{ "runtime_library", SCHEMA_STRING, false,
	  "BOLT's instrumentation runtime where the target is foreign, below its library folder",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field target_fields[] = {
	{ "cc", SCHEMA_STRINGS, true, "the C compiler with the flags that choose the target", NULL,
	  NULL },
	{ "cxx", SCHEMA_STRINGS, true, "the C++ compiler, likewise", NULL, NULL },
	{ "host", SCHEMA_STRING, true, "what configure calls the target (--host)", NULL, NULL },
	{ "debian", SCHEMA_STRING, true, "Debian's name of the architecture", NULL, NULL },
	{ "emulator", SCHEMA_STRINGS, false,
	  "what runs the target's programs; none: they run as they are", NULL, NULL },
	{ "bolt", SCHEMA_OBJECT, false, "present where BOLT works for the target", NULL,
	  bolt_fields },
	{ 0 },
};

const struct schema_field toolchain_fields[] = {
	{ "api", SCHEMA_INT, true, "1", NULL, NULL },
	{ "image", SCHEMA_STRING, true, "the container that holds the tools", NULL, NULL },
	{ "path", SCHEMA_STRINGS, false,
	  "folders of the image where stages look for programs; default: /usr/bin, /bin", NULL,
	  NULL },
	{ "build", SCHEMA_STRING, true, "what configure calls the machine that compiles (--build)",
	  NULL, NULL },
	{ "tools", SCHEMA_OBJECT, true, "the tools all targets share", NULL, tool_fields },
	{ "link_flags", SCHEMA_STRINGS, false, "flags of every link", NULL, NULL },
	{ "targets", SCHEMA_NAMED, true, "what differs, by triple", NULL, target_fields },
	{ 0 },
};

/* A folder of the image, that may stand in PATH. */
static int check_path(const struct definition *toolchain, struct err *err)
{
	const json_t *path = json_object_get(yaml_doc_json(toolchain->yaml), "path");
	const json_t *folder;
	size_t i;

	json_array_foreach (path, i, folder) {
		const char *text = json_string_value(folder);
		_cleanup_free_ char *pointer = str_fmt("/path/%zu", i);

		if (text[0] != '/' || strchr(text, ':'))
			return yaml_doc_refuse(toolchain->yaml, pointer, false, NULL, err,
			                       "path: \"%s\" is no absolute folder", text);
	}
	return 0;
}

static int check_targets(const struct definition *toolchain, struct err *err)
{
	json_t *targets = json_object_get(yaml_doc_json(toolchain->yaml), "targets");
	const char *name;
	json_t *target;

	json_object_foreach (targets, name, target) {
		_cleanup_free_ char *pointer = str_fmt("/targets/%s", name);
		_cleanup_free_ char *cc = str_fmt("/targets/%s/cc", name);
		const char *fault =
			strchr(name, '.') ? "no glibc version belongs here" : triple_fault(name);
		const char *near = triple_nearest(name);
		_cleanup_free_ char *note = near ? str_fmt("did you mean \"%s\"?", near) : NULL;

		if (fault)
			return yaml_doc_refuse(toolchain->yaml, pointer, true, note, err,
			                       "targets: %s \"%s\"", fault, name);
		if (json_array_size(json_object_get(target, "cc")) == 0 ||
		    json_array_size(json_object_get(target, "cxx")) == 0)
			return yaml_doc_refuse(toolchain->yaml, cc, false, NULL, err,
			                       "targets: cc and cxx of %s must name a command",
			                       name);
	}
	return 0;
}

int toolchain_load(const char *project, const char *name, struct definition *ret, struct err *err)
{
	struct definition def = { 0 };
	int rc = definition_load(project, "toolchains", name, toolchain_fields, &def, err);

	if (rc != 0)
		return rc;
	if (check_path(&def, err) < 0 || check_targets(&def, err) < 0) {
		definition_deinit(&def);
		return -1;
	}
	*ret = def;
	return 0;
}

json_t *toolchain_target(const struct definition *toolchain, const char *name, const char *triple)
{
	json_t *all = yaml_doc_json(toolchain->yaml);
	json_t *target = json_object_get(json_object_get(all, "targets"), triple);
	json_t *view;

	if (!target)
		return NULL;
	view = json_deep_copy(target);
	json_object_set_new(view, "name", json_string(name));
	json_object_set_new(view, "triple", json_string(triple));
	json_object_set(view, "image", json_object_get(all, "image"));
	json_object_set(view, "build", json_object_get(all, "build"));
	json_object_set(view, "tools", json_object_get(all, "tools"));
	if (json_object_get(all, "path"))
		json_object_set(view, "path", json_object_get(all, "path"));
	if (json_object_get(all, "link_flags"))
		json_object_set(view, "link_flags", json_object_get(all, "link_flags"));
	else
		json_object_set_new(view, "link_flags", json_array());
	if (!json_object_get(view, "emulator"))
		json_object_set_new(view, "emulator", json_array());
	return view;
}
