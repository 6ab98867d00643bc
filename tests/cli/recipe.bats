# shellcheck shell=bats disable=SC2154,SC2164 # bats sets $stderr and stops at a failing cd
# A wrong recipe as a person meets it: one message with the place, exit status 3, nothing on stdout.

bats_require_minimum_version 1.5.0

setup() {
	kiln=${KILN:-build/kiln}
	case $kiln in /*) ;; *) kiln=$PWD/$kiln ;; esac
	export KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
	mkdir -p "$BATS_TEST_TMPDIR/project/sub" "$BATS_TEST_TMPDIR/elsewhere"
	cd "$BATS_TEST_TMPDIR/project"
	touch kiln.lock
}

@test "an unknown field: its place, the line, the nearest name" {
	printf 'return release {\n  api = 1,\n  nam = "x",\n}\n' >kiln.lua
	run --separate-stderr "$kiln" plan
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[[ $stderr == *'kiln.lua:3: release: unknown field "nam"'* ]]
	[[ $stderr == *'    3 |   nam = "x",'* ]]
	[[ $stderr == *'      |   ^ did you mean "name"?'* ]]
}

@test "an endless loop ends, with its line" {
	printf 'while true do\n  pcall(function() while true do end end)\nend\n' >kiln.lua
	run --separate-stderr timeout 60 "$kiln" plan
	[ "$status" -eq 3 ]
	[[ $stderr == *'kiln.lua:2: the recipe ran for more than'* ]]
}

@test "a syntax error" {
	printf 'return release {\n' >kiln.lua
	run --separate-stderr "$kiln" plan
	[ "$status" -eq 3 ]
	[[ $stderr == *'kiln.lua:2: unexpected symbol near <eof>'* ]]
}

@test "the recipe is found in a folder above" {
	printf 'error "found"\n' >kiln.lua
	cd sub
	run --separate-stderr "$kiln" plan
	[ "$status" -eq 3 ]
	[[ $stderr == *'kiln.lua:1: found'* ]]
}

@test "no recipe here" {
	cd "$BATS_TEST_TMPDIR/elsewhere"
	run --separate-stderr "$kiln" plan
	[ "$status" -eq 2 ]
	[[ $stderr == *'there is no kiln.lua here or in a folder above'* ]]
	run --separate-stderr "$kiln" plan gone.lua
	[ "$status" -eq 3 ]
	[[ $stderr == *'there is no recipe gone.lua'* ]]
	for operand in gone/ ./gone ../gone /gone/gone; do
		run --separate-stderr "$kiln" plan "$operand"
		[ "$status" -eq 3 ]
		[[ $stderr == *"there is no recipe $operand"* ]]
	done
}

@test "started in a folder that is gone: status 2" {
	mkdir gone
	run --separate-stderr bash -c 'cd gone && rmdir ../gone && exec "$1" plan' - "$kiln"
	[ "$status" -eq 2 ]
	[[ $stderr == *'the folder this was started in is gone'* ]]
}

@test "what a recipe prints goes to stderr" {
	printf 'print("hello from the recipe")\nerror "end"\n' >kiln.lua
	run --separate-stderr "$kiln" plan
	[ "$status" -eq 3 ]
	[ -z "$output" ]
	[[ $stderr == *'hello from the recipe'* ]]
}

@test "plan --targets lists every triple" {
	run --separate-stderr "$kiln" plan --targets
	[ "$status" -eq 0 ]
	[[ $output == *$'\nx86_64-unknown-linux-gnu\n'* ]]
	"$kiln" plan --targets --json | jq -e '.schema == "kiln.targets/1" and (.targets | length > 3)'
}

@test "started with SIGCHLD ignored" {
	printf 'error "found"\n' >kiln.lua
	run --separate-stderr env --ignore-signal=CHLD "$kiln" plan
	[ "$status" -eq 3 ]
	[[ $stderr == *'kiln.lua:1: found'* ]]
}

@test "libcurl that cannot be loaded is told when something is to be fetched" {
	mkdir p
	cd p
	mkdir src
	rm ../kiln.lock
	echo no library >libcurl.so.4
	cat >kiln.lua <<-'LUA'
		return release { api = 1, name = "t", version = "1.0", license = "MIT", date = 1735689600,
		  source = folder "src", build = make.build { bins = { "tool" } }, targets = { "x86_64-unknown-linux-gnu" },
		  deps = { ["x"] = https { url = "https://example.org/x.tar",
		    sha256 = "1111111111111111111111111111111111111111111111111111111111111111" } },
		  packages = { archive { "tar.gz" } } }
	LUA
	run env LD_LIBRARY_PATH=. "$kiln" plan --store store
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *"cannot load libcurl, which fetches files: ./libcurl.so.4: file too short"*"→ sudo apt-get install libcurl4"* ]]
}
