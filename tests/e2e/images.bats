# Images and Debian sources against a real mirror (the machine's, or KILN_DEBIAN_MIRROR): resolve,
# lock, rebuild without network, carry, and what must go wrong. Without a mirror the file is skipped.
bats_require_minimum_version 1.5.0
load helper

# A container with the essential packages and make alone: seconds instead of a minute.
setup_file() {
	export NO_COLOR=1
	unset CI
	cd "$BATS_FILE_TMPDIR" || return 1
	mkdir -p project/.kiln/containers
	printf '%s\n' 'api: 1' 'distribution: debian' 'suite: trixie' \
		"architectures: [$(dpkg --print-architecture)]" 'packages: [make]' 'files:' \
		'  - deb: hello' '    path: usr/bin/hello' '    to: opt/hello' \
		>project/.kiln/containers/small.yaml
	(cd project && "$KILN" --json --store ../store image build small >../built.json 2>../log) ||
		touch nothing
}

setup() {
	cd "$BATS_FILE_TMPDIR" || return 1
	if [ -e nothing ]; then
		skip "no image could be made here: $(grep -m1 'kiln:' log)"
	fi
	tree=$(jq -r '.images[0].tree' built.json)
	arch=$(dpkg --print-architecture)
	work=$BATS_TEST_TMPDIR
}

# kiln in the project, with the store of the test.
in_project() {
	(cd "$BATS_FILE_TMPDIR/project" && "$KILN" --store "$work/store" "$@")
}

# A lock of the image, changed by a jq program.
lock() {
	jq --arg arch "$arch" "{schema: \"kiln.lock/1\", images: {small: {(\$arch): (.images[0].lock | $1)}}}" \
		built.json >"$work/kiln.lock"
}

# A store with the packages of the image, but not the image.
packages_only() {
	mkdir -p "$work/store"
	cp -r store/blobs store/VERSION "$work/store/"
}

