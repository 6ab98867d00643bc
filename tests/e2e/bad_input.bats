# What goes wrong in real life: each case has one clear message with what to do, the documented
# status, and loses nothing that is built.
# shellcheck disable=SC2154 # stderr is from run, x86 and top from the helper
load helper

setup() { e2e_setup; }

# What a test left running in the background would keep the whole file from ending.
teardown() {
	[ -z "${server:-}" ] || kill "$server" 2>/dev/null || true
}

# A recipe of one stage that runs a shell line in the image; `$1` is the line, `$2` more options.
one_stage() {
	mkdir -p one
	cat >one/kiln.lua <<-LUA
	kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
	local made = stage.run { address = "$x86/plain/make", argv = { "/bin/sh", "-ec", [[$1]] }, outputs = { "out" }, ${2:-} }
	kiln.artefact { target = "$x86", variant = "plain", kind = "archive", name = "one-1.txt", media_type = "text/plain", from = made:at "out" }
	kiln.recipe { name = "one", version = "1", license = "MIT", date = 1000000000 }
	LUA
	cp "$(project_lock hello)" one/kiln.lock
}

# What a build leaves behind in the store: nothing half-written.
left_over() {
	find "$KILN_STORE/work" "$KILN_STORE/tmp" -mindepth 1 2>/dev/null | grep .
}

@test "a stage that fails: status 1, its command, its last lines, where the log is; the rest is kept" {
	one_stage 'echo one; echo two >&2; exit 7'
	run --separate-stderr "$KILN" build --progress plain one
	[ "$status" -eq 1 ]
	[[ $stderr == *"exit status 7"* ]]
	[[ $stderr == *"two"* ]]
	[[ $stderr == *"kiln log one $x86/plain/make"* ]]
	[[ $stderr == *"command  /bin/sh -ec"* ]]
	[[ $stderr == *"kiln.lua:2"* ]]
	[[ $stderr == *"0 stages ran and are kept, 0 were cached, 0 did not run"* ]]
	run "$KILN" log one make
	[ "$status" -eq 0 ]
	[[ $output == *one* && $output == *two* ]]
	# The line it shows works as it stands, wherever the recipe and the store are.
	mkdir -p "a b" && mv one "a b/one"
	run --separate-stderr "$KILN" -C "a b" --store "$KILN_STORE" build --progress plain one/kiln.lua
	[ "$status" -eq 1 ]
	line=$(sed -n 's/^ *log *kiln //p' <<<"$stderr")
	[[ $line == "log -C 'a b' --store "* ]]
	run env -u KILN_STORE bash -c "\"\$KILN\" $line"
	[ "$status" -eq 0 ]
	[[ $output == *one* && $output == *two* ]]
}

@test "a stage cannot reach what listens outside, by address or by abstract name" {
	name=kiln-e2e-$$-$RANDOM
	sed "s/PLACE/$name/" >listen.py <<-'PY'
	import socket, sys, threading
	def serve(s, log):
	    while True:
	        c, _ = s.accept()
	        open(log, "a").write("somebody\n")
	        c.close()
	sockets = [socket.socket(), socket.socket(socket.AF_INET6), socket.socket(socket.AF_UNIX)]
	sockets[0].bind(("127.0.0.1", 0))
	sockets[1].bind(("::1", 0))
	sockets[2].bind("\0PLACE")
	for s in sockets:
	    s.listen()
	    threading.Thread(target=serve, args=(s, "visitors")).start()
	print(sockets[0].getsockname()[1], sockets[1].getsockname()[1], flush=True)
	PY
	# Perl, which every Debian image has, speaks all three families.
	sed "s/PLACE/$name/" >knock.pl <<-'PL'
	use Socket qw(:DEFAULT inet_pton);
	my ($four, $six) = @ARGV;
	my $n = 0;
	socket(my $v4, PF_INET, SOCK_STREAM, 0);
	connect($v4, sockaddr_in($four, inet_aton("127.0.0.1"))) && ($n += 1);
	socket(my $v6, PF_INET6, SOCK_STREAM, 0);
	connect($v6, sockaddr_in6($six, inet_pton(AF_INET6, "::1"))) && ($n += 2);
	socket(my $un, PF_UNIX, SOCK_STREAM, 0);
	connect($un, pack_sockaddr_un("\0PLACE")) && ($n += 4);
	print "reached $n\n";
	PL
	timeout 60 python3 listen.py >ports 2>listen.log 3>&- &
	server=$!
	for _ in $(seq 50); do [ -s ports ] && break; sleep 0.1; done
	read -r four six <ports || { kill $server; skip "python3 cannot listen here: $(tail -1 listen.log)"; }
	[ "$(perl knock.pl "$four" "$six")" = "reached 7" ]
	one_stage "perl knock.pl $four $six >out; cat out" 'inputs = { { at = "knock.pl", from = kiln.leaf("here", { kind = "folder", path = "files" }):at "knock.pl" } }'
	mkdir one/files && cp knock.pl one/files/
	: >visitors
	run "$KILN" build --progress plain one
	echo "$output"
	kill $server
	[ "$status" -eq 0 ]
	[ "$("$KILN" log one make)" = "reached 0" ]
	[ ! -s visitors ]
}

