/* CycloneDX 1.6 and SPDX 2.3 out of one list of components. */
#include "evidence/sbom.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/array.h"
#include "external/crypto.h"
#include "model/purl.h"
#include "model/spdx.h"

enum { PURL_MOST = 4096 };

/* Components sorted by name, version, purl, each once; borrowed. */
struct components {
	ARRAY(const json_t *) list;
};

static int cmp_component(const void *a, const void *b)
{
	static const char *const keys[] = { "name", "version", "purl", "type", "sha256" };
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	int c = 0;

	for (size_t i = 0; c == 0 && i < ARRAY_LEN(keys); i++)
		c = strcmp(json_str_or(x, keys[i], ""), json_str_or(y, keys[i], ""));
	return c;
}

static void components_read(const json_t *array, struct components *ret)
{
	struct components all = { 0 };
	json_t *one;
	size_t i, n = 0;

	json_array_foreach ((json_t *)array, i, one) {
		if (json_str_or(one, "name", "")[0])
			array_push(&all.list, one);
	}
	array_sort(&all.list, cmp_component);
	for (i = 0; i < all.list.n; i++) {
		if (n == 0 || cmp_component(&all.list.v[n - 1], &all.list.v[i]) != 0)
			all.list.v[n++] = all.list.v[i];
	}
	all.list.n = n;
	*ret = all;
}

static const char *component_type(const json_t *component)
{
	static const char *const types[] = { "application", "framework", "library",
		                             "container",   "platform",  "operating-system",
		                             "file",        "data" };
	const char *type = json_str_or(component, "type", "library");

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (str_eq(types[i], type))
			return type;
	}
	return "library";
}

static json_t *hashes(const char *hex)
{
	return json_pack("[{s:s, s:s}]", "alg", "SHA-256", "content", hex);
}

/* An expression where it is one; else what somebody calls it. */
static json_t *cdx_licenses(const char *license)
{
	if (spdx_fault(license))
		return json_pack("[{s:{s:s}}]", "license", "name", license);
	return json_pack("[{s:s}]", "expression", license);
}

static void set_opt(json_t *object, const char *key, const char *text)
{
	if (text && text[0])
		json_object_set_new(object, key, json_string(text));
}

static bool is_sha256(const char *text)
{
	struct digest d;

	return text && strlen(text) == DIGEST_HEX_LEN && digest_parse(text, &d);
}

static json_t *cdx_component(const json_t *component, size_t number)
{
	json_t *out = json_object();
	_cleanup_free_ char *ref = str_fmt("component-%zu", number);
	const char *license = json_str_or(component, "license", "");
	const char *sha256 = json_str_or(component, "sha256", NULL);

	set_opt(out, "bom-ref", ref);
	set_opt(out, "type", component_type(component));
	set_opt(out, "name", json_str_or(component, "name", NULL));
	set_opt(out, "version", json_str_or(component, "version", NULL));
	set_opt(out, "purl", json_str_or(component, "purl", NULL));
	if (license[0])
		json_object_set_new(out, "licenses", cdx_licenses(license));
	if (is_sha256(sha256))
		json_object_set_new(out, "hashes", hashes(sha256));
	return out;
}

/* The files that ship for a target, as components of the product. SBOMs do not list SBOMs. */
static json_t *cdx_files(const struct release_facts *facts, const struct release_target *target)
{
	json_t *out = json_array();

	for (size_t i = 0; i < facts->n_artefacts; i++) {
		const struct artefact *a = &facts->artefacts[i];
		char hex[DIGEST_HEX_SIZE];

		if (a->class != ARTEFACT_SHIPPED || !a->target ||
		    !str_eq(a->target, target->triple) || str_eq(a->kind, "sbom"))
			continue;
		json_array_append_new(out,
		                      json_pack("{s:s, s:s, s:o}", "type", "file", "name", a->file,
		                                "hashes", hashes(digest_hex(&a->ref.digest, hex))));
	}
	return out;
}

static json_t *cdx_product(const struct release_facts *facts, const struct release_target *target)
{
	json_t *out = json_object();
	_cleanup_buf_ struct buf purl = BUF_INIT(PURL_MOST);
	json_t *files = cdx_files(facts, target);

	purl_generic(&purl, facts->name, facts->version);

	set_opt(out, "bom-ref", "product");
	set_opt(out, "type", "application");
	set_opt(out, "name", facts->name);
	set_opt(out, "version", facts->version);
	set_opt(out, "description", facts->summary);
	set_opt(out, "purl", buf_text(&purl));
	if (facts->license && facts->license[0])
		json_object_set_new(out, "licenses", cdx_licenses(facts->license));
	if (facts->homepage && facts->homepage[0])
		json_object_set_new(
			out, "externalReferences",
			json_pack("[{s:s, s:s}]", "type", "website", "url", facts->homepage));
	if (json_array_size(files) > 0)
		json_object_set(out, "components", files);
	json_decref(files);
	json_object_set_new(
		out, "properties",
		json_pack("[{s:s, s:s}]", "name", "kiln:target", "value", target->triple));
	return out;
}

/* A UUID (version 8: its bits are the maker's own) out of a document's content. */
static char *uuid_of(const json_t *json)
{
	_cleanup_buf_ struct buf text = BUF_INIT(256 << 20);
	struct digest d;
	uint8_t *b = d.bytes;

	json_write_canonical(json, &text);
	digest_of(buf_text(&text), text.n, &d);
	b[6] = (uint8_t)((b[6] & 0x0f) | 0x80);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	return str_fmt("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	               b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
	               b[13], b[14], b[15]);
}

