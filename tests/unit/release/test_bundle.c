/* Bundles: what is signed verifies, and nothing else does, however it is dressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "external/json.h"
#include "fakes/release.h"
#include "release/bundle.h"

static const char *const key_names[] = { "p256.pem", "ed.pem" };

static void message_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
		_cleanup_signer_ struct signer *signer = fake_signer(key_names[i], false);
		_cleanup_signer_ struct signer *other = fake_signer(key_names[1 - i], false);
		_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20);
		struct err err = ERR_INIT;

		assert_int_equal(bundle_sign_message(signer->key, "text", 4, &bundle, &err), 0);
		assert_int_equal(bundle_verify_message(signer->key, bundle.p, bundle.n, "text", 4,
		                                       "B", &err),
		                 0);
		assert_int_equal(bundle_verify_message(signer->key, bundle.p, bundle.n, "texT", 4,
		                                       "B", &err),
		                 -1);
		assert_int_equal(err.code, ERR_DENIED);
		assert_non_null(strstr(err.cause, "signs other bytes than those that lie here"));
		err_clear(&err);
		assert_int_equal(
			bundle_verify_message(other->key, bundle.p, bundle.n, "text", 4, "B", &err),
			-1);
		assert_non_null(strstr(err.cause, "was made with another key than the one given"));
	}
}

static void statement_comes_back(void **state)
{
	static const char text[] = "{\"_type\":\"x\"}";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(key_names); i++) {
		_cleanup_signer_ struct signer *signer = fake_signer(key_names[i], false);
		_cleanup_signer_ struct signer *other = fake_signer(key_names[1 - i], false);
		_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
		struct err err = ERR_INIT;

		assert_int_equal(
			bundle_sign_statement(signer->key, text, strlen(text), &bundle, &err), 0);
		assert_int_equal(
			bundle_verify_statement(other->key, bundle.p, bundle.n, "B", &back, &err),
			-1);
		assert_int_equal(back.n, 0);
		err_clear(&err);
		assert_int_equal(
			bundle_verify_statement(signer->key, bundle.p, bundle.n, "B", &back, &err),
			0);
		assert_string_equal(buf_text(&back), text);
	}
}

/* Verifies a changed copy of a good message bundle. */
static void refuse(json_t *changed, const char *words)
{
	_cleanup_signer_ struct signer *signer = fake_signer("p256.pem", false);
	_cleanup_buf_ struct buf text = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	json_write_canonical(changed, &text);
	json_decref(changed);
	if (bundle_verify_message(signer->key, buf_text(&text), text.n, "text", 4, "B", &err) == 0)
		fail_msg("accepted %s", buf_text(&text));
	assert_int_equal(err.code, ERR_DENIED);
	if (!strstr(err.cause, words))
		fail_msg("\"%s\" lacks \"%s\"", err.cause, words);
}

static json_t *good(void)
{
	_cleanup_signer_ struct signer *signer = fake_signer("p256.pem", false);
	_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	json_t *json = NULL;

	assert_int_equal(bundle_sign_message(signer->key, "text", 4, &bundle, &err), 0);
	assert_int_equal(json_parse(bundle.p, bundle.n, "B", &json, &err), 0);
	return json;
}

static void shape_is_strict(void **state)
{
	json_t *json, *inner;

	(void)state;
	refuse(json_array(), "is no signature bundle");
	refuse(json_object(), "missing");
	json = good();
	json_object_set_new(json, "extra", json_true());
	refuse(json, "unknown member");
	json = good();
	json_object_set_new(json, "mediaType", json_string("application/json"));
	refuse(json, "mediaType");
	json = good();
	json_object_del(json, "messageSignature");
	refuse(json, "missing");
	json = good();
	inner = json_object_get(json, "messageSignature");
	json_object_del(inner, "messageDigest");
	refuse(json, "missing");
	json = good();
	inner = json_object_get(json, "messageSignature");
	json_object_set_new(inner, "signature", json_string("!!!"));
	refuse(json, "base64");
	json = good();
	inner = json_object_get(json, "messageSignature");
	json_object_set_new(inner, "signature", json_string(""));
	refuse(json, "the signature in B is wrong");
	json = good();
	inner = json_object_get(json_object_get(json, "messageSignature"), "messageDigest");
	json_object_set_new(inner, "algorithm", json_string("SHA2_512"));
	refuse(json, "SHA2_256");
	json = good();
	inner = json_object_get(json, "verificationMaterial");
	json_object_set_new(inner, "x509CertificateChain", json_object());
	refuse(json, "unknown member");
	json = good();
	inner = json_object_get(json_object_get(json, "verificationMaterial"), "publicKey");
	json_object_set_new(inner, "hint", json_string("AAAA"));
	refuse(json, "was made with another key than the one given");
}

