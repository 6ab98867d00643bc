# kiln init: what it finds of a project, what it writes, what it refuses. Small repositories, one for
# each build system; tests/adopt builds real ones.
bats_require_minimum_version 1.5.0

setup() {
	export NO_COLOR=1 HOME=$BATS_TEST_TMPDIR/home
	export KILN_STORE=$BATS_TEST_TMPDIR/store
	unset CI
	mkdir -p "$HOME" "$BATS_TEST_TMPDIR/prog"
	cd "$BATS_TEST_TMPDIR/prog"
	git init -q
	printf 'Permission is hereby granted, free of charge, to any person obtaining a copy\n' >LICENSE
}

track() {
	git add -A
	git -c user.name=Me -c user.email=me@example.org commit -q -m "${1:-one}"
}

# The recipe has the line (blanks between its parts do not count).
has() {
	tr -s ' ' <kiln.lua | grep -qF -- "$1" || { echo "no \"$1\" in:"; cat kiln.lua; return 1; }
}

# Kiln takes the recipe: what is missing is the image, which no mirror is there for.
reads() {
	local output status
	run env KILN_DEBIAN_MIRROR=http://127.0.0.1:9/debian "$KILN" plan
	[ "$status" -eq 7 ] && [[ $output == *"Debian's archive"* ]] || { echo "$output"; return 1; }
}

refute_has() {
	! tr -s ' ' <kiln.lua | grep -qF -- "$1"
}

@test "make: installed programs, flags the sources need, another linker, warnings that are errors" {
	printf '%b' 'BINDIR = /usr/bin\nLD = gcc\nWARN = -Wall -Werror\nCFLAGS += -O3 -g -Iinclude $(DEFS) -std=c99\n' \
		'DEFS = -DX=1\nall: tool tests\ntool: main.o\n\t$(LD) -o $@ $^ -lz -lown\n' \
		'libown.a: own.o\n\tar rc $@ $^\ntests: tests.o\n\t$(CC) -o $@ $^\nother: tool\n\tln -s tool $@\n' \
		'install: all\n\tmkdir -p $(DESTDIR)$(BINDIR)\n' \
		'\tinstall -m 755 tool other script $(DESTDIR)$(BINDIR)\n\tcp tool.1 $(DESTDIR)/usr/share/man/man1\n' >Makefile
	echo '#!/bin/sh' >script
	echo . >tool.1
	track
	run --separate-stderr "$KILN" init
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	has 'name = "prog"'
	has 'bins = { "tool" }'
	has 'args = { "tool", "LD=$(CC)", "WARN=-Wall " }'
	has 'cflags = { "-Iinclude", "$(DEFS)", "-std=c99" }'
	has 'add = { "zlib1g-dev" }'
	has 'license = "MIT"'
	has 'files = { "LICENSE", man = { "tool.1" } }'
	grep -qx '/dist/' .gitignore
	[[ $stderr == *"programs  tool"* && $stderr == *"next      kiln build --variant plain"* ]]
}

@test "make: programs of a folder below, a configure of the project's own" {
	mkdir programs
	printf 'all:\n\t$(MAKE) -C programs\n' >Makefile
	printf 'pack: pack.o\n\t$(CC) -o $@ $^\ninstall:\n\tcp pack $(DESTDIR)/usr/bin/\n' >programs/Makefile
	printf '#!/bin/sh\n' >configure
	chmod +x configure
	track
	"$KILN" init
	has 'dir = "programs"'
	has 'bins = { "programs/pack" }'
	has 'configure = { "./configure" }'
}

