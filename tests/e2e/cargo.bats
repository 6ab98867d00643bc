# Cargo projects against the real registry, by cargo's own client in the image: fetched once with a
# network, built without one, profiled, laid out anew, for this machine and another; and what must go
# wrong. Without a registry the file is skipped.
# shellcheck disable=SC2154 # stderr and output are from run, x86 and top from the helper
load helper

arm=aarch64-unknown-linux-gnu

setup_file() {
	e2e_setup
	cd "$BATS_FILE_TMPDIR" || return 1
	project sieve
	# The image is made first, and then the missing lock refused.
	"$KILN" -C sieve plan >/dev/null 2>plan.log || cat plan.log >&2
	in_image sieve cargo generate-lockfile >lock.log 2>&1 || touch nothing
}

setup() {
	if [ -e "$BATS_FILE_TMPDIR/nothing" ]; then
		skip "no Cargo registry can be reached here: $(tail -n1 "$BATS_FILE_TMPDIR/lock.log")"
	fi
	e2e_setup
}

# FOLDER: a small program with one crate. All tests call the release sieve, so that they share an image.
project() {
	mkdir -p "$1/src" "$1/data/train" "$1/data/held"
	printf '%s\n' '[package]' 'name = "sieve"' 'version = "0.3.0"' 'edition = "2021"' \
		'license = "MIT/Apache-2.0"' '[dependencies]' 'itoa = "1"' >"$1/Cargo.toml"
	cat >"$1/src/main.rs" <<-'RUST'
	use std::io::{BufRead, Write};
	fn steps(mut n: u64) -> u64 {
	    let mut steps = 0;
	    while n != 1 {
	        n = if n % 2 == 0 { n / 2 } else { 3 * n + 1 };
	        steps += 1;
	    }
	    steps
	}
	fn main() {
	    let mut out = std::io::BufWriter::new(std::io::stdout());
	    let mut buffer = itoa::Buffer::new();
	    for path in std::env::args().skip(1) {
	        let file = std::io::BufReader::new(std::fs::File::open(path).expect("a file"));
	        for line in file.lines() {
	            let n: u64 = line.expect("text").trim().parse().expect("a number");
	            let most = (1..=n).map(steps).max().unwrap_or(0);
	            out.write_all(buffer.format(most).as_bytes()).unwrap();
	            out.write_all(b"\n").unwrap();
	        }
	    }
	}
	RUST
	printf '30000\n1000\n' >"$1/data/train/n"
	printf '20001\n77\n' >"$1/data/held/n"
	cat >"$1/kiln.lua" <<-LUA
	local pkg = cargo.manifest()
	return release {
	  api = 1, name = pkg.name, version = pkg.version, license = pkg.license, date = 1700000000,
	  source = checkout { exclude = { "data" } }, work = folder "data",
	  build = cargo.build {},
	  targets = { "$x86", "$arm" },
	  train = { run { bin "sieve", file "train/n" } },
	  holdout = { run { bin "sieve", file "held/n" } },
	  optimize = fdo { lto = "thin", pgo = true, bolt = "auto", ship = "pgo+lto+bolt" },
	  packages = { archive { "tar.gz" } },
	}
	LUA
	git init -q "$1"
	commit "$1"
}

commit() { git -C "$1" add -A && git -C "$1" -c user.name=Me -c user.email=me@example.org commit -q -m "more"; }

