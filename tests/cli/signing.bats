# keygen, sign and verify as a user meets them: what is printed, where, and the exit status.
bats_require_minimum_version 1.5.0

setup() {
	export HOME=$BATS_TEST_TMPDIR/home XDG_STATE_HOME=$BATS_TEST_TMPDIR/state NO_COLOR=1
	unset CI KILN_KEY_PASSPHRASE
	mkdir -p "$HOME"
	cd "$BATS_TEST_TMPDIR" || return 1
	deb=hello_1.0-1_amd64.deb stderr=
}

fake() { "$KILN_BUILD/tests/tools/fake_dist" "$@"; }

# A release signed with ./release.pem in ./dist.
signed() {
	"$KILN" keygen release >/dev/null
	fake dist release.pem
}

@test "keygen writes a pair, the private one for its owner alone" {
	umask 0000
	run --separate-stderr "$KILN" keygen release
	[ "$status" -eq 0 ]
	[[ $output == *"release.pem"*"release.pub.pem"*"ecdsa-p256 SHA256:"* ]]
	[ "$(stat -c %a release.pem)" = 600 ]
	openssl pkey -in release.pem -noout
	openssl pkey -pubin -in release.pub.pem -noout
	head -1 release.pem | grep -qx -e '-----BEGIN PRIVATE KEY-----'
}

@test "keygen --type ed25519 --json, --encrypt" {
	"$KILN" keygen ed --type ed25519 --json | jq -e '.schema == "kiln.keygen/1" and .type == "ed25519"'
	run "$KILN" keygen enc --encrypt
	[ "$status" -eq 2 ]
	[[ $output == *KILN_KEY_PASSPHRASE* ]]
	KILN_KEY_PASSPHRASE=secret "$KILN" keygen enc --encrypt
	grep -q 'BEGIN ENCRYPTED PRIVATE KEY' enc.pem
	fake dist
	run "$KILN" sign dist --key file:enc.pem
	[ "$status" -eq 5 ]
	[[ $output == *"encrypted and no passphrase"* ]]
	KILN_KEY_PASSPHRASE=secret "$KILN" sign dist --key file:enc.pem
	"$KILN" verify dist --key enc.pub.pem
}

@test "keygen never overwrites: status 2, both files as they were" {
	"$KILN" keygen release
	sha256sum release.pem release.pub.pem >before
	run --separate-stderr "$KILN" keygen release
	[ "$status" -eq 2 ]
	[[ $stderr == *"there already"* ]]
	sha256sum --quiet -c before
	rm release.pem
	run "$KILN" keygen release
	[ "$status" -eq 2 ]
	[ ! -e release.pem ]
}

@test "keygen: an unknown type names the nearest" {
	run "$KILN" keygen x --type ed2551
	[ "$status" -eq 2 ]
	[[ $output == *"did you mean ed25519"* ]]
}

@test "verify accepts what its key signed, a folder and one file" {
	signed
	run --separate-stderr "$KILN" verify dist --key release.pub.pem
	[ "$status" -eq 0 ]
	[[ $output == *"all checks hold, signed with SHA256:"* ]]
	[[ $output != *authenticated* ]]
	run "$KILN" verify "dist/$deb" --key release.pub.pem
	[ "$status" -eq 0 ]
	"$KILN" verify dist --key release.pub.pem --json |
		jq -e '.schema == "kiln.verify/1" and .holds and .authenticated and .name == "hello"'
}

@test "verify, sign: what cannot be printed is not a success: status 7" {
	[ -c /dev/full ] || skip "no /dev/full"
	signed
	run bash -c '"$KILN" verify dist --key release.pub.pem >/dev/full'
	[ "$status" -eq 7 ]
	run bash -c '"$KILN" verify dist --key release.pub.pem --json >/dev/full'
	[ "$status" -eq 7 ]
	run bash -c '"$KILN" sign dist --key file:release.pem >/dev/full'
	[ "$status" -eq 7 ]
	# What verify has to say weighs more.
	echo more >>"dist/$deb"
	run bash -c '"$KILN" verify dist --key release.pub.pem >/dev/full'
	[ "$status" -eq 4 ]
}

@test "JSON results hold for paths that are no UTF-8" {
	signed
	odd=$(printf 'd\xffist')
	mv dist "$odd"
	"$KILN" sign "$odd" --key file:release.pem --json | jq -e '.dist == "d\\xffist" and .unchanged'
	"$KILN" keygen "$(printf 'k\xff')" --json | jq -e '.public == "k\\xff.pub.pem"'
}

