# A command that had nothing to do says so again without thinking, until something has changed.
# shellcheck disable=SC2154 # status and output are from run, top from the helper
load helper

# A store of this test alone, where nobody else builds: what others do in it is a change, too.
setup() {
	e2e_setup
	hello_alone
	cd hello
	words=(build --offline --target 'x86_64*' --variant plain)
	build
	sleep 3 # stamps of now could change unseen
	build
	build
	[ "$thought" = no ]
}

teardown() { [ -z "${spy:-}" ] || rm -rf "$spy"; }

# Sets `thought`: whether more was loaded than the C library.
build() {
	LD_DEBUG=files "$KILN" "${words[@]}" "$@" >made 2>all || { grep -v '^ *[0-9]*:' all; return 1; }
	grep -v '^ *[0-9]*:' all >log || true
	thought=no
	if grep -q 'file=libcrypto' all; then thought=yes; fi
}

# Once all has settled, it thinks no more.
settles() {
	sleep 3 # stamps of now could change unseen
	build
	build
	[ "$thought" = no ]
}

thinks() {
	build
	[ "$thought" = yes ]
	settles
}

@test "what is said again is what was said" {
	cp made first
	cp log first.log
	build
	[ "$thought" = no ]
	cmp made first
	cmp log first.log
	grep -q 'nothing to do' log
	# JSON is another command line.
	build --json
	[ "$thought" = yes ]
	build --json
	[ "$thought" = no ]
	jq -e '.run == 0 and .schema == "kiln.build/1"' made
	# What is told to somebody who does not listen is an error, as ever.
	run bash -c '"$KILN" build --offline --target "x86_64*" --variant plain >/dev/full'
	[ "$status" -eq 7 ]
	[[ $output == *"standard output"* ]]
}

@test "an edit is built, though size and time are as they were" {
	cp src/hello.c before
	sed -i 's/NULL/NULL /' src/hello.c
	build
	[ "$thought" = yes ]
	grep -q 'stages\? run' log
	build
	build
	settles
	touch -r src/hello.c stamp
	cp before text && tr 'a' 'a' <src/hello.c | sed 's/NULL /NULL\t/' >text && cat text >src/hello.c
	touch -r stamp src/hello.c
	build
	[ "$thought" = yes ]
	grep -q 'stages\? run' log
}

@test "files that come and go, a lock, an own toolchain, another recipe: all is thought over" {
	echo x >src/new.txt
	build
	[ "$thought" = yes ]
	grep -q 'stages\? run' log
	settles
	mkdir -p .kiln/toolchains
	cp "$top/toolchains/llvm-19.yaml" .kiln/toolchains/llvm-19.yaml
	build || true
	[ "$thought" = yes ]
	rm -r .kiln
	settles
	mkdir -p .kiln/containers
	cp "$top/containers/trixie.yaml" .kiln/containers/
	settles
	echo '# a word more' >>.kiln/containers/trixie.yaml # in place: its folder does not change
	build
	[ "$thought" = yes ]
	rm -r .kiln
	touch kiln.lock
	build
	[ "$thought" = yes ]
	settles
	echo '-- a word more' >>kiln.lua
	build
	[ "$thought" = yes ]
	grep -q 'nothing to do' log
}

@test "what others do in the store is a change: a collection, a build, lost content" {
	"$KILN" store gc --size 0 --age 0 >/dev/null
	build
	[ "$thought" = yes ]
	build
	build
	[ "$thought" = no ]
	"$KILN" build --offline --target 'x86_64*' --variant lto >/dev/null 2>&1
	build
	[ "$thought" = yes ]
	grep -q 'nothing to do' log
	build
	[ "$thought" = no ]
	packed=$(cut -d' ' -f1 made | head -n1)
	rm -f "$KILN_STORE/blobs/${packed:0:2}/${packed:2}"
	build
	[ "$thought" = yes ]
	grep -q 'stages\? run' log
	[ -e "$KILN_STORE/blobs/${packed:0:2}/${packed:2}" ]
}

@test "content of a source that is lost is missed where a stage needs it, or after a failure" {
	lost=$(sha256sum src/hello.c)
	lost=$KILN_STORE/blobs/${lost:0:2}/${lost:2:62}
	rm -f "$lost"
	build
	[ "$thought" = no ]
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"nothing to do"* ]]
	[ ! -e "$lost" ]
	echo x >src/new.txt
	build
	grep -q 'stages\? run' log
	grep -q 'note .*content of its sources is missing from the store: they are taken in again' log
	[ -e "$lost" ]
	settles
	rm -f "$lost"
	run bash -c '"$KILN-main" build --offline --target "x86_64*" --variant plain >/dev/full'
	[ "$status" -eq 7 ]
	[ ! -e "$lost" ]
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"nothing to do"* ]]
	[ -e "$lost" ]
}

