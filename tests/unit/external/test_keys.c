/* Keys: what signs and verifies, what is refused and with which words. Runs in the project root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>

#include "base/alloc.h"
#include "external/keys.h"
#include "fakes/folder.h"
#include "host/fs.h"

static struct buf pem_of(const char *name)
{
	_cleanup_free_ char *path = str_fmt("tests/data/keys/%s", name);
	struct buf pem = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	assert_int_equal(fs_read(AT_FDCWD, path, &pem, &err), 0);
	return pem;
}

static struct key *private_key(const char *name, const char *passphrase)
{
	_cleanup_buf_ struct buf pem = pem_of(name);
	struct err err = ERR_INIT;
	struct key *key = NULL;

	if (key_read_private(buf_text(&pem), pem.n, passphrase, name, &key, &err) < 0)
		fail_msg("%s: %s", name, err.cause);
	return key;
}

static struct key *public_key(const char *name)
{
	_cleanup_buf_ struct buf pem = pem_of(name);
	struct err err = ERR_INIT;
	struct key *key = NULL;

	if (key_read_public(buf_text(&pem), pem.n, name, &key, &err) < 0)
		fail_msg("%s: %s", name, err.cause);
	return key;
}

static void signs_and_verifies(void **state)
{
	static const char *const pairs[][2] = { { "p256.pem", "p256.pub.pem" },
		                                { "ed.pem", "ed.pub.pem" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		_cleanup_key_ struct key *key = private_key(pairs[i][0], NULL);
		_cleanup_key_ struct key *public = public_key(pairs[i][1]);
		_cleanup_key_ struct key *other = public_key(pairs[1 - i][1]);
		_cleanup_buf_ struct buf sig = BUF_INIT(1024);
		struct err err = ERR_INIT;

		assert_true(key_is_private(key));
		assert_false(key_is_private(public));
		assert_int_equal(key_sign(key, "hello", 5, &sig, &err), 0);
		assert_int_equal(key_verify(public, "hello", 5, sig.p, sig.n), 0);
		assert_int_equal(key_verify(public, "hellO", 5, sig.p, sig.n), KEY_BAD_SIGNATURE);
		assert_int_equal(key_verify(public, "hell", 4, sig.p, sig.n), KEY_BAD_SIGNATURE);
		assert_int_equal(key_verify(other, "hello", 5, sig.p, sig.n), KEY_BAD_SIGNATURE);
		assert_int_equal(key_verify(public, "hello", 5, sig.p, sig.n - 1),
		                 KEY_BAD_SIGNATURE);
		assert_int_equal(key_verify(public, "hello", 5, "", 0), KEY_BAD_SIGNATURE);
		sig.p[sig.n / 2] ^= 1;
		assert_int_equal(key_verify(public, "hello", 5, sig.p, sig.n), KEY_BAD_SIGNATURE);
	}
}

static void openssl_accepts_the_signature(void **state)
{
	_cleanup_key_ struct key *key = private_key("p256.pem", NULL);
	_cleanup_buf_ struct buf sig = BUF_INIT(1024), pem = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct folder folder;

	(void)state;
	if (!have_tool("openssl"))
		skip();
	folder_init(&folder);
	assert_int_equal(key_sign(key, "hello", 5, &sig, &err), 0);
	key_write_public(key, &pem);
	folder_text(&folder, "data", "hello");
	folder_write(&folder, "sig", sig.p, sig.n, 0644);
	folder_write(&folder, "pub.pem", pem.p, pem.n, 0644);
	assert_int_equal(
		folder_sh(&folder, "openssl dgst -sha256 -verify pub.pem -signature sig data"), 0);
	folder_deinit(&folder);
}

static void fingerprints_are_of_the_spki(void **state)
{
	_cleanup_key_ struct key *ec = private_key("p256.pem", NULL),
				 *ed = public_key("ed.pub.pem");
	_cleanup_free_ char *one = key_fingerprint(ec), *two = key_fingerprint(ed);

	/* openssl pkey -pubout -outform der | sha256sum, as base64 */
	(void)state;
	assert_string_equal(one, "SHA256:wHJdY01HQGr0kq6Wytbek6iWR9/iLb7jDqlE1m3r054");
	assert_string_equal(two, "SHA256:JoLd3mFI66EbuzF86BBTL6uyvOTpLPQLozbHfm2OJKY");
}

