# The store's own commands, on a store with real stages in it: what is collected and what locks and
# releases keep, what a check finds.
# shellcheck disable=SC2154 # status and output are from run, top from the helper
load helper

# A store of this test alone with the image of the others: the same files, so that it costs nothing.
setup() {
	e2e_setup
	hello_alone
}

build() { "$KILN" build --offline --target 'x86_64*' "$@" hello >made 2>log || { cat log; false; }; }
release() { "$KILN" release --offline --unsigned --target 'x86_64*' hello >made 2>log || { cat log; false; }; }

# What a blob of that content is called in the store.
blob() { sha256sum "$1" | sed "s|^\(..\)\([0-9a-f]*\).*|$KILN_STORE/blobs/\1/\2|"; }

# Other bytes in it, and the time stamp of one that nobody wrote to.
spoil() {
	chmod u+w "$1"
	printf '#' | dd of="$1" conv=notrunc status=none
	touch -d @1 "$1"
}

@test "a collection leaves what a lock names, and what it takes is made again with the same bytes" {
	build
	cp made first
	run -0 "$KILN" store stats
	[[ $output == *"store     $KILN_STORE"*"images    "*" in 1"* ]]
	[[ $output != *"pinned    0 B"* ]]
	run -0 "$KILN" store gc
	[[ $output == *"results of 0 stages"* ]]
	build
	grep -q 'nothing to do' log
	run -0 "$KILN" store gc --size 0 --dry-run
	[[ $output == "would remove"* ]]
	run -0 "$KILN" store gc --size 0
	[[ $output == "removed  "*"0 B in 0 images, results of "[1-9]*" stages"* ]]
	[ -e "$KILN_STORE/images/$tree/complete" ]
	build
	grep -q ' stages run, 0 cached' log
	cmp made first
}

@test "a release keeps the results that it is made of, as long as it is there" {
	release
	"$KILN" store gc --size 0 >/dev/null
	release
	grep -q 'nothing to do' log
	rm -rf hello/dist
	"$KILN" store gc --size 0 >/dev/null
	release
	grep -q ' stages run, 0 cached' log
}

@test "without lock and release nothing stays, not even the image" {
	build
	rm hello/kiln.lock
	run -0 "$KILN" store gc --age 0 --json
	[[ $output == *'"images_removed"'* ]]
	[ -z "$(ls "$KILN_STORE/images")" ]
	[ "$(find "$KILN_STORE/blobs" -type f | wc -l)" -eq 0 ]
}

@test "a corrupt blob is found by a check, dropped, and made again" {
	build
	"$KILN" get --offline hello 'x86_64*/pgo+lto+bolt/strip' out >/dev/null
	spoil "$(blob out/stripped)"
	run -7 "$KILN" store fsck
	[[ $output == *"1 corrupt, dropped"*"1 forgotten, their content is not whole"* ]]
	[[ $output == *"kiln: 1 blob of the store $KILN_STORE had another content than its name says"*"→ they are dropped"* ]]
	[ ! -e "$(blob out/stripped)" ]
	run -0 "$KILN" store fsck
	[[ $output == *": 0 corrupt"* ]]
	build
	grep -q ' 1 stage run' log
	[ -e "$(blob out/stripped)" ]
}

@test "who is paranoid sees a corrupt blob when it is used" {
	build --variant plain
	"$KILN" get --offline hello 'x86_64-unknown-linux-gnu/plain/strip' out >/dev/null
	spoil "$(blob out/stripped)"
	build --variant plain
	grep -q 'nothing to do' log
	build --variant plain --paranoid
	grep -q ' 1 stage run' log
	cmp "$(blob out/stripped)" out/stripped
}

@test "a collection waits for who works in the store, and heeds what they pinned meanwhile" {
	build
	rm -rf hello/.kiln
	"$KILN" store gc --size 0 >/dev/null # the lock alone is kept now
	cp -r hello later
	mv hello/kiln.lock away.lock
	echo 'sleep 4' | "$KILN" shell --offline later x86_64-unknown-linux-gnu/plain/build 2>shell.log &
	until grep -q 'its inputs are laid out' shell.log; do sleep 0.1; done
	rm -f later/kiln.lock
	"$KILN" store gc --size 0 >gc.log 2>&1 &
	gc=$!
	until grep -q 'waiting for another kiln' gc.log; do sleep 0.1; done
	mv away.lock hello/kiln.lock
	build
	wait $gc
	cat gc.log
	[ -e "$KILN_STORE/images/$tree/complete" ]
	build
}

