# The podman runtime with the real podman, which is for plain users: the contract of runtimes, all ends
# of stages, whole releases, byte for byte as by bubblewrap alone; and nothing left of podman itself.
# shellcheck disable=SC2154 # x86 and top come from the helper
load helper

cannot() { # says why, when these tests cannot be run
	command -v podman >/dev/null || { echo "podman is missing: install the Debian package podman" && return; }
	[ "$(id -u)" -eq 0 ] || { echo "needs root to become a plain user" && return; }
	return 1
}

setup_file() {
	! cannot >/dev/null || return 0
	# Its own, so that whatever runs as it was started here.
	id kilnpodman >/dev/null 2>&1 || useradd --system --user-group --home-dir /nonexistent --shell /bin/false kilnpodman
	grep -q '^kilnpodman:' /etc/subuid || echo 'kilnpodman:4100000:65536' >>/etc/subuid
	grep -q '^kilnpodman:' /etc/subgid || echo 'kilnpodman:4100000:65536' >>/etc/subgid
	home=$(mktemp -d /var/tmp/kiln-podman-e2e.XXXXXX)
	export home
	mkdir "$home/bin" "$home/tmp" "$home/unit"
	cp "$KILN" "$KILN-main" "$home/bin/"
	cp "$KILN_BUILD"/tests/unit/{sandbox,exec}/test_* "$home/unit"
	BATS_TEST_TMPDIR=$home e2e_setup
	cd "$home"
	hello
	"$KILN" -C hello image build trixie >&2
	"$KILN" image export --tree "$home/image.tar" trixie >&2
	chown -R kilnpodman: "$home"
	user kiln --store "$home/store" image import "$home/image.tar" >&2
	rm "$home/image.tar"
}

teardown_file() { [ -z "${home:-}" ] || rm -r "$home"; }

setup() {
	! why=$(cannot) || skip "$why"
	e2e_setup
}

user() { # as the plain user
	setpriv --reuid=kilnpodman --regid=kilnpodman --clear-groups env -i -C "$home" HOME="$home" NO_COLOR=1 TMPDIR="$home/tmp" \
		PATH="${first:+$first:}$home/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@"
}

new_store() { # new_store NAME: with the image and nothing else
	mkdir -p "$home/$1/blobs"
	ln -s ../store/images "$home/$1/images"
	chmod 700 "$home/$1"
	chown -hR kilnpodman: "$home/$1"
}

# Neither a process nor a file, in the user's folder or in those that podman has by default.
nothing_is_left() {
	for _ in $(seq 10); do
		running=$(ps -o stat=,args= -U kilnpodman | grep -v '^Z' || true)
		[ -n "$running" ] || break
		sleep 0.1
	done
	echo "$running" | cut -c 1-200
	[ -z "$running" ]
	[ -z "$(ls -A "$home/tmp")" ]
	[ ! -e "$home/.local/share/containers" ] && [ ! -e "$home/.config/cni" ]
	[ ! -e "/tmp/podman-run-$(id -u kilnpodman)" ] && [ ! -e "/tmp/containers-user-$(id -u kilnpodman)" ]
}

# bubblewrap as AppArmor lets it: in no namespace but one that another program opened.
refuse_bwrap() {
	first=$home/refusing
	mkdir -p "$first"
	printf '%s\n' '#!/bin/sh' \
		"[ \"\$(readlink /proc/self/ns/user)\" != '$(readlink /proc/self/ns/user)' ] && exec $(type -P bwrap) \"\$@\"" \
		'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1' >"$first/bwrap"
	chmod -R a+rx "$first"
}

same_artefacts() { # same_artefacts A B
	jq -r '.files[] | select(.class == "artefact") | .file' "$1/hello-1.0/manifest.json" >artefacts
	[ "$(wc -l <artefacts)" -ge 13 ]
	while read -r file; do cmp "$1/hello-1.0/$file" "$2/hello-1.0/$file"; done <artefacts
}