@test "a missing output: status 1, named" {
	one_stage 'echo nothing made'
	run "$KILN" build one
	[ "$status" -eq 1 ]
	[[ $output == *"out"*"missing"* || $output == *"missing"*"out"* ]]
}

@test "a compiler that crashes: status 1, the signal is named" {
	one_stage 'kill -SEGV $$'
	run "$KILN" build one
	[ "$status" -eq 1 ]
	[[ $output == *"signal 11"* || $output == *SEGV* || $output == *139* ]]
}

@test "a stage that takes too long is ended: status 1" {
	one_stage 'sleep 600' 'timeout = 1'
	run timeout 60 "$KILN" build one
	[ "$status" -eq 1 ]
	[[ $output == *"time limit"* ]]
	refute left_over
}

@test "a training run that is killed: status 1, nothing merged" {
	hello
	sed -i 's/run { bin "hello", "-n", 20, stdin = sample }/run { bin "hello", "-n", 21, stdin = sample, timeout = 1, env = { X = "1" } }/' hello/kiln.lua
	sed -i 's/int main(/#include <signal.h>\n#include <stdlib.h>\nstatic void die(void) { if (getenv("X")) raise(SIGKILL); }\nint main(/; 0,/^{$/!b' hello/src/hello.c
	awk '{ print } /^int main\(/ { m = 1 } m && /{/ { print "\tdie();"; m = 0 }' hello/src/hello.c >h && mv h hello/src/hello.c
	run "$KILN" build --progress plain --target "$x86" hello
	[ "$status" -eq 1 ]
	[[ $output == *"train-top"*"signal 9"* || $output == *"train-top"*"137"* ]]
	[[ $output != *"done    $x86/pgo+lto/profile"* ]]
}

@test "a held-out workload that differs on every run: status 1, says which case and what to do" {
	hello
	rm -f hello/kiln.lock
	awk '{ print } /^int main\(/ { m = 1 } m && /{/ { print "\tstruct timespec kt; clock_gettime(CLOCK_MONOTONIC, &kt); printf(\"%ld\\n\", kt.tv_nsec);"; m = 0 }' hello/src/hello.c >h
	(printf '#include <time.h>\n#include <stdio.h>\n'; cat h) >hello/src/hello.c
	run "$KILN" release --unsigned --progress plain --target "$x86" -o dist hello
	[ "$status" -eq 1 ]
	[[ $output == *smoke* && $output == *few* && $output == *"try      filters = "* ]]
	[[ $output =~ [1-9][0-9]*" stages ran and are kept, "[0-9]+" were cached, "[1-9][0-9]*" did not run: --keep-going" ]]
	[ ! -e dist/hello-1.0 ]
}

@test "a training file in a folder of the held-out data, under another name: status 3 names both" {
	hello
	mkdir hello/work/holdout/more
	cp hello/work/train/letters.txt hello/work/holdout/more/renamed.txt
	sed -i 's/listing, listing, listing }/listing, inputs = { dir "holdout" } }/' hello/kiln.lua
	for command in build "plan" "release --unsigned"; do
		# shellcheck disable=SC2086 # words
		run "$KILN" $command hello
		[ "$status" -eq 3 ]
		[[ $output == *'kiln.lua:'*'"holdout/more/renamed.txt" is both in train ('*'kiln.lua:'*'"train/letters.txt") and in holdout'* ]]
	done
	echo "and another line" >>hello/work/holdout/more/renamed.txt
	"$KILN" plan hello
}

