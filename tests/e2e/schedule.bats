# Sharing the machine: real makes, one pool of jobs between them; stages that run alone, pools, retries.
# shellcheck disable=SC2154 # status and output are from run, top from the helper
load helper

setup() {
	e2e_setup
	own_project
	# Eight jobs, each of which says when it began and ended.
	cat >src/Makefile <<-'MAKE'
		all: 1 2 3 4 5 6 7 8
		1 2 3 4 5 6 7 8:
		@b=$$(date +%s%N); sleep 0.25; echo $$b $$(date +%s%N) >>times
	MAKE
	sed -i 's/^@/\t@/' src/Makefile
}

# Stages in Lua, each with "work" as its source.
recipe() {
	cat >kiln.lua - <(cat) <<-LUA
		kiln.recipe { name = "share-$BATS_TEST_NUMBER-$(date +%s%N)", version = "1.0", license = "MIT",
		  date = 1700000000, pools = { one = 1 } }
		local triple = "x86_64-unknown-linux-gnu"
		kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		local work = kiln.leaf("src", { kind = "folder", path = "src" })
		local function step(name, options)
		  options.address = triple .. "/plain/" .. name
		  options.inputs = options.inputs or { { at = "", from = work } }
		  options.env = { NONCE = "$BATS_TEST_NUMBER-$(date +%s%N)" .. name }
		  return stage.run(options)
		end
	LUA
}

build() { "$KILN" build --offline --lock "$lock" --progress plain "$@" 2>log || { cat log; return 1; }; }

# How many jobs ran at once at most, of those whose times stand in files.
at_once() {
	cat "$@" | awk '{ print $1, 1; print $2, -1 }' | sort -k1,1 -k2,2n | awk '{ n += $2; if (n > most) most = n } END { print most + 0 }'
}

get() { "$KILN" get --offline --lock "$lock" "x86_64-unknown-linux-gnu/plain/$1" "out-$1" >/dev/null; }

@test "one make has all jobs, two share them, by the fifo of the job server" {
	recipe <<-'LUA'
		step("alone", { argv = { "make" }, outputs = { "times" } })
		step("a", { argv = { "sh", "-c", "echo $MAKEFLAGS >&2; exec make" }, outputs = { "times" } })
		step("b", { argv = { "make" }, outputs = { "times" } })
	LUA
	build -j 4 '*/alone'
	get alone
	[ "$(at_once out-alone/times)" -eq 4 ]
	build -j 4 '*/a' '*/b'
	get a
	get b
	"$KILN" log --offline --lock "$lock" '*/a' 2>&1 | grep -q 'jobserver-auth=fifo:/dev/kiln/jobs'
	most=$(at_once out-a/times out-b/times)
	echo "at once: $most"
	[ "$most" -ge 3 ] && [ "$most" -le 4 ]
	refute grep -q 'note ' log
}

@test "a make that knows no fifos has the pipe of the job server" {
	make --version | grep -q '^GNU Make' || skip "this machine has no GNU make"
	recipe <<-'LUA'
		step("a", { argv = { "sh", "-c", "echo $MAKEFLAGS >&2; exec make" }, outputs = { "times" } })
		step("b", { argv = { "make" }, outputs = { "times" } })
	LUA
	build -j 4 --runtime host '*/a' '*/b'
	"$KILN" get --offline --lock "$lock" --runtime host x86_64-unknown-linux-gnu/plain/a out-a >/dev/null
	"$KILN" get --offline --lock "$lock" --runtime host x86_64-unknown-linux-gnu/plain/b out-b >/dev/null
	"$KILN" log --offline --lock "$lock" --runtime host '*/a' 2>&1 | grep -Eq 'jobserver-auth=[0-9]+,[0-9]+'
	most=$(at_once out-a/times out-b/times)
	echo "at once: $most"
	[ "$most" -ge 3 ] && [ "$most" -le 4 ]
}