@test "autotools: bin_PROGRAMS of all folders, libtool, bootstrap, modules that must be there" {
	cat >configure.ac <<-'M'
	AC_INIT([GNU Daemons], [2.1], [bugs@example.org], [daemons])
	dnl PKG_CHECK_MODULES([NOT], [sqlite3])
	LT_INIT
	AC_PROG_CXX
	PKG_CHECK_MODULES([Z], [zlib >= 1.2 libcurl])
	PKG_CHECK_MODULES([X], [jansson], [yes=1], [yes=0])
	AC_OUTPUT
	M
	mkdir src tests
	printf 'bin_PROGRAMS = one \\\n  two\n' >src/Makefile.am
	printf 'bin_PROGRAMS = no\n' >tests/Makefile.am
	printf 'sbin_PROGRAMS = daemon/d\n' >local.mk
	track
	"$KILN" init
	has 'name = "daemons"'
	has 'bins = { "daemon/d", "src/one", "src/two" }'
	has 'bootstrap = { "autoreconf", "-fi" }'
	has 'configure = { "--disable-shared" }'
	has 'cxx = true'
	has 'add = { "pkgconf", "zlib1g-dev", "libcurl4-openssl-dev" }'
	refute_has sqlite
	refute_has jansson
}

# Kiln takes the recipe: what is missing is the image, which no mirror is there for.
reads() {
	local output status
	run env KILN_DEBIAN_MIRROR=http://127.0.0.1:9/debian "$KILN" plan
	[ "$status" -eq 7 ] && [[ $output == *"Debian's archive"* ]] || { echo "$output"; return 1; }
}

refute_has() {
	if grep -qF -- "$1" kiln.lua; then
		echo "unexpected: $1"
		return 1
	fi
}

@test "cmake: installed targets under their files' names, through folders and variables" {
	cat >CMakeLists.txt <<-'M'
	cmake_minimum_required(VERSION 3.20) # project(not)
	project(demo VERSION 1.2 LANGUAGES C)
	#[[ add_executable(neither) ]]
	set(MAIN "${PROJECT_NAME}_exe")
	add_library(util util.c)
	add_subdirectory(src)
	add_subdirectory(tests)
	find_package(ZLIB REQUIRED)
	find_package(OpenSSL)
	M
	mkdir src tests
	printf 'add_executable(${MAIN} main.c)\nset_target_properties(${MAIN} PROPERTIES OUTPUT_NAME "demo")\nadd_executable(helper h.c)\ninstall(TARGETS ${MAIN})\n' >src/CMakeLists.txt
	printf 'add_executable(testing t.c)\n' >tests/CMakeLists.txt
	track
	"$KILN" init
	has 'name = "demo"'
	has 'git tag v1.2` makes the first release'
	has 'bins = { "demo" }'
	has 'targets = { "demo_exe" }'
	has 'options = { BUILD_SHARED_LIBS = "OFF" }'
	has 'add = { "zlib1g-dev" }'
}

@test "meson: installed executables, licence and options of the project itself" {
	cat >meson.build <<-'M'
	project('demo', 'c', version: '3.4', license: 'GPL-3.0-or-later') # executable('no')
	lib = library('own', files('own.c'))
	subdir('tools')
	dep = dependency('zlib')
	opt = dependency('jansson', required: get_option('json'))
	M
	mkdir tools
	printf "executable('demo', ['main.c'], link_with: lib, install: true)\nexecutable('gen', 'gen.c')\n" >tools/meson.build
	printf "option('tests', type: 'boolean', value: true)\n" >meson_options.txt
	track
	"$KILN" init
	has 'name = "demo"'
	has 'git tag v3.4` makes the first release'
	has 'bins = { "tools/demo" }'
	has 'license = "GPL-3.0-or-later", -- see meson.build'
	has 'options = { default_library = "static", tests = "false" }'
	has 'add = { "zlib1g-dev" }'
}

