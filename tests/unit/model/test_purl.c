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

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(encodes_what_must_be) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
