# A project's own tests run over the program as it ships, for each build system; sources placed below the
# source; an own configure; what autoconf has still to make.
# shellcheck disable=SC2154,SC2016 # x86 is from the helper; Makefiles have dollars
load helper

setup() { e2e_setup; }

# BUILD [FIELD…]: ./own with a program whose test is in its build files.
own() {
	local build=$1 fields=${2:-}
	mkdir -p own/data
	seq 300 >own/data/train.txt
	seq 500 >own/data/held.txt
	cat >own/digits.c <<-'C'
	#include <stdio.h>
	int main(int argc, char **argv)
	{
		FILE *in = argc > 1 ? fopen(argv[1], "r") : NULL;
		long counts[10] = { 0 };
		int c;

		while (in && (c = getc(in)) != EOF)
			if (c >= '0' && c <= '9')
				counts[c - '0']++;
		for (int d = 0; d < 10; d++)
			printf("%d %ld\n", d, counts[d]);
		return in == NULL;
	}
	C
	# The log tells which program it was: BOLT leaves a section behind.
	cat >own/try.sh <<-'SH'
	#!/bin/sh
	echo 1100 >ones
	"$1" ones | grep -q '^1 2$' || exit 1
	echo "tried $(grep -c bolt.org.text "$1") $(readlink -f "$1")" >&2
	SH
	chmod +x own/try.sh
	cat >own/kiln.lua <<-LUA
	return release {
	  api = 1, name = "own", version = "1.0", license = "MIT", date = 1700000000,
	  source = checkout { exclude = { "data" } }, work = folder "data", $fields
	  build = $build,
	  targets = { "$x86" },
	  train = { run { bin "digits", file "train.txt" } },
	  holdout = { run { bin "digits", file "held.txt" } },
	  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
	  packages = { archive { "tar.gz" } },
	}
	LUA
	git init -q own
}

commit() { git -C own add -A && git -C own -c user.name=Me -c user.email=me@example.org commit -q -m one; }

# The tests ran over the program that ships, and another outcome ends the release.
tested() {
	commit
	"$KILN" -C own release --unsigned --progress plain -o "$PWD/dist" 2>log || { cat log; return 1; }
	[ -e "dist/own-1.0/own-1.0-$x86.tar.gz" ]
	grep -q "own tests passed" log
	"$KILN" -C own log "x86_64/pgo+lto+bolt/test" >printed 2>&1
	grep -q "tried 1 /build" printed || { cat printed; return 1; }
	rm -rf dist
	sed -i "s/'^1 2\\$'/'^1 3\$'/" own/try.sh
	commit
	run "$KILN" -C own release --unsigned --progress plain -o "$PWD/dist"
	[ "$status" -eq 1 ]
	[[ $output == *"/test"*"failed"* || $output == *"failed"*"/test"* ]]
	[ ! -e dist ]
	# A build is for looking: it runs no tests.
	"$KILN" -C own build --progress none -o "$PWD/built"
}

@test "make: own tests over what ships, an own configure, another source at its path" {
	own 'make.build { bins = { "digits" }, configure = { "./configure", "--fast" }, test = { "check" } }' \
		'deps = { ["lib/tiny"] = folder "tiny" },'
	mkdir own/tiny
	echo 'int tiny(void) { return 7; }' >own/tiny/tiny.c
	sed -i 's/exclude = { "data" }/exclude = { "data", "tiny" }/' own/kiln.lua
	sed -i 's/^int main/int tiny(void);\nint main/; s/return in == NULL/return in == NULL || tiny() != 7/' own/digits.c
	printf '#!/bin/sh\n[ "$1" = --fast ] || exit 9\necho "MADE_BY = $CC" >config.mk\n' >own/configure
	chmod +x own/configure
	printf '%b' 'include config.mk\nCC = $(MADE_BY)\ndigits: digits.o lib/tiny/tiny.o\n\t$(CC) $(LDFLAGS) -o $@ $^\n' \
		'check: digits\n\t./try.sh ./digits\n' >own/Makefile
	tested
	echo "int tiny(void) { return 7; } /* $EPOCHREALTIME: never built before */" >own/tiny/tiny.c
	commit
	run "$KILN" -C own build --variant plain --progress plain
	[ "$status" -eq 0 ]
	[[ $output == *"start   $x86/plain/build"* ]]
}