@test "a lock counts from when it is written" {
	mkdir own
	cp -r hello/* own/
	cp hello/kiln.lock own/other.lock
	(cd own && rm -rf kiln.profiles kiln.lock && cp other.lock kiln.lock)
	"$KILN" store gc >/dev/null
	sqlite=$(python3 -c "import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); print(c.execute(\"select count(*) from facts where kind='keep'\").fetchone()[0])" "$KILN_STORE/db.sqlite")
	[ "$sqlite" -eq 0 ]
	"$KILN" lock --offline --progress none --lock own/new.lock hello >/dev/null 2>&1 || "$KILN" lock --progress none --lock own/new.lock hello
	run "$KILN" store stats
	[[ $output != *"pinned    0 B"* ]]
}

@test "what is left of images that were being made or removed goes; odd files block nothing" {
	build
	mkdir -p "$KILN_STORE/images/.new-x/root" "$KILN_STORE/images/$(printf '%064d' 7)/root"
	mkdir -p "$KILN_STORE/blobs/ab/$(printf '%062d' 7)"
	rm hello/kiln.lock
	mkfifo hello/kiln.lock
	timeout 20 "$KILN" store gc
	[ ! -e "$KILN_STORE/images/.new-x" ]
	[ "$(ls "$KILN_STORE/images")" = "$tree" ]
	timeout 20 "$KILN" store fsck
}

# N FOLDER: what stage N of ./big made.
fetch_big() {
	mkdir "$2"
	for output in o src; do
		"$KILN" get --offline -C big "x86_64-unknown-linux-gnu/plain/s$1:$output" "$PWD/$2"
	done
}

@test "a large folder is laid out once for all stages, and each sees it as it was" {
	mkdir -p big/src/sub
	(cd big/src && for i in $(seq 300); do echo "$i" >"f$i"; echo "$i" >"sub/g$i"; done)
	cp hello/kiln.lock big/
	cat >big/kiln.lua <<-'LUA'
	kiln.recipe { name = "big", version = "1.0", license = "MIT", date = 1700000000 }
	local triple = "x86_64-unknown-linux-gnu"
	kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
	  variants = { "plain" }, ship = "plain", reference = "plain" }
	local src = kiln.leaf("src", { kind = "folder", path = "src" })
	local script = "cat src/f1 src/sub/g2 >o; rm -r src/sub; echo new >src/f1; ls -lnR src >>o; : "
	for i = 1, 3 do
	  stage.run { address = triple .. "/plain/s" .. i, argv = { "sh", "-ec", script .. i },
	    outputs = { "o", "src" }, inputs = { { at = "src", from = src } } }
	end
	LUA
	"$KILN" doctor >found || true
	if ! grep -q 'seen through overlays' found; then
		skip "overlays do not work on this machine"
	fi
	run -0 "$KILN" build --offline -C big '*/plain/*'
	[ "$(find "$KILN_STORE/trees" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
	[ -z "$(find "$KILN_STORE/work" "$KILN_STORE/tmp" -mindepth 1)" ]
	for i in 1 2 3; do fetch_big "$i" "out$i"; done
	diff -r out1 out2 && diff -r out1 out3
	[ "$(head -n 2 out1/o | tr '\n' ' ')" = "1 2 " ]
	[ "$(cat out1/src/f1)" = new ] && [ ! -e out1/src/sub ] && [ "$(cat out1/src/f300)" = 300 ]
	"$KILN" store stats --json | jq -e '.folders.count == 1 and .folders.bytes > 600 * 4096'
	# Copied: the same bytes.
	"$KILN" store gc --size 0 >/dev/null
	[ ! -e "$KILN_STORE/trees" ]
	"$KILN" store stats --json | jq -e '.folders == {count: 0, bytes: 0}'
	run -0 "$KILN" build --offline --paranoid -C big '*/plain/*'
	[ ! -e "$KILN_STORE/trees" ]
	fetch_big 1 copied
	diff -r out1 copied
	# A check hashes blobs, and takes what is only made of them.
	"$KILN" store gc --size 0 >/dev/null
	run -0 "$KILN" build --offline -C big '*/plain/s1'
	[ -e "$KILN_STORE/trees" ]
	run -0 "$KILN" store fsck
	[ ! -e "$KILN_STORE/trees" ]
}
