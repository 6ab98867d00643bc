# The whole road on a small program, by the real tools: image, compilers, training, BOLT, packages,
# signature, lock. Every test works on a copy of recipes/hello in its own folder.
# shellcheck disable=SC2154 # stderr is from run, x86 and top from the helper
load helper

setup() { e2e_setup; }

@test "image: the default image is there (built from packages when the store is empty)" {
	hello
	run --separate-stderr "$KILN" -C hello image build trixie
	[ "$status" -eq 0 ]
	"$KILN" image ls | grep -q trixie
}

@test "release: two targets, packages, evidence, a signature that verifies" {
	hello
	run --separate-stderr "$KILN" release --progress plain -o dist hello
	[ "$status" -eq 0 ]
	[ "$output" = dist/hello-1.0 ]
	[[ $stderr == *"signed with SHA256:"* ]]
	[[ $stderr =~ $x86\ +pgo\+lto\+bolt\ +"2 packages, "[0-9]+" KB   output equal on 1 held-out run" ]]
	jq -r .dsseEnvelope.payload dist/hello-1.0/hello-1.0.provenance.sigstore.json | base64 -d |
		jq -e --arg sha256 "$(sha256sum hello/kiln.lock | cut -d' ' -f1)" \
			'.predicate.buildDefinition.internalParameters.lock == {path: "kiln.lock", origin: "project", sha256: $sha256}'
	for triple in $x86 aarch64-unknown-linux-gnu; do
		for ending in tar.zst deb profdata fdata cdx.json spdx.json; do
			[ -s "dist/hello-1.0/hello-1.0-$triple.$ending" ]
		done
	done
	for file in hello-1.0.rebuild.tar hello-1.0.verdict.json hello-1.0.provenance.sigstore.json report.html manifest.json \
		SHA256SUMS SHA256SUMS.sigstore.json signing-key.pub.pem; do
		[ -s "dist/hello-1.0/$file" ]
	done
	(cd dist/hello-1.0 && sha256sum --quiet -c SHA256SUMS)
	run "$KILN" verify --key dist/hello-1.0/signing-key.pub.pem --allow-development dist/hello-1.0
	[ "$status" -eq 0 ]
	# A development key stands for nobody, also for who only looks for damage.
	run "$KILN" verify --integrity-only dist/hello-1.0
	[ "$status" -eq 4 ]
	"$KILN" verify --integrity-only --allow-development dist/hello-1.0
	# Where it lies and who built it must not be in it.
	refute grep -rl -e "$BATS_TEST_TMPDIR" -e "$KILN_STORE" dist
}

@test "a second run does nothing, says so, and writes nothing" {
	hello
	"$KILN" release --progress plain -o dist hello
	find dist -type f -printf '%p %T@ %i\n' | sort >before
	run --separate-stderr "$KILN" release --progress plain -o dist hello
	[ "$status" -eq 0 ]
	[[ $stderr == *"nothing to do: all "*" stages are cached"* ]]
	[[ $stderr != *"  cached  "* ]]
	[[ $stderr == *"there already, verified and unchanged"* ]]
	find dist -type f -printf '%p %T@ %i\n' | sort >after
	cmp before after
	# Asked for an unsigned one, it does not call the signed one that is there unsigned.
	"$KILN" release --unsigned --json -o dist hello | jq -e '.same and .signed == null and .key'
	# With JSON lines as progress nothing else stands between them.
	"$KILN" release --progress json -o dist hello 2>lines
	jq -es 'all(.schema == "kiln.events/1") and (map(.event) | index("end") and index("message"))' lines
}

@test "the packages hold what they should, and other people's tools open them" {
	hello
	"$KILN" release --unsigned --target "$x86" -o dist hello
	root=hello-1.0-$x86
	tar --zstd -tvf "dist/hello-1.0/$root.tar.zst" >list
	grep -q "^-rwxr-xr-x 0/0 .* $root/bin/hello$" list
	grep -q "^-rw-r--r-- 0/0 .* $root/COPYING$" list
	[ "$(awk '{ print $6 }' list | cut -d/ -f1 | sort -u)" = "$root" ]
	tar --zstd -xf "dist/hello-1.0/$root.tar.zst"
	printf 'a b\nb\n' | "$root/bin/hello" | grep -q .
	dpkg-deb -I "dist/hello-1.0/$root.deb" | grep -q 'Package: hello'
	dpkg-deb -c "dist/hello-1.0/$root.deb" | grep -q 'usr/bin/hello'
}