@test "cargo: programs, license and needs of the root's package; a workspace's member; a library; no lock" {
	mkdir -p src/bin/deep crates/cli/src crates/gui/src
	printf '%s\n' '[package]' 'name = "root"' 'version = "0.2.0"' 'license = "MIT/Apache-2.0"' '[workspace]' \
		'exclude = ["crates/gui"]' >Cargo.toml
	printf '%s\n' 'version = 4' '[[package]]' 'name = "openssl-sys"' 'version = "0.9.1"' >Cargo.lock
	touch src/main.rs src/bin/other.rs src/bin/deep/main.rs src/bin/notes.txt
	for member in cli gui; do
		printf '%s\n' '[package]' "name = \"$member\"" 'version.workspace = true' >"crates/$member/Cargo.toml"
		touch "crates/$member/src/main.rs"
	done
	track
	run --separate-stderr "$KILN" init
	[ "$status" -eq 0 ]
	has 'name = "root"'
	has 'license = "MIT OR Apache-2.0"'
	has 'build = cargo.build {'
	has 'bins = { "root", "other", "deep" }'
	has 'add = { "libssl-dev" }'
	[[ $stderr == *"other packages of the workspace have programs too"* ]]
	# A workspace alone, with one package of programs.
	printf '%s\n' '[workspace]' 'members = ["crates/*"]' '[workspace.package]' 'version = "3.1.0"' >Cargo.toml
	git rm -rqf src Cargo.lock crates/gui
	track
	run --separate-stderr "$KILN" init --force
	[ "$status" -eq 0 ]
	has 'name = "prog"'
	has 'package = "cli"'
	has 'bins = { "cli" }'
	[[ $stderr == *"Cargo.lock is not tracked, and a build needs it"* ]]
	[[ $stderr == *"next      cargo generate-lockfile; git add -f Cargo.lock; kiln build"* ]]
	# No program at all, and a manifest that is none.
	git rm -qf crates/cli/src/main.rs
	track
	run --separate-stderr "$KILN" init --force
	[ "$status" -eq 3 ]
	[[ $stderr == *"Cargo.toml describes a library: it makes no program"* ]]
	printf 'name = \n' >Cargo.toml
	track
	run --separate-stderr "$KILN" init --force
	[ "$status" -eq 3 ]
	[[ $stderr == *"Cargo.toml:1"* ]]
	printf 'name\000' >Cargo.toml
	track
	run --separate-stderr "$KILN" init --force
	[ "$status" -eq 3 ]
	[[ $stderr == *"Cargo.toml is no text"* ]]
}

@test "two build systems at once: one is taken, the other is named and can be chosen" {
	printf 'project(a C)\nadd_executable(a a.c)\n' >CMakeLists.txt
	printf 'b: b.o\n\t$(CC) -o $@ $^\n' >Makefile
	track
	run "$KILN" init
	[ "$status" -eq 0 ]
	[[ $output == *"builds with make too (Makefile); this recipe takes CMake (CMakeLists.txt)"* ]]
	has 'build = cmake.build'
	"$KILN" init --force --build make
	has 'build = make.build'
	has 'bins = { "b" }'
	run "$KILN" init --print --build meson
	[ "$status" -eq 3 ]
	[[ $output == *"is no project of Meson"* ]]
	run "$KILN" init --print --build mak
	[ "$status" -eq 2 ]
	[[ $output == *'did you mean "make"?'* ]]
}

@test "tags: the pattern of the newest version; none is said" {
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	track
	run "$KILN" init
	[[ $output == *"no tag yet"* ]]
	has 'git.version { tag = "v[0-9]*" }, -- no tag yet'
	git tag nightly
	git tag release_1_2
	run "$KILN" init --force
	[[ $output == *"version   no tag reads as a version: release_1_2 does not begin with numbers and dots, behind letters"* ]]
	has '-- no tag reads as a version: `git tag v1.0.0`'
	git tag prog-1.9
	git tag prog-1.10
	git tag v0.5
	run "$KILN" init --force
	[[ $output == *"from the tags prog-[0-9]*"* ]]
	has 'git.version { tag = "prog-[0-9]*" }, -- a tag is a release'
}

@test "a project without a licence: said, written down as unknown, and no release but a snapshot" {
	rm LICENSE
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	track
	run "$KILN" init
	[ "$status" -eq 0 ]
	[[ $output == *"licence   not recognised"* && $output == *"a release that is no snapshot needs it"* ]]
	has 'license = "LicenseRef-unknown"'
	track two
	git tag v1.0
	run "$KILN" release --unsigned
	[ "$status" -eq 3 ]
	[[ $output == *'"LicenseRef-unknown" is still unknown, and a release says under which licence it may be used'* && $output == *"SPDX expression"* ]]
}

