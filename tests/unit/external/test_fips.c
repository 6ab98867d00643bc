/* An OpenSSL that offers approved algorithms only, and has none of them: errors, no bugs. */
#include <openssl/evp.h>

#include "external/keys.h"
#include "external/md5.h"
#include "unit/support.h"

static int begin(void **state)
{
	(void)state;
	return EVP_set_default_properties(NULL, "fips=yes") == 1 ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	return EVP_set_default_properties(NULL, "") == 1 ? 0 : -1;
}

static void there_is_no_md5(void **state)
{
	FILE *file = tmpfile();
	char hex[MD5_HEX_SIZE];
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(md5_of_fd(fileno(file), "it", hex, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.cause, "this machine's OpenSSL offers no MD5, which the md5sums of a "
	                           "Debian package need");
	fclose(file);
}

static void no_key_is_made(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		struct key *key = NULL;
		struct err err = ERR_INIT;

		assert_int_equal(key_generate(i ? KEY_P256 : KEY_ED25519, &key, &err), -1);
		assert_int_equal(err.code, ERR_MACHINE);
		assert_contains(err.cause, "cannot make a key: ");
		assert_null(key);
	}
}

static void a_key_neither_signs_nor_is_encrypted(void **state)
{
	struct buf out = BUF_INIT(4096);
	struct key *key = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(end(state), 0);
	must(key_generate(KEY_P256, &key, &err), &err);
	assert_int_equal(begin(state), 0);
	assert_int_equal(key_sign(key, "hello", 5, &out, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.cause, "cannot sign: ");
	err_clear(&err);
	assert_int_equal(key_write_private(key, "secret", &out, &err), -1);
	assert_int_equal(err.code, ERR_MACHINE);
	assert_contains(err.cause, "cannot encode the private key: ");
	assert_int_equal(out.n, 0);
	key_free(key);
	buf_deinit(&out);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(there_is_no_md5),
		TEST(no_key_is_made),
		TEST(a_key_neither_signs_nor_is_encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
