#include "model/distro.h"

#include <string.h>

#include "base/str.h"

struct provided {
	const char *name;
	const char *package; /* "" where every image has it */
};

/* Names of pkg-config(1), of CMake's find modules and of the linker's -l. */
static const struct provided libraries[] = {
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

static const struct provided tools[] = {
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

/* Headers by name, or by their folder with a slash at its end. */
static const struct provided headers[] = {
	{ "archive.h", "libarchive-dev" },
	{ "archive_entry.h", "libarchive-dev" },
	{ "boost/", "libboost-dev" },
	{ "brotli/", "libbrotli-dev" },
	{ "bzlib.h", "libbz2-dev" },
	{ "curl/", "libcurl4-openssl-dev" },
	{ "curses.h", "libncurses-dev" },
	{ "event.h", "libevent-dev" },
	{ "event2/", "libevent-dev" },
	{ "expat.h", "libexpat1-dev" },
	{ "ffi.h", "libffi-dev" },
	{ "fmt/", "libfmt-dev" },
	{ "freetype/", "libfreetype-dev" },
	{ "ft2build.h", "libfreetype-dev" },
	{ "gio/", "libglib2.0-dev" },
	{ "glib.h", "libglib2.0-dev" },
	{ "gmp.h", "libgmp-dev" },
	{ "gnutls/", "libgnutls28-dev" },
	{ "gtest/", "libgtest-dev" },
	{ "jansson.h", "libjansson-dev" },
	{ "jpeglib.h", "libjpeg-dev" },
	{ "json-c/", "libjson-c-dev" },
	{ "lauxlib.h", "liblua5.4-dev" },
	{ "libmount/", "libmount-dev" },
	{ "libxml/", "libxml2-dev" },
	{ "lua.h", "liblua5.4-dev" },
	{ "lz4.h", "liblz4-dev" },
	{ "lzma.h", "liblzma-dev" },
	{ "magic.h", "libmagic-dev" },
	{ "ncurses.h", "libncurses-dev" },
	{ "ncursesw/", "libncurses-dev" },
	{ "oniguruma.h", "libonig-dev" },
	{ "openssl/", "libssl-dev" },
	{ "pcre2.h", "libpcre2-dev" },
	{ "png.h", "libpng-dev" },
	{ "readline/", "libreadline-dev" },
	{ "seccomp.h", "libseccomp-dev" },
	{ "sodium.h", "libsodium-dev" },
	{ "sqlite3.h", "libsqlite3-dev" },
	{ "sys/acl.h", "libacl1-dev" },
	{ "sys/capability.h", "libcap-dev" },
	{ "systemd/", "libsystemd-dev" },
	{ "term.h", "libncurses-dev" },
	{ "unicode/", "libicu-dev" },
	{ "uuid/", "uuid-dev" },
	{ "uv.h", "libuv1-dev" },
	{ "xxhash.h", "libxxhash-dev" },
	{ "yaml.h", "libyaml-dev" },
	{ "zlib.h", "zlib1g-dev" },
	{ "zstd.h", "libzstd-dev" },
	{ 0 },
};

static const char *find(const struct provided *table, const char *name)
{
	for (; table->name; table++)
		if (strcasecmp(table->name, name) == 0)
			return table->package;
	return NULL;
}

const char *distro_library(const char *name)
{
	return find(libraries, name);
}

const char *distro_tool(const char *command)
{
	return find(tools, command);
}

const char *distro_header(const char *header)
{
	for (const struct provided *h = headers; h->name; h++)
		if (str_eq(h->name, header) ||
		    (str_ends(h->name, "/") && str_starts(header, h->name)))
			return h->package;
	return NULL;
}