@test "verify wants to know whose signature counts: status 2" {
	signed
	run --separate-stderr "$KILN" verify dist
	[ "$status" -eq 2 ]
	[[ $stderr == *"--key PUB.pem"* ]]
	[ -z "$output" ]
	run "$KILN" verify dist --key release.pub.pem --integrity-only
	[ "$status" -eq 2 ]
	run "$KILN" verify nowhere --key release.pub.pem
	[ "$status" -eq 2 ]
	run "$KILN" verify dist --key nowhere.pem
	[ "$status" -eq 2 ]
	run "$KILN" verify dist --key release.pem
	[ "$status" -eq 2 ]
	[[ $output == *"-pubout"* ]]
}

@test "integrity-only says on every line that nobody was authenticated" {
	signed
	run --separate-stderr "$KILN" verify dist --integrity-only
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -ge 16 ]
	for line in "${lines[@]}"; do [[ $line == *"nobody was authenticated"* ]]; done
	"$KILN" verify dist --integrity-only --json | jq -e '.holds and (.authenticated | not)'
	echo >>"dist/$deb"
	run --separate-stderr "$KILN" verify dist --integrity-only
	[ "$status" -eq 4 ]
	for line in "${lines[@]}"; do [[ $line == *"nobody was authenticated"* ]]; done
}

@test "verify names every file that is wrong: status 4" {
	signed
	echo evil >"dist/$deb"
	rm dist/hello-1.0.verdict.json
	touch dist/extra
	run --separate-stderr "$KILN" verify dist --key release.pub.pem
	[ "$status" -eq 4 ]
	grep -q "^BAD .*$deb .*has 5 bytes" <<<"$output"
	grep -q "^BAD .*verdict.json .*is missing" <<<"$output"
	grep -q "^BAD .*extra .*no list names it" <<<"$output"
	[ "$(grep -c ^BAD <<<"$output")" -eq 3 ]
	[[ $stderr == *"3 of the checks failed"* ]]
}

@test "verify refuses another key's release and an unsigned one: status 4" {
	signed
	"$KILN" keygen other
	run "$KILN" verify dist --key other.pub.pem
	[ "$status" -eq 4 ]
	[[ $output == *"another key"* ]]
	fake plain
	run "$KILN" verify plain --key release.pub.pem
	[ "$status" -eq 4 ]
	[[ $output == *"not signed"* ]]
}

@test "names in a release never reach the terminal raw" {
	signed
	touch "dist/$(printf 'a\033[31mred')"
	run --separate-stderr "$KILN" verify dist --key release.pub.pem
	[ "$status" -eq 4 ]
	[[ $output$stderr != *$'\033'* ]]
}

@test "what a release says never moves the terminal's cursor, in errors neither" {
	signed
	jq '. + {"\u001b[1A\u001b[2Khello 1.0: all checks hold\u009b\u202e": 1}' dist/SHA256SUMS.sigstore.json >b
	cp b dist/SHA256SUMS.sigstore.json
	for command in "verify dist --key release.pub.pem" "sign dist --key file:release.pem"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$KILN" $command
		[ "$status" -eq 4 ]
		[[ $output$stderr != *$'\033'* && $output$stderr != *$'\u009b'* && $output$stderr != *$'\u202e'* ]]
		[[ $stderr == *'\x1b[1A'* ]]
	done
}

@test "verify with the key that lies in the release says what that is worth" {
	signed
	run --separate-stderr "$KILN" verify dist --key dist/signing-key.pub.pem
	[ "$status" -eq 0 ]
	[[ $stderr == *"lies in the release itself"* ]]
	run --separate-stderr "$KILN" verify dist --key release.pub.pem
	[ -z "$stderr" ]
}

@test "a byte that is no character never reaches the terminal either" {
	signed
	printf '{"\233\061A": 1}' >dist/SHA256SUMS.sigstore.json
	run --separate-stderr "$KILN" verify "$(printf 'no\2331Asuch')" --key release.pub.pem
	[ "$status" -eq 2 ]
	printf '%s' "$stderr" | LC_ALL=C grep -q 'no.x9b1Asuch'
	printf '%s' "$output$stderr" | LC_ALL=C awk 'index($0, "\233") { bad = 1 } END { exit bad }'
}

@test "a release that lacks its verdict or its report is none" {
	for kind in verdict report provenance; do
		rm -rf dist
		fake dist
		file=$(jq -r --arg kind $kind '.files[] | select(.kind == $kind) | .file' dist/manifest.json)
		rm "dist/$file"
		jq --arg kind $kind '.files |= map(select(.kind != $kind))' dist/manifest.json >manifest
		cp manifest dist/manifest.json
		(cd dist && rm SHA256SUMS && sha256sum -- * >../sums && mv ../sums SHA256SUMS)
		run --separate-stderr "$KILN" verify --integrity-only dist
		[ "$status" -eq 4 ]
		[[ $output$stderr == *"the release has no $kind"* ]]
		run "$KILN" sign dist
		[ "$status" -eq 4 ]
	done
}