# The release that bubblewrap makes, from nothing, once.
by_bwrap() {
	[ ! -e "$home/dist-bwrap" ] || return 0
	new_store by-bwrap
	user kiln --store "$home/by-bwrap" -C "$home/hello" release --unsigned --progress plain --runtime bwrap -o "$home/dist-bwrap" 2>log
	refute grep -q 'nothing to do' log
}

@test "the contract of runtimes, by podman too" {
	run user unit/test_runtimes
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"OK ] podman: no_privilege_is_left"* && $output != *"does_not_work_here"* ]]
	user unit/test_explain
	user unit/test_userns
	nothing_is_left
}

@test "stages run, end, are limited and killed by podman as by bubblewrap" {
	for test in ends executors local builtins network; do
		run user KILN_TEST_RUNTIME=podman "unit/test_$test"
		echo "$output"
		[ "$status" -eq 0 ]
		[[ $output != *SKIPPED* ]]
	done
	nothing_is_left
}

@test "a release by bubblewrap and one by podman, each from nothing: same artefact bytes, and each takes the other's results" {
	by_bwrap
	new_store by-podman
	user kiln --store "$home/by-podman" -C "$home/hello" release --unsigned --progress plain --runtime podman -o "$home/dist-podman" 2>log
	refute grep -q 'nothing to do' log
	same_artefacts "$home/dist-bwrap" "$home/dist-podman"
	for pair in bwrap:podman podman:bwrap; do
		user kiln --store "$home/by-${pair#*:}" -C "$home/hello" release --unsigned --progress plain --runtime "${pair%:*}" -o "$home/dist-${pair#*:}" 2>log
		grep -q 'nothing to do: all .* stages are cached' log
	done
	nothing_is_left
}

@test "where bubblewrap is refused a release is made by podman, which is said" {
	refuse_bwrap
	run user kiln doctor
	[[ $output == *"note  sandbox            bwrap does not work ("*"Permission denied); podman works and is used"* ]]
	new_store refused
	run --separate-stderr user kiln --store "$home/refused" -C "$home/hello" release --unsigned --progress plain -o "$home/dist-refused"
	echo "$stderr"
	[ "$status" -eq 0 ]
	[[ $stderr == *"runtime podman: the one before it does not work here (bubblewrap cannot make a sandbox here: bwrap: setting up uid map: Permission denied)"* ]]
	[[ $stderr != *"nothing to do"* ]]
	run --separate-stderr user kiln --store "$home/refused" -C "$home/hello" release --unsigned --runtime bwrap -o "$home/dist-refused"
	[ "$status" -eq 5 ]
	nothing_is_left
}

@test "a shell in a stage, by podman: the namespace is podman's" {
	new_store shell
	stage=$x86/pgo+lto/rebuild
	# What is first in the map is an id of podman's namespace: its root.
	run --separate-stderr user sh -c "echo 'cat /proc/self/uid_map; id -u; pwd' | kiln --store $home/shell -C $home/hello shell --runtime podman $stage 2>&1 | cat"
	echo "$output"
	[[ $output =~ 1000\ +0\ +1 ]]
	[[ $output == *$'\n1000\n/build'* ]]
	nothing_is_left
}

@test "SIGKILL of kiln at work by podman: nothing of it runs a second later" {
	by_bwrap
	new_store killed
	user kiln --store "$home/killed" -C "$home/hello" release --unsigned --runtime podman -o "$home/dist-killed" >/dev/null 2>&1 3>&- &
	job=$!
	for _ in $(seq 1000); do
		pgrep -f -U kilnpodman '^bwrap --args' >/dev/null && break
		sleep 0.02
	done
	pgrep -f -U kilnpodman '^bwrap --args'
	# The oldest of that name: the server has it too.
	kill -9 "$(pgrep -o -U kilnpodman -f "kiln.* --store $home/killed")"
	wait "$job" || true
	[ ! -e "$home/dist-killed" ]
	nothing_is_left
	user kiln --store "$home/killed" -C "$home/hello" release --unsigned --runtime podman -o "$home/dist-killed"
	same_artefacts "$home/dist-bwrap" "$home/dist-killed"
	nothing_is_left
}