@test "dpkg installs the package into a scratch root" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	hello
	"$KILN" build --target "$x86" -o out hello
	mkdir -p root/var/lib/dpkg/{info,updates}
	: >root/var/lib/dpkg/status
	dpkg --root="$PWD/root" --force-depends --force-not-root -i "out/hello-1.0-$x86.deb"
	[ -x root/usr/bin/hello ]
	dpkg --root="$PWD/root" -V hello
}

@test "with the lock nothing is trained, and other candidates are not built" {
	hello
	"$KILN" lock --json hello | jq -e '.schema == "kiln.lock.result/1" and (.lock | endswith("/hello/kiln.lock"))'
	[ -s hello/kiln.lock ] && [ -s "hello/kiln.profiles/hello-$x86.profdata" ]
	"$KILN" plan --release --json hello >plan.json
	jq -e '[.stages[] | select(.kind == "workload" and .variant != "pgo+lto+bolt")] == []' plan.json
	jq -e '[.stages[] | select(.kind == "instrument" or .kind == "bolt-instrument" or .kind == "bolt-workload")] == []' plan.json
	jq -e '[.profiles[] | .state] | unique == ["pinned"]' plan.json
	jq -e '[.stages[] | select(.variant == "lto")] == []' plan.json
}

@test "without a lock a release trains and says how to pin; --update-lock writes it; then nothing is trained" {
	hello
	rm -r hello/kiln.lock hello/kiln.profiles
	run --separate-stderr "$KILN" release --unsigned --progress plain --target "$x86" -o dist hello
	[ "$status" -eq 0 ]
	[[ $stderr == *"image trixie: unpinned, resolved 20"*"pin it with \`kiln lock\`"* ]]
	[[ $stderr == *"profiles are not pinned: this run trains; pin them with \`kiln lock\`"* ]]
	[ ! -e hello/kiln.lock ]
	jq -e '.notes | any(startswith("there was no kiln.lock")) and any(startswith("the image trixie is not pinned"))' dist/hello-1.0/manifest.json
	jq -e '[.files[] | select(.class == "artefact" and .pinned)] == []' dist/hello-1.0/manifest.json
	run --separate-stderr "$KILN" release --unsigned --progress plain --target "$x86" --update-lock -o dist2 hello
	[ "$status" -eq 0 ]
	[[ $stderr != *"pin them with"* ]]
	[ -s "hello/kiln.profiles/hello-$x86.profdata" ]
	[ -s "hello/kiln.profiles/hello-$x86.fdata" ]
	jq -e '.images.trixie.amd64.tree and .recipes.hello["x86_64-unknown-linux-gnu"].verdict.ship == "pgo+lto+bolt"' hello/kiln.lock
	"$KILN" plan --release --json --target "$x86" hello | jq -e '[.profiles[].state] == ["pinned", "pinned"]'
	cp hello/kiln.lock before
	"$KILN" release --unsigned --progress none --target "$x86" -o dist3 hello
	cmp before hello/kiln.lock
	while read -r file; do cmp "dist/hello-1.0/$file" "dist3/hello-1.0/$file"; done < <(cd dist3/hello-1.0 && ls -- *.tar.zst *.deb *.fdata *.profdata)
}

@test "same bytes under another folder, umask, time zone, locale and -j; nothing shared but the image" {
	hello
	"$KILN" lock hello
	"$KILN" release --unsigned -o dist hello
	mkdir -p "other place/deep"
	cp -r hello "other place/deep/hello"
	(
		# A store that knows the image and nothing else.
		mkdir -p fresh/blobs
		ln -s "$KILN_STORE/images" fresh/images
		export KILN_STORE=$PWD/fresh TZ=Pacific/Kiritimati LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8
		umask 077
		cd "other place/deep"
		"$KILN" -j 1 release --unsigned -o dist hello
	)
	jq -r '.files[] | select(.class == "artefact") | .file' dist/hello-1.0/manifest.json >artefacts
	[ "$(wc -l <artefacts)" -ge 13 ]
	while read -r file; do
		cmp "dist/hello-1.0/$file" "other place/deep/dist/hello-1.0/$file"
	done <artefacts
}

