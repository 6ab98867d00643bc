bats_require_minimum_version 1.5.0
# scripts/demo with a kiln that only pretends: what it does when a pinned package is gone, when a
# release fails, and when the verification does.

setup() {
	script=$BATS_TEST_DIRNAME/../../scripts/demo
	cd "$BATS_TEST_TMPDIR"
	export KILN=$PWD/kiln
	cat >kiln <<'EOF'
#!/bin/sh
echo "$CI|$*" >>calls
case $1 in
release)
	case $GONE,$* in
	yes,*--lock*) ;;
	yes,*) echo "kiln: image trixie: the mirror no longer has make 4.4.1-2 (amd64)" >&2; exit 3 ;;
	wrong,*) echo "kiln: recipes/gawk.lua:3: unknown field" >&2; exit 3 ;;
	esac
	mkdir -p out/dist/gawk-1; : >out/dist/gawk-1/signing-key.pub.pem ;;
lock) : >out/kiln.lock ;;
verify) exit "${VERIFY:-0}" ;;
esac
EOF
	chmod +x kiln
	export CI=true
}

@test "release, verify, and where it is" {
	run "$script" out
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c release calls)" = 1 ]
	! grep -q lock calls || return 1
	[[ $output == *"done. The release is in $PWD/out/dist/gawk-1"* ]]
	grep -q -- "|verify .*--allow-development $PWD/out/dist/gawk-1" calls
}

@test "a development key needs CI to be unset, and only for these commands" {
	run "$script" out
	run ! grep -q '^true|' calls
}

@test "a package that is gone: pinned anew in the folder, loudly, and on" {
	GONE=yes run "$script" out
	echo "$output"
	[ "$status" = 0 ]
	grep -q -- "|lock --lock $PWD/out/kiln.lock recipes/gawk.lua" calls
	[ "$(grep -c '|release' calls)" = 2 ]
	[[ $output == *"Pinning anew"*"NOT the release that kiln.lock describes"* ]]
	# The next run goes on with those pins.
	GONE=yes run "$script" out
	[ "$status" = 0 ]
	[ "$(grep -c '|lock' calls)" = 1 ]
}

@test "any other failure of the release is passed on, nothing is pinned" {
	GONE=wrong run "$script" out
	echo "$output"
	[ "$status" = 3 ]
	[[ $output == *"unknown field"* ]]
	run ! grep -q '|lock' calls
}

@test "a verification that says no fails the demonstration" {
	VERIFY=4 run "$script" out
	[ "$status" = 4 ]
	[[ $output != *"done."* ]]
}
