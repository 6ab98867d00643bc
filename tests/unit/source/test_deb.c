/* What apt-get prints about files, and how it is asked for them. */
#include "source/deb.h"

#include "unit/support.h"

#define HASH "1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"

static void test_lines(void **state)
{
	struct debs debs = { 0 };
	char *spec;

	(void)state;
	assert_true(debs_add_uri_line(&debs,
	                              STR("'http://h/pool/libc6_2.41-12%2bdeb13u4_amd64.deb' "
	                                  "libc6_2.41-12+deb13u4_amd64.deb 2846580 SHA256:" HASH)));
	assert_true(debs_add_uri_line(&debs, STR("'http://h/x' bsdutils_1%3a2.41.5-0%5fx_all.deb 7 "
	                                         "SHA256:" HASH)));
	assert_int_equal(debs.list.n, 2);
	assert_string_equal(debs.list.v[0].version, "2.41-12+deb13u4");
	assert_int_equal(debs.list.v[0].ref.size, 2846580);
	assert_string_equal(debs.list.v[1].version, "1:2.41.5-0_x");
	spec = deb_spec(&debs.list.v[0]);
	assert_string_equal(spec, "libc6:amd64=2.41-12+deb13u4");
	free(spec);
	spec = deb_spec(&debs.list.v[1]);
	assert_string_equal(spec, "bsdutils=1:2.41.5-0_x");
	free(spec);
	debs_sort(&debs);
	assert_string_equal(debs.list.v[0].name, "bsdutils");
	debs_deinit(&debs);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"'u' f",
		"u a_1_all.deb 1 SHA256:" HASH,
		"'u' a_1_all.deb 1 MD5Sum:" HASH,
		"'u' a_1_all.dsc 1 SHA256:" HASH,
		"'u' a_1.deb 1 SHA256:" HASH,
		"'u' a_1_2_all.deb 1 SHA256:" HASH,
		"'u' a_1_all.deb 1 SHA256:1234",
		"'u' a_1_all.deb 111111111111111111111111111 SHA256:" HASH,
	};
	struct debs debs = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (debs_add_uri_line(&debs, str_of(bad[i])))
			fail_msg("accepted: %s", bad[i]);
	assert_int_equal(debs.list.n, 0);
	debs_deinit(&debs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