@test "another user, another folder, an empty second store: same artefact bytes" {
	[ "$(id -u)" -eq 0 ] || skip "needs root to become another user"
	grep -q '^kilne2e:' /etc/subuid || { skip_unless_user || skip "no user with a subuid range can be made here"; }
	hello
	"$KILN" lock hello
	"$KILN" release --unsigned -o dist hello
	home=$(mktemp -d /tmp/kiln-e2e.XXXXXX)
	cp -r hello "$home/project"
	chown -R kilne2e "$home"
	chmod 755 "$home"
	status=0
	setpriv --reuid=kilne2e --regid=kilne2e --clear-groups env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME="$home" \
		KILN_DEBIAN_MIRROR="${KILN_DEBIAN_MIRROR:-}" "$KILN" -C "$home" release --unsigned -o "$home/dist" project \
		2>"$BATS_TEST_TMPDIR/other.log" || status=$?
	cat "$BATS_TEST_TMPDIR/other.log"
	[ "$status" -eq 0 ]
	refute grep -Eq '(start|done) .*/(instrument|train)' "$BATS_TEST_TMPDIR/other.log"
	jq -r '.files[] | select(.class == "artefact") | .file' dist/hello-1.0/manifest.json >artefacts
	while read -r file; do cmp "dist/hello-1.0/$file" "$home/dist/hello-1.0/$file"; done <artefacts
	rm -rf "$home"
}

skip_unless_user() {
	useradd --system --user-group --home-dir /nonexistent --shell /bin/false kilne2e 2>/dev/null || true
	id kilne2e >/dev/null 2>&1 || return 1
	grep -q '^kilne2e:' /etc/subuid || echo 'kilne2e:4000000:65536' >>/etc/subuid
	grep -q '^kilne2e:' /etc/subgid || echo 'kilne2e:4000000:65536' >>/etc/subgid
}

@test "a package that left the mirror: the demonstration pins anew, goes on, and its provenance says by which lock" {
	hello
	# A version that no mirror has, and whose content the store does not hold.
	jq '(.images.trixie.amd64.packages[] | select(.name == "make")) |= (.version = "4.3.9-1" | .sha256 = ("0" * 64))' \
		"$(project_lock hello)" >hello/kiln.lock
	cp hello/kiln.lock before.lock
	CI=true run "$top/scripts/demo" out hello
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"the mirror no longer has make 4.3.9-1"* ]]
	[[ $output == *"Pinning anew"*"NOT the release that kiln.lock describes"* ]]
	cmp before.lock hello/kiln.lock
	jq -r .dsseEnvelope.payload out/dist/hello-1.0/hello-1.0.provenance.sigstore.json | base64 -d >statement.json
	jq -e --arg sha256 "$(sha256sum out/kiln.lock | cut -d' ' -f1)" \
		'.predicate.buildDefinition.internalParameters.lock == {path: "kiln.lock", origin: "other", sha256: $sha256}' statement.json
	jq -e '.notes | any(startswith("the pins are those of another lock"))' out/dist/hello-1.0/manifest.json
	make=$(jq -r '.images.trixie.amd64.packages[] | select(.name == "make").version' out/kiln.lock)
	jq -e --arg make "$make" '[.predicate.buildDefinition.resolvedDependencies[].uri | select(startswith("pkg:deb/debian/make@"))]
		| length == 1 and (.[0] | contains($make))' statement.json
}

