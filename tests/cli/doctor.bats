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
	[ "$(grep -cE '^(ok|note|lack) ' <<<"$output")" -eq 17 ]
	for need in architecture sandbox mmdebstrap "Debian's keyring" "Debian mirror" git store disk checkout "memory limit" "process limit" "disk limit" "output limit" "time limit" profiler "signing key"; do
		[[ $output == *" $need "* ]]
	done
	run --separate-stderr "$KILN" doctor --json
	jq -e '.schema == "kiln.doctor/1" and (.needs | length == 17) and all(.needs[]; .text != "")' <<<"$output"
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
	[[ $output == *"lack  mmdebstrap "*"mmdebstrap is not on this machine: an image cannot be built"*"apt-get install mmdebstrap"* ]]
	[[ $output == *"lack  Debian's keyring "*"/nowhere/keyring.gpg"* ]]
	[[ $output == *"note  git "*"apt-get install git"* ]]
	[[ $output == *"this machine lacks 3 of what Kiln needs"* ]]
	run --separate-stderr env PATH="$PWD/bin" "$KILN" doctor --json
	[ "$status" -eq 5 ]
	jq -e '[.needs[] | select(.state == "lack") | .do] | any(contains("bubblewrap"))' <<<"$output"
}

@test "a plain user without what builds an image needs: each its sentence" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become another user"
	readable=$(mktemp -d)
	chmod 755 "$readable"
	cp "$KILN" "$KILN-main" "$readable/"
	mkdir "$readable/bin"
	ln -s "$(type -P true)" "$readable/bin/mmdebstrap"
	nobody=("$(command -v setpriv)" --reuid 65534 --regid 65534 --clear-groups)
	run "${nobody[@]}" env -i HOME=/nonexistent PATH="$readable/bin" "$readable/kiln" --store /nonexistent/store doctor
	[[ $output == *"newuidmap is not on this machine: an image cannot be built without being root"*"→ sudo apt-get install uidmap"* ]]
	[[ $output == *"bubblewrap, which keeps builds apart from this machine, is not installed"*"→ sudo apt-get install bubblewrap"* ]]
	ln -s "$(type -P true)" "$readable/bin/newuidmap"
	run "${nobody[@]}" env -i HOME=/nonexistent PATH="$readable/bin" "$readable/kiln" --store /nonexistent/store doctor
	[[ $output == *"has no range of "*" subordinate ids in /etc/subuid and /etc/subgid: an image cannot be built without being root"*"usermod --add-subuids"* ]]
	rm -r "$readable"
}

@test "a folder for images that apt cannot read" {
	[ "$(id -u)" -eq 0 ] && where=(--store "$PWD/a b/store") || where=()
	TMPDIR="$PWD/a b" run "$KILN" "${where[@]}" doctor
	[ "$status" -eq 5 ]
	[[ $output == *"lack  mmdebstrap "*"apt cannot read packages below "*"/a b"*"the path has a blank or a sign that means something to apt"* ]]
}

@test "a machine that Debian has no name for" {
	run setarch linux32 "$KILN" doctor
	[ "$status" -eq 5 ]
	[[ $output == *"lack  architecture "*"this machine's architecture is not one of Debian's"* ]]
}

@test "a store that others may write, one among other files, one that is a file" {
	mkdir -m 777 open others
	touch others/letter file
	chmod 700 others
	for store in open others file; do
		run "$KILN" --store "$PWD/$store" doctor
		[ "$status" -eq 5 ]
		echo "$output" >>said
	done
	grep -q 'lack  store .*others can write to the store' said
	grep -q 'lack  store .*is not a store of Kiln: it holds "letter"' said
	grep -q 'lack  store .*/file is no folder' said
	[ ! -e open/VERSION ]
}

@test "a disk that is far too small" {
	unshare -rm true || skip "no mount namespace can be made here"
	mkdir small
	run unshare -rm sh -c 'mount -t tmpfs -o size=3m,mode=700 none small && "$KILN" --store "$PWD/small" doctor'
	[[ $output == *"lack  disk "*"/small: 0.0 GB free, and an image with its builds takes about "*"→ make room, or keep the store elsewhere"* ]]
}

