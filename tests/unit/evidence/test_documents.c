/* Statement, SBOM, verdict, page: functions of the facts, the same bytes for the same facts. */
#include "base/alloc.h"
#include "evidence/page.h"
#include "evidence/sbom.h"
#include "evidence/statement.h"
#include "evidence/verdict.h"
#include "fakes/release.h"
#include "unit/support.h"

static int setup(void **state)
{
	struct fake_release *fake = alloc(sizeof(*fake));

	fake_release_init(fake, "unused");
	*state = fake;
	return 0;
}

static int teardown(void **state)
{
	fake_release_deinit(*state);
	free(*state);
	return 0;
}

static void times(void **state)
{
	char text[FACTS_TIME_SIZE];

	(void)state;
	setenv("TZ", "Asia/Kathmandu", 1);
	assert_string_equal(facts_time(1735689600, text), "2025-01-01T00:00:00Z");
	assert_string_equal(facts_time(253402300799, text), "9999-12-31T23:59:59Z");
	assert_string_equal(facts_time(INT64_MAX, text), "1970-01-01T00:00:00Z");
	assert_string_equal(facts_time(-1, text), "1970-01-01T00:00:00Z");
	setenv("TZ", "UTC", 1);
}

static struct manifest manifest_of(const struct release_facts *facts)
{
	_cleanup_json_ json_t *json = manifest_new(facts);
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct manifest manifest;
	struct err err = ERR_INIT;

	manifest_write(json, &text);
	assert_int_equal(manifest_read(text.p, text.n, &manifest, &err), 0);
	return manifest;
}

static void statement_speaks_of_the_artefacts(void **state)
{
	struct fake_release *fake = *state;
	struct manifest manifest = manifest_of(&fake->input.facts);
	_cleanup_json_ json_t *statement = statement_new(&fake->input.facts);
	struct err err = ERR_INIT;
	json_t *predicate = json_object_get(statement, "predicate");

	assert_int_equal(statement_check(statement, &manifest, &err), 0);
	assert_string_equal(json_str_or(statement, "_type", ""), "https://in-toto.io/Statement/v1");
	assert_string_equal(json_str_or(statement, "predicateType", ""),
	                    "https://slsa.dev/provenance/v1");
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(predicate, "buildDefinition"),
	                                        "resolvedDependencies")),
		1);
	assert_false(statement_is_development(statement));
	statement_set_development(statement, true);
	assert_true(statement_is_development(statement));
	statement_set_development(statement, false);
	assert_false(statement_is_development(statement));
	manifest_deinit(&manifest);
}

/* Each way in which subjects and artefacts can differ. */
static void statement_must_match(void **state)
{
	struct fake_release *fake = *state;
	struct manifest manifest = manifest_of(&fake->input.facts);
	static const char *const words[] = {
		"the provenance does not speak of the artefact",
		"the provenance names a subject twice",
		"the provenance does not speak of the artefact",
		"which is no artefact of this release",
		"the provenance gives another digest for",
		"the provenance is no in-toto v1 statement with a SLSA v1 predicate",
		"the provenance is no in-toto v1 statement with a SLSA v1 predicate",
		"the provenance is malformed",
		"the provenance has a malformed subject",
	};

	for (int how = 0; how < 9; how++) {
		_cleanup_json_ json_t *statement = statement_new(&fake->input.facts);
		json_t *subjects = json_object_get(statement, "subject");
		json_t *first = json_array_get(subjects, 0);
		struct err err = ERR_INIT;

		if (how == 0)
			json_array_remove(subjects, 0);
		if (how == 1)
			json_array_append(subjects, first);
		if (how == 2)
			json_array_set(subjects, 1, first);
		if (how == 3)
			json_object_set_new(first, "name", json_string("other"));
		if (how == 4)
			json_object_set(first, "digest",
			                json_object_get(json_array_get(subjects, 1), "digest"));
		if (how == 5)
			json_object_set_new(statement, "_type", json_string("x"));
		if (how == 6)
			json_object_set_new(statement, "predicateType", json_string("x"));
		if (how == 7)
			json_object_del(statement, "predicate");
		if (how == 8)
			json_array_append_new(subjects, json_integer(1));
		if (statement_check(statement, &manifest, &err) == 0)
			fail_msg("accepted change %d", how);
		assert_int_equal(err.code, ERR_DENIED);
		assert_contains(err.cause, words[how]);
	}
	manifest_deinit(&manifest);
}

static void sboms_list_components_once_and_sorted(void **state)
{
	struct fake_release *fake = *state;
	struct release_target target = fake->targets[0];
	_cleanup_json_ json_t *twice = json_array();
	_cleanup_json_ json_t *plain = sbom_cyclonedx(&fake->input.facts, &target);
	_cleanup_json_ json_t *doubled = NULL;
	_cleanup_json_ json_t *spdx = sbom_spdx(&fake->input.facts, &target);

	/* The same components twice, in another order: the same document. */
	for (size_t i = json_array_size(target.components); i-- > 0;) {
		json_array_append(twice, json_array_get(target.components, i));
		json_array_append(twice, json_array_get(target.components, i));
	}
	target.components = twice;
	doubled = sbom_cyclonedx(&fake->input.facts, &target);
	assert_true(json_equal(plain, doubled));
	assert_int_equal(json_array_size(json_object_get(plain, "components")), 2);
	assert_string_equal(
		json_str_or(json_array_get(json_object_get(plain, "components"), 0), "name", ""),
		"hello source");
	assert_int_equal(json_array_size(json_object_get(spdx, "packages")), 3);
	assert_string_equal(json_str_or(json_array_get(json_object_get(spdx, "packages"), 0),
	                                "licenseDeclared", ""),
	                    "MIT");
}

