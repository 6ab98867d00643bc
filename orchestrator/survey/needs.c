/* What the system must have, as Debian calls it. The names on the left are those of pkg-config(1),
 * of CMake's find modules and of the linker's -l, without case. */
#include <ctype.h>
#include <string.h>

#include "base/str.h"
#include "survey/surveyor.h"

struct need {
	const char *name;
	const char *package; /* "" where the image has it, or the project brings it */
};

static const struct need libraries[] = {
	{ "archive", "libarchive-dev" },
	{ "libarchive", "libarchive-dev" },
	{ "boost", "libboost-dev" },
	{ "bz2", "libbz2-dev" },
	{ "bzip2", "libbz2-dev" },
	{ "c", "" },
	{ "cap", "libcap-dev" },
	{ "libcap", "libcap-dev" },
	{ "crypt", "libcrypt-dev" },
	{ "libcrypt", "libcrypt-dev" },
	{ "crypto", "libssl-dev" },
	{ "libcrypto", "libssl-dev" },
	{ "curl", "libcurl4-openssl-dev" },
	{ "libcurl", "libcurl4-openssl-dev" },
	{ "curses", "libncurses-dev" },
	{ "ncurses", "libncurses-dev" },
	{ "ncursesw", "libncurses-dev" },
	{ "tinfo", "libncurses-dev" },
	{ "dl", "" },
	{ "event", "libevent-dev" },
	{ "libevent", "libevent-dev" },
	{ "expat", "libexpat1-dev" },
	{ "ffi", "libffi-dev" },
	{ "libffi", "libffi-dev" },
	{ "fmt", "libfmt-dev" },
	{ "freetype", "libfreetype-dev" },
	{ "freetype2", "libfreetype-dev" },
	{ "glib-2.0", "libglib2.0-dev" },
	{ "gio-2.0", "libglib2.0-dev" },
	{ "gmp", "libgmp-dev" },
	{ "gnutls", "libgnutls28-dev" },
	{ "gtest", "libgtest-dev" },
	{ "iconv", "" },
	{ "icu-uc", "libicu-dev" },
	{ "intl", "" },
	{ "jansson", "libjansson-dev" },
	{ "jpeg", "libjpeg-dev" },
	{ "libjpeg", "libjpeg-dev" },
	{ "json-c", "libjson-c-dev" },
	{ "lua", "liblua5.4-dev" },
	{ "lua5.4", "liblua5.4-dev" },
	{ "lz4", "liblz4-dev" },
	{ "liblz4", "liblz4-dev" },
	{ "lzma", "liblzma-dev" },
	{ "liblzma", "liblzma-dev" },
	{ "m", "" },
	{ "magic", "libmagic-dev" },
	{ "libmagic", "libmagic-dev" },
	{ "mount", "libmount-dev" },
	{ "oniguruma", "libonig-dev" },
	{ "onig", "libonig-dev" },
	{ "openssl", "libssl-dev" },
	{ "ssl", "libssl-dev" },
	{ "libssl", "libssl-dev" },
	{ "pcre2", "libpcre2-dev" },
	{ "libpcre2-8", "libpcre2-dev" },
	{ "pcre2-8", "libpcre2-dev" },
	{ "png", "libpng-dev" },
	{ "libpng", "libpng-dev" },
	{ "protobuf", "libprotobuf-dev" },
	{ "pthread", "" },
	{ "readline", "libreadline-dev" },
	{ "resolv", "" },
	{ "rt", "" },
	{ "libseccomp", "libseccomp-dev" },
	{ "seccomp", "libseccomp-dev" },
	{ "sodium", "libsodium-dev" },
	{ "libsodium", "libsodium-dev" },
	{ "sqlite3", "libsqlite3-dev" },
	{ "libsystemd", "libsystemd-dev" },
	{ "stdc++", "" },
	{ "threads", "" },
	{ "tirpc", "libtirpc-dev" },
	{ "libtirpc", "libtirpc-dev" },
	{ "uuid", "uuid-dev" },
	{ "util", "" },
	{ "libuv", "libuv1-dev" },
	{ "xml2", "libxml2-dev" },
	{ "libxml-2.0", "libxml2-dev" },
	{ "libxml2", "libxml2-dev" },
	{ "xxhash", "libxxhash-dev" },
	{ "libxxhash", "libxxhash-dev" },
	{ "yaml", "libyaml-dev" },
	{ "yaml-0.1", "libyaml-dev" },
	{ "z", "zlib1g-dev" },
	{ "zlib", "zlib1g-dev" },
	{ "zstd", "libzstd-dev" },
	{ "libzstd", "libzstd-dev" },
	{ 0 },
};

static const struct need tools[] = {
	{ "asciidoctor", "asciidoctor" },
	{ "autoreconf", "autoconf" },
	{ "bison", "bison" },
	{ "cargo", "cargo" },
	{ "cmake", "cmake" },
	{ "flex", "flex" },
	{ "gawk", "gawk" },
	{ "gettext", "gettext" },
	{ "git", "git" },
	{ "gperf", "gperf" },
	{ "help2man", "help2man" },
	{ "m4", "m4" },
	{ "makeinfo", "texinfo" },
	{ "msgfmt", "gettext" },
	{ "nasm", "nasm" },
	{ "perl", "" },
	{ "pkg-config", "pkgconf" },
	{ "pod2man", "perl" },
	{ "python", "python3" },
	{ "python3", "python3" },
	{ "re2c", "re2c" },
	{ "scdoc", "scdoc" },
	{ "sed", "" },
	{ "sh", "" },
	{ "xxd", "xxd" },
	{ "yacc", "bison" },
	{ 0 },
};

static const char *find(const struct need *table, const char *name)
{
	for (; table->name; table++)
		if (strcasecmp(table->name, name) == 0)
			return table->package;
	return NULL;
}

void survey_needs_library(struct survey *s, const char *name)
{
	const char *package = find(libraries, name);

	if (!package)
		survey_note(s,
		            "the build asks for %s: if it fails for want of it, add its Debian "
		            "package, as in add = { \"lib%s-dev\" }",
		            name, name);
	else if (package[0])
		survey_add(&s->packages, package);
}

void survey_needs_tool(struct survey *s, const char *command)
{
	const char *package = find(tools, command);

	if (package && package[0])
		survey_add(&s->packages, package);
}