@test "a sandbox is tried once, and again when its program is another one or failed" {
	# Where the build's user can look, in the trial sandbox, too.
	spy=$(mktemp -d -p /var/tmp)
	chmod 1777 "$spy"
	cat >"$spy/bwrap" <<-SH
		#!/bin/sh
		touch "$spy/tried"
		[ ! -e "$spy/broken" ] || { echo "bwrap: it is broken" >&2; exit 1; }
		exec $(command -v bwrap) "\$@"
	SH
	chmod 755 "$spy/bwrap"
	export PATH=$spy:$PATH
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	rm "$spy/tried"
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"nothing to do"* ]]
	[ ! -e "$spy/tried" ]
	run "$KILN-main" "${words[@]}" --paranoid
	[ -e "$spy/tried" ]
	rm "$spy/tried"
	echo '# another one' >>"$spy/bwrap"
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	[ -e "$spy/tried" ]
	# It worked, and does not any more: the stage says so first, then the trial.
	touch "$spy/broken"
	echo x >src/new.txt
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 5 ]
	[[ $output == *"the bwrap runtime ended with status 1 and did not run "*": bwrap: it is broken"*"→ try "* ]]
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 5 ]
	[[ $output == *"bubblewrap cannot make a sandbox here: bwrap: it is broken"* ]]
	rm "$spy/broken"
	build
	grep -q 'stages\? run' log
}

@test "a shell shows what a stage takes, though its content was lost" {
	mkdir -p ../two/src
	cp src/hello.c ../two/src
	cp kiln.lock ../two
	cat >../two/kiln.lua <<-LUA
		kiln.recipe { name = "two", version = "1", license = "MIT", date = 1000000000 }
		kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
		local early = stage.run { address = "$x86/plain/early", argv = { "touch", "o" }, outputs = { "o" } }
		stage.run { address = "$x86/plain/late", argv = { "true" }, outputs = { "o" },
		  inputs = { { at = "i", from = early:at "o" }, { at = "s", from = kiln.leaf("src", { kind = "folder", path = "src" }) } } }
	LUA
	look() { "$KILN" shell --offline ../two "$x86/plain/late" <<<'cat s/hello.c'; }
	look >shown
	cmp shown src/hello.c
	sleep 3 # stamps of now could change unseen
	look >shown
	lost=$(sha256sum src/hello.c)
	lost=$KILN_STORE/blobs/${lost:0:2}/${lost:2:62}
	rm -f "$lost"
	look >shown
	cmp shown src/hello.c
	[ -e "$lost" ]
}

# The project becomes a repository, its source the checkout without what tests write.
into_repository() {
	git init -q .
	git config user.email a@example.org
	git config user.name A
	sed -i 's/source = folder "src"/source = checkout { exclude = { "notes", "work" } }/' kiln.lua
	mv src/* .
	printf '%s\n' made first log all >.gitignore
}

@test "a repository whose attributes are lost from the store is no other one" {
	into_repository
	echo '*.bin filter=lfs' >.gitattributes
	git add -A
	git commit -qm one
	touch made log all # names that tests write: the folder is not new by them
	build
	sleep 3 # stamps of now could change unseen
	build
	lost=$(sha256sum .gitattributes)
	lost=$KILN_STORE/blobs/${lost:0:2}/${lost:2:62}
	rm "$lost"
	run "$KILN-main" "${words[@]}"
	[ "$status" -eq 0 ]
	[[ $output == *"content of sources is missing from the store: they are taken in again"*"nothing to do"* ]]
	[ -e "$lost" ]
}

@test "a repository: a commit, a tag, its configuration, a file of no source, an edit and its end" {
	into_repository
	sed -i 's/version = "[^"]*"/version = git.version { tag = "v[0-9]*" }/' kiln.lua
	echo note >notes
	git add -A
	git commit -qm one
	git tag v1.0
	touch made first log all # names that tests write: the folder is not new by them
	thinks
	grep -q 'hello-1\.0' made
	git tag v1.1
	thinks
	grep -q 'hello-1\.1' made
	git commit -q --allow-empty -m two
	thinks
	grep -q 'hello-1\.2' made # a version that comes after it
	git config core.fileMode false
	thinks
	echo more >>notes # in place, and no part of the source: but the commit is changed
	thinks
	grep -q dirty made
	git checkout -q notes
	thinks
	git pack-refs --all
	thinks
	# A linked worktree has its files in two places, and thinks each time.
	git worktree add -q ../linked
	cd ../linked
	build
	build
	[ "$thought" = yes ]
}

@test "another Kiln, another folder, another word think for themselves" {
	mkdir bin
	cp "$KILN" "$KILN-main" bin/
	KILN=$PWD/bin/kiln build
	[ "$thought" = yes ]
	build -j 1
	[ "$thought" = yes ]
	KILN_CLOCK=5 build
	[ "$thought" = yes ]
	cd src
	LD_DEBUG=files "$KILN" "${words[@]}" 2>&1 >/dev/null | grep -q 'file=libcrypto'
}

@test "without its other half kiln says what is missing" {
	mkdir bin
	cp "$KILN" bin/
	run bin/kiln --version
	[ "$status" -eq 5 ]
	[[ $output == *"cannot find its other half, kiln-main"*"→ install kiln again"* ]]
}
