# .ci/run around a make check that only pretends: the last line, the exit status, the environment.

setup() {
	mkdir -p "$BATS_TEST_TMPDIR/.ci"
	cp "$BATS_TEST_DIRNAME/../../.ci/run" "$BATS_TEST_TMPDIR/.ci/run"
	cd "$BATS_TEST_TMPDIR"
}

check_is() { # what the recipe of `check` does
	printf 'check:\n\t@%s\n' "$1" >Makefile
}

last() {
	printf '%s\n' "$output" | tail -n 1
}

@test "the closing line of make check comes last" {
	check_is 'echo ok; echo "12 passed, 0 failed, 1 skipped"'
	run .ci/run
	[ "$status" = 0 ]
	[ "$(last)" = "12 passed, 0 failed, 1 skipped" ]
	[ "$(grep -c passed <<<"$output")" = 1 ]
}

@test "after a failure too, behind make's own words" {
	check_is 'echo "11 passed, 1 failed, 0 skipped"; exit 1'
	run .ci/run
	echo "$output"
	[ "$status" != 0 ]
	[ "$(last)" = "11 passed, 1 failed, 0 skipped" ]
}

@test "a check that never reached its tests counts as one failure" {
	check_is 'echo "compiler error"; exit 1'
	run .ci/run
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed, 0 skipped" ]
	check_is 'echo "nothing to see"'
	run .ci/run
	[ "$status" != 0 ]
	[ "$(last)" = "0 passed, 1 failed, 0 skipped" ]
}

@test "variables that steer builds and tests do not come through, those of the network do" {
	check_is 'env; echo "1 passed, 0 failed, 0 skipped"'
	CC=nonesuch CFLAGS=-bad MAKEFLAGS=k BUILD=/nowhere KILN_X=1 LUA_PATH=x LC_TIME=de_DE \
		https_proxy=proxy SSL_CERT_FILE=certs KILN_STORE=/store run .ci/run
	echo "$output"
	[ "$status" = 0 ]
	for name in CC CFLAGS BUILD KILN_X LUA_PATH LC_TIME; do
		[[ $'\n'$output != *$'\n'"$name="* ]] || { echo "$name came through"; return 1; }
	done
	for line in https_proxy=proxy SSL_CERT_FILE=certs KILN_STORE=/store CI=true; do
		[[ $'\n'$output == *$'\n'"$line"* ]] || { echo "$line did not"; return 1; }
	done
}