@test "a recipe's pinned source digest is wrong: status 3 with both digests" {
	mkdir web && echo data >web/data.txt
	(cd web && exec python3 -m http.server 0 --bind 127.0.0.1) >port.log 2>&1 &
	server=$!
	for _ in $(seq 50); do port=$(sed -nE 's/.*port ([0-9]+).*/\1/p' port.log); [ -z "$port" ] || break; sleep 0.1; done
	[ -n "$port" ] || { kill $server; skip "python3 does not serve here"; }
	mkdir one
	cat >one/kiln.lua <<-LUA
	local data = kiln.leaf("data", { kind = "https", url = "http://127.0.0.1:$port/data.txt", sha256 = "$(printf '%064d' 1)" })
	kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
	local made = stage.run { address = "$x86/plain/make", argv = { "/bin/cp", "in", "out" }, inputs = { { at = "in", from = data } }, outputs = { "out" } }
	kiln.artefact { target = "$x86", variant = "plain", kind = "archive", name = "one-1.txt", media_type = "text/plain", from = made:at "out" }
	kiln.recipe { name = "one", version = "1", license = "MIT", date = 1000000000 }
	LUA
	run "$KILN" build one
	kill $server
	[ "$status" -eq 3 ]
	[[ $output == *"$(sha256sum web/data.txt | cut -d' ' -f1)"* ]]
}

@test "a pinned profile that was changed, or is gone: status 3 says how to get on" {
	hello
	"$KILN" lock hello
	echo >>"hello/kiln.profiles/hello-$x86.profdata"
	mkdir fresh && ln -s "$KILN_STORE/images" fresh/images
	KILN_STORE=$PWD/fresh run "$KILN" release --unsigned -o dist hello
	[ "$status" -eq 3 ]
	[[ $output == *"pins the profile "*"hello-$x86.profdata"* && $output == *"kiln lock"* ]]
	rm "hello/kiln.profiles/hello-$x86.profdata"
	KILN_STORE=$PWD/fresh run "$KILN" release --unsigned -o dist hello
	[ "$status" -eq 3 ]
	[[ $output == *"not there"* ]]
}

# hello with a pinned profile of the slot $1 (its file's ending is $2) that is the file $3.
pinned_instead() {
	hello
	cp "$3" "hello/kiln.profiles/hello-$x86.$2"
	jq --arg triple "$x86" --arg slot "$1" --arg sha256 "$(sha256sum "$3" | cut -d' ' -f1)" --argjson size "$(stat -c %s "$3")" \
		'.recipes.hello[$triple].profiles[$slot] |= (.sha256 = $sha256 | .size = $size)' \
		hello/kiln.lock >lock.new
	mv lock.new hello/kiln.lock
}

build_fails() { # build_fails STAGE TEXT
	run "$KILN" build --progress plain --target "$x86" hello
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"failed  $x86/$1 "* && $output == *"$2"* && $output == *"kiln train"* ]]
}

@test "a compiler's profile of another program fails the build; so does half of one" {
	pinned_instead pgo profdata "$top/kiln.profiles/gawk-$x86.profdata"
	build_fails pgo+lto/rebuild "hash mismatch"
	rm -r hello
	head -c 900 "$top/kiln.profiles/hello-$x86.profdata" >half
	pinned_instead pgo profdata half
	build_fails pgo+lto/rebuild "malformed instrumentation profile"
}

@test "a BOLT profile of another program fails the build; so does an empty one" {
	pinned_instead bolt fdata "$top/kiln.profiles/lua-$x86.fdata"
	build_fails pgo+lto+bolt/bolt "stale) profile"
	rm -r hello
	: >empty
	pinned_instead bolt fdata empty
	build_fails pgo+lto+bolt/bolt "no valid profile data"
}

