# The program under the sanitizers, and every fuzzer for a moment. Both build the program anew, in
# folders of their own below the build folder.
bats_require_minimum_version 1.5.0

setup() {
	cd "$BATS_TEST_DIRNAME/../.." || return
	unset MAKEFLAGS MAKELEVEL MFLAGS
}

last_of() { tail -n 40 "$1" >&2; }

@test "unit and command line tests pass under ASan and UBSan" {
	env -u KILN -u KILN_BUILD make check-asan >"$BATS_TEST_TMPDIR/log" 2>&1 || { last_of "$BATS_TEST_TMPDIR/log"; false; }
	tail -n 1 "$BATS_TEST_TMPDIR/log" | grep -Eq '^[1-9][0-9]* passed, 0 failed'
}

@test "every fuzzer runs for two seconds and finds nothing" {
	command -v clang-19 >/dev/null || skip "clang-19 is missing: install the Debian package clang-19"
	env -u KILN -u KILN_BUILD make fuzz FUZZ_SECONDS=2 >"$BATS_TEST_TMPDIR/log" 2>&1 || { last_of "$BATS_TEST_TMPDIR/log"; false; }
	[ "$(grep -c 'runs, nothing found' "$BATS_TEST_TMPDIR/log")" -eq "$(echo tests/fuzz/fuzz_*.c | wc -w)" ]
}
