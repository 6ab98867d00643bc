# scripts/run-tests: what it counts, and that nothing bad counts as good.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/run-tests
	cd "$BATS_TEST_TMPDIR"
}

program() { # program NAME SHELL-LINES
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

last() {
	printf '%s\n' "$output" | tail -n 1
}

@test "passes are counted and the last line stands alone" {
	program a 'echo 1..2; echo ok 1 - x; echo ok 2 - y'
	program b 'echo 1..1; echo ok 1 - z'
	run "$script" --group one "$PWD/a" --group two -j 2 "$PWD/b"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(last)" = "3 passed, 0 failed, 0 skipped" ]
}

@test "a failed test fails the run and is shown with its diagnostics" {
	program a 'echo 1..2; echo ok 1 - x; echo not ok 2 - y; echo "# because of z"; exit 1'
	run "$script" "$PWD/a"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"FAILED"*"not ok 2 - y"*"# because of z"* ]]
	[ "$(last)" = "1 passed, 1 failed, 0 skipped" ]
}

@test "skips are counted and listed with their reason" {
	program a 'echo 1..2; echo ok 1 - x; echo "ok 2 y # skip no such tool"'
	program b 'echo "1..0 # SKIP nothing here"'
	run "$script" "$PWD/a" "$PWD/b"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"SKIPPED"*"no such tool"* ]]
	[[ $output == *"SKIPPED"*"nothing here"* ]]
	[ "$(last)" = "1 passed, 0 failed, 2 skipped" ]
}

@test "cmocka's way of writing skips and several plans is understood" {
	program a 'echo 1..2; echo "ok 1 - x"; echo "not ok 2 # SKIP y"; echo 1..1; echo "ok 1 - z"'
	run "$script" "$PWD/a"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(last)" = "2 passed, 0 failed, 1 skipped" ]
}

@test "a program that dies, plans more than it runs, or says nothing is a failure" {
	program dies 'echo 1..1; echo ok 1 - x; kill -SEGV $$'
	program short 'echo 1..3; echo ok 1 - x'
	program mute 'exit 0'
	run "$script" "$PWD/dies" "$PWD/short" "$PWD/mute" "$PWD/absent"
	echo "$output"
	[ "$status" = 1 ]
	[ "$(last)" = "2 passed, 4 failed, 0 skipped" ]
}

@test "a program that hangs is stopped and is a failure" {
	program hangs 'echo 1..1; sleep 60'
	KILN_TEST_TIMEOUT=1 run "$script" "$PWD/hangs"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"timed out"* ]]
}

@test "no tests at all is a failure, and so are skips alone" {
	run "$script"
	[ "$status" = 1 ]
	[ "$(last)" = "0 passed, 0 failed, 0 skipped" ]
	program a 'echo "1..0 # SKIP nothing here"'
	run "$script" "$PWD/a"
	[ "$status" = 1 ]
	[ "$(last)" = "0 passed, 0 failed, 1 skipped" ]
}

@test "a bats file without bats is a loud skip" {
	mkdir bin
	for tool in bash sh dirname env cat tr awk tee timeout mktemp rm prove perl sleep; do
		ln -s "$(type -P $tool)" bin/
	done
	printf '@test "x" {\n\ttrue\n}\n' >x.bats
	program a 'echo 1..1; echo ok 1 - x'
	PATH=$PWD/bin run "$script" "$PWD/x.bats" "$PWD/a"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"SKIPPED"*"bats is missing"* ]]
	[ "$(last)" = "1 passed, 0 failed, 1 skipped" ]
}