json_t *sbom_cyclonedx(const struct release_facts *facts, const struct release_target *target)
{
	json_t *out = json_object();
	json_t *list = json_array();
	json_t *depends = json_array();
	struct components components;
	char date[FACTS_TIME_SIZE];

	components_read(target->components, &components);
	for (size_t i = 0; i < components.list.n; i++) {
		json_t *component = cdx_component(components.list.v[i], i + 1);

		json_array_append(depends, json_object_get(component, "bom-ref"));
		json_array_append_new(list, component);
	}
	array_deinit(&components.list);
	set_opt(out, "bomFormat", "CycloneDX");
	set_opt(out, "specVersion", "1.6");
	json_object_set_new(out, "version", json_integer(1));
	json_object_set_new(out, "metadata",
	                    json_pack("{s:s, s:{s:[{s:s, s:s}]}, s:o}", "timestamp",
	                              facts_time(facts->epoch, date), "tools", "components", "type",
	                              "application", "name", "kiln", "component",
	                              cdx_product(facts, target)));
	json_object_set_new(out, "components", list);
	json_object_set_new(out, "dependencies",
	                    json_pack("[{s:s, s:o}]", "ref", "product", "dependsOn", depends));

	_cleanup_free_ char *uuid = uuid_of(out);
	_cleanup_free_ char *serial = str_fmt("urn:uuid:%s", uuid);

	set_opt(out, "serialNumber", serial);
	return out;
}

/* What is no expression of SPDX's grammar is not asserted. */
static const char *spdx_license(const char *license)
{
	return license && license[0] && !spdx_fault(license) ? license : "NOASSERTION";
}

static json_t *spdx_package(const char *id, const char *name, const char *version,
                            const char *license, const char *purl, const char *sha256)
{
	json_t *out = json_object();

	set_opt(out, "SPDXID", id);
	set_opt(out, "name", name);
	set_opt(out, "versionInfo", version);
	set_opt(out, "downloadLocation", "NOASSERTION");
	json_object_set_new(out, "filesAnalyzed", json_false());
	set_opt(out, "licenseConcluded", "NOASSERTION");
	set_opt(out, "licenseDeclared", spdx_license(license));
	set_opt(out, "copyrightText", "NOASSERTION");
	if (purl && purl[0])
		json_object_set_new(out, "externalRefs",
		                    json_pack("[{s:s, s:s, s:s}]", "referenceCategory",
		                              "PACKAGE-MANAGER", "referenceType", "purl",
		                              "referenceLocator", purl));
	if (is_sha256(sha256))
		json_object_set_new(
			out, "checksums",
			json_pack("[{s:s, s:s}]", "algorithm", "SHA256", "checksumValue", sha256));
	return out;
}

static void relate(json_t *relationships, const char *from, const char *type, const char *to)
{
	json_array_append_new(relationships,
	                      json_pack("{s:s, s:s, s:s}", "spdxElementId", from,
	                                "relationshipType", type, "relatedSpdxElement", to));
}

/* The product, and the components it was made of. */
static void spdx_packages(const struct release_facts *facts, const struct release_target *target,
                          json_t *packages, json_t *relationships)
{
	_cleanup_buf_ struct buf purl = BUF_INIT(PURL_MOST);
	struct components components;

	purl_generic(&purl, facts->name, facts->version);
	json_array_append_new(packages, spdx_package("SPDXRef-product", facts->name, facts->version,
	                                             facts->license, buf_text(&purl), NULL));
	relate(relationships, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-product");
	components_read(target->components, &components);
	for (size_t i = 0; i < components.list.n; i++) {
		const json_t *c = components.list.v[i];
		_cleanup_free_ char *id = str_fmt("SPDXRef-component-%zu", i + 1);

		json_array_append_new(packages, spdx_package(id, json_str_or(c, "name", NULL),
		                                             json_str_or(c, "version", NULL),
		                                             json_str_or(c, "license", NULL),
		                                             json_str_or(c, "purl", NULL),
		                                             json_str_or(c, "sha256", NULL)));
		if (json_is_true(json_object_get(c, "source")))
			relate(relationships, "SPDXRef-product", "GENERATED_FROM", id);
		else
			relate(relationships, id, "BUILD_DEPENDENCY_OF", "SPDXRef-product");
	}
	array_deinit(&components.list);
}

json_t *sbom_spdx(const struct release_facts *facts, const struct release_target *target)
{
	json_t *out = json_object();
	json_t *packages = json_array();
	json_t *relationships = json_array();
	_cleanup_free_ char *name =
		str_fmt("%s-%s-%s", facts->name, facts->version, target->triple);
	char date[FACTS_TIME_SIZE];

	spdx_packages(facts, target, packages, relationships);
	set_opt(out, "spdxVersion", "SPDX-2.3");
	set_opt(out, "dataLicense", "CC0-1.0");
	set_opt(out, "SPDXID", "SPDXRef-DOCUMENT");
	set_opt(out, "name", name);
	json_object_set_new(out, "creationInfo",
	                    json_pack("{s:s, s:[s]}", "created", facts_time(facts->epoch, date),
	                              "creators", "Tool: kiln"));
	json_object_set_new(out, "packages", packages);
	json_object_set_new(out, "relationships", relationships);

	_cleanup_free_ char *uuid = uuid_of(out);
	_cleanup_free_ char *space = str_fmt("urn:uuid:%s", uuid);

	set_opt(out, "documentNamespace", space);
	return out;
}