# An archive of files in ./pool, signed by a key made for it: MIRROR and KILN_DEBIAN_KEYRING.
sign_mirror() {
	for tool in gpg dpkg-scanpackages; do
		command -v $tool >/dev/null || skip "$tool is missing: install gpg and dpkg-dev"
	done
	local dists=dists/trixie
	export GNUPGHOME=$work/gnupg
	rm -rf "$GNUPGHOME" "$1/dists" "$1/keyring.gpg"
	mkdir -m 700 "$GNUPGHOME"
	(
		cd "$1" || exit 1
		mkdir -p $dists/main/binary-"$arch"
		dpkg-scanpackages --multiversion pool >$dists/main/binary-"$arch"/Packages 2>/dev/null
		{
			printf '%s\n' 'Origin: Debian' 'Label: Debian' 'Suite: stable' 'Codename: trixie' \
				"Date: $(date -uR)" "Architectures: $arch" 'Components: main' 'SHA256:'
			(cd $dists && for f in main/*/*; do
				printf ' %s %s %s\n' "$(sha256sum <"$f" | cut -d' ' -f1)" "$(stat -c %s "$f")" "$f"
			done)
		} >$dists/Release
		gpg --batch --quiet --passphrase '' --quick-generate-key mirror@example.invalid ed25519 sign never
		gpg --batch --quiet --clearsign -o $dists/InRelease $dists/Release
		gpg --batch --quiet --export -o keyring.gpg
	)
	KILN_DEBIAN_KEYRING=$(cd "$1" && pwd)/keyring.gpg
	export KILN_DEBIAN_KEYRING
}

# The packages of the image as a mirror in $work/mirror.
mirror_of_packages() {
	mkdir -p "$work/mirror/pool"
	jq -r '.images[0].lock | (.packages + .files)[] | .sha256' built.json | while read -r hash; do
		find store/blobs -type f -name "*${hash:2}" -exec cp {} "$work/mirror/pool/$hash.deb" \;
	done
	sign_mirror "$work/mirror"
}

@test "an image says what it is made of, and names no mirror" {
	[ "$(jq '.images[0].lock.packages | length' built.json)" -gt 40 ]
	jq -e '.images[0].lock.packages | map(.name) | index("make") and index("dpkg")' built.json
	[ "$(jq -r '.images[0].lock.files[0].to' built.json)" = opt/hello ]
	root=$(jq -r '.images[0].root' built.json)
	[ -x "$root/usr/bin/make" ]
	[ -x "$root/opt/hello" ]
	[ ! -e "$root/usr/share/man/man1/make.1.gz" ]
	[ -e "$root/usr/share/doc/make/copyright" ]
	[ "$(cat "$root/etc/hostname")" = builder ]
	[ ! -s "$root/etc/resolv.conf" ]
	[ -z "$(find "$root" -perm /7022 ! -type l)" ]
	[ -z "$(find "$root/dev" "$root/var/log" "$root/var/cache/apt" "$root/var/lib/apt/lists" -type f)" ]
	[ "$(find "$root" -printf '%u\n' | sort -u | wc -l)" -eq 1 ]
	run grep -rlE 'kiln-image|mmdebstrap' "$root/etc" "$root/var"
	[ -z "$output" ]
	run grep -E '://' built.json "$root/etc/apt" -r
	[ -z "$output" ]
}

@test "an image that is there is answered at once, without network" {
	cp -a store "$work/store"
	run --separate-stderr in_project image build small --offline --mirror http://127.0.0.1:9
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"*"unpinned, resolved "* ]]
	[ -z "$stderr" ]
	run in_project image ls
	[[ $output == "small"*"$arch"*"sha256:$tree" ]]
}

@test "a stage may run in another image than its target's, which is made and pinned too" {
	cp -a store "$work/store"
	mkdir -p "$work/two/.kiln/containers"
	cp project/.kiln/containers/small.yaml "$work/two/.kiln/containers/"
	sed '/^files:/,$d' project/.kiln/containers/small.yaml >"$work/two/.kiln/containers/bare.yaml"
	cat >"$work/two/kiln.lua" <<-'LUA'
		kiln.recipe { name = "two", version = "1.0", license = "MIT", date = 1700000000 }
		local triple = "x86_64-unknown-linux-gnu"
		kiln.target { triple = triple, toolchain = "llvm-19", image = "small",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		for name, image in pairs { own = "small", other = "bare" } do
		  stage.run { address = triple .. "/plain/" .. name, image = image ~= "small" and image or nil,
		    argv = { "sh", "-c", "ls /opt >o" }, outputs = { "o" } }
		end
	LUA
	cd "$work/two"
	"$KILN" --store "$work/store" build '*/plain/*' >made 2>log || { cat log; false; }
	"$KILN" --store "$work/store" get '*/own' own 2>/dev/null
	"$KILN" --store "$work/store" get '*/other' other 2>/dev/null
	[ "$(cat own/o)" = hello ]
	[ ! -s other/o ]
	"$KILN" --store "$work/store" lock 2>log || { cat log; false; }
	[ "$(jq -r '.images | keys | join(" ")' kiln.lock)" = "bare small" ]
}

@test "resolved anew to the same packages, it is the image that is there" {
	cp -a store "$work/store"
	run in_project image build small --update
	[ "$status" -eq 0 ]
	[[ $output == *"reading the index"*"sha256:$tree"* ]]
	[[ $output != *"installing"* ]]
}

@test "the packages in the store give the same tree again without network" {
	lock .
	packages_only
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"*"pinned by kiln.lock"* ]]
}

@test "one lock through two mirrors gives one tree" {
	lock .
	mirror_of_packages
	run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"* ]]
}

@test "a version that has left the mirror is named, with the ways on" {
	lock .
	mirror_of_packages
	gone=$(jq -r '.images[0].lock.packages[] | select(.name == "make") | .sha256' built.json)
	rm "$work/mirror/pool/$gone.deb"
	sign_mirror "$work/mirror"
	run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 3 ]
	[[ $output == *"no longer has make $(jq -r '.images[0].lock.packages[] |
		select(.name == "make") | .version' built.json) ($arch)"* ]]
	[[ $output == *"kiln image import"*"KILN_DEBIAN_SNAPSHOT"*"kiln lock"* ]]
	[ -z "$(find "$work/store/images" "$work/store/tmp" -mindepth 1)" ]
}

@test "a mirror signed by another key is not believed" {
	lock .
	mirror_of_packages
	unset KILN_DEBIAN_KEYRING
	run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 5 ]
	[[ $output == *"signature"*"KILN_DEBIAN_KEYRING"* ]]
}

@test "another tree than the pinned one is refused" {
	lock '.tree = "sha256:1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"'
	packages_only
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 3 ]
	[[ $output == *"pins the tree sha256:1f2d11cd"*"gave sha256:$tree"* ]]
}

@test "a lock of another container is refused" {
	lock '.container = "sha256:1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e"'
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 3 ]
	[[ $output == *"images.small.$arch"*"another definition"*"kiln lock"* ]]
}

@test "a dead network ends with 7 and says what to do" {
	lock .
	run in_project image build small --lock "$work/kiln.lock" --mirror http://127.0.0.1:9/debian
	[ "$status" -eq 7 ]
	[[ $output == *"127.0.0.1"*"--offline"* ]]
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 7 ]
	[[ $output == *"--offline forbids"* ]]
}