@test "a profile of fewer functions than the recipe asks for fails the merge" {
	hello
	rm hello/kiln.lock
	sed -i 's/ship = "pgo+lto+bolt" }/ship = "pgo+lto+bolt", functions = 99 }/' hello/kiln.lua
	run "$KILN" build --progress plain --target "$x86" hello
	[ "$status" -eq 1 ]
	[[ $output == *"covers 3 functions, fewer than 99"* && $output == *"lower functions = in fdo"* ]]
}

@test "a profile that no longer fits is said aloud and trained anew" {
	hello
	"$KILN" lock hello
	sed -i 's/"-n", 20/"-n", 19/' hello/kiln.lua
	sed -i '0,/main/s//main/; 1i static int kiln_test_unused __attribute__((unused));' hello/src/hello.c
	for command in "build" "release --unsigned -o dist"; do
		# shellcheck disable=SC2086 # words
		run "$KILN" $command --progress plain --target "$x86" hello
		[ "$status" -eq 0 ]
		[[ $output == *"belongs to"* && $output == *"trained anew"* ]]
		[[ $output == *"this run trains; pin them with \`kiln lock\`"* ]]
	done
}

@test "a change of flags that changes what the program prints fails against the pinned verdict" {
	hello
	can_be_loud hello/src/hello.c
	# Without profiles nothing but the verdict's digests stands in the way.
	sed -i -e 's/pgo = true, bolt = "auto", ship = "pgo+lto+bolt"/ship = "lto"/' \
		-e 's/args = { "hello" }/args = { "hello", "CPPFLAGS=" }/' hello/kiln.lua
	"$KILN" lock --progress none hello
	sed -i 's/"CPPFLAGS="/"CPPFLAGS=-DLOUD"/' hello/kiln.lua
	for command in "release --unsigned" build; do
		# shellcheck disable=SC2086 # two words
		run "$KILN" $command --progress plain --target "$x86" -o out hello
		[ "$status" -eq 1 ]
		[[ $output == *"prints something else than the verdict in the lock says"*"kiln lock"* ]]
	done
	[ ! -e out/hello-1.0 ]
}

@test "a run of one variant does not make a verdict about what ships" {
	hello
	rm -r hello/kiln.lock hello/kiln.profiles
	"$KILN" build --progress none --target "$x86" --variant plain --update-lock hello
	jq -e '[.recipes.hello[]?.verdict // empty] == []' hello/kiln.lock
}

@test "events that cannot be written are told: status 7, and the work is kept" {
	hello
	run --separate-stderr "$KILN" build --progress none --target "$x86" --events /dev/full hello
	[ "$status" -eq 7 ]
	[[ $stderr == *"writing the events to /dev/full"* ]]
	run "$KILN" build --progress none --target "$x86" hello
	[ "$status" -eq 0 ]
}

@test "a lock that is named and not there: status 3, not an unpinned build" {
	hello
	run "$KILN" plan --lock gone.lock hello
	[ "$status" -eq 3 ]
	[[ $output == *"there is no lock gone.lock"*"kiln lock --lock gone.lock"* ]]
}

@test "a lock that a newer Kiln wrote: status 3" {
	hello
	echo '{"schema": "kiln.lock/9"}' >hello/kiln.lock
	run "$KILN" build hello
	[ "$status" -eq 3 ]
	[[ $output == *"newer Kiln"* ]]
	echo '{broken' >hello/kiln.lock
	run "$KILN" build hello
	[ "$status" -eq 3 ]
}

@test "a package that has left the mirror: status 3 with package, version and the ways on" {
	hello
	[ -e hello/kiln.lock ] || skip "the project has no lock"
	jq '(.images.trixie.amd64.packages[] | select(.name == "make")) |= (.version = "4.0-0gone" | .sha256 = ("0" * 64)) | .images.trixie.amd64.tree = "sha256:" + ("1" * 64)' \
		hello/kiln.lock >l && mv l hello/kiln.lock
	run "$KILN" build hello
	[ "$status" -eq 3 ]
	[[ $output == *make* && $output == *4.0-0gone* && $output == *"kiln lock"* ]]
}

@test "a dead network: status 7, says what was fetched and that a retry may help" {
	hello
	rm -f hello/kiln.lock
	KILN_STORE=$PWD/empty run unshare -n "$KILN" build hello
	[ "$status" -eq 7 ]
	[[ $output == *mirror* || $output == *network* || $output == *fetch* ]]
}

