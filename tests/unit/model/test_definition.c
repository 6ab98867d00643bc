/*
 * Toolchains and containers by name: the project's before the embedded ones, faults with their
 * place, and JSON Schemas that agree with the tables. KILN_UPDATE=1 writes the schemas anew.
 */
#include "unit/support.h"

#include "base/path.h"
#include "model/container.h"
#include "model/embedded.h"
#include "model/toolchain.h"
#include "model/triple.h"

struct project {
	char *folder;
};

static int begin(void **state)
{
	struct project *p = alloc(sizeof(*p));

	p->folder = test_folder();
	*state = p;
	return 0;
}

static int end(void **state)
{
	struct project *p = *state;

	test_folder_remove(p->folder);
	free(p);
	return 0;
}

static void put(const struct project *p, const char *path, const char *text)
{
	_cleanup_free_ char *full = path_join(p->folder, path), *dir = path_dir(full);
	struct err err = ERR_INIT;

	must(fs_make_dirs(AT_FDCWD, dir, 0777, &err), &err);
	must(fs_write_file(AT_FDCWD, full, text, strlen(text), 0666, false, &err), &err);
}

static const char own[] =
	"api: 1\nimage: mine\nbuild: x86_64-pc-linux-gnu\n"
	"tools: {ar: ar, ranlib: r, nm: nm, strip: s, profdata: p}\n"
	"targets:\n  aarch64-unknown-linux-gnu: {cc: [cc], cxx: [c++], host: h, debian: arm64}\n";

static void test_every_embedded_one_loads(void **state)
{
	struct project *p = *state;
	size_t toolchains = 0, containers = 0;

	for (size_t i = 0; i < kiln_embedded_count; i++) {
		const char *path = kiln_embedded[i].path;
		bool toolchain = strncmp(path, "toolchains/", 11) == 0;
		bool container = strncmp(path, "containers/", 11) == 0;
		_cleanup_free_ char *name = NULL;
		struct definition def = { 0 };
		struct err err = ERR_INIT;

		if ((!toolchain && !container) || !strstr(path, ".yaml"))
			continue;
		name = str_dup_n(path + 11, strlen(path) - 16);
		must(toolchain ? toolchain_load(p->folder, name, &def, &err) :
		                 container_load(p->folder, name, &def, &err),
		     &err);
		assert_true(def.embedded);
		assert_string_equal(def.path, path);
		definition_deinit(&def);
		toolchains += toolchain;
		containers += container;
	}
	assert_true(toolchains >= 1 && containers >= 1);
}

/* Every image that a toolchain names is there, for the architecture it builds on. */
static void test_toolchain_names_a_container(void **state)
{
	struct definition toolchain = { 0 }, container = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(toolchain_load(NULL, "llvm-19", &toolchain, &err), &err);
	must(container_load(NULL, json_str_or(yaml_doc_json(toolchain.yaml), "image", ""),
	                    &container, &err),
	     &err);
	definition_deinit(&toolchain);
	definition_deinit(&container);
}

static void test_the_project_comes_first(void **state)
{
	struct project *p = *state;
	struct definition def = { 0 };
	struct err err = ERR_INIT;
	_cleanup_json_ json_t *view = NULL;

	put(p, ".kiln/toolchains/llvm-19.yaml", own);
	must(toolchain_load(p->folder, "llvm-19", &def, &err), &err);
	assert_false(def.embedded);
	assert_string_equal(def.path, ".kiln/toolchains/llvm-19.yaml");
	view = toolchain_target(&def, "llvm-19", "aarch64-unknown-linux-gnu");
	assert_string_equal(json_str_or(view, "image", ""), "mine");
	assert_string_equal(json_str_or(view, "debian", ""), "arm64");
	assert_int_equal(json_array_size(json_object_get(view, "emulator")), 0);
	assert_null(json_object_get(view, "bolt"));
	assert_null(toolchain_target(&def, "llvm-19", "x86_64-unknown-linux-gnu"));
	definition_deinit(&def);
}

static void test_unknown(void **state)
{
	struct project *p = *state;
	struct definition def = { 0 };
	struct err err = ERR_INIT;

	assert_int_equal(toolchain_load(p->folder, "llvm-18", &def, &err), DEFINITION_UNKNOWN);
	assert_int_equal(toolchain_load(p->folder, "../llvm-19", &def, &err), DEFINITION_UNKNOWN);
	assert_int_equal(toolchain_load(p->folder, "", &def, &err), DEFINITION_UNKNOWN);
	put(p, ".kiln/toolchains/mine.yaml", own);
	assert_int_equal(definition_refuse(p->folder, "toolchains", "toolchain", "llvm-18", &err),
	                 -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "unknown toolchain \"llvm-18\"");
	assert_contains(err.hint, "did you mean \"llvm-19\"?");
	assert_contains(err.hint, "mine");
}

