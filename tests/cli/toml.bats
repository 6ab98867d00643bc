#!/usr/bin/env bats
# Kiln's TOML reader beside Python's: the same documents are taken, and mean the same.

@test "made-up, mutated and real documents mean what another reader says they mean" {
	[ -x "$KILN_BUILD/tests/tools/toml_json" ]
	python3 -c 'import tomllib' 2>/dev/null || skip "python3 has no tomllib: 3.11 or newer (package python3)"
	mkdir "$BATS_TEST_TMPDIR/documents"
	run python3 tests/cli/toml-differential.py "$KILN_BUILD/tests/tools/toml_json" \
		"$BATS_TEST_TMPDIR/documents" tests/fuzz/corpus/toml/*
	echo "$output" | tail -60
	[ "$status" -eq 0 ]
	[[ $output == *"0 differ"* ]]
}