@test "a machine without mmdebstrap is told what to type" {
	lock .
	mkdir "$work/bin"
	for tool in apt-get apt-config; do ln -s "$(command -v $tool)" "$work/bin/"; done
	run env PATH="$work/bin" "$KILN" -C project --store "$work/store" image build small \
		--lock "$work/kiln.lock"
	[ "$status" -eq 5 ]
	[[ $output == *"mmdebstrap"*"apt-get install mmdebstrap"* ]]
}

@test "an exported image is there again where nothing is" {
	run "$KILN" --store "$work/store" image export "$work/none.tar"
	[ "$status" -eq 3 ]
	[[ $output == *"the store has no image"* ]]
	"$KILN" --store store image export "$work/image.tar" small
	run "$KILN" --store "$work/store" image import "$work/image.tar"
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree" ]]
	lock .
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 0 ]
}

@test "an image exported with its tree needs no mmdebstrap" {
	"$KILN" --store store image export --tree "$work/image.tar" "${tree:0:12}"
	mkdir "$work/bin"
	run env PATH="$work/bin" "$KILN" --store "$work/store" image import "$work/image.tar"
	[ "$status" -eq 0 ]
	[[ $output == "sha256:$tree" ]]
	head -c $(($(stat -c %s "$work/image.tar") / 2)) "$work/image.tar" >"$work/half.tar"
	run "$KILN" --store "$work/other" image import "$work/half.tar"
	[ "$status" -eq 3 ]
	[ -z "$(ls "$work/other/images")" ]
}

@test "what is asked for anew is made, not taken from an imported tree" {
	"$KILN" --store store image export --tree "$work/image.tar" "${tree:0:12}"
	[ "$(ls "$work")" = image.tar ]
	"$KILN" --store "$work/store" image import "$work/image.tar"
	run in_project image build small --update
	[ "$status" -eq 0 ]
	[[ $output == *"installing"* && $output == *"sha256:$tree"* ]]
}

@test "two at once make an image once" {
	lock .
	packages_only
	in_project image build small --lock "$work/kiln.lock" --offline >"$work/one" 2>&1 &
	one=$!
	in_project image build small --lock "$work/kiln.lock" --offline >"$work/two" 2>&1
	wait $one
	grep -q "sha256:$tree" "$work/one"
	grep -q "sha256:$tree" "$work/two"
	[ "$(cat "$work/one" "$work/two" | grep -c "installing.*: done")" -eq 1 ]
	grep -q 'waiting for another' "$work/one" "$work/two"
}

