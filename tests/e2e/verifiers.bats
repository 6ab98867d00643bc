# Other people's verifiers judge what Kiln signs: cosign, npm's @sigstore/verify, the CycloneDX
# schema, the SPDX tools. Each is fetched into the build folder once; what cannot be had is skipped
# aloud. The release comes from tests/tools/fake_dist.c, which writes it by the code of `release`;
# the last tests judge one that kiln made of a real build.
# shellcheck disable=SC2154 # top is from the helper
load helper

keys="p256 ed"
sums=SHA256SUMS
provenance=hello-1.0.provenance.sigstore.json

setup_file() {
	for key in $keys; do
		cp "$top/tests/data/keys/$key.pem" "$top/tests/data/keys/$key.pub.pem" "$BATS_FILE_TMPDIR"
		chmod 600 "$BATS_FILE_TMPDIR/$key.pem"
		"$KILN_BUILD/tests/tools/fake_dist" "$BATS_FILE_TMPDIR/$key" "$BATS_FILE_TMPDIR/$key.pem"
	done
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
}

need_cosign() {
	cosign=$("$top/scripts/get-cosign" "$KILN_BUILD/cosign" 2>"$BATS_TEST_TMPDIR/why") ||
		skip "no cosign: $(tail -1 "$BATS_TEST_TMPDIR/why")"
}

need_npm() {
	local packages=(@sigstore/verify@3 @sigstore/bundle@4 @cyclonedx/cyclonedx-library@9
		ajv@8 ajv-formats@3 ajv-formats-draft2019@1)
	export KILN_NODE_MODULES=$KILN_BUILD/npm/node_modules
	for tool in node npm; do
		command -v $tool >/dev/null || skip "$tool is missing: install the Debian packages nodejs and npm"
	done
	[ ! -e "$KILN_BUILD/npm/done" ] || return 0
	[ ! -e "$BATS_FILE_TMPDIR/no-npm" ] || skip "$(cat "$BATS_FILE_TMPDIR/no-npm")"
	mkdir -p "$KILN_BUILD/npm"
	# Without a way to its registry npm tries for a quarter of an hour, for every test.
	timeout 180 npm install --fetch-retries=1 --fetch-timeout=30000 --prefix "$KILN_BUILD/npm" --no-save --omit=optional --no-audit --no-fund \
		--ignore-scripts "${packages[@]}" >"$BATS_TEST_TMPDIR/npm" 2>&1 || {
		echo "npm cannot fetch its packages: $(tail -1 "$BATS_TEST_TMPDIR/npm")" |
			tee "$BATS_FILE_TMPDIR/no-npm" >&2
		skip "$(cat "$BATS_FILE_TMPDIR/no-npm")"
	}
	touch "$KILN_BUILD/npm/done"
}

need_spdx() {
	spdx=$KILN_BUILD/spdx/bin/pyspdxtools
	[ ! -x "$spdx" ] || return 0
	python3 -m venv "$KILN_BUILD/spdx" >"$BATS_TEST_TMPDIR/venv" 2>&1 ||
		skip "python3 makes no environment: install the Debian package python3-venv"
	timeout 180 "$KILN_BUILD/spdx/bin/pip" install --quiet spdx-tools >"$BATS_TEST_TMPDIR/pip" 2>&1 ||
		skip "pip cannot fetch spdx-tools: $(tail -1 "$BATS_TEST_TMPDIR/pip")"
}

blob() { # blob KEY FOLDER
	"$cosign" verify-blob --key "$1.pub.pem" --bundle "$2/$sums.sigstore.json" \
		--insecure-ignore-tlog=true "$2/$sums"
}

attestation() { # attestation KEY FOLDER FILE
	"$cosign" verify-blob-attestation --key "$1.pub.pem" --bundle "$2/$provenance" \
		--type slsaprovenance1 --insecure-ignore-tlog=true "$2/$3"
}

@test "cosign verify-blob accepts the signed sums, P-256 and Ed25519" {
	need_cosign
	for key in $keys; do blob "$key" "$key"; done
}

@test "cosign verify-blob-attestation accepts the provenance of every artefact" {
	need_cosign
	for key in $keys; do
		n=0
		for file in "$key"/*.tar.zst "$key"/*.deb "$key"/*.rebuild.tar "$key"/*.cdx.json \
			"$key"/*.spdx.json "$key"/*.profdata; do
			attestation "$key" "$key" "${file##*/}"
			n=$((n + 1))
		done
		[ "$n" -eq 9 ]
	done
}