static void pem_goes_round(void **state)
{
	static const enum key_type types[] = { KEY_P256, KEY_ED25519 };
	static const char *const passphrases[] = { NULL, "long secret" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		_cleanup_key_ struct key *key = NULL, *back = NULL, *public = NULL;
		_cleanup_buf_ struct buf pem = BUF_INIT(4096), pub = BUF_INIT(4096);
		const char *passphrase = passphrases[i >> 1];
		struct err err = ERR_INIT;
		struct digest a, b, c;

		assert_int_equal(key_generate(types[i & 1], &key, &err), 0);
		assert_int_equal(key_type(key), types[i & 1]);
		assert_int_equal(key_write_private(key, passphrase, &pem, &err), 0);
		key_write_public(key, &pub);
		assert_int_equal(!!strstr(buf_text(&pem), "BEGIN ENCRYPTED PRIVATE KEY"), i >> 1);
		assert_int_equal(key_read_private(pem.p, pem.n, passphrase, "it", &back, &err), 0);
		assert_int_equal(key_read_public(pub.p, pub.n, "it", &public, &err), 0);
		key_id(key, &a);
		key_id(back, &b);
		key_id(public, &c);
		assert_true(digest_eq(&a, &b) && digest_eq(&a, &c));
	}
}

static void two_keys_differ(void **state)
{
	_cleanup_key_ struct key *one = NULL, *two = NULL;
	struct err err = ERR_INIT;
	struct digest a, b;

	(void)state;
	assert_int_equal(key_generate(KEY_P256, &one, &err), 0);
	assert_int_equal(key_generate(KEY_P256, &two, &err), 0);
	key_id(one, &a);
	key_id(two, &b);
	assert_false(digest_eq(&a, &b));
}

static void encrypted_keys_want_their_passphrase(void **state)
{
	_cleanup_buf_ struct buf pem = pem_of("enc.pem");
	_cleanup_key_ struct key *key = private_key("enc.pem", "secret");
	struct key *none = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(key_read_private(pem.p, pem.n, NULL, "enc.pem", &none, &err), -1);
	assert_non_null(strstr(err.cause, "enc.pem is encrypted and no passphrase was given"));
	assert_non_null(strstr(err.hint, "KILN_KEY_PASSPHRASE"));
	err_clear(&err);
	assert_int_equal(key_read_private(pem.p, pem.n, "wrong", "enc.pem", &none, &err), -1);
	assert_non_null(strstr(err.cause, "enc.pem cannot be decrypted: the passphrase is wrong or "
	                                  "the key is damaged"));
	assert_null(none);
}

static void refuses(const char *name, bool private, const char *words, const char *hint)
{
	_cleanup_buf_ struct buf pem = pem_of(name);
	struct err err = ERR_INIT;
	struct key *key = NULL;
	int rc = private ? key_read_private(pem.p, pem.n, NULL, name, &key, &err) :
	                   key_read_public(pem.p, pem.n, name, &key, &err);

	assert_int_equal(rc, -1);
	assert_null(key);
	assert_int_equal(err.code, ERR_INPUT);
	if (!strstr(err.cause, words) || !strstr(err.hint, hint))
		fail_msg("%s: \"%s\" (%s)", name, err.cause, err.hint);
}

#define ONLY " bits): Kiln signs and verifies with ECDSA P-256 and Ed25519 only"