@test "CI=true without a key: status 5 before anything is built" {
	hello
	CI=true KILN_STORE=$PWD/empty run "$KILN" release hello
	[ "$status" -eq 5 ]
	[ ! -e empty/blobs ]
}

@test "a read-only store: status 7" {
	hello
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount"
	mkdir ro
	run unshare -m sh -c 'mount -t tmpfs none ro && mount -o remount,ro ro && KILN_STORE=$PWD/ro/store exec "$KILN" build hello'
	[ "$status" -eq 7 ]
	[[ $output == *"ead-only"* ]]
}

@test "a full store: status 7, and the next run with room goes on" {
	hello
	[ "$(id -u)" -eq 0 ] || skip "needs root to mount"
	mkdir small
	run unshare -m sh -c 'mount -t tmpfs -o size=3m none small && mkdir small/store && ln -s "$KILN_STORE/images" small/store/images && cp hello/kiln.lock . 2>/dev/null
		export KILN_STORE=$PWD/small/store; head -c 2700000 /dev/urandom >small/filler
		"$KILN" build --target '"$x86"' hello; first=$?; echo "first $first"; rm small/filler; mount -o remount,size=300m small
		"$KILN" build --target '"$x86"' hello; echo "second $?"'
	[[ $output == *"first 7"* ]]
	[[ $output == *"o space left"* ]]
	[[ $output == *"second 0"* ]]
}

@test "no bubblewrap: status 5 with the line to type" {
	one_stage 'echo x >out'
	mkdir bin
	for tool in sh cat; do ln -s "$(command -v $tool)" bin/; done
	PATH=$PWD/bin run "$KILN" build one
	[ "$status" -eq 5 ]
	[[ $output == *bubblewrap* ]]
}

@test "user namespaces forbidden: status 5 with the line that mends it" {
	one_stage 'echo y >out'
	[ "$(id -u)" -eq 0 ] || skip "needs root to forbid them"
	mkdir ns && ln -s "$KILN_STORE/images" ns/images
	run unshare -U -r -m sh -c 'echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --bounding-set -sys_admin --inh-caps -all "$KILN" --store "$PWD/ns" build one'
	[ "$status" -eq 5 ]
	[[ $output == *namespaces* ]]
}

@test "Ctrl-C: status 6 within seconds, no process left, the next run goes on" {
	one_stage 'sleep 300 & setsid sleep 301 & sleep 302'
	"$KILN" build --progress plain one 2>log &
	kiln=$!
	for _ in $(seq 100); do grep -q start log && break; sleep 0.1; done
	sleep 0.5
	kill -INT $kiln
	status=0
	wait $kiln || status=$?
	[ "$status" -eq 6 ]
	grep -q interrupted log
	grep -q "1 did not run: the same command goes on from there" log
	refute pgrep -f 'sleep 30[012]'
	refute left_over
}

@test "a closed terminal: status 6 and nothing left; under nohup the run goes on" {
	one_stage 'sleep 320 & sleep 321'
	"$KILN" build --progress plain one 2>log &
	kiln=$!
	for _ in $(seq 100); do grep -q start log && break; sleep 0.1; done
	kill -HUP $kiln
	status=0
	wait $kiln || status=$?
	[ "$status" -eq 6 ]
	grep -q interrupted log
	refute pgrep -f 'sleep 32[01]'
	refute left_over
	one_stage "sleep 3; echo $RANDOM$RANDOM >out"
	(trap '' HUP; exec "$KILN" build --progress plain one 2>log) &
	kiln=$!
	for _ in $(seq 100); do grep -q start log && break; sleep 0.1; done
	kill -HUP $kiln
	wait $kiln
}

@test "SIGKILL in the middle of a stage: nothing lives on, the next run cleans up and goes on" {
	one_stage 'sleep 310 & setsid sleep 311 & sleep 312'
	"$KILN" build --progress plain one 2>log &
	kiln=$!
	for _ in $(seq 100); do grep -q start log && break; sleep 0.1; done
	sleep 0.5
	kill -KILL $kiln
	wait $kiln || true
	for _ in $(seq 20); do pgrep -f 'sleep 31[012]' >/dev/null || break; sleep 0.1; done
	refute pgrep -f 'sleep 31[012]'
	one_stage 'echo fine >out'
	"$KILN" build one
	refute left_over
}