@test "cosign refuses other bytes, another key, a file that is no subject" {
	need_cosign
	cp -r p256 tampered
	echo >>tampered/$sums
	run ! blob p256 tampered
	run ! blob ed p256
	run ! attestation ed p256 hello_1.0-1_amd64.deb
	run ! attestation p256 p256 report.html
	echo >>tampered/hello_1.0-1_amd64.deb
	run ! attestation p256 tampered hello_1.0-1_amd64.deb
}

@test "npm's @sigstore/verify accepts messages (P-256) and provenance (both)" {
	need_npm
	node "$top/tests/e2e/sigstore-verify.mjs" p256.pub.pem p256/$sums.sigstore.json p256/$sums
	for key in $keys; do
		node "$top/tests/e2e/sigstore-verify.mjs" "$key.pub.pem" "$key/$provenance" >out
		# Its subjects, as it reads them, are the files that lie there.
		grep '^[0-9a-f]\{64\}  ' out >subjects
		[ "$(wc -l <subjects)" -eq 9 ]
		(cd "$key" && sha256sum --quiet -c ../subjects)
	done
}

@test "npm's @sigstore/verify refuses other bytes and another key" {
	need_npm
	echo x >other
	run ! node "$top/tests/e2e/sigstore-verify.mjs" p256.pub.pem p256/$sums.sigstore.json other
	run ! node "$top/tests/e2e/sigstore-verify.mjs" ed.pub.pem p256/$provenance
}

@test "SBOMs are CycloneDX 1.6 by its own schema" {
	need_npm
	node "$top/tests/e2e/cyclonedx-validate.mjs" p256/*.cdx.json
	sed 's/"library"/"bookshop"/' p256/hello-1.0-x86_64-unknown-linux-gnu.cdx.json >bad.json
	run ! node "$top/tests/e2e/cyclonedx-validate.mjs" bad.json
}

@test "SBOMs are SPDX 2.3 by its own tools" {
	need_spdx
	for file in p256/*.spdx.json; do "$spdx" -i "$file"; done
	sed 's/"SPDX-2.3"/"SPDX-9.9"/' p256/hello-1.0-x86_64-unknown-linux-gnu.spdx.json >bad.spdx.json
	run ! "$spdx" -i bad.spdx.json
}

@test "sha256sum and GNU tar read what they are meant to read" {
	(cd p256 && sha256sum --strict --quiet -c $sums)
	tar -tf p256/hello-1.0.rebuild.tar >list
	printf '%s\n' hello-1.0.rebuild/kiln.lock hello-1.0.rebuild/recipes/hello.lua | cmp - list
}

# A release of hello by `kiln release`, signed with key $1, in ./real-$1/hello-1.0.
real_release() {
	e2e_setup
	[ -d hello ] || hello
	"$KILN" release --progress none --key "file:$BATS_FILE_TMPDIR/$1.pem" -o "real-$1" hello
}

@test "cosign accepts what kiln release signs: the sums, and the provenance of every artefact" {
	need_cosign
	for key in $keys; do
		real_release "$key"
		cp "$BATS_FILE_TMPDIR/$key.pub.pem" .
		blob "$key" "real-$key/hello-1.0"
		jq -r '.files[] | select(.class == "artefact") | .file' "real-$key/hello-1.0/manifest.json" >artefacts
		[ "$(wc -l <artefacts)" -eq 13 ]
		while read -r file; do attestation "$key" "real-$key/hello-1.0" "$file"; done <artefacts
		run ! attestation "$key" "real-$key/hello-1.0" report.html
	done
}

@test "npm's @sigstore/verify and sha256sum accept what kiln release signs" {
	need_npm
	real_release p256
	cp "$BATS_FILE_TMPDIR/p256.pub.pem" .
	dist=real-p256/hello-1.0
	node "$top/tests/e2e/sigstore-verify.mjs" p256.pub.pem $dist/$sums.sigstore.json $dist/$sums
	node "$top/tests/e2e/sigstore-verify.mjs" p256.pub.pem $dist/$provenance >out
	grep '^[0-9a-f]\{64\}  ' out >subjects
	[ "$(wc -l <subjects)" -eq 13 ]
	(cd $dist && sha256sum --strict --quiet -c ../../subjects && sha256sum --strict --quiet -c $sums)
	node "$top/tests/e2e/cyclonedx-validate.mjs" $dist/*.cdx.json
}

@test "SPDX's tools accept the SBOMs of a real release" {
	need_spdx
	real_release p256
	for file in real-p256/hello-1.0/*.spdx.json; do "$spdx" -i "$file"; done
}