static void other_keys_are_refused_by_name(void **state)
{
	(void)state;
	refuses("rsa.pem", true, "type RSA (1024" ONLY, "kiln keygen");
	refuses("rsa.pub.pem", false, "type RSA (1024" ONLY, "kiln keygen");
	refuses("p384.pem", true, "secp384r1 (384" ONLY, "kiln keygen");
	refuses("p384.pub.pem", false, "secp384r1 (384" ONLY, "kiln keygen");
	refuses("p224.pem", true, "secp224r1 (224" ONLY, "kiln keygen");
	refuses("sec1.pem", true, "EC PRIVATE KEY", "openssl pkcs8 -topk8");
	refuses("sec1enc.pem", true, "EC PRIVATE KEY", "openssl pkcs8 -topk8");
	refuses("p256.pub.pem", true, "\"PUBLIC KEY\"", "kiln keygen");
	refuses("p256.pem", false, "\"PRIVATE KEY\"", "-pubout");
	refuses("enc.pem", false, "ENCRYPTED PRIVATE KEY", "-pubout");
	refuses("cert.pem", false, "CERTIFICATE", "openssl x509");
	refuses("cert.pem", true, "CERTIFICATE", "kiln keygen");
	refuses("README", true, "holds no PEM text", "kiln keygen");
}

static void damaged_keys_are_refused(void **state)
{
	static const char *const names[] = { "p256.pem", "ed.pem", "p256.pub.pem", "ed.pub.pem" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		_cleanup_buf_ struct buf pem = pem_of(names[i]);

		for (size_t cut = 0; cut < pem.n - 1; cut++) {
			struct err err = ERR_INIT;
			struct key *key = NULL;
			int rc = i < 2 ? key_read_private(pem.p, cut, NULL, "it", &key, &err) :
			                 key_read_public(pem.p, cut, "it", &key, &err);

			if (rc == 0)
				fail_msg("%s cut to %zu bytes was accepted", names[i], cut);
			assert_int_equal(err.code, ERR_INPUT);
		}
	}
}

static void whole_texts_of_damaged_keys_are_refused(void **state)
{
	static const char *const labels[] = { "PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
		                              "PUBLIC KEY" };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(labels); i++) {
		_cleanup_free_ char *pem = str_fmt("-----BEGIN %s-----\nAAAA\n-----END %s-----\n",
		                                   labels[i], labels[i]);
		struct err err = ERR_INIT;
		struct key *key = NULL;

		assert_int_equal(
			i < 2 ? key_read_private(pem, strlen(pem), "secret", "it", &key, &err) :
				key_read_public(pem, strlen(pem), "it", &key, &err),
			-1);
		assert_int_equal(err.code, ERR_INPUT);
		if (!strstr(err.cause, "it is a damaged key: "))
			fail_msg("%s: %s", labels[i], err.cause);
	}
}

/* Of a pair whose halves do not belong together. */
static void unsound_keys_are_refused(void **state)
{
	_cleanup_buf_ struct buf pem = pem_of("p256.pem");
	char *secret = strchr(buf_text(&pem), '\n') + 53;
	struct err err = ERR_INIT;
	struct key *key = NULL;

	(void)state;
	*secret = *secret == 'A' ? 'B' : 'A';
	assert_int_equal(key_read_private(pem.p, pem.n, NULL, "it", &key, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	if (!strstr(err.cause, "it is no sound key: "))
		fail_msg("%s", err.cause);
}

static void large_files_are_no_keys(void **state)
{
	_cleanup_free_ char *text = alloc(KEY_PEM_MOST + 1);
	struct err err = ERR_INIT;
	struct key *key = NULL;

	(void)state;
	memset(text, 'A', KEY_PEM_MOST + 1);
	assert_int_equal(key_read_private(text, KEY_PEM_MOST + 1, NULL, "it", &key, &err), -1);
	assert_non_null(strstr(err.cause, "it is larger than a key can be ("));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signs_and_verifies),
		cmocka_unit_test(openssl_accepts_the_signature),
		cmocka_unit_test(fingerprints_are_of_the_spki),
		cmocka_unit_test(pem_goes_round),
		cmocka_unit_test(two_keys_differ),
		cmocka_unit_test(encrypted_keys_want_their_passphrase),
		cmocka_unit_test(other_keys_are_refused_by_name),
		cmocka_unit_test(damaged_keys_are_refused),
		cmocka_unit_test(whole_texts_of_damaged_keys_are_refused),
		cmocka_unit_test(unsound_keys_are_refused),
		cmocka_unit_test(large_files_are_no_keys),
	};

	return cmocka_run_group_tests_name("external/keys", tests, NULL, NULL);
}