@test "a stage that answers the job server falsely changes nothing for others, and is told" {
	recipe <<-'LUA'
		step("liar", { argv = { "sh", "-c", "head -c 300 /dev/zero | tr '\\0' + >/dev/kiln/jobs; sleep 1; rm -f /dev/kiln/jobs; touch t" }, outputs = { "t" } })
		step("thief", { argv = { "sh", "-c", "timeout 1 cat /dev/kiln/jobs >t; true" }, outputs = { "t" } })
		step("a", { argv = { "make" }, outputs = { "times" } })
	LUA
	build -j 4 '*/liar' '*/thief' '*/a'
	get a
	[ "$(at_once out-a/times)" -le 4 ]
	grep -Eq 'note .*/liar .*gave back [0-9]+ tokens of the job server that it was not lent; they were ignored' log
	refute grep -q 'note .*/a ' log
}

@test "a stage alone on the machine has no job server, and another kiln waits for it" {
	recipe <<-'LUA'
		step("quiet", { argv = { "sh", "-c", "echo \"$MAKEFLAGS\" >&2; ls /dev/kiln 2>&1 >&2; sleep 3; touch t" }, outputs = { "t" }, exclusive = true })
		step("other", { argv = { "touch", "t" }, outputs = { "t" } })
	LUA
	build -j 4 '*/quiet' &
	first=$!
	until grep -q 'start .*/quiet' log; do sleep 0.05; done
	"$KILN" build --offline --lock "$lock" --progress plain '*/other' 2>other.log
	cat other.log
	grep -q 'waits .*/other   another kiln has the machine for itself' other.log
	wait $first
	"$KILN" log --offline --lock "$lock" '*/quiet' 2>&1 | tee said
	refute grep -q jobserver-auth said
	grep -q -- ' -j4' said
}

@test "stages of a pool run one after the other, others beside them" {
	recipe <<-'LUA'
		for i = 1, 3 do
		  step("p" .. i, { argv = { "sh", "-c", "b=$(date +%s%N); sleep 0.2; echo $b $(date +%s%N) >times" }, outputs = { "times" }, pool = "one" })
		end
	LUA
	build -j 4 '*/p*'
	for i in 1 2 3; do get p$i; done
	[ "$(at_once out-p1/times out-p2/times out-p3/times)" -eq 1 ]
}

@test "what is killed from outside is run again where the stage says so, a stage that fails is not" {
	long=1.5$(date +%N) # no other test's
	recipe <<-LUA
		step("killed", { argv = { "sh", "-c", "sleep $long; touch t" }, outputs = { "t" }, retries = 1 })
		step("fails", { argv = { "false" }, outputs = { "t" }, retries = 5 })
	LUA
	build '*/killed' &
	run=$!
	# The shell itself, which is the stage: not its sleep, nor who only speaks of it.
	until pid=$(pgrep -f "^sh -c sleep $long; touch t\$"); do sleep 0.05; done
	kill -9 "$pid"
	wait $run
	cat log
	grep -q 'again .*/killed' log
	grep -q ' 1 stage run' log
	run build '*/fails'
	[ "$status" -eq 1 ]
	refute grep -q 'again ' log
}

# Ends a stage's runner, or that one's server, as soon as the stage runs: end_above NAME COMMAND-LINE.
end_above() {
	local pid
	until pid=$(pgrep -f "^$2\$"); do sleep 0.05; done
	while [ "$(cat "/proc/$pid/comm")" != "$1" ]; do pid=$(awk '{ print $4 }' "/proc/$pid/stat"); done
	kill "$pid"
}

@test "a runner or its server that somebody else ends: status 7, not a success; run again where the stage says so" {
	for name in kiln-runner kiln-server; do
		long=7.5$(date +%N) # no other test's
		recipe <<-LUA
			step("ended", { argv = { "sh", "-c", "sleep $long; touch t" }, outputs = { "t" } })
		LUA
		"$KILN" build --offline --lock "$lock" --progress plain '*/ended' 2>log &
		run=$!
		end_above $name "sh -c sleep $long; touch t"
		status=0
		wait $run || status=$?
		cat log
		[ "$status" -eq 7 ]
		refute grep -q 'nothing to do' log
	done
	long=0.9$(date +%N)
	recipe <<-LUA
		step("again", { argv = { "sh", "-c", "sleep $long; touch t" }, outputs = { "t" }, retries = 1 })
	LUA
	build '*/again' &
	run=$!
	end_above kiln-runner "sh -c sleep $long; touch t"
	wait $run
	cat log
	grep -q 'again .*/again .*not by Kiln' log
}
