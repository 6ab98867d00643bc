# A real program that nobody here wrote, from its Debian source, released with the project's lock
# for two architectures: the thing Kiln is for.
# shellcheck disable=SC2154 # stderr is from run, x86 and top from the helper
load helper

setup() { e2e_setup; }

setup_file() {
	export NO_COLOR=1
	unset CI
	export KILN_STORE=${KILN_E2E_STORE:-$KILN_BUILD/e2e/store} XDG_STATE_HOME=$BATS_FILE_TMPDIR/state
	"$KILN" release --progress plain --lock "$(project_lock gawk.lua)" -o "$BATS_FILE_TMPDIR/dist" "$BATS_TEST_DIRNAME/../../recipes/gawk.lua" \
		>"$BATS_FILE_TMPDIR/out" 2>"$BATS_FILE_TMPDIR/log" || { tail -n 40 "$BATS_FILE_TMPDIR/log" >&2; return 1; }
}

dist() { echo "$BATS_FILE_TMPDIR/dist/gawk-5.2.1"; }

@test "gawk: the locked release trains nothing and builds no other candidate" {
	refute grep -Eq '(start|done|cached) .*/(instrument|train-|lto/build|plain/build)' "$BATS_FILE_TMPDIR/log"
	"$KILN" plan --release --json --lock "$(project_lock gawk.lua)" "$top/recipes/gawk.lua" >plan.json
	jq -e '[.stages[] | select(.kind | test("instrument|bolt-workload"))] == []' plan.json
	jq -e '[.stages[] | select(.kind == "workload" or .kind == "build" or .kind == "rebuild") | .variant] | unique == ["pgo+lto", "pgo+lto+bolt"]' plan.json
	jq -e '[.profiles[] | .state] | length == 4 and all(. == "pinned")' plan.json
	refute grep -q 'not pinned' "$(dist)/manifest.json"
}

@test "gawk: the release by hand that benchmarks compare with has the plan's stages and flags" {
	echo '{"schema": "kiln.lock/1"}' >none.lock
	same=$top/scripts/bench/same-stages script=$top/scripts/bench/handwritten-gawk.sh
	"$KILN" plan --release --json --lock none.lock --target "$x86" "$top/recipes/gawk.lua" >plan.json
	"$same" plan.json "$script"
	sed 's/-split-eh/-split-none/' "$script" >other
	run "$same" plan.json other
	[ "$status" -eq 1 ]
	[[ $output == *"flags differ"*"< -split-eh"*"> -split-none"* ]]
	sed '/stage bolt-instrument/d' "$script" >other
	run "$same" plan.json other
	[ "$status" -eq 1 ]
	[[ $output == *"the script has no bolt-instrument"* ]]
}

@test "gawk: everything in dist verifies, and by sha256sum too" {
	run "$KILN" verify --key "$(dist)/signing-key.pub.pem" --allow-development "$(dist)"
	[ "$status" -eq 0 ]
	(cd "$(dist)" && sha256sum --quiet -c SHA256SUMS)
}

@test "gawk: the x86_64 program runs and does what it should" {
	tar -xJf "$(dist)/gawk-5.2.1-$x86.tar.xz"
	# It needs the C library of the image's suite, which this machine may not have.
	root=$(echo "$KILN_STORE"/images/*/root | cut -d' ' -f1)
	gawk() { "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" "gawk-5.2.1-$x86/bin/gawk" "$@"; }
	[[ $(gawk --version) == "GNU Awk 5.2.1"* ]]
	[ "$(printf '3\n4\n' | gawk '{ s += $1 } END { print s }')" = 7 ]
	[ -f "gawk-5.2.1-$x86/COPYING" ]
	find "gawk-5.2.1-$x86" -path '*man1/gawk.1*' | grep -q .
}

@test "gawk: the aarch64 program is one, and runs under the image's emulator" {
	tar -xJf "$(dist)/gawk-5.2.1-aarch64-unknown-linux-gnu.tar.xz"
	file=gawk-5.2.1-aarch64-unknown-linux-gnu/bin/gawk
	# e_machine 183 is AArch64
	[ "$(od -An -tu2 -j18 -N2 $file | tr -d ' ')" = 183 ]
	"$KILN" log --lock "$(project_lock gawk.lua)" "$top/recipes/gawk.lua" aarch64/pgo+lto+bolt/holdout-puzzles | grep -q .
}

@test "gawk: both packages are Debian packages for their architecture" {
	[ "$(dpkg-deb -f "$(dist)/gawk-5.2.1-$x86.deb" Architecture)" = amd64 ]
	[ "$(dpkg-deb -f "$(dist)/gawk-5.2.1-aarch64-unknown-linux-gnu.deb" Architecture)" = arm64 ]
	[ "$(dpkg-deb -f "$(dist)/gawk-5.2.1-$x86.deb" Version)" = 5.2.1-1 ]
}

@test "gawk: the BOLTed program really is one, stripped, and not weakened" {
	tar -xJf "$(dist)/gawk-5.2.1-$x86.tar.xz"
	file=gawk-5.2.1-$x86/bin/gawk
	readelf -SW $file | grep -q '\.bolt\.org\.text'
	readelf -SW $file >sections
	refute grep -q '\.symtab' sections
	readelf -lW $file | grep -Eq 'GNU_STACK .* RW '
	readelf -hW $file | grep -q 'DYN'
}

@test "gawk: provenance names the source and every package of the image by digest, and no mirror" {
	jq -r .dsseEnvelope.payload "$(dist)/gawk-5.2.1.provenance.sigstore.json" | base64 -d >statement.json
	jq -e '.predicate.buildDefinition.resolvedDependencies | length > 100' statement.json
	jq -e '[.predicate.buildDefinition.resolvedDependencies[] | select(.digest.sha256 | test("^[0-9a-f]{64}$") | not)] == []' statement.json
	jq -e '[.predicate.buildDefinition.resolvedDependencies[].uri | select(test("^https?://"))] == []' statement.json
	jq -e '[.subject[].name] | index("gawk-5.2.1-'"$x86"'.tar.xz")' statement.json
}