@test "a recipe that makes no package has nothing to release" {
	own 'make.build { bins = { "digits" } }' ''
	cat >own/kiln.lua <<-LUA
		kiln.recipe { name = "own", version = "1", license = "MIT", date = 0 }
		kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		stage.run { address = "$x86/plain/x", argv = { "true" }, outputs = {} }
	LUA
	commit
	run "$KILN" -C own release --unsigned
	[ "$status" -eq 3 ]
	[[ $output == *"the recipe makes no package: nothing to release"* ]]
	run "$KILN" -C own train
	[ "$status" -eq 2 ]
	[[ $output == *"has no profile to train: optimize asks for none"* ]]
}

@test "autotools: a configure that is still to be made, and own tests" {
	own 'autotools.build { bins = { "digits" }, bootstrap = { "autoreconf", "-fi" }, test = { "check" } }'
	printf '%s\n' 'AC_INIT([own], [1.0])' 'AM_INIT_AUTOMAKE([foreign serial-tests])' 'AC_PROG_CC' \
		'AC_CONFIG_FILES([Makefile])' 'AC_OUTPUT' >own/configure.ac
	printf '%s\n' 'bin_PROGRAMS = digits' 'digits_SOURCES = digits.c' 'TESTS = run.sh' >own/Makefile.am
	printf '#!/bin/sh\nexec ./try.sh ./digits\n' >own/run.sh
	chmod +x own/run.sh
	tested
}

@test "CMake: own tests, a program that lies in a folder of the build" {
	own 'cmake.build { bins = { "digits" }, test = { "-V" } }'
	printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' 'project(own C)' 'enable_testing()' 'add_subdirectory(prog)' \
		>own/CMakeLists.txt
	mkdir own/prog
	printf '%s\n' 'add_executable(digits ../digits.c)' \
		'add_test(NAME digits COMMAND ${CMAKE_SOURCE_DIR}/try.sh $<TARGET_FILE:digits>)' >own/prog/CMakeLists.txt
	tested
}

@test "Meson: own tests, a program that lies in a folder of the build" {
	own 'meson.build { bins = { "digits" }, test = { "-v" } }'
	printf '%s\n' "project('own', 'c')" "subdir('prog')" >own/meson.build
	mkdir own/prog
	printf '%s\n' "digits = executable('digits', '../digits.c')" "test('digits', find_program('../try.sh'), args: [digits])" \
		>own/prog/meson.build
	tested
}

@test "a program that the build does not make is named with those that it made" {
	own 'cmake.build { bins = { "digit" } }'
	sed -i 's/bin "digits"/bin "digit"/' own/kiln.lua
	printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' 'project(own C)' 'add_executable(digits digits.c)' >own/CMakeLists.txt
	commit
	run "$KILN" -C own build --variant plain --progress plain
	[ "$status" -eq 1 ]
	[[ $output == *'the build made no program "digit"; it made:'*"digits"* ]]
}

@test "a program that make leaves elsewhere is named; so is the package of a header that the image lacks" {
	own 'make.build { bins = { "digits" } }'
	printf 'bin/digits: digits.c\n\tmkdir -p bin; $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<\n' >own/Makefile
	commit
	run "$KILN" -C own build --variant plain --progress plain
	[ "$status" -eq 1 ]
	[[ $output == *"the output src/digits is missing; programs that the stage made: src/bin/digits"* ]]
	[[ $output == *"try      bins = { … } names each program by its path"* ]]
	sed -i 's|bins = { "digits" }|bins = { "bin/digits" }|' own/kiln.lua
	sed -i '1i #include <zlib.h>' own/digits.c
	commit
	run "$KILN" -C own build --variant plain --progress plain
	[ "$status" -eq 1 ]
	[[ $output == *'the image lacks zlib.h: add = { "zlib1g-dev" } in release { } adds it'* ]]
}
