# scripts/check-size: warns from 61 and 501 lines on, fails from 121 and 801.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/check-size
	mkdir -p "$BATS_TEST_TMPDIR/orchestrator/base"
	file=$BATS_TEST_TMPDIR/orchestrator/base/a.c
}

function_of() { # a function whose body has N lines, braces counted
	printf 'static int a_function(\n\tint x)\n{\n'
	for ((i = 2; i < $1; i++)); do printf '\tx++;\n'; done
	printf '}\n'
}

lines() {
	for ((i = 0; i < $1; i++)); do echo "int x$i;"; done
}

@test "a function of 60 lines passes without a warning" {
	function_of 60 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	[[ $output != *warning* ]]
	[[ $output == *"1 functions, 0 over 60"* ]]
}

@test "a function of 61 lines is a counted warning" {
	function_of 61 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	[[ $output == *"a.c:3: warning: a_function() has 61 lines"* ]]
	[[ $output == *"1 over 60"* ]]
}

@test "a function of 121 lines fails" {
	function_of 121 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
	[[ $output == *"a.c:3: error: a_function() has 121 lines"* ]]
}

@test "a file of 500 lines passes, of 501 is a warning, of 801 fails" {
	lines 500 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	[[ $output != *warning* ]]
	lines 501 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 0 ]
	[[ $output == *"a.c: warning: 501 lines"* ]]
	lines 801 >"$file"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
	[[ $output == *"a.c: error: 801 lines"* ]]
}

@test "the first of several files is measured too" {
	lines 801 >"$file"
	lines 3 >"${file%a.c}b.c"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
	[[ $output == *"a.c: error"* ]]
}

@test "a tree without sources fails" {
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
}