@test "killed in the middle: no process, no mount; the next run succeeds" {
	lock .
	packages_only
	(cd project && exec "$KILN" --store "$work/store" image build small --lock "$work/kiln.lock" \
		--offline >/dev/null 2>&1) &
	victim=$!
	for _ in $(seq 100); do
		pgrep -f "mmdebstrap.*$work|dpkg.*$work" >/dev/null && break
		sleep 0.1
	done
	sleep 2
	kill -9 $victim
	wait $victim || true
	sleep 1
	if [ "$(id -u)" -eq 0 ]; then
		run pgrep -f "mmdebstrap.*$work|dpkg.*$work"
		[ -z "$output" ]
	fi
	run grep "$work" /proc/mounts
	[ -z "$output" ]
	[ -z "$(find "$work/store/images" -name complete)" ]
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 0 ]
	[ "$(ls -A "$work/store/images")" = "$tree" ]
}

# Becomes a command of a user made up for it in a mount namespace: the machine's users stay as they are.
as_user() {
	# shellcheck disable=SC2016 # the inner shell expands it
	exec unshare --mount bash -c '
		set -eu
		home=$1
		shift
		for file in passwd subuid subgid; do mount --bind "$home/etc/$file" "/etc/$file"; done
		exec setpriv --reuid 59999 --regid 59999 --clear-groups env HOME="$home" \
			TMPDIR="$home/tmp" "$@"' as_user "$home" "$@"
}

@test "root and anybody else make the same tree; a kill leaves nothing of theirs" {
	[ "$(id -u)" -eq 0 ] || skip "only root can be two users: run this test as root too"
	home=$(mktemp -d /var/tmp/kiln-test.XXXXXX)
	mkdir -p "$home/store" "$home/tmp" "$home/etc"
	cp /etc/passwd "$home/etc/passwd"
	echo "kiln-test:x:59999:59999::$home:/bin/sh" >>"$home/etc/passwd"
	echo "kiln-test:400000:65536" | tee "$home/etc/subuid" >"$home/etc/subgid"
	cp -r store/blobs store/VERSION "$home/store/"
	cp -r project "$home/project"
	lock .
	cp "$work/kiln.lock" "$home/project/"
	cp "$KILN" "$KILN-main" "$home/"
	chmod 755 "$home"
	chown -R 59999:59999 "$home/store" "$home/project" "$home/tmp"
	if ! (as_user unshare --user true) 2>"$work/why"; then
		rm -rf "$home"
		skip "no user namespaces for users here: $(tail -1 "$work/why")"
	fi
	build=("$home/kiln" -C "$home/project" --store "$home/store" image build small --offline)
	# Killed in the middle: what it started is killed, what it made is removed, by its guard.
	as_user "${build[@]}" >/dev/null 2>&1 &
	victim=$!
	for _ in $(seq 100); do
		pgrep -f "mmdebstrap.*$home/tmp" >/dev/null && break
		sleep 0.1
	done
	sleep 3
	kill -9 $victim
	wait $victim || true
	for _ in $(seq 100); do
		[ -n "$(find "$home/tmp" -mindepth 1)" ] || break
		sleep 0.1
	done
	left=$(find "$home/tmp" -mindepth 1; pgrep -f "mmdebstrap.*$home/tmp") || true
	run as_user "${build[@]}"
	owners=$(find "$home/store/images" -printf '%U\n' | sort -u)
	rm -rf "$home"
	[ -z "$left" ]
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"* ]]
	[ "$owners" = 59999 ]
}

@test "a container at a snapshot time is made from the snapshot archive" {
	mirror_of_packages
	mkdir -p "$work/archive/debian" "$work/project/.kiln/containers"
	mv "$work/mirror" "$work/archive/debian/20260101T000000Z"
	export KILN_DEBIAN_KEYRING=$work/archive/debian/20260101T000000Z/keyring.gpg
	sed 's/^suite:.*/&\nsnapshot: 20260101T000000Z/' project/.kiln/containers/small.yaml \
		>"$work/project/.kiln/containers/small.yaml"
	packages_only
	run "$KILN" -C "$work/project" --store "$work/store" image build small
	[ "$status" -eq 5 ]
	[[ $output == *"20260101T000000Z"*"KILN_DEBIAN_SNAPSHOT"* ]]
	KILN_DEBIAN_SNAPSHOT=file://$work/archive run "$KILN" -C "$work/project" \
		--store "$work/store" image build small
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"* ]]
}