@test "root of a namespace with one user cannot build images" {
	unshare -r true || skip "no user namespace can be made here"
	run unshare -r "$KILN" doctor
	[[ $output == *"lack  mmdebstrap "*"this is root of a user namespace with 1 user, and Debian's packages have files of more"*"→ run Kiln outside of it"* ]]
}

@test "git is needed where there is a repository" {
	mkdir -p bin repo/sub
	git init -q repo
	cd repo/sub
	PATH=$BATS_TEST_TMPDIR/bin run "$KILN" doctor
	[[ $output == *"lack  git "*"not on this machine, and this is a git repository"*"→ sudo apt-get install git"* ]]
}

@test "an apt that names no mirror" {
	unshare -rm true || skip "no mount namespace can be made here"
	run unshare -rm sh -c 'mount -t tmpfs none /etc/apt && "$KILN" doctor'
	[[ $output == *"lack  Debian mirror"*"apt of this machine names no Debian mirror"*"KILN_DEBIAN_MIRROR=URL"* ]]
}

@test "each limit of a stage is enforced, and by what, or watched" {
	run "$KILN" doctor
	for limit in memory process; do
		grep -E "^ok +$limit limit +enforced by cgroup v[12]; a stage may have |^note +$limit limit +watched by the runner, ten times a second; a stage may have .* Enforced in a group of Kiln's own: systemd-run" <<<"$output"
	done
	[[ $output == *" 4096 with their threads where its recipe says nothing"* ]]
	[[ $output == *"ok    disk limit         watched by the runner: a stage leaves "*" of the store's file system; /tmp and /dev/shm "*": 1 GiB each"* ]]
	[[ $output == *"ok    output limit       enforced by the runner, through which all of it goes: 1 GiB of standard output, 64 MiB of standard error"* ]]
	[[ $output == *"ok    time limit         enforced by the runner"* ]]
	unshare -rm true || skip "no user namespace can be made here"
	run unshare -rm sh -c 'mount -t tmpfs none /sys/fs/cgroup && "$KILN" doctor'
	[ "$(grep -cE '^note  (memory|process) limit +watched by the runner' <<<"$output")" -eq 2 ]
}

@test "a mirror that is no address" {
	KILN_DEBIAN_MIRROR=foo run "$KILN" doctor
	[ "$status" -eq 5 ]
	[[ $output == *'lack  Debian mirror '*'KILN_DEBIAN_MIRROR is "foo", which is no address'* ]]
}

@test "a mirror that is named, a store that is named" {
	KILN_DEBIAN_MIRROR=http://mirror.example/debian run "$KILN" --store "$PWD/elsewhere/store" doctor
	[[ $output == *"ok    Debian mirror      the one KILN_DEBIAN_MIRROR names"* ]]
	[[ $output == *" disk "*"$PWD/elsewhere/store: "*" GB free"* ]]
}

@test "disk: what the recipe here takes, by its images and variants; a wrong recipe is no matter of this" {
	cat >kiln.lua <<-'LUA'
	return release {
	  api = 1, name = "own", version = "1.0", license = "MIT", date = 0, source = folder "src",
	  build = make.build { bins = { "own" } },
	  targets = { "x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu" },
	  work = folder "src", holdout = { run { bin "own" } },
	  optimize = fdo { lto = "thin", ship = "lto" }, packages = { archive { "tar.gz" } },
	}
	LUA
	mkdir src
	run "$KILN" doctor
	[[ $output == *"the recipe here takes about 1.5 GB (1 image to make, 4 variants of its targets)"* ]]
	[ ! -e store ]
	echo 'return {' >kiln.lua
	run "$KILN" doctor
	[[ $output == *"GB free"* && $output != *"the recipe here"* && $output != *"kiln.lua"* ]]
}