@test "two Kilns at once on one store: both succeed" {
	hello
	sed -i 's/summary = ".*"/summary = "two at once"/' hello/kiln.lua
	"$KILN" build --target "$x86" -o a hello 2>a.log &
	first=$!
	"$KILN" build --target "$x86" -o b hello 2>b.log
	wait $first
	cmp "a/hello-1.0-$x86.deb" "b/hello-1.0-$x86.deb"
	# What one of them runs the other does not.
	[ -z "$(cat a.log b.log | sed -n 's/^  start   //p' | sort | uniq -d)" ]
}

@test "what another Kiln runs is waited for; what it gives up is run" {
	one_stage "sleep 3; echo $RANDOM$RANDOM >out"
	"$KILN" build one 2>a.log &
	first=$!
	until grep -q '^  start ' a.log 2>/dev/null; do sleep 0.1; done
	"$KILN" build --trace trace.json one 2>b.log
	wait $first
	grep -q '^  waits   .*   another kiln runs it' b.log
	refute grep -q '^  start ' b.log
	jq -e '[.[] | select(.ph == "i") | .cat] == ["waits for another kiln", "cached"]' trace.json
	# The first one is killed while the second waits.
	one_stage "sleep 3; echo $RANDOM$RANDOM >out"
	"$KILN" build one 2>a.log &
	first=$!
	until grep -q '^  start ' a.log 2>/dev/null; do sleep 0.1; done
	(sleep 1; kill -KILL $first) &
	"$KILN" build one 2>b.log
	grep -q '^  waits ' b.log
	grep -q '^  done ' b.log
}

@test "a place for the release that is none is told before anything is built" {
	one_stage 'echo one >out'
	touch file
	run "$KILN" release --unsigned -o file/dist one
	[ "$status" -eq 7 ]
	[[ $output == *"file is in the way of the release: it is no folder"*"→ write it elsewhere: -o DIR"* ]]
	[[ $output != *"start "* ]]
	[ "$(id -u)" -ne 0 ] || return 0
	mkdir -m 555 closed
	run "$KILN" release --unsigned -o closed/dist one
	[ "$status" -eq 7 ]
	[[ $output == *"cannot write a release below closed"* ]]
}

@test "two releases of the same at once: one writes it, the other finds it there" {
	one_stage 'sleep 1; echo one >out'
	"$KILN" release --unsigned -o dist one 2>a.log &
	first=$!
	"$KILN" release --unsigned -o dist one 2>b.log
	wait $first
	cat a.log b.log
	[ "$(cat a.log b.log | grep -c 'it was there already')" -le 1 ]
	"$KILN" verify --integrity-only dist/one-1
	[ "$(ls -A dist)" = one-1 ]
}

@test "a wrong target, variant or stage on the command line: status 2 lists what there is" {
	hello
	run "$KILN" build --target 'sparc*' hello
	[ "$status" -eq 2 ]
	[[ $output == *"$x86"* ]]
	run "$KILN" build --variant fast hello
	[ "$status" -eq 2 ]
	[[ $output == *"pgo+lto+bolt"* ]]
	run "$KILN" build hello no/such/stage
	[ "$status" -eq 2 ]
}

@test "the host runtime must be asked for, and marks the release" {
	one_stage 'echo host >out'
	run "$KILN" build --runtime hots one
	[ "$status" -eq 2 ]
	"$KILN" release --unsigned --runtime host -o dist one 2>log
	grep -q unpinned log
	grep -q 'without a sandbox' dist/one-1/manifest.json
}

@test "a toolchain that is not the pinned one: status 3 with both digests" {
	hello
	[ -e hello/kiln.lock ] || skip "the project has no lock"
	jq '.toolchains["llvm-19"] = ("5" * 64)' hello/kiln.lock >l && mv l hello/kiln.lock
	run "$KILN" plan hello
	[ "$status" -eq 3 ]
	[[ $output == *"pins the toolchain llvm-19 with SHA-256 55555"* && $output == *"toolchains/llvm-19.yaml"* && $output == *"kiln lock"* ]]
}