@test "what a lock pins comes from a snapshot archive of the time it was resolved at" {
	time=$(jq -r '.images[0].lock.resolved' built.json)
	[[ $time =~ ^20[0-9]{6}T[0-9]{6}Z$ ]]
	mirror_of_packages
	mkdir -p "$work/archive/debian"
	cp -r "$work/mirror" "$work/archive/debian/$time"
	# The mirror has moved on.
	gone=$(jq -r '.images[0].lock.packages[] | select(.name == "make") | .sha256' built.json)
	rm "$work/mirror/pool/$gone.deb"
	sign_mirror "$work/mirror"
	cp "$work/archive/debian/$time/keyring.gpg" "$work/both.gpg"
	cat "$work/mirror/keyring.gpg" >>"$work/both.gpg"
	export KILN_DEBIAN_KEYRING=$work/both.gpg
	lock .
	run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 3 ]
	[[ $output == *"KILN_DEBIAN_SNAPSHOT=URL"* ]]
	KILN_DEBIAN_SNAPSHOT=file://$work/archive run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 0 ]
	[[ $output == *"sha256:$tree"*"pinned by kiln.lock"* ]]
	# A lock that does not say the time has no such way; a time that is none is no part of an address.
	lock 'del(.resolved)'
	rm -rf "$work/store"
	KILN_DEBIAN_SNAPSHOT=file://$work/archive run in_project image build small --lock "$work/kiln.lock" --mirror "file://$work/mirror"
	[ "$status" -eq 3 ]
	lock '.resolved = "20260101T000000Z/../.."'
	run in_project image build small --lock "$work/kiln.lock" --offline
	[ "$status" -eq 3 ]
	[[ $output == *"is no time like"* ]]
}

# ---- sources ----------------------------------------------------------------------------------

fetch() {
	"$KILN_BUILD/tests/tools/source_fetch" "$work/store" "$@"
}

lua='"kind": "debian", "where": "x.lua:3", "name": "lua5.4"'

@test "a Debian source: unpinned, pinned, kept; with and without patches" {
	run --separate-stderr fetch "{$lua}" . "$work/plain"
	[ "$status" -eq 0 ]
	dsc=$(jq -r .digest <<<"$output")
	jq -e '.version and (.date > 1000000000) and .resolved_on' <<<"$output"
	jq -e '.uri | test("^pkg:deb/debian/lua5.4@.*\\?arch=source$")' <<<"$output"
	[ -e "$work/plain/src/lua.c" ]
	[ ! -e "$work/plain/debian" ]
	[ "$(jq -r .date <<<"$output")" -gt 1000000000 ]
	run --separate-stderr fetch "{$lua, \"dsc\": \"$dsc\", \"patches\": true}" . "$work/patched"
	[ "$status" -eq 0 ]
	[ -e "$work/patched/debian/control" ]
	[ ! -e "$work/patched/.pc" ]
	run ! grep -q resolved_on <<<"$output"
	OFFLINE=1 run --separate-stderr fetch "{$lua, \"dsc\": \"$dsc\", \"patches\": true}" .
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
}

@test "a Debian source with another digest, an unknown version, no network" {
	other=1f2d11cd9b09419e86cf069571728802a068bb94d1947f3328ed430ab9b7540e
	run fetch "{$lua, \"dsc\": \"$other\"}" .
	[ "$status" -eq 3 ]
	[[ $output == *"x.lua:3"*"pinned dsc sha256:$other, got sha256:"* ]]
	run fetch "{$lua, \"version\": \"0.0-0\"}" .
	[ "$status" -eq 3 ]
	[[ $output == *"no source package lua5.4 0.0-0"* ]]
	MIRROR=http://127.0.0.1:9/debian run fetch "{$lua}" .
	[ "$status" -eq 7 ]
	OFFLINE=1 run fetch "{$lua}" .
	[ "$status" -eq 7 ]
	[ -z "$(find "$work/store/tmp" -mindepth 1)" ]
}
