/* in-toto statement with SLSA provenance: written from facts, checked against a manifest. */
#include "evidence/statement.h"

#include <string.h>

#include "base/alloc.h"
#include "external/crypto.h"

static json_t *sha256_of(const struct digest *digest)
{
	char text[DIGEST_HEX_SIZE];

	return json_pack("{s:s}", "sha256", digest_hex(digest, text));
}

static int cmp_artefact(const void *a, const void *b)
{
	return strcmp((*(const struct artefact *const *)a)->file,
	              (*(const struct artefact *const *)b)->file);
}

static json_t *subjects(const struct release_facts *facts)
{
	ARRAY(const struct artefact *) list = { 0 };
	json_t *out = json_array();

	for (size_t i = 0; i < facts->n_artefacts; i++) {
		if (facts->artefacts[i].class == ARTEFACT_SHIPPED)
			array_push(&list, &facts->artefacts[i]);
	}
	array_sort(&list, cmp_artefact);
	for (size_t i = 0; i < list.n; i++)
		json_array_append_new(out, json_pack("{s:s, s:o}", "name", list.v[i]->file,
		                                     "digest", sha256_of(&list.v[i]->ref.digest)));
	array_deinit(&list);
	return out;
}

static json_t *copy_or(const json_t *json, json_t *fallback)
{
	if (!json)
		return fallback;
	json_decref(fallback);
	return json_deep_copy(json);
}

static json_t *build_definition(const struct release_facts *facts)
{
	json_t *out = json_object();
	json_t *internal = copy_or(facts->internal, json_object());

	if (facts->notes && json_array_size(facts->notes) > 0)
		json_object_set_new(internal, "notes", json_deep_copy(facts->notes));
	json_object_set_new(out, "buildType", json_string(STATEMENT_BUILD));
	json_object_set_new(out, "externalParameters", copy_or(facts->external, json_object()));
	json_object_set_new(out, "internalParameters", internal);
	json_object_set_new(out, "resolvedDependencies",
	                    copy_or(facts->dependencies, json_array()));
	return out;
}

/* Names this one invocation: what came out of it, and when it ran. */
static json_t *invocation(const struct release_facts *facts, const json_t *subject)
{
	_cleanup_buf_ struct buf text = BUF_INIT(64 << 20);
	struct digest digest;
	char hex[DIGEST_HEX_SIZE];

	json_write_canonical(subject, &text);
	buf_fmt(&text, " %lld %lld", (long long)facts->started, (long long)facts->finished);
	digest_of(buf_text(&text), text.n, &digest);
	digest_hex(&digest, hex);
	return json_stringn(hex, 32);
}

json_t *statement_new(const struct release_facts *facts)
{
	json_t *statement = json_object();
	json_t *predicate = json_object();
	json_t *subject = subjects(facts);
	char started[FACTS_TIME_SIZE], finished[FACTS_TIME_SIZE];
	json_t *run = json_pack("{s:{s:s, s:{s:s}}, s:{s:o, s:s, s:s}}", "builder", "id",
	                        STATEMENT_BUILDER, "version", "kiln", facts->kiln_version,
	                        "metadata", "invocationId", invocation(facts, subject), "startedOn",
	                        facts_time(facts->started, started), "finishedOn",
	                        facts_time(facts->finished, finished));

	bug_on(!run);
	json_object_set_new(predicate, "buildDefinition", build_definition(facts));
	json_object_set_new(predicate, "runDetails", run);
	json_object_set_new(statement, "_type", json_string(STATEMENT_TYPE));
	json_object_set_new(statement, "predicateType", json_string(STATEMENT_PREDICATE));
	json_object_set_new(statement, "predicate", predicate);
	json_object_set_new(statement, "subject", subject);
	return statement;
}

static json_t *internal_of(const json_t *statement)
{
	json_t *predicate = json_object_get(statement, "predicate");

	return json_object_get(json_object_get(predicate, "buildDefinition"), "internalParameters");
}

void statement_set_development(json_t *statement, bool development)
{
	json_t *internal = internal_of(statement);

	if (development)
		json_object_set_new(internal, "developmentKey", json_true());
	else
		json_object_del(internal, "developmentKey");
}

bool statement_is_development(const json_t *statement)
{
	return json_is_true(json_object_get(internal_of(statement), "developmentKey"));
}

void statement_write(const json_t *statement, struct buf *buf)
{
	json_write_canonical(statement, buf);
}

static int check_subject(const json_t *subject, const struct manifest *manifest, struct err *err)
{
	const json_t *digest = json_object_get(subject, "digest");
	const char *name = json_str_or(subject, "name", NULL);
	const char *text = json_str_or(digest, "sha256", "");
	const struct artefact *file = name ? manifest_find(manifest, name) : NULL;
	struct digest d;

	if (!name || strlen(text) != DIGEST_HEX_LEN || !digest_parse(text, &d))
		return err_set(err, ERR_DENIED, "the provenance has a malformed subject");
	if (!file || file->class != ARTEFACT_SHIPPED)
		return err_set(err, ERR_DENIED,
		               "the provenance speaks of %s, which is no artefact "
		               "of this release",
		               manifest_name_ok(name) ? name : "a file");
	if (!digest_eq(&d, &file->ref.digest))
		return err_set(err, ERR_DENIED,
		               "the provenance gives another digest for %s than "
		               "the manifest",
		               name);
	return 0;
}

/* Every artefact is a subject, each once: with check_subject that means the same set. */
static int check_all(const json_t *subject, const struct manifest *manifest, struct err *err)
{
	_cleanup_json_ json_t *seen = json_object();
	json_t *one;
	size_t i;

	json_array_foreach ((json_t *)subject, i, one)
		json_object_set_new(seen, json_str_or(one, "name", ""), json_true());
	for (i = 0; i < manifest->files.n; i++) {
		const struct artefact *file = &manifest->files.v[i];

		if (file->class == ARTEFACT_SHIPPED && !json_object_get(seen, file->file))
			return err_set(err, ERR_DENIED,
			               "the provenance does not speak of the artefact %s",
			               file->file);
	}
	if (json_object_size(seen) != json_array_size(subject))
		return err_set(err, ERR_DENIED, "the provenance names a subject twice");
	return 0;
}

int statement_check(const json_t *statement, const struct manifest *manifest, struct err *err)
{
	json_t *subject = json_object_get(statement, "subject");
	json_t *one;
	size_t i;

	if (!str_eq(json_str_or(statement, "_type", ""), STATEMENT_TYPE) ||
	    !str_eq(json_str_or(statement, "predicateType", ""), STATEMENT_PREDICATE))
		return err_set(err, ERR_DENIED,
		               "the provenance is no in-toto v1 statement with a "
		               "SLSA v1 predicate");
	if (!json_is_array(subject) || !json_is_object(internal_of(statement)))
		return err_set(err, ERR_DENIED, "the provenance is malformed");
	json_array_foreach (subject, i, one) {
		if (check_subject(one, manifest, err) < 0)
			return -1;
	}
	return check_all(subject, manifest, err);
}
