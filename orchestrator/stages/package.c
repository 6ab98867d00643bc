/*
 * tar, zip, compress, deb-members, deb-ar: files become packages. Containers are written by
 * builtins, uncompressed; compression runs the image's own tools, because the bytes of a
 * compressor change with its version and the image pins that.
 */
#include "base/path.h"
#include "stages/kinds.h"
#include "stages/options.h"

static const struct schema_field file_fields[] = {
	{ "at", SCHEMA_STRING, true, "path in the package", NULL, NULL },
	{ "from", SCHEMA_REF, true, "what stands there", NULL, NULL },
	{ "mode", SCHEMA_STRING, false, "\"0644\" or \"0755\"; default: by the executable bit",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field tree_fields[] = {
	{ "root", SCHEMA_STRING, true, "the one folder at the top", NULL, NULL },
	{ "files", SCHEMA_OBJECTS, true, "what it holds", NULL, file_fields },
	{ 0 },
};

static const char *const formats[] = { "zst", "xz", "gz", NULL };

static const struct schema_field compress_fields[] = {
	{ "from", SCHEMA_REF, true, "the file to compress", NULL, NULL },
	{ "format", SCHEMA_STRING, true, "zst, xz or gz", formats, NULL },
	{ "name", SCHEMA_STRING, false, "the output's name without its ending; default out.tar",
	  NULL, NULL },
	{ 0 },
};

static const struct schema_field members_fields[] = {
	{ "control", SCHEMA_MAP, true, "fields of the control file", NULL, NULL },
	{ "files", SCHEMA_OBJECTS, true, "what it installs, below /", NULL, file_fields },
	{ 0 },
};

static const struct schema_field ar_fields[] = {
	{ "control", SCHEMA_REF, true, "the compressed control archive", NULL, NULL },
	{ "data", SCHEMA_REF, true, "the compressed data archive", NULL, NULL },
	{ 0 },
};

/* Places every file below tree/PREFIX and notes explicit modes. */
static int lower_files(struct lowering *lowering, const char *prefix, json_t *modes,
                       struct err *err)
{
	const json_t *files = option_list(lowering, "files");
	size_t i;
	json_t *v;

	json_array_foreach ((json_t *)files, i, v) {
		const char *at = json_str_or(v, "at", "");
		const char *mode = json_str_or(v, "mode", NULL);
		const char *full;

		if (!path_is_tree(at) || at[0] == '\0')
			return lower_refuse(lowering, err, "the package path \"%s\" %s", at,
			                    at[0] ? path_tree_fault(at) : "is empty");
		full = prefix[0] ? arena_fmt(lowering->arena, "%s/%s", prefix, at) : at;
		lower_input(lowering, arena_fmt(lowering->arena, "tree/%s", full),
		            lower_ref(lowering, json_object_get(v, "from")));
		if (mode)
			json_object_set_new(modes, full, json_string(mode));
	}
	return 0;
}

static int lower_tree(const struct stage *stage, struct arena *arena, struct lowering *l,
                      struct err *err)
{
	_cleanup_json_ json_t *parameters = json_object();
	const char *root;
	json_t *modes = json_object();

	json_object_set_new(parameters, "modes", modes);
	if (lowering_begin(l, stage, arena, err) < 0)
		return -1;
	root = option_str(l, "root");
	if (!root || !path_is_tree(root) || root[0] == '\0' || strchr(root, '/'))
		return lower_refuse(l, err, "root must be one folder name");
	if (lower_files(l, root, modes, err) < 0)
		return -1;
	json_object_set_new(parameters, "root", json_string(root));
	lower_parameters(l, parameters);
	return 0;
}

static int lower_tar(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                     struct err *err)
{
	struct lowering l;

	if (lower_tree(stage, arena, &l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	l.out.action.builtin = "tar@1";
	lower_output(&l, "out.tar", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

/* zip of the image; names sorted by bytes, times from SOURCE_DATE_EPOCH (the checkout's mtimes) in
 * UTC, no owners (-X), modes by the executable bit. */
static const char zip_script[] =
	"cd tree\n"
	"find . -mindepth 1 -type d -exec chmod 0755 {} +\n"
	"find . -mindepth 1 | sed 's|^\\./||' | sort | zip -q -X -9 -@ ../out.zip\n";

static int lower_zip(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                     struct err *err)
{
	struct lowering l;

	if (lower_tree(stage, arena, &l, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	lower_env(&l, "LC_ALL", "C");
	lower_arg(&l, "/bin/sh");
	lower_arg(&l, "-euc");
	lower_arg(&l, zip_script);
	lower_output(&l, "out.zip", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

static void lower_compressor(struct lowering *lowering, const char *format)
{
	if (str_eq(format, "zst")) {
		lower_arg(lowering, "zstd");
		lower_arg(lowering, "-19");
		lower_arg(lowering, "--no-progress");
		lower_arg(lowering, "-T1");
		lower_arg(lowering, "--keep");
	} else if (str_eq(format, "xz")) {
		lower_arg(lowering, "xz");
		lower_arg(lowering, "-9");
		lower_arg(lowering, "-T1");
		lower_arg(lowering, "--keep");
	} else {
		lower_arg(lowering, "gzip");
		lower_arg(lowering, "-9");
		lower_arg(lowering, "--no-name");
		lower_arg(lowering, "--keep");
	}
}

static int lower_compress(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                          struct err *err)
{
	struct lowering l;
	struct ref from;
	const char *format, *name;

	if (lowering_begin(&l, stage, arena, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	from = option_ref(&l, "from");
	format = option_str(&l, "format");
	name = option_str(&l, "name");
	if (!name)
		name = "out.tar";
	if (name[0] == '\0' || name[0] == '-' || strchr(name, '/') || !path_is_tree(name)) {
		lower_refuse(&l, err, "name must be a file name that does not begin with '-'");
		lowering_deinit(&l);
		return -1;
	}
	lower_input(&l, name, from);
	lower_compressor(&l, format);
	lower_arg(&l, name);
	lower_output(&l, arena_fmt(arena, "%s.%s", name, format), true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

static int lower_members(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                         struct err *err)
{
	_cleanup_json_ json_t *parameters = json_object();
	json_t *modes = json_object();
	struct lowering l;

	json_object_set_new(parameters, "modes", modes);
	json_object_set(parameters, "control", json_object_get(stage->options, "control"));
	if (lowering_begin(&l, stage, arena, err) < 0 || lower_files(&l, "", modes, err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	lower_parameters(&l, parameters);
	l.out.action.builtin = "deb-members@2";
	lower_output(&l, "control.tar", true);
	lower_output(&l, "data.tar", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

/* Places a member under its own name: control.tar.xz tells by it how it is compressed. */
static int lower_member(struct lowering *lowering, const char *name, struct err *err)
{
	struct ref ref = option_ref(lowering, name);

	if (!path_is_tree(ref.path) || ref.path[0] == '\0')
		return lower_refuse(lowering, err, "%s must be one file of a stage", name);
	lower_input(lowering, arena_fmt(lowering->arena, "members/%s", path_base(ref.path)), ref);
	return 0;
}

static int lower_ar(const struct stage *stage, struct arena *arena, struct stage_lowered *ret,
                    struct err *err)
{
	struct lowering l;

	if (lowering_begin(&l, stage, arena, err) < 0 || lower_member(&l, "control", err) < 0 ||
	    lower_member(&l, "data", err) < 0) {
		lowering_deinit(&l);
		return -1;
	}
	l.out.action.builtin = "deb-ar@1";
	lower_output(&l, "out.deb", true);
	l.out.passes_on = true;
	lowering_finish(&l, ret);
	return 0;
}

const struct stage_kind stage_tar = {
	.name = "tar",
	.doc = "writes a tar archive; output out.tar",
	.fields = tree_fields,
	.lower = lower_tar,
};
const struct stage_kind stage_zip = {
	.name = "zip",
	.doc = "writes a zip archive; output out.zip",
	.fields = tree_fields,
	.lower = lower_zip,
};
const struct stage_kind stage_compress = {
	.name = "compress",
	.doc = "compresses with the image's zstd, xz or gzip; output NAME.FORMAT",
	.fields = compress_fields,
	.lower = lower_compress,
};
const struct stage_kind stage_deb_members = {
	.name = "deb-members",
	.doc = "writes the two archives of a Debian package; outputs control.tar, data.tar",
	.fields = members_fields,
	.lower = lower_members,
};
const struct stage_kind stage_deb_ar = {
	.name = "deb-ar",
	.doc = "joins the archives of a Debian package; output out.deb",
	.fields = ar_fields,
	.lower = lower_ar,
};