/* Names and versions are encoded, licenses are expressions or asserted by name, a source is one. */
static void sboms_say_what_others_can_read(void **state)
{
	struct fake_release *fake = *state;
	struct release_target target = fake->targets[0];
	_cleanup_json_ json_t *components = json_array(), *cdx = NULL, *spdx = NULL;
	_cleanup_free_ char *text = NULL;

	fake->input.facts.version = "1.0+git 5";
	json_array_append_new(components,
	                      json_pack("{s:s,s:s,s:s,s:b}", "name", "odd", "license",
	                                "Free as in Beer", "version", "1", "source", 1));
	json_array_append_new(components, json_pack("{s:s,s:s}", "name", "tool", "version", "2"));
	target.components = components;
	cdx = sbom_cyclonedx(&fake->input.facts, &target);
	text = json_dumps(cdx, JSON_COMPACT | JSON_SORT_KEYS);
	assert_contains(text, "\"purl\":\"pkg:generic/hello@1.0%2Bgit%205\"");
	assert_contains(text, "\"licenses\":[{\"license\":{\"name\":\"Free as in Beer\"}}]");
	assert_contains(text, "\"licenses\":[{\"expression\":\"MIT\"}]");
	free(steal(text));
	spdx = sbom_spdx(&fake->input.facts, &target);
	text = json_dumps(spdx, JSON_COMPACT | JSON_SORT_KEYS);
	assert_null(strstr(text, "Beer"));
	assert_contains(text, "{\"relatedSpdxElement\":\"SPDXRef-component-1\","
	                      "\"relationshipType\":\"GENERATED_FROM\","
	                      "\"spdxElementId\":\"SPDXRef-product\"}");
	assert_contains(text, "{\"relatedSpdxElement\":\"SPDXRef-product\","
	                      "\"relationshipType\":\"BUILD_DEPENDENCY_OF\","
	                      "\"spdxElementId\":\"SPDXRef-component-2\"}");
}

static void sboms_follow_the_content(void **state)
{
	struct fake_release *fake = *state;
	_cleanup_json_ json_t *one = sbom_cyclonedx(&fake->input.facts, &fake->targets[0]);
	_cleanup_json_ json_t *other = sbom_cyclonedx(&fake->input.facts, &fake->targets[1]);
	_cleanup_json_ json_t *later = NULL;

	assert_string_not_equal(json_str_or(one, "serialNumber", ""),
	                        json_str_or(other, "serialNumber", ""));
	fake->input.facts.started += 5;
	fake->input.facts.finished += 5;
	later = sbom_cyclonedx(&fake->input.facts, &fake->targets[0]);
	assert_true(json_equal(one, later));
}

static void verdict_is_declared_by_default(void **state)
{
	struct fake_release *fake = *state;
	_cleanup_json_ json_t *verdict = NULL;
	json_t *target;

	fake->targets[0].verdict = NULL;
	verdict = verdict_new(&fake->input.facts);
	target = json_object_get(json_object_get(verdict, "targets"), "x86_64-unknown-linux-gnu");
	assert_string_equal(json_str_or(target, "kind", ""), "declared");
	assert_string_equal(json_str_or(target, "ship", ""), "pgo+lto");
	assert_string_equal(json_str_or(verdict, "schema", ""), "kiln.verdict/1");
}

static void page_escapes_and_loads_nothing(void **state)
{
	struct fake_release *fake = *state;
	_cleanup_json_ json_t *notes = json_pack("[s]", "<img src=x onerror=\"a&b\">");
	_cleanup_json_ json_t *manifest = NULL, *statement = NULL, *verdict = NULL;
	_cleanup_buf_ struct buf page = BUF_INIT(1 << 20);

	fake->input.facts.notes = notes;
	manifest = manifest_new(&fake->input.facts);
	statement = statement_new(&fake->input.facts);
	verdict = verdict_new(&fake->input.facts);
	page_write(manifest, verdict, statement, &page);
	assert_non_null(strstr(page.p, "&lt;img src=x onerror=&quot;a&amp;b&quot;&gt;"));
	assert_null(strstr(page.p, "<img"));
	assert_null(strstr(page.p, "<script"));
	assert_null(strstr(page.p, "<link"));
	assert_null(strstr(page.p, "src=\""));
	assert_non_null(strstr(page.p, "Nobody signed this release"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(times),
		CASE(statement_speaks_of_the_artefacts),
		CASE(statement_must_match),
		CASE(sboms_list_components_once_and_sorted),
		CASE(sboms_follow_the_content),
		CASE(sboms_say_what_others_can_read),
		CASE(verdict_is_declared_by_default),
		CASE(page_escapes_and_loads_nothing),
	};

	return cmocka_run_group_tests_name("evidence/documents", tests, NULL, NULL);
}