@test "licences by their words, and GNU's by what the sources say" {
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	printf 'GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007\n' >LICENSE
	echo '/* version 3 of the License, or (at your option) any later version. */' >a.c
	track
	"$KILN" init
	has 'license = "GPL-3.0-or-later"'
	echo '/* nothing */' >a.c
	track two
	"$KILN" init --force
	has 'license = "GPL-3.0-only"'
	echo '// SPDX-License-Identifier: MPL-2.0 AND MIT' >a.c
	track three
	"$KILN" init --force
	has 'license = "MPL-2.0 AND MIT", -- see the sources'
}

@test "--pgo: the largest files of benchmarks or tests, none in both lists; how near that is" {
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	mkdir tests bench
	for i in 1 2 3 4; do seq $((i * 100)) >tests/$i.txt; done
	echo x >tests/run.sh
	track
	run "$KILN" init --pgo
	[[ $output == *"from tests: of little likeness"* ]]
	has 'run1 = run { bin "a", file "4.txt" }'
	has 'held1 = run { bin "a", file "3.txt" }'
	has 'optimize = fdo {'
	for i in 1 2 3; do seq $((i * 1000)) >bench/$i.json; done
	track two
	run "$KILN" init --pgo --force
	[[ $output == *"from benchmarks: likely near"* ]]
	has 'run1 = run { bin "a", file "3.json" }'
	git rm -rqf tests bench
	track three
	run "$KILN" init --pgo --force
	[[ $output == *"nothing was found to train on"* ]]
	has 'help = run { bin "a", "--help", exit = { 1, 2 } }'
}

@test "--pgo: what is written can be read: every program trained, no file in both lists under two names" {
	printf 'all: tool aid-2\ntool: tool.o\n\t$(CC) -o $@ $^\naid-2: aid.o\n\t$(CC) -o $@ $^\n' >Makefile
	mkdir bench tests
	seq 300 | tee bench/a.txt >bench/b.txt
	track
	# Two names of one file are nothing to train on and to hold out.
	run "$KILN" init --pgo
	[[ $output == *"nothing was found to train on"* && $output == *"with pgo every program is trained"* ]]
	has 'help = run { bin "tool", "--help", exit = { 1, 2 } }'
	has 'only2 = run { bin "aid-2", "--version", exit = { 1, 2 } }'
	reads
	seq 200 >bench/c.txt
	track two
	"$KILN" init --pgo --force
	has 'run1 = run { bin "tool", file "a.txt" }'
	has 'held1 = run { bin "tool", file "c.txt" }'
	has 'work = folder "bench"'
	refute_has 'b.txt'
	track three
	reads
	# What the recipe is held to.
	sed -i '/only2/d' kiln.lua
	run "$KILN" plan
	[ "$status" -eq 3 ]
	[[ $output == *'no training run runs "aid-2"'*'run { bin "aid-2", "--version" }'* ]]
}

@test "what it refuses: no git, nothing tracked, no build file, a recipe that is there" {
	rm -rf .git
	run "$KILN" init
	[ "$status" -eq 3 ]
	[[ $output == *"lies in no git repository; Kiln builds what git tracks"* && $output == *"git init; git add .; git commit"* ]]
	git init -q
	run "$KILN" init
	[ "$status" -eq 3 ]
	[[ $output == *"git tracks no file of"* ]]
	track
	run "$KILN" init
	[ "$status" -eq 3 ]
	[[ $output == *"none of the tracked files is a Cargo.toml, CMakeLists.txt, meson.build, configure.ac, configure or Makefile at its root"* ]]
	printf 'a:\000\n' >Makefile
	track two
	run "$KILN" init
	[ "$status" -eq 3 ]
	[[ $output == *"Makefile is larger than 1 MiB, or no text"* ]]
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	track two
	run "$KILN" init --build ninja
	[ "$status" -eq 2 ]
	[[ $output == *'there is no builder "ninja"'* ]]
	"$KILN" init
	run "$KILN" init
	[ "$status" -eq 2 ]
	[[ $output == *"kiln.lua is there already"* && $output == *"--force"* ]]
	before=$(cat kiln.lua)
	run --separate-stderr "$KILN" init --print
	[ "$status" -eq 0 ]
	[ "$output" = "$before" ]
	[ "$(grep -c dist .gitignore)" -eq 1 ]
}

