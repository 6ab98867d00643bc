/* Package URLs of Debian packages. */
#include "model/purl.h"
#include "unit/support.h"

static void encodes_what_must_be(void **state)
{
	struct buf buf = BUF_INIT(256);

	(void)state;
	purl_deb(&buf, "libstdc++6", "1:14.2.0-19~x+b1", "arm64");
	assert_string_equal(buf_text(&buf),
	                    "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19~x%2Bb1?arch=arm64");
	buf_deinit(&buf);
}

static void test_cargo(void **state)
{
	struct buf buf = BUF_INIT(1000);

	(void)state;
	purl_cargo(&buf, "itoa", "1.0.0+x", NULL, NULL);
	assert_string_equal(buf_text(&buf), "pkg:cargo/itoa@1.0.0%2Bx");
	buf_clear(&buf);
	purl_cargo(&buf, "own", "0.1.0", "vcs_url", "git+https://x/y@0a");
	assert_string_equal(buf_text(&buf),
	                    "pkg:cargo/own@0.1.0?vcs_url=git%2Bhttps:%2F%2Fx%2Fy%400a");
	buf_deinit(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_cargo),
		                            cmocka_unit_test(encodes_what_must_be) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
