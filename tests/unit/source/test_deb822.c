/* Stanzas, fields, continuations, frames; and the scanner's windows. */
#include "source/deb822.h"

#include "base/buf.h"
#include "unit/support.h"

static void assert_value(const struct deb822 *stanza, const char *name, const char *value)
{
	char *text = deb822_get_dup(stanza, name);

	if (value)
		assert_string_equal(text, value);
	else
		assert_null(text);
	free(text);
}

static void test_stanzas(void **state)
{
	struct str rest = STR("\n# a comment\nPackage: make\nVersion:  4.4.1-2 \nEmpty:\n\n\n"
	                      "package: gawk\nDescription: short\n long\n .\n more\n");
	struct deb822 stanza = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(deb822_next(&rest, &stanza, "x", &err), &err);
	assert_int_equal(stanza.fields.n, 3);
	assert_value(&stanza, "package", "make");
	assert_value(&stanza, "Version", "4.4.1-2");
	assert_value(&stanza, "Empty", "");
	assert_value(&stanza, "Other", NULL);
	assert_true(deb822_is(&stanza, "Package", "make"));
	assert_false(deb822_is(&stanza, "Package", "mak"));
	must(deb822_next(&rest, &stanza, "x", &err), &err);
	assert_value(&stanza, "Package", "gawk");
	assert_value(&stanza, "Description", "short\n long\n .\n more");
	assert_int_equal(deb822_next(&rest, &stanza, "x", &err), DEB822_END);
	deb822_deinit(&stanza);
}

static void test_signed(void **state)
{
	struct str rest = STR("-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nFormat: 1.0\n"
	                      "Files:\n a b\n c d\n\n-----BEGIN PGP SIGNATURE-----\n\nNot: this\n");
	struct deb822 stanza = { 0 };
	struct err err = ERR_INIT;

	(void)state;
	must(deb822_next(&rest, &stanza, "x", &err), &err);
	assert_value(&stanza, "Hash", NULL);
	assert_value(&stanza, "Format", "1.0");
	assert_value(&stanza, "Files", "\n a b\n c d");
	assert_int_equal(deb822_next(&rest, &stanza, "x", &err), DEB822_END);
	deb822_deinit(&stanza);
}

static void test_malformed(void **state)
{
	static const char *const bad[][2] = {
		{ " goes on\n", "the file: a value goes on before any field" },
		{ "no colon\n", "the file: not a \"Field: value\" line: no colon" },
		{ ": no name\n", "the file: not a \"Field: value\" line: : no name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct str rest = str_of(bad[i][0]);
		struct deb822 stanza = { 0 };
		struct err err = ERR_INIT;

		assert_int_equal(deb822_next(&rest, &stanza, "the file", &err), -1);
		assert_int_equal(err.code, ERR_INPUT);
		assert_contains(err.cause, bad[i][1]);
		deb822_deinit(&stanza);
	}
}

struct count {
	size_t n;
	uint64_t sum;
};

static int count(void *data, const struct deb822 *stanza, struct err *err)
{
	struct count *c = data;
	char *number = deb822_get_dup(stanza, "Number");

	(void)err;
	c->n++;
	c->sum += strtoull(number, NULL, 10);
	free(number);
	return 0;
}

/* More than one window, stanzas of every length across its edges, no newline at the end. */
static void test_scan(void **state)
{
	enum { STANZAS = 20000 };
	struct buf buf = BUF_INIT(64 << 20);
	struct err err = ERR_INIT;
	struct count c = { 0 };
	FILE *file = tmpfile();

	(void)state;
	for (int i = 1; i <= STANZAS; i++)
		buf_fmt(&buf, "%sNumber: %d\nPad: %0*d\n", i > 1 ? "\n" : "", i, i % 97 + 1, 0);
	buf.n--;
	assert_int_equal(fwrite(buf.p, 1, buf.n, file), buf.n);
	rewind(file);
	fflush(file);
	lseek(fileno(file), 0, SEEK_SET);
	must(deb822_scan_fd(fileno(file), "x", count, &c, &err), &err);
	assert_int_equal(c.n, STANZAS);
	assert_int_equal(c.sum, (uint64_t)STANZAS * (STANZAS + 1) / 2);
	fclose(file);
	buf_deinit(&buf);
}

static int visit_none(void *data, const struct deb822 *stanza, struct err *err)
{
	(void)data, (void)stanza, (void)err;
	fail();
	return -1;
}

/* A file of holes would else be read into memory whole. */
static void test_large_stanza(void **state)
{
	enum { LARGE = 17 << 20 };
	struct err err = ERR_INIT;
	FILE *file = tmpfile();

	(void)state;
	assert_int_equal(ftruncate(fileno(file), LARGE), 0);
	assert_int_equal(deb822_scan_fd(fileno(file), "x", visit_none, NULL, &err), -1);
	assert_int_equal(err.code, ERR_INPUT);
	assert_contains(err.cause, "x: a stanza is larger than 16777216 bytes");
	fclose(file);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stanzas),      cmocka_unit_test(test_signed),
		cmocka_unit_test(test_malformed),    cmocka_unit_test(test_scan),
		cmocka_unit_test(test_large_stanza),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