static void assert_fault(const struct project *p, const char *text, const char *part)
{
	struct definition def = { 0 };
	struct err err = ERR_INIT;

	put(p, ".kiln/toolchains/x.yaml", text);
	assert_int_equal(toolchain_load(p->folder, "x", &def, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, part);
}

static void test_toolchain_faults(void **state)
{
	struct project *p = *state;

	assert_fault(p, "api: 2\n", ".kiln/toolchains/x.yaml:1: the field \"image\" is missing");
	assert_fault(p, "api: 1\nimage: [x]\n", "x.yaml:2: image: expected text, got a list");
	assert_fault(
		p,
		"api: 1\nimage: x\nbuild: x\ntools: {ar: a, ranlib: r, nm: n, strip: s, "
		"profdata: p}\ntargets:\n  x86_64-linux: {cc: [a], cxx: [b], host: h, debian: d}\n",
		"x.yaml:6: targets: unknown triple \"x86_64-linux\"");
	assert_fault(
		p,
		"api: 1\nimage: x\nbuild: x\ntools: {ar: a, ranlib: r, nm: n, strip: s, "
		"profdata: p}\ntargets:\n  x86_64-unknown-linux-gnu: {cc: [], cxx: [b], host: h, "
		"debian: d}\n",
		"cc and cxx");
}

static void assert_container_fault(const struct project *p, const char *text, const char *part)
{
	struct definition def = { 0 };
	struct err err = ERR_INIT;

	put(p, ".kiln/containers/x.yaml", text);
	assert_int_equal(container_load(p->folder, "x", &def, &err), -1);
	assert_contains(err.cause, part);
}

static void test_container_faults(void **state)
{
	struct project *p = *state;
	static const char head[] = "api: 1\ndistribution: debian\nsuite: trixie\n";
	_cleanup_free_ char *package =
		str_fmt("%sarchitectures: [amd64]\npackages: [clang, 'a b']\n", head);
	_cleanup_free_ char *none = str_fmt("%sarchitectures: []\npackages: []\n", head);
	_cleanup_free_ char *file = str_fmt("%sarchitectures: [amd64]\npackages: []\nfiles:\n"
	                                    "  - {deb: 'xz:amd64', path: usr/../x, to: /x}\n",
	                                    head);
	_cleanup_free_ char *arch = str_fmt("%sarchitectures: [amd46]\npackages: []\n", head);

	assert_container_fault(p, package, "x.yaml:5: packages: \"a b\" names no package");
	assert_container_fault(p, none, "x.yaml:4: architectures: name at least one");
	assert_container_fault(p, file, "x.yaml:7: files: path and to");
	assert_container_fault(p, arch, "did you mean \"amd64\"?");
}

static void assert_schema(const char *path, const struct schema_field *fields, const char *title)
{
	_cleanup_json_ json_t *wanted = schema_to_json_schema(fields, title), *there = NULL;
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	if (getenv("KILN_UPDATE")) {
		json_write_pretty(wanted, &text);
		must(fs_write_file(AT_FDCWD, path, text.p, text.n, 0666, false, &err), &err);
	}
	must(json_read_file(AT_FDCWD, path, &there, &err), &err);
	if (!json_equal(there, wanted))
		fail_msg("%s is not what the tables say; KILN_UPDATE=1 writes it anew", path);
}

static void test_schemas_agree(void **state)
{
	(void)state;
	assert_schema("toolchains/schema.json", toolchain_fields, "Kiln toolchain");
	assert_schema("containers/schema.json", container_fields, "Kiln container");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_every_embedded_one_loads, begin, end),
		cmocka_unit_test(test_toolchain_names_a_container),
		cmocka_unit_test_setup_teardown(test_the_project_comes_first, begin, end),
		cmocka_unit_test_setup_teardown(test_unknown, begin, end),
		cmocka_unit_test_setup_teardown(test_toolchain_faults, begin, end),
		cmocka_unit_test_setup_teardown(test_container_faults, begin, end),
		cmocka_unit_test(test_schemas_agree),
	};

	return cmocka_run_group_tests_name("definition", tests, NULL, NULL);
}