@test "from a folder below: the recipe lies at the repository's root" {
	printf 'a: a.o\n\t$(CC) -o $@ $^\n' >Makefile
	mkdir -p deep/er
	echo x >deep/er/f
	track
	(cd deep/er && "$KILN" init)
	[ -e kiln.lua ]
}

@test "hostile build files end in a recipe or an error, never worse" {
	for file in CMakeLists.txt meson.build Makefile configure.ac; do
		rm -f kiln.lua CMakeLists.txt meson.build Makefile configure.ac
		{ head -c 40000 /dev/zero | tr '\0' '('; echo 'f('; } >$file
		track "$file 1" || true
		timeout 20 "$KILN" init --force
		{ for i in $(seq 3000); do printf 'A%s = $(A%s) $(A%s)\n' "$i" $((i + 1)) $((i + 1)); done; printf 'set(A ${B})\nset(B ${A})\nadd_executable(${A})\n'; } >$file
		track "$file 2"
		timeout 20 "$KILN" init --force
	done
}

@test "make: built-in rules, a program of another name than its rule, characters of an old time" {
	printf 'main: main.o util.o\n' >Makefile
	track
	"$KILN" init
	has 'bins = { "main" }'
	has 'args = { "main" }'
	printf 'all:\n\t@$(CC) $(CFLAGS) main.c util.c -o app\n' >Makefile
	track
	run "$KILN" init --force
	[[ $output != *"compiles without"* ]]
	printf 'all:\n\t@$(CC) main.c util.c -o app\n' >Makefile
	track
	run "$KILN" init --force
	[[ $output == *"note      the Makefile compiles without \$(CFLAGS): the flags of the variants do not reach the compiler; write \$(CC) \$(CFLAGS) in its commands"* ]]
	has 'bins = { "app" }'
	refute_has 'args ='
	refute_has 'test ='
	printf '# caf\351\nmain: main.c\ncheck: main\n\t./main\n' >Makefile
	track
	run "$KILN" init --force
	[[ $output == *"tests     make check: take the line"* ]]
	has 'bins = { "main" }'
	has '-- test = { "check" },'
}

@test "what is not found is said: a guess, no next build; programs of tests are none" {
	printf 'libx.a: x.o\n\t$(AR) rcs $@ $^\n' >Makefile
	track
	run "$KILN" init
	[ "$status" -eq 0 ]
	[[ $output == *"programs  not found"*"no rule of the Makefile was understood"*"next      say in \`bins\` what the build makes; kiln build"* ]]
	has 'bins = { "prog" }, -- a guess: name what the build makes'
	git rm -q --cached Makefile
	rm Makefile
	cat >meson.build <<-'M'
	project('odd', 'c')
	foreach n : ['one', 'two']
	  executable(n, n + '.c', install: true)
	endforeach
	t = executable('tt', 'test/t.c')
	test('t', t)
	M
	track
	run "$KILN" init --force
	[[ $output == *"programs  not found"* ]]
	printf "executable('real', 'r.c')\n" >>meson.build
	track
	run "$KILN" init --force
	[[ $output == *"programs  real"*"1 executable() with a name that hangs on a variable"* ]]
	git rm -q --cached meson.build
	rm meson.build
	cat >CMakeLists.txt <<-'M'
	project(frob C)
	add_executable(frobd d.c)
	add_executable(test_frob t.c)
	add_test(NAME t COMMAND test_frob)
	M
	track
	"$KILN" init --force
	has 'bins = { "frobd" }'
}
