# scripts/check-headers: a header that leans on its includer, or may not come twice, fails.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/check-headers
	mkdir -p "$BATS_TEST_TMPDIR/orchestrator/base"
	good=$BATS_TEST_TMPDIR/orchestrator/base/good.h
	bad=$BATS_TEST_TMPDIR/orchestrator/base/bad.h
	printf '#ifndef G\n#define G\n#include <stddef.h>\nstruct g { size_t n; };\n#endif\n' >"$good"
}

@test "self-sufficient headers pass" {
	run "$script" "$BATS_TEST_TMPDIR"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"1 headers compile alone"* ]]
}

@test "a header that needs another's includes fails by name" {
	printf '#ifndef B\n#define B\nsize_t f(void);\n#endif\n' >"$bad"
	run "$script" "$BATS_TEST_TMPDIR"
	echo "$output"
	[ "$status" = 1 ]
	[[ $output == *"orchestrator/base/bad.h: does not compile alone"* ]]
}

@test "a header without a guard fails" {
	printf 'struct b { int x; };\n' >"$bad"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
	[[ $output == *"bad.h"* ]]
}

@test "a tree without headers fails" {
	rm "$good"
	run "$script" "$BATS_TEST_TMPDIR"
	[ "$status" = 1 ]
}