# FOLDER WORD…: a command in an image of the store that has cargo, with a network, over a folder.
in_image() {
	local cargo folder=$1 ca=${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}
	shift
	cargo=$(find "$KILN_STORE"/images/*/root/usr/bin/cargo 2>/dev/null | head -n1)
	[ -n "$cargo" ] || { echo "there is no image with cargo"; return 1; }
	bwrap --ro-bind "${cargo%/usr/bin/cargo}" / --proc /proc --dev /dev --tmpfs /tmp \
		--ro-bind /etc/resolv.conf /etc/resolv.conf --ro-bind "$ca" /tmp/ca.pem --bind "$folder" /build \
		--chdir /build --setenv HOME /tmp --setenv CARGO_HOME /tmp/cargo --setenv CARGO_HTTP_CAINFO /tmp/ca.pem \
		--setenv PATH /usr/bin:/bin "$@"
}

# ./sieve with its Cargo.lock, committed.
sieve() {
	cp -r "$BATS_FILE_TMPDIR/sieve" sieve
	commit sieve
}

# STATUS TEXT WORD…: kiln in ./sieve ends with that status and says the text.
refused() {
	local wanted=$1 text=$2
	shift 2
	run "$KILN" -C sieve "$@"
	echo "$output"
	[ "$status" -eq "$wanted" ]
	[[ $output == *"$text"* ]]
}

@test "a package with a crate: fetched once, every variant for two targets, released, the crate named" {
	sieve
	"$KILN" -C sieve release --unsigned --progress plain -o "$PWD/dist" 2>log || { cat log; false; }
	grep -q 'the license "MIT/Apache-2.0" is read as "MIT OR Apache-2.0"' log
	dist=dist/sieve-0.3.0
	tar -xzf "$dist/sieve-0.3.0-$x86.tar.gz"
	[ "$("sieve-0.3.0-$x86/bin/sieve" sieve/data/held/n)" = $'278\n115' ]
	readelf -SW "sieve-0.3.0-$x86/bin/sieve" | grep -q '\.bolt\.org\.text'
	tar -xzf "$dist/sieve-0.3.0-$arm.tar.gz"
	[ "$(od -An -tu2 -j18 -N2 "sieve-0.3.0-$arm/bin/sieve" | tr -d ' ')" = 183 ]
	# Each variant is another program, and the profile belongs to the one it was used for.
	for variant in plain lto pgo+lto; do
		"$KILN" -C sieve get "x86_64/$variant/strip" "$PWD/$variant" 2>/dev/null
	done
	for pair in "plain lto" "lto pgo+lto" "plain pgo+lto"; do
		run cmp "${pair% *}/stripped" "${pair#* }/stripped"
		[ "$status" -eq 1 ]
	done
	for target in x86_64 aarch64; do
		"$KILN" -C sieve get "$target/pgo+lto/profile:merged.profdata" "$PWD/$target-profile" 2>/dev/null
		"$KILN" -C sieve get "$target/pgo+lto/rebuild" "$PWD/$target-rebuild" 2>/dev/null
		cp "$(find "$target-profile" -type f)" merged.profdata
		cp "$(find "$target-rebuild" -type f)" rebuilt
		name=$(in_image . nm /build/rebuilt | sed -n 's/.* \(_ZN5sieve4main17h[0-9a-f]*E\)$/\1/p')
		[ -n "$name" ]
		in_image . /usr/lib/llvm-19/bin/llvm-profdata show --all-functions /build/merged.profdata | grep -q "$name"
	done
	# The crate is named, by what the registry and the lock say.
	sha=$(sed -n '/name = "itoa"/,/^$/s/^checksum = "\(.*\)"/\1/p' sieve/Cargo.lock)
	version=$(sed -n '/name = "itoa"/,/^$/s/^version = "\(.*\)"/\1/p' sieve/Cargo.lock)
	jq -e --arg uri "pkg:cargo/itoa@$version" --arg sha "$sha" \
		'[.predicate.buildDefinition.resolvedDependencies[] | select(.uri == $uri and .digest.sha256 == $sha)] | length == 1' \
		"$dist/sieve-0.3.0.provenance.json"
	jq -e --arg uri "pkg:cargo/itoa@$version" --arg sha "$sha" \
		'any(.components[]; .purl == $uri and .hashes[0].content == $sha)' "$dist"/*"$x86"*.cdx.json
	jq -e '.predicate.buildDefinition.internalParameters.facts[0] | .kind == "cargo.manifest" and .bins == ["sieve"]' \
		"$dist/sieve-0.3.0.provenance.json"
	# What the store has is not fetched again, also after an edit of the project's own version.
	"$KILN" -C sieve build --offline --progress plain -o "$PWD/again" 2>log || { cat log; false; }
	refute grep -q "fetching" log
	sed -i 's/0\.3\.0/0.4.0/' sieve/Cargo.toml sieve/Cargo.lock
	"$KILN" -C sieve build --offline --variant plain --progress plain -o "$PWD/next" 2>log || { cat log; false; }
	refute grep -q "fetching" log
	ls next/sieve-0.4.0*"$x86"*
}

@test "the lock pins the crates' tree, and another one is refused" {
	sieve
	sed -i 's/, "'"$arm"'"//; s/optimize = .*/add = { "libstd-rust-dev:arm64" },/; /train = /d' sieve/kiln.lua
	commit sieve
	"$KILN" -C sieve lock --progress none
	jq -e '.sources["crates@sieve"] | .digest | test("^sha256:[0-9a-f]{64}$")' sieve/kiln.lock
	jq -e '.sources["crates@sieve"] | has("crates") | not' sieve/kiln.lock
	"$KILN" -C sieve build --progress none -o "$PWD/out"
	was=$(jq -r '.sources["crates@sieve"].digest' sieve/kiln.lock)
	sed -i "s/$was/sha256:$(printf '%064d' 1)/" sieve/kiln.lock
	refused 3 "it is $was" build
	[[ $output == *"pins the tree of the source \"crates\" as sha256:0000"*"kiln lock"* ]]
}

@test "no lock, a lock that does not fit, no network, no crates in an empty store" {
	sieve
	git -C sieve rm -q Cargo.lock
	commit sieve
	refused 3 "Cargo.lock is not in the source" plan
	[[ $output == *"cargo generate-lockfile"* ]]
	rm -rf sieve
	sieve
	# Another crate that the lock does not have: --locked refuses, whatever the registry has.
	sed -i 's/^itoa = .*/itoa = "1"\nryu = "1"/' sieve/Cargo.toml
	sed -i 's/^dependencies = \[/dependencies = [\n "none",/' sieve/Cargo.lock
	printf '\n[[package]]\nname = "none"\nversion = "0.0.0"\nsource = "%s"\n' \
		"$(sed -n 's/^source = "\(.*\)"/\1/p' sieve/Cargo.lock | head -n1)" >>sieve/Cargo.lock
	commit sieve
	refused 3 "Cargo.lock" plan
	refused 7 "--offline forbids to fetch them" plan --offline
	# A proxy that answers nobody.
	rm -rf sieve
	sieve
	sed -i 's/^version = "1\..*"/version = "1.0.0"/; s/^checksum = .*/checksum = "'"$(printf '%064d' 1)"'"/' sieve/Cargo.lock
	commit sieve
	https_proxy=http://127.0.0.1:9 HTTPS_PROXY=http://127.0.0.1:9 refused 7 "cargo could not fetch" plan
	[[ $output == *"is the network there?"* ]]
	# Bytes that are not those of the lock.
	refused 3 "checksum" plan
}