@test "verify of one file says that it looked at one file" {
	signed
	run --separate-stderr "$KILN" verify "dist/$deb" --key release.pub.pem
	[ "$status" -eq 0 ]
	[[ $output == *"$deb of hello 1.0: holds; the release's other files were not looked at, signed with "* ]]
	[[ $output != *"all checks hold"* ]]
	"$KILN" verify --json "dist/$deb" --key release.pub.pem | jq -e --arg deb "$deb" '.only == $deb and .authenticated'
	"$KILN" verify --json dist --key release.pub.pem | jq -e '.only == null'
}

@test "sign: from a file, the environment, a descriptor" {
	"$KILN" keygen release
	for how in file env fd; do
		rm -rf dist
		fake dist
		case $how in
		file) "$KILN" sign dist --key file:release.pem ;;
		env) SECRET=$(cat release.pem) "$KILN" sign dist --key env:SECRET ;;
		fd) "$KILN" sign dist --key fd:3 3<release.pem ;;
		esac
		"$KILN" verify dist --key release.pub.pem
	done
	run "$KILN" sign dist --key file:release.pem
	[ "$status" -eq 0 ]
	[[ $output == *"signed already"* ]]
}

@test "sign refuses keys that others can read, are of another type, or are none: status 5" {
	fake dist
	"$KILN" keygen release
	chmod 640 release.pem
	run --separate-stderr "$KILN" sign dist --key file:release.pem
	[ "$status" -eq 5 ]
	[[ $stderr == *"mode 0640"*"chmod 600 release.pem"* ]]
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
	chmod 600 rsa.pem
	run "$KILN" sign dist --key file:rsa.pem
	[ "$status" -eq 5 ]
	[[ $output == *"type RSA (2048 bits)"* ]]
	run "$KILN" sign dist --key file:nowhere.pem
	[ "$status" -eq 5 ]
	run "$KILN" sign dist --key release.pem
	[ "$status" -eq 2 ]
	[[ $output == *"did you mean --key file:release.pem"* ]]
	[ ! -e dist/SHA256SUMS.sigstore.json ]
}

@test "sign refuses a damaged release: status 4, nothing changed" {
	fake dist
	"$KILN" keygen release
	echo >>"dist/$deb"
	find dist -type f -exec sha256sum {} + | sort >before
	run "$KILN" sign dist --key file:release.pem
	[ "$status" -eq 4 ]
	find dist -type f -exec sha256sum {} + | sort | cmp - before
}

@test "without a key the development key signs, marked; verify answers 4 for it" {
	fake dist
	run --separate-stderr "$KILN" sign dist
	[ "$status" -eq 0 ]
	[[ $output == *"development key"* ]]
	[[ $stderr == *"made a development key"* ]]
	key=$XDG_STATE_HOME/kiln/development.pem
	[ "$(stat -c %a "$key")" = 600 ]
	openssl pkey -in "$key" -pubout -out dev.pub.pem
	run "$KILN" verify dist --key dev.pub.pem
	[ "$status" -eq 4 ]
	[[ $output == *"development key"*"--allow-development"* ]]
	run "$KILN" verify dist --key dev.pub.pem --allow-development
	[ "$status" -eq 0 ]
	[[ $output == *"(a development key)"* ]]
	jq -e '.signing.development' dist/manifest.json
}

@test "under CI there is no development key: status 5" {
	fake dist
	CI=true run "$KILN" sign dist
	[ "$status" -eq 5 ]
	[[ $output == *"--key env:NAME"* ]]
	[ ! -e "$XDG_STATE_HOME" ]
}

@test "a key's text never reaches an output" {
	"$KILN" keygen release
	secret=$(sed -n 2p release.pem)
	fake dist
	run "$KILN" sign dist --key "$(cat release.pem)"
	[ "$status" -eq 2 ]
	[[ $output != *"$secret"* ]]
	SECRET=$(cat release.pem) "$KILN" sign dist --key env:SECRET >out 2>&1
	run ! grep -q "$secret" -r out dist
}

@test "killed while a release is put in place: nothing half there, the next run tidies up" {
	"$KILN" keygen release
	run env KILN_FAILPOINT=dist-rename:1:kill "$KILN_BUILD/tests/tools/fake_dist" out/dist release.pem
	[ "$status" -eq 137 ]
	[ ! -e out/dist ]
	[ -n "$(ls -A out)" ]
	fake out/dist release.pem
	[ "$(ls -A out)" = dist ]
	"$KILN" verify out/dist --key release.pub.pem
	rm -rf out/dist
	fake out/dist
	run env KILN_FAILPOINT=dist-rename:1:kill "$KILN" sign out/dist --key file:release.pem
	[ "$status" -eq 137 ]
	"$KILN" verify out/dist --integrity-only
	"$KILN" sign out/dist --key file:release.pem
	[ "$(ls -A out)" = dist ]
	"$KILN" verify out/dist --key release.pub.pem
}