@test "get takes a built file, log shows what a stage printed" {
	hello
	"$KILN" build --target "$x86" hello
	run --separate-stderr "$KILN" get hello x86_64/pgo+lto+bolt/strip out
	[ "$status" -eq 0 ]
	[ "$output" = out/stripped ]
	[ -x out/stripped ]
	run "$KILN" log hello x86_64/pgo+lto+bolt/bolt
	[ "$status" -eq 0 ]
	[[ $output == *BOLT-INFO* ]]
	"$KILN" log --json hello x86_64/pgo+lto+bolt/bolt |
		jq -e '.schema == "kiln.log/1" and .exit == 0 and (.stdout + .stderr | contains("BOLT-INFO"))'
	"$KILN" get --json hello x86_64/pgo+lto+bolt/strip out |
		jq -e '.schema == "kiln.get/1" and .output == "stripped" and .path == "out/stripped"'
	# Stages named by operands and by --until are wanted both.
	"$KILN" plan --json hello x86_64/plain/build --until x86_64/lto/build |
		jq -e '[.stages[].variant] | index("plain") and index("lto")'
	"$KILN" train --target "$x86" --json hello |
		jq -e '.schema == "kiln.train/1" and (.profiles | map(.id) | length == 2)'
	# A file gives way, a folder with somebody's files does not.
	"$KILN" get hello x86_64/pgo+lto+bolt/strip out
	mkdir -p mine/stripped
	echo work >mine/stripped/of-years
	run "$KILN" get hello x86_64/pgo+lto+bolt/strip mine
	[ "$status" -eq 2 ]
	[[ $output == *"mine/stripped is a folder that holds files: nothing was written"* ]]
	[ "$(cat mine/stripped/of-years)" = work ]
	run "$KILN" get hello x86_64/pgo+lto+bolt/strip:other out
	[ "$status" -eq 2 ]
	[[ $output == *'x86_64-unknown-linux-gnu/pgo+lto+bolt/strip has no output "other"'*":stripped"* ]]
	run "$KILN" get hello x86_64/pgo+lto+bolt/deb-members out
	[ "$status" -eq 2 ]
	[[ $output == *"has several outputs: which one?"*":control.tar, "*":data.tar"* ]]
	run "$KILN" get hello x86_64/pgo+lto+bolt/stirp out
	[ "$status" -eq 2 ]
	[[ $output == *"no stage matches"* ]]
	# What is not built is built by the line that the message gives, wherever recipe and store are.
	echo "/* $EPOCHREALTIME */ int more;" >>hello/src/hello.c
	mkdir "my place" && mv hello "my place/"
	get=("$KILN" -C "my place" --store "$KILN_STORE" get hello x86_64/plain/build out)
	run --separate-stderr "${get[@]}"
	[ "$status" -eq 2 ]
	line=$(sed -n 's/^ *→ kiln //p' <<<"$stderr")
	[[ $line == "build -C 'my place' --store "*" hello $x86/plain/build" ]]
	(unset KILN_STORE; eval "\"\$KILN\" $line")
	"${get[@]}"
}

@test "a change in one source file rebuilds what depends on it and nothing else" {
	hello
	"$KILN" build --variant plain --target "$x86" hello
	# Another comment in each run: the store outlives it.
	sed -i "1i /* a comment changes no byte of the stripped program: $BASHPID $EPOCHREALTIME */" hello/src/hello.c
	"$KILN" build --progress plain --variant plain --target "$x86" hello 2>log
	grep -q 'done .*plain/build' log
	# Early cutoff: the stripped binary came out the same, so nothing behind it runs.
	grep -q 'cached .*plain/tar' log
	refute grep -q 'done .*plain/tar' log
}

@test "no network: what is in the store is enough with --offline" {
	hello
	"$KILN" build --target "$x86" hello
	run unshare -n "$KILN" build --offline --target "$x86" hello
	[ "$status" -eq 0 ]
}

@test "a store moved by image export and import builds offline" {
	hello
	"$KILN" lock hello
	"$KILN" -C hello image export "$PWD/image.tar" trixie
	[ -s image.tar ]
	KILN_STORE=$PWD/second "$KILN" image import image.tar
	KILN_STORE=$PWD/second unshare -n "$KILN" build --offline --target "$x86" hello
}

@test "SIGCHLD ignored by whoever started Kiln changes nothing" {
	hello
	sed -i 's/summary = ".*"/summary = "another"/' hello/kiln.lua
	run timeout 120 env --ignore-signal=CHLD "$KILN" build --target "$x86" hello
	[ "$status" -eq 0 ]
}

@test "what the host runtime makes is kept apart from what the image makes" {
	hello
	"$KILN" build --progress none hello >built
	# All is cached for the image's tools; for the machine's own, nothing that runs a tool is.
	"$KILN" plan hello --json | jq -e '[.stages[] | select(.state == "run")] | length == 0'
	"$KILN" plan hello --json --runtime host >plan.json
	jq -e '[.stages[] | select(.kind == "rebuild") | .state == "run"] | length == 2 and all' plan.json
}

