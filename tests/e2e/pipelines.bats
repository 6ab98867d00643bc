# CMake and Meson: a small project of each, made for the test, through the whole pipeline, for this
# machine and for another; the image with the tools they need.
# shellcheck disable=SC2154 # stderr is from run, x86 and top from the helper
load helper

setup() { e2e_setup; }

# ./own: a counting program whose lines come from a second file, so that there is something to inline.
own() {
	mkdir -p own/data
	seq 300 >own/data/train.txt
	seq 500 >own/data/held.txt
	cat >own/count.h <<-'C'
	#ifndef COUNT_H
	#define COUNT_H
	long count_digit(const char *text, int digit);
	#endif
	C
	cat >own/count.c <<-'C'
	#include "count.h"
	long count_digit(const char *text, int digit)
	{
		long n = 0;

		for (; *text; text++)
			n += *text == '0' + digit;
		return n;
	}
	C
	cat >own/main.c <<-'C'
	#include <stdio.h>
	#include "count.h"
	int main(int argc, char **argv)
	{
		FILE *in = argc > 1 ? fopen(argv[1], "r") : NULL;
		long counts[10] = { 0 };
		char line[100];

		if (!in)
			return 1;
		while (fgets(line, sizeof(line), in))
			for (int d = 0; d < 10; d++)
				counts[d] += count_digit(line, d);
		for (int d = 0; d < 10; d++)
			printf("%d %ld\n", d, counts[d]);
		return 0;
	}
	C
	echo "MIT" >own/LICENSE
	cat >own/kiln.lua <<-LUA
	return release {
	  api = 1, name = "own", version = "1.0", license = "MIT", date = 1700000000,
	  source = checkout { exclude = { "data" } }, work = folder "data",
	  build = $1,
	  targets = { "$x86", "aarch64-unknown-linux-gnu" },
	  train = { run { bin "digits", file "train.txt" } },
	  holdout = { run { bin "digits", file "held.txt" } },
	  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
	  files = { "LICENSE" },
	  packages = { archive { "tar.gz" } },
	}
	LUA
	git init -q own
	git -C own add -A
	git -C own -c user.name=Me -c user.email=me@example.org commit -q -m one
}

released() {
	"$KILN" -C own release --unsigned --progress plain -o "$PWD/dist" 2>log || { cat log; return 1; }
	grep -q "image own-trixie: unpinned" log
	tar -xzf "dist/own-1.0/own-1.0-$x86.tar.gz"
	readelf -SW "own-1.0-$x86/bin/digits" | grep -q '\.bolt\.org\.text'
	tar -xzf dist/own-1.0/own-1.0-aarch64-unknown-linux-gnu.tar.gz
	[ "$(od -An -tu2 -j18 -N2 own-1.0-aarch64-unknown-linux-gnu/bin/digits | tr -d ' ')" = 183 ]
	jq -e --arg package "pkg:deb/debian/$1@" 'any(.predicate.buildDefinition.resolvedDependencies[].uri; startswith($package))' \
		dist/own-1.0/own-1.0.provenance.json
	# The flags and the profile reached the compiler: each variant is another program.
	for variant in plain lto pgo+lto; do
		"$KILN" -C own get "x86_64/$variant/strip" "$PWD/$variant" 2>/dev/null
	done
	for pair in "plain lto" "lto pgo+lto" "plain pgo+lto"; do
		run cmp "${pair% *}/stripped" "${pair#* }/stripped"
		[ "$status" -eq 1 ]
	done
}

@test "cmake: two targets, all variants, one image with cmake in it" {
	own 'cmake.build { bins = { "digits" }, options = { WANTED = "yes" } }'
	cat >own/CMakeLists.txt <<-'CMAKE'
	cmake_minimum_required(VERSION 3.20)
	project(digits C)
	if(NOT WANTED STREQUAL "yes")
	  message(FATAL_ERROR "the option did not come through")
	endif()
	add_library(count STATIC count.c)
	add_executable(digits main.c)
	target_link_libraries(digits count)
	CMAKE
	git -C own add -A && git -C own -c user.name=Me -c user.email=me@example.org commit -q -m cmake
	released cmake
}

@test "meson: two targets, all variants, one image with meson in it" {
	own 'meson.build { bins = { "digits" }, options = { wanted = "yes" } }'
	cat >own/meson.build <<-'MESON'
	project('digits', 'c')
	if get_option('wanted') != 'yes'
	  error('the option did not come through')
	endif
	count = static_library('count', 'count.c')
	executable('digits', 'main.c', link_with: count)
	MESON
	echo "option('wanted', type: 'string', value: 'no')" >own/meson_options.txt
	git -C own add -A && git -C own -c user.name=Me -c user.email=me@example.org commit -q -m meson
	released meson
}

@test "options that would make every variant the same program are refused" {
	own 'cmake.build { bins = { "digits" }, options = { CMAKE_C_FLAGS = "-g" } }'
	run "$KILN" -C own plan
	[ "$status" -eq 3 ]
	[[ $output == *'"CMAKE_C_FLAGS" would replace the flags of every variant'* && $output == *"cflags = { … }"* ]]
}

@test "one tree under two names: the image keeps the name it is listed by" {
	own 'make.build { bins = { "digits" } }, add = { "make" }'
	"$KILN" -C "$top" image build trixie --lock "$(project_lock hello)" >/dev/null
	"$KILN" image ls | grep -q "^trixie "
	"$KILN" -C own plan >/dev/null
	"$KILN" image ls | grep -q "^trixie "
}
