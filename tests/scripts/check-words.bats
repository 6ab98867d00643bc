# scripts/check-words: each forbidden kind of word is found. The words are put together here, so
# that this file does not hold them itself.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/check-words
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/docs"
	echo 'The workload reads /tmp/work/in and writes /build/work/out; see https://example.org/ or /home/me/src.' >"$tree/docs/a.md"
	echo 'mkstemp("kiln.XXXXXX")' >"$tree/a.c"
}

finds() { # finds KIND TEXT...
	local text
	text=$(printf '%s' "${@:2}")
	echo "before $text after" >"$tree/docs/bad.md"
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"$1: ./docs/bad.md:1:"* || $output == *"$1: docs/bad.md:1:"* ]]
}

@test "a clean tree passes" {
	run "$script" "$tree"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"2 files are clean"* ]]
}

@test "names of package mirrors and registries are found" {
	finds "registry host name" deb .debian .org
	finds "registry host name" snapshot .debian .org
	finds "registry host name" ftp.de .debian .org
	finds "registry host name" registry .npmjs .org
	finds "registry host name" static. crates .io
	finds "registry host name" proxy .golang .org
	finds "registry host name" pypi .org
	finds "registry host name" ghcr .io/x
	finds "registry host name" registry-1. docker .io
}

@test "paths of a developer's machine are found" {
	finds "path of a developer's machine" " /wo" rk/main
	finds "path of a developer's machine" "=/ho" me/someone/src
	finds "path of a developer's machine" " /Us" ers/someone
}

@test "notes about unfinished work are found" {
	finds "unfinished work" TO DO
	finds "unfinished work" FIX "ME:"
	finds "unfinished work" "X" "XX"
}

@test "in a repository untracked files count and ignored ones do not" {
	git -C "$tree" init -q
	echo 'build/' >"$tree/.gitignore"
	mkdir "$tree/build"
	printf 'FIX%s\n' ME >"$tree/build/log"
	run "$script" "$tree"
	[ "$status" = 0 ]
	finds "unfinished work" FIX ME
}