@test "two programs are trained, re-laid and pinned each by its own profile" {
	hello
	can_be_loud hello/src/hello.c
	# shellcheck disable=SC2016 # for make
	printf '%s\n\t%s\n' 'all: hello loud' '@:' 'hello loud: hello.c' \
		'$(CC) $(CFLAGS) $(LDFLAGS) $(if $(filter loud,$@),-DLOUD) -o $@ hello.c' >hello/src/Makefile
	sed -i -e 's/args = { "hello" }, bins = { "hello" }/args = { "all" }, bins = { "hello", "loud" }/' \
		-e 's/^    top = /    loud = run { bin "loud", sample, sample, sample }, top = /' hello/kiln.lua
	rm -r hello/kiln.lock hello/kiln.profiles
	"$KILN" lock --progress none hello
	for program in hello loud; do [ -s "hello/kiln.profiles/hello-$x86-$program.fdata" ]; done
	refute cmp -s "hello/kiln.profiles/hello-$x86-hello.fdata" "hello/kiln.profiles/hello-$x86-loud.fdata"
	run --separate-stderr "$KILN" release --progress plain -o dist hello
	[ "$status" -eq 0 ]
	refute grep -Eq '(start|done|cached) .*/(instrument|train)' <<<"$stderr"
	for program in hello loud; do
		[ -s "dist/hello-1.0/hello-1.0-$x86-$program.fdata" ]
		tar --zstd -xOf "dist/hello-1.0/hello-1.0-$x86.tar.zst" "hello-1.0-$x86/bin/$program" >"$program.elf"
		readelf -SW "$program.elf" | grep -q '\.bolt\.org\.text'
	done
}

@test "a source without a digest is what the lock says, until the lock is made anew" {
	hello
	cat >kiln.lua <<-LUA
	kiln.target { triple = "$x86", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
	local source = kiln.leaf("source", { kind = "debian", name = "gawk" })
	local made = stage.run { address = "$x86/plain/make", argv = { "/bin/sh", "-ec", "ls src >out" }, inputs = { { at = "src", from = source } }, outputs = { "out" } }
	kiln.artefact { target = "$x86", variant = "plain", kind = "archive", name = "one-1.txt", media_type = "text/plain", from = made:at "out" }
	kiln.recipe { name = "one", version = "1", license = "MIT", date = 1000000000 }
	LUA
	cp hello/kiln.lock kiln.lock
	run --separate-stderr "$KILN" build
	[ "$status" -eq 0 ]
	[[ $stderr == *"source source: unpinned, "*"pin it with "* ]]
	"$KILN" lock --progress none
	run --separate-stderr "$KILN" build
	[[ $stderr != *unpinned* ]]
	version=$(jq -r '.sources["source@one"].version' kiln.lock)
	sed -i "s/name = \"gawk\" }/name = \"gawk\", version = \"0.1-1\" }/" kiln.lua
	run "$KILN" build
	[ "$status" -eq 3 ]
	[[ $output == *"0.1-1"*"pins $version"*"kiln lock"* ]]
	# Another digest in the lock is another source, which is nowhere to be had.
	sed -i 's/, version = "0.1-1" }/ }/' kiln.lua
	jq '.sources["source@one"].digest = "sha256:" + "5" * 64' kiln.lock >l && mv l kiln.lock
	run "$KILN" build
	[ "$status" -eq 3 ]
	[[ $output == *"pinned"* ]]
}

@test "a lock of another library of pipelines is not taken without a word" {
	hello
	jq '.library = "5" * 64' hello/kiln.lock >l && mv l hello/kiln.lock
	run --separate-stderr "$KILN" plan hello
	[ "$status" -eq 0 ]
	[[ $stderr == *"another library"*"kiln lock"* ]]
}

@test "every archive format: other people's tools open it, and another store makes the same bytes" {
	hello
	sed -i 's/packages = { archive { "tar.zst" },/packages = { archive { "tar.zst" }, archive { "tar.xz" }, archive { "tar.gz" }, archive { "zip" },/' hello/kiln.lua
	"$KILN" build --progress none --target "$x86" --variant plain -o one hello
	mkdir second && ln -s "$KILN_STORE/images" second/images
	(
		umask 077
		KILN_STORE=$PWD/second TZ=Asia/Kathmandu LC_ALL=C "$KILN" build -j1 --progress none --target "$x86" --variant plain -o two hello
	)
	root=hello-1.0-$x86
	for format in tar.zst tar.xz tar.gz zip; do
		cmp "one/$root.$format" "two/$root.$format"
		mkdir "$format"
		case $format in
		zip)
			unzip -q "one/$root.zip" -d zip
			unzip -Z1 "one/$root.zip" | LC_ALL=C sort -c
			[ "$(TZ=UTC unzip -Z -T "one/$root.zip" | grep bin/hello | awk '{ print $(NF - 1) }')" = 20250101.000000 ]
			;;
		*) tar -C "$format" -xf "one/$root.$format" ;;
		esac
		[ "$(ls "$format")" = "$root" ]
		[ -x "$format/$root/bin/hello" ]
		diff -r "tar.zst/$root" "$format/$root"
	done
}

