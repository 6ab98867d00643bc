/* The triples that Kiln knows: a typing error in one is found here and not by a compiler. */
#include "model/triple.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static const char *const known[] = {
	"aarch64-apple-darwin",
	"aarch64-unknown-linux-gnu",
	"aarch64-unknown-linux-musl",
	"armv7-unknown-linux-gnueabihf",
	"riscv64gc-unknown-linux-gnu",
	"thumbv7em-none-eabihf",
	"wasm32-unknown-unknown",
	"wasm32-wasip1",
	"wasm32-wasip2",
	"x86_64-apple-darwin",
	"x86_64-pc-windows-gnu",
	"x86_64-pc-windows-msvc",
	"x86_64-unknown-linux-gnu",
	"x86_64-unknown-linux-musl",
	NULL,
};

const char *const *triple_known(void)
{
	return known;
}

/* The length without a glibc part: from the first '.' on. */
static size_t base_length(const char *text)
{
	return strcspn(text, ".");
}

static bool is_known(const char *text, size_t n)
{
	for (size_t i = 0; known[i]; i++)
		if (strlen(known[i]) == n && strncmp(known[i], text, n) == 0)
			return true;
	return false;
}

static bool is_glibc_version(const char *s)
{
	size_t major = strspn(s, "0123456789");
	size_t minor = s[major] == '.' ? strspn(s + major + 1, "0123456789") : 0;

	return major && major < 4 && minor && minor < 4 && s[major + 1 + minor] == '\0';
}

static void take(struct str part, char *out, size_t size)
{
	snprintf(out, size, "%.*s", (int)part.n, part.p ? part.p : "");
}

/* Bare systems have no vendor: "wasm32-wasip1", "thumbv7em-none-eabihf". */
static void split(struct triple *t)
{
	struct str rest = str_of(t->base), parts[4] = { 0 };
	size_t n = 0;

	while (n < 4 && str_cut(&rest, '-', &parts[n]))
		n++;
	take(parts[0], t->arch, sizeof(t->arch));
	if (n == 2) {
		take(parts[1], t->os, sizeof(t->os));
		return;
	}
	if (n == 3 && str_same(parts[1], STR("none"))) {
		take(parts[1], t->os, sizeof(t->os));
		take(parts[2], t->env, sizeof(t->env));
		return;
	}
	take(parts[1], t->vendor, sizeof(t->vendor));
	take(parts[2], t->os, sizeof(t->os));
	take(parts[3], t->env, sizeof(t->env));
}

bool triple_parse(const char *text, struct triple *ret)
{
	size_t n = base_length(text);
	struct triple t = { 0 };

	if (!is_known(text, n) || triple_fault(text))
		return false;
	memcpy(t.base, text, n);
	split(&t);
	if (text[n])
		snprintf(t.glibc, sizeof(t.glibc), "%s", text + n + 1);
	*ret = t;
	return true;
}

const char *triple_fault(const char *text)
{
	size_t n = base_length(text);

	if (!is_known(text, n))
		return "unknown triple";
	if (!text[n])
		return NULL;
	if (n < 10 || strncmp(text + n - 10, "-linux-gnu", 10) != 0)
		return "only linux-gnu triples take a glibc version";
	return is_glibc_version(text + n + 1) ? NULL : "no glibc version behind the point";
}

const char *triple_nearest(const char *text)
{
	char base[65], full[80];
	const char *near, *rest;

	snprintf(base, sizeof(base), "%.*s", (int)base_length(text), text);
	near = str_nearest(base, known);
	rest = strchr(base, '-');
	if (near || !rest)
		return near;
	/* Other tools leave the vendor out: aarch64-linux-gnu. */
	snprintf(full, sizeof(full), "%.*s-unknown%s", (int)(rest - base), base, rest);
	return str_nearest(full, known);
}
