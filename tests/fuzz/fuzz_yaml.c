/* YAML as people write it: refused with a place, or JSON that the tables judge without harm. */
#include "fuzz/fuzz.h"

#include "base/alloc.h"
#include "external/yaml.h"
#include "model/container.h"
#include "model/toolchain.h"

static void judge(const struct yaml_doc *yaml, const struct schema_field *fields)
{
	const struct schema_field *const tables[] = { fields, NULL };
	_cleanup_json_ json_t *copy = json_deep_copy(yaml_doc_json(yaml));
	struct schema_fault fault;
	struct err err = ERR_INIT;

	if (!schema_check(copy, tables, &fault))
		return;
	bug_on(!fault.text[0]);
	yaml_doc_refuse(yaml, fault.pointer, fault.at_key, fault.note, &err, "%s", fault.text);
	bug_on(err.code != ERR_INPUT || !err.cause[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err err = ERR_INIT;
	_cleanup_yaml_ struct yaml_doc *yaml = NULL;
	struct yaml_place place;

	if (yaml_doc_parse((const char *)data, size, "input", &yaml, &err) < 0) {
		bug_on(err.code != ERR_INPUT || !err.cause[0]);
		return 0;
	}
	bug_on(!yaml_doc_where(yaml, "", false, &place));
	judge(yaml, toolchain_fields);
	judge(yaml, container_fields);
	return 0;
}