@test "after a leaked key: unsigned in its place, signed with another, the same artefacts (as SECURITY.md says)" {
	hello
	"$KILN" keygen leaked >/dev/null
	"$KILN" keygen fresh >/dev/null
	"$KILN" release --progress none --key file:leaked.pem -o dist hello
	(cd dist/hello-1.0 && sha256sum -- *.tar.zst *.deb *.json *.fdata *.profdata hello-1.0.rebuild.tar | grep -v 'manifest\|provenance\|verdict\|SHA256SUMS') >artefacts
	[ "$(wc -l <artefacts)" -eq 13 ]
	run "$KILN" sign dist/hello-1.0 --key file:fresh.pem
	[ "$status" -eq 4 ]
	[[ $output == *"signed already, and not with this key"*"--unsigned --replace"* ]]
	run "$KILN" release --progress none --key file:fresh.pem -o dist hello
	[ "$status" -eq 4 ]
	"$KILN" release --progress none --unsigned --replace -o dist hello
	[ ! -e dist/hello-1.0/SHA256SUMS.sigstore.json ]
	"$KILN" sign dist/hello-1.0 --key file:fresh.pem
	"$KILN" verify dist/hello-1.0 --key fresh.pub.pem
	run "$KILN" verify dist/hello-1.0 --key leaked.pub.pem
	[ "$status" -eq 4 ]
	(cd dist/hello-1.0 && sha256sum --quiet -c ../../artefacts)
}

@test "a pinned profile may lie at an address: fetched by its digest, nothing is trained" {
	hello
	mkdir web
	mv "hello/kiln.profiles/hello-$x86.fdata" web/
	(cd web && exec timeout 120 python3 -m http.server 0 --bind 127.0.0.1) >port.log 2>&1 3>&- &
	server=$!
	for _ in $(seq 50); do port=$(sed -nE 's/.*port ([0-9]+).*/\1/p' port.log); [ -z "$port" ] || break; sleep 0.1; done
	[ -n "$port" ] || { kill $server; skip "python3 does not serve here"; }
	jq --arg triple "$x86" --arg url "http://127.0.0.1:$port/hello-$x86.fdata" \
		'.recipes.hello[$triple].profiles.bolt |= (del(.path) | .url = $url)' hello/kiln.lock >lock.new
	mv lock.new hello/kiln.lock
	mkdir fresh && ln -s "$KILN_STORE/images" fresh/images
	KILN_STORE=$PWD/fresh run --separate-stderr "$KILN" release --unsigned --progress plain --target "$x86" -o dist hello
	echo "$stderr"
	kill $server
	[ "$status" -eq 0 ]
	[[ $stderr == *"fetching http://127.0.0.1:$port/"* ]]
	refute grep -Eq '(start|done) .*/(instrument|train)' <<<"$stderr"
	cmp "dist/hello-1.0/hello-1.0-$x86.fdata" "web/hello-$x86.fdata"
	# A lock written anew leaves it where it is.
	"$KILN" build --progress none --target "$x86" --update-lock hello
	jq -e --arg triple "$x86" '.recipes.hello[$triple].profiles.bolt | .url and (.path | not)' hello/kiln.lock
	[ ! -e "hello/kiln.profiles/hello-$x86.fdata" ]
	# Another file there is refused.
	echo more >>"web/hello-$x86.fdata"
	(cd web && exec timeout 60 python3 -m http.server "$port" --bind 127.0.0.1) >port.log 2>&1 3>&- &
	server=$!
	for _ in $(seq 50); do grep -q Serving port.log && break; sleep 0.1; done
	mkdir fresh2 && ln -s "$KILN_STORE/images" fresh2/images
	KILN_STORE=$PWD/fresh2 run "$KILN" release --unsigned --progress plain --target "$x86" -o dist2 hello
	echo "$output"
	kill $server
	[ "$status" -eq 3 ]
	[[ $output == *"$(sha256sum "web/hello-$x86.fdata" | cut -d' ' -f1)"* ]]
}
