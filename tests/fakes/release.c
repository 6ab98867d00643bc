/* A made-up release. */
#include "fakes/release.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "host/fs.h"

static struct blob_ref put(struct fake_release *fake, const char *text)
{
	struct err err = ERR_INIT;
	struct blob_ref ref;

	bug_on(blobs_put(fake->blobs, text, strlen(text), &ref, &err) != 0);
	return ref;
}

static void fill_artefacts(struct fake_release *fake)
{
	static const struct artefact artefacts[] = {
		{ .file = "hello-1.0-x86_64-unknown-linux-gnu.tar.zst",
		  .kind = "archive",
		  .target = "x86_64-unknown-linux-gnu",
		  .variant = "pgo+lto",
		  .media_type = "application/zstd",
		  .pinned = true },
		{ .file = "hello-1.0-aarch64-unknown-linux-gnu.tar.zst",
		  .kind = "archive",
		  .target = "aarch64-unknown-linux-gnu",
		  .variant = "lto",
		  .media_type = "application/zstd",
		  .pinned = true },
		{ .file = "hello_1.0-1_amd64.deb",
		  .kind = "deb",
		  .target = "x86_64-unknown-linux-gnu",
		  .variant = "pgo+lto",
		  .media_type = "application/vnd.debian.binary-package",
		  .pinned = true },
		{ .file = "hello-1.0-x86_64-unknown-linux-gnu.profdata",
		  .kind = "profile",
		  .target = "x86_64-unknown-linux-gnu",
		  .media_type = "application/octet-stream" },
	};
	static const char *const contents[] = { "archive one", "archive two", "a package",
		                                "a profile" };

	memcpy(fake->artefacts, artefacts, sizeof(artefacts));
	for (size_t i = 0; i < ARRAY_LEN(artefacts); i++)
		fake->artefacts[i].ref = put(fake, contents[i]);
}

static void fill_documents(struct fake_release *fake)
{
	json_t **d = fake->documents;

	d[0] = json_pack("{s:s, s:s}", "kind", "declared", "reference", "plain");
	d[1] = json_pack("[{s:s, s:s, s:s, s:s, s:s}, {s:s, s:s}]", "type", "library", "name",
	                 "libc6", "version", "2.41-12", "purl", "pkg:deb/debian/libc6@2.41-12",
	                 "license", "LGPL-2.1-or-later", "name", "hello source", "sha256",
	                 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	d[2] = json_pack("{s:s}", "recipe", "recipes/hello.lua");
	d[3] = json_pack("{s:s}", "image", "trixie");
	d[4] = json_pack("[{s:s, s:{s:s}, s:s}]", "uri", "pkg:deb/debian/hello@2.10?arch=source",
	                 "digest", "sha256",
	                 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", "name",
	                 "source");
	d[5] = json_pack("[s]", "unpinned: image trixie, resolved 2026-11-20 <&>");
}

void fake_release_init(struct fake_release *fake, const char *out)
{
	*fake = (struct fake_release){ .blobs = blobs_new_memory() };
	fill_artefacts(fake);
	fill_documents(fake);
	fake->targets[0] = (struct release_target){ "x86_64-unknown-linux-gnu", "pgo+lto",
		                                    fake->documents[0], fake->documents[1] };
	fake->targets[1] = (struct release_target){ "aarch64-unknown-linux-gnu", "lto",
		                                    fake->documents[0], fake->documents[1] };
	fake->rebuild[0] = (struct dist_rebuild){ "recipes/hello.lua", put(fake, "return {}") };
	fake->rebuild[1] = (struct dist_rebuild){ "kiln.lock", put(fake, "{}") };
	fake->input = (struct dist_input){
		.facts = { .name = "hello",
		           .version = "1.0",
		           .license = "MIT",
		           .summary = "says hello",
		           .homepage = "https://example.org/",
		           .kiln_version = "0.1.0",
		           .epoch = 1735689600,
		           .started = 1763640000,
		           .finished = 1763640060,
		           .external = fake->documents[2],
		           .internal = fake->documents[3],
		           .dependencies = fake->documents[4],
		           .notes = fake->documents[5],
		           .targets = fake->targets,
		           .n_targets = 2,
		           .artefacts = fake->artefacts,
		           .n_artefacts = 4 },
		.rebuild = fake->rebuild,
		.n_rebuild = 2,
		.out = out,
	};
}

void fake_release_deinit(struct fake_release *fake)
{
	for (size_t i = 0; i < ARRAY_LEN(fake->documents); i++)
		json_cleanup(&fake->documents[i]);
	blobs_free(fake->blobs);
}

struct signer *fake_signer(const char *name, bool development)
{
	_cleanup_free_ char *path = str_fmt("tests/data/keys/%s", name);
	_cleanup_buf_ struct buf pem = BUF_INIT(KEY_PEM_MOST);
	struct signer *signer = alloc(sizeof(*signer));
	struct err err = ERR_INIT;

	bug_on(fs_read(AT_FDCWD, path, &pem, &err) != 0);
	bug_on(key_read_private(pem.p, pem.n, NULL, name, &signer->key, &err) != 0);
	signer->label = str_dup(name);
	signer->fingerprint = key_fingerprint(signer->key);
	signer->development = development;
	return signer;
}