/* A DSSE bundle with no, two, or somebody else's signatures. */
static void envelopes_are_strict(void **state)
{
	static const char *const words[] = {
		"holds not exactly one signature", "holds not exactly one signature",
		"is not canonical base64",         "payloadType",
		"the signature in B is wrong",
	};
	_cleanup_signer_ struct signer *signer = fake_signer("p256.pem", false);

	(void)state;
	for (int how = 0; how < 5; how++) {
		_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20), back = BUF_INIT(1 << 20);
		_cleanup_buf_ struct buf changed = BUF_INIT(1 << 20);
		_cleanup_json_ json_t *json = NULL;
		struct err err = ERR_INIT;
		json_t *envelope, *signatures;

		assert_int_equal(bundle_sign_statement(signer->key, "{}", 2, &bundle, &err), 0);
		assert_int_equal(json_parse(bundle.p, bundle.n, "B", &json, &err), 0);
		envelope = json_object_get(json, "dsseEnvelope");
		signatures = json_object_get(envelope, "signatures");
		if (how == 0)
			json_array_clear(signatures);
		if (how == 1)
			json_array_append(signatures, json_array_get(signatures, 0));
		if (how == 2)
			json_object_set_new(envelope, "payload", json_string("e31="));
		if (how == 3)
			json_object_set_new(envelope, "payloadType", json_string("text/plain"));
		if (how == 4)
			json_object_set_new(envelope, "payload", json_string("e30K"));
		json_write_canonical(json, &changed);
		assert_int_equal(bundle_verify_statement(signer->key, changed.p, changed.n, "B",
		                                         &back, &err),
		                 -1);
		assert_int_equal(err.code, ERR_DENIED);
		assert_non_null(strstr(err.cause, words[how]));
		assert_int_equal(back.n, 0);
	}
}

static void what_does_not_fit_is_refused(void **state)
{
	_cleanup_signer_ struct signer *signer = fake_signer("p256.pem", false);
	_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20), small = BUF_INIT(10);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(bundle_sign_message(signer->key, "text", 4, &small, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_string_equal(err.cause, "a signature bundle would be larger than 10 bytes");
	err_clear(&err);
	assert_int_equal(
		bundle_sign_statement(signer->key, "{ \"a\": 1234567 }", 16, &bundle, &err), 0);
	assert_int_equal(
		bundle_verify_statement(signer->key, bundle.p, bundle.n, "B", &small, &err), -1);
	assert_int_equal(err.code, ERR_DENIED);
	assert_string_equal(err.cause, "B is too large");
}

static void cut_and_flipped_bytes_never_hold(void **state)
{
	_cleanup_signer_ struct signer *signer = fake_signer("ed.pem", false);
	_cleanup_buf_ struct buf bundle = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(bundle_sign_message(signer->key, "text", 4, &bundle, &err), 0);
	for (size_t i = 0; i + 1 < bundle.n; i++) {
		struct err mine = ERR_INIT;

		assert_int_equal(
			bundle_verify_message(signer->key, bundle.p, i, "text", 4, "B", &mine), -1);
		bundle.p[i] ^= 4;
		mine = ERR_INIT;
		assert_int_equal(bundle_verify_message(signer->key, bundle.p, bundle.n, "text", 4,
		                                       "B", &mine),
		                 -1);
		assert_int_equal(mine.code, ERR_DENIED);
		bundle.p[i] ^= 4;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(message_holds),
		cmocka_unit_test(statement_comes_back),
		cmocka_unit_test(shape_is_strict),
		cmocka_unit_test(envelopes_are_strict),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(cut_and_flipped_bytes_never_hold),
	};

	return cmocka_run_group_tests_name("release/bundle", tests, NULL, NULL);
}
