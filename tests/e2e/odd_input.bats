# What nobody means to do and everybody does some day: clocks that jump, edits while a build runs, names and
# outputs of odd lengths and shapes, output without end, stores in places that cannot hold one.
# shellcheck disable=SC2016,SC2153,SC2154,SC2164 # status, stderr and output are from run; bats stops where cd fails
load helper

setup() {
	e2e_setup
	hello_alone
	mkdir -p p/src
	cp hello/kiln.lock p/
	cd p
	echo a >src/a
}

# Stages in Lua, run by this machine's own tools; `src` is the source.
recipe() {
	cat >kiln.lua - <(cat) <<-'LUA'
		kiln.recipe { name = "odd", version = "1.0", license = "MIT", date = 1700000000 }
		local plain = "x86_64-unknown-linux-gnu/plain/"
		kiln.target { triple = "x86_64-unknown-linux-gnu", toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local function long(s, n) return s:rep(n) end
	LUA
}

copies() { recipe <<<'stage.run { address = plain .. "one", argv = { "cp", "a", "o" }, outputs = { "o" }, inputs = { { at = "a", from = src:at("a") } } }'; }

# [COMMAND…] builds; what was run is in `ran`.
build() {
	"$@" "$KILN" build --runtime host --progress plain '*/plain/*' 2>log || { cat log >&2; return 1; }
	ran=$(grep -c '^  start ' log || true)
}

built() { "$KILN" get --runtime host "$1" out >/dev/null 2>&1 && cat "out/$2"; }

# Waits until a command succeeds, at most half a minute.
comes() {
	for _ in $(seq 600); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.05
	done
	return 1
}

# STATUS TEXT: what the stage "one" comes to.
ends() {
	run "$KILN" build --runtime host --progress none '*/one'
	echo "$output"
	[ "$status" -eq "$1" ]
	[[ $output == *"$2"* ]]
}

sound() { "$KILN" store fsck | grep -q ': 0 corrupt'; }

@test "the clock jumps a year ahead and back: nothing is run for it, and every edit is" {
	copies
	build env
	[ "$ran" -eq 1 ]
	n=0
	for jump in +1y -1y +1y; do
		build faketime -f "$jump"
		[ "$ran" -eq 0 ]
		echo "$jump $((n += 1))" >src/a
		build faketime -f "$jump"
		[ "$ran" -eq 1 ]
		build faketime -f "$jump"
		[ "$ran" -eq 0 ]
		[ "$(built one o)" = "$jump $n" ]
	done
	build env
	[ "$ran" -eq 0 ]
	# What was used "in a year" is not the oldest for ever, and what is used now stays.
	faketime -f +1y "$KILN" store gc --age 30 2>gc.log || { cat gc.log; return 1; }
	build env
	[ "$(built one o)" = "+1y 3" ]
	sound
}

@test "a source and a recipe that are edited while they are built: what was there is built, then what is there" {
	recipe <<-'LUA'
		local slow = stage.run { address = plain .. "slow", argv = { "sh", "-c", "sleep 2; echo first >o" }, outputs = { "o" } }
		stage.run { address = plain .. "late", argv = { "cp", "a", "o" }, outputs = { "o" },
		  inputs = { { at = "a", from = src:at("a") }, { at = "s", from = slow:at("o") } } }
	LUA
	"$KILN" build --runtime host --progress plain '*/plain/*' 2>log &
	kiln=$!
	comes grep -q '^  start .*slow' log
	echo b >src/a
	sed -i 's/echo first/echo second/' kiln.lua
	wait $kiln || { cat log; return 1; }
	grep -q '^  done .*late' log
	cp kiln.lua edited.lua
	sed -i 's/echo second/echo first/' kiln.lua
	echo a >src/a
	build env
	[ "$ran" -eq 0 ] # it was recorded under what it was built of
	[ "$(built late o)" = a ]
	cp edited.lua kiln.lua
	echo b >src/a
	build env
	[ "$ran" -eq 2 ]
	[ "$(built late o)" = b ]
	[ "$(built slow o)" = second ]
}

@test "names of ten thousand characters" {
	recipe <<<'stage.run { address = plain .. long("s", 10000), argv = { "sh", "-c", "echo $1 >o", "-", long("w", 10000) }, env = { [long("V", 10000)] = long("v", 10000), PATH = "/usr/bin:/bin" }, outputs = { "o" } }'
	build env
	[ "$ran" -eq 1 ]
	recipe <<<'stage.run { address = plain .. "one", argv = { "true" }, outputs = { long("o", 10000) } }'
	ends 3 "has a part longer than 255 bytes"
	recipe <<<'stage.run { address = plain .. "one", argv = { "true" }, outputs = { long(long("o", 200) .. "/", 50) .. "o" } }'
	ends 3 "is longer than 4000 bytes"
	recipe <<<'stage.run { address = plain .. "one", argv = { "true", long("w", 200000) }, outputs = {} }'
	ends 1 "cannot run true: Linux takes no argument or variable longer than 128 KiB"
	sound
}

@test "outputs with odd names, outside, absent, behind links" {
	recipe <<-'LUA'
		stage.run { address = plain .. "lines", argv = { "sh", "-c", "mkdir 'a\nb'; echo x >'a\nb/c d'" }, outputs = { "a\nb" } }
	LUA
	build env
	"$KILN" get --runtime host '*/lines' out >/dev/null
	[ "$(cat out/$'a\nb'/'c d')" = x ]
	for path in ../x /etc/x a/../x; do
		recipe <<<"stage.run { address = plain .. 'one', argv = { 'true' }, outputs = { '$path' } }"
		ends 3 "outputs: the path \"$path\" "
	done
	recipe <<<"stage.run { address = plain .. 'one', argv = { 'ln', '-s', '/etc', 'l' }, outputs = { 'l/passwd' } }"
	ends 1 "the output l/passwd is missing"
	recipe <<<"stage.run { address = plain .. 'one', argv = { 'mkfifo', 'o' }, outputs = { 'o' } }"
	ends 1 "the output o cannot be taken"
	sound
}

@test "a stage that prints more than a gigabyte is ended by its limit; a little less is kept" {
	recipe <<<'stage.run { address = plain .. "one", argv = { "head", "-c", "1100000000", "/dev/zero" }, outputs = {} }'
	ends 1 "killed: standard output passed its limit of 1 GiB"
	recipe <<<'stage.run { address = plain .. "one", argv = { "head", "-c", "1000000000", "/dev/zero" }, outputs = {} }'
	build env
	"$KILN" get --runtime host '*/one:@stdout' out >/dev/null
	[ "$(find out -type f -printf '%s\n')" -eq 1000000000 ]
}

@test "a stage that ignores SIGTERM and SIGINT is gone within a second" {
	recipe <<<'stage.run { address = plain .. "one", argv = { "sh", "-c", "trap : TERM INT HUP; while :; do sleep 86.25; done" }, outputs = {} }'
	"$KILN" build --runtime host --progress plain '*/one' 2>log &
	kiln=$!
	comes pgrep -f 'sleep 86.25'
	began=$(date +%s%N)
	kill -TERM $kiln
	status=0
	wait $kiln || status=$?
	ended=$(date +%s%N)
	[ "$status" -eq 6 ]
	[ $(((ended - began) / 1000000)) -lt 1000 ]
	refute pgrep -f 'sleep 86.25'
}

@test "a store that other machines share, on a full disk, of a newer Kiln" {
	copies
	KILN_FAILPOINT=store-shared:1 run "$KILN" build --runtime host '*/one' # there is no such disk here
	[ "$status" -eq 7 ]
	[[ $output == *"is on a file system that other machines share (NFS)"*"→ keep it on a disk of this machine: --store DIR or KILN_STORE"* ]]
	run "$KILN" build --runtime host --store /dev/full/store '*/one'
	[ "$status" -eq 7 ]
	build env
	echo 99 >"$KILN_STORE/VERSION"
	run "$KILN" build --runtime host '*/one'
	[ "$status" -eq 7 ]
	[[ $output == *"99"*"--store"* ]]
}
