# Which sandbox runtime is used, with programs in podman's and bubblewrap's place: podman opens a user
# namespace, and bubblewrap refuses outside of one, as where AppArmor forbids it.
bats_require_minimum_version 1.5.0

setup() {
	export NO_COLOR=1
	# Not below /tmp: a sandbox has its own.
	lab=$(mktemp -d /var/tmp/kiln-runtime.XXXXXX)
	chmod 755 "$lab"
	mkdir "$lab/bin" "$lab/home"
	cp "$KILN" "$KILN-main" "$lab/"
	for tool in sh env unshare readlink true; do
		ln -s "$(type -P $tool)" "$lab/bin/"
	done
	cp -r "$BATS_TEST_DIRNAME/../../recipes/hello/." "$lab/project"
	[ "$(id -u)" -ne 0 ] || chown -R 65534:65534 "$lab"
	unshare -r true || skip "no user namespace can be made here"
	plain=()
	[ "$(id -u)" -ne 0 ] || plain=("$(type -P setpriv)" --reuid 65534 --regid 65534 --clear-groups)
	real=$(type -P bwrap) || skip "bwrap is missing: install the Debian package bubblewrap"
}

teardown() { rm -r "$lab"; }

program() { # program NAME LINE...
	local name=$1
	shift
	printf '%s\n' '#!/bin/sh' "$@" >"$lab/bin/$name"
	chmod 755 "$lab/bin/$name"
}

podman_opens() { program podman 'shift; exec unshare -r "$@"'; }

bwrap_is_refused() {
	program bwrap "[ \"\$(readlink /proc/self/ns/user)\" != '$(readlink /proc/self/ns/user)' ] && exec $real \"\$@\"" \
		'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1'
}

kiln() {
	"${plain[@]}" env -i PATH="$lab/bin" HOME="$lab/home" NO_COLOR=1 "$lab/kiln" --store "$lab/home/store" "$@"
}

@test "doctor: bubblewrap works and is used, podman too, or is not there" {
	ln -s "$real" "$lab/bin/bwrap"
	run kiln doctor
	echo "$output" | head -n 3
	[[ $output == *"ok    sandbox            bwrap works and is used; podman does not work (podman is not installed)"* ]]
	podman_opens
	run kiln doctor
	echo "$output" | head -n 3
	[[ $output == *"ok    sandbox            bwrap works and is used; podman works too"* ]]
	[ -z "$(ls -A "$lab/home")" ]
}

@test "doctor: where bubblewrap is refused podman lets it in: a note" {
	podman_opens
	bwrap_is_refused
	run kiln doctor
	echo "$output" | head -n 3
	[[ $output == *"note  sandbox            bwrap does not work (bubblewrap cannot make a sandbox here: bwrap: setting up uid map: Permission denied); podman works and is used"* ]]
	run --separate-stderr kiln doctor --json
	jq -e '.needs[] | select(.need == "sandbox") | .state == "note" and .do == null' <<<"$output"
}

@test "doctor: where none works each says why, and the first how to mend it" {
	bwrap_is_refused
	run kiln doctor
	echo "$output" | head -n 3
	[ "$status" -eq 5 ]
	[[ $output == *"lack  sandbox            bubblewrap cannot make a sandbox here: bwrap: setting up uid map: Permission denied; podman is not installed"*"→ "* ]]
	program podman 'echo "Error: cannot clone: Operation not permitted" >&2; exit 125'
	run kiln doctor
	echo "$output" | head -n 3
	[[ $output == *"lack  sandbox "*"; podman opens no user namespace here (status 125): Error: cannot clone: Operation not permitted"* ]]
	rm "$lab/bin/bwrap"
	run kiln doctor
	echo "$output" | head -n 3
	[[ $output == *"lack  sandbox "*"bubblewrap, which keeps builds apart from this machine, is not installed; podman only lets bubblewrap in, which is not installed"*"→ sudo apt-get install bubblewrap"* ]]
}

@test "build: podman is taken with a note where bubblewrap is refused, and none is an error before anything is fetched" {
	podman_opens
	bwrap_is_refused
	run kiln -C "$lab/project" build --offline
	echo "$output"
	[[ $output == *"runtime podman: the one before it does not work here (bubblewrap cannot make a sandbox here: bwrap: setting up uid map: Permission denied)"* ]]
	[[ $output == *"mmdebstrap is not on this machine"* ]] # the next thing that is looked for
	rm "$lab/bin/podman"
	run kiln -C "$lab/project" build --offline
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *"Permission denied; podman is not installed"* && $output != *mmdebstrap* ]]
}

@test "build: a runtime that is named is used or refused, and no other is tried" {
	podman_opens
	bwrap_is_refused
	run kiln -C "$lab/project" build --offline --runtime podman
	echo "$output"
	[[ $output == *"mmdebstrap is not on this machine"* && $output != *"runtime podman:"* ]]
	run kiln -C "$lab/project" build --offline --runtime bwrap
	echo "$output"
	[ "$status" -eq 5 ]
	[[ $output == *"bubblewrap cannot make a sandbox here"* && $output != *podman* ]]
}

@test "what the machine's own tools build goes into no lock" {
	for words in "build --update-lock" "release --update-lock" lock; do
		# shellcheck disable=SC2086 # words
		run kiln -C "$lab/project" $words --offline --runtime host
		[ "$status" -eq 2 ]
		[[ $output == *"what the host runtime builds is not pinned and cannot be locked; lock without --runtime"* ]]
	done
}
