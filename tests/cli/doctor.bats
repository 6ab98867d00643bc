# kiln doctor: a line a need, the line to type for each that is lacking.
bats_require_minimum_version 1.5.0

setup() {
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
	unset KILN_DEBIAN_MIRROR KILN_DEBIAN_KEYRING
	cd "$BATS_TEST_TMPDIR"
}

@test "a line a need, and JSON that says the same" {
	run --separate-stderr "$KILN" doctor
	[ "$status" -eq 0 ] || [ "$status" -eq 5 ]
	[ "$(grep -cE '^(ok|note|lack) ' <<<"$output")" -eq 10 ]
	for need in architecture sandbox mmdebstrap "Debian's keyring" "Debian mirror" git disk limits profiler "signing key"; do
		[[ $output == *" $need "* ]]
	done
	run --separate-stderr "$KILN" doctor --json
	jq -e '.schema == "kiln.doctor/1" and (.needs | length == 10) and all(.needs[]; .text != "")' <<<"$output"
	# Nothing is made by asking.
	[ ! -e store ]
	[ ! -e .local ]
}

@test "what is lacking is said with the line to type: status 5" {
	mkdir bin
	for tool in sh cat; do ln -s "$(command -v $tool)" bin/; done
	PATH=$PWD/bin KILN_DEBIAN_KEYRING=/nowhere/keyring.gpg run "$KILN" doctor
	[ "$status" -eq 5 ]
	[[ $output == *"lack  sandbox "*"bubblewrap"* ]]
	[[ $output == *"lack  mmdebstrap "*"apt-get install mmdebstrap"* ]]
	[[ $output == *"lack  Debian's keyring "*"/nowhere/keyring.gpg"* ]]
	[[ $output == *"note  git "*"apt-get install git"* ]]
	[[ $output == *"this machine lacks 3 of what Kiln needs"* ]]
	run --separate-stderr env PATH="$PWD/bin" "$KILN" doctor --json
	[ "$status" -eq 5 ]
	jq -e '[.needs[] | select(.state == "lack") | .do] | any(contains("bubblewrap"))' <<<"$output"
}

@test "a mirror that is named, a store that is named" {
	KILN_DEBIAN_MIRROR=http://mirror.example/debian run "$KILN" --store "$PWD/elsewhere/store" doctor
	[[ $output == *"ok    Debian mirror      the one KILN_DEBIAN_MIRROR names"* ]]
	[[ $output == *" disk "*"$PWD/elsewhere/store: "*" GB free"* ]]
}
