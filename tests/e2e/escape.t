#!/bin/bash
# usage: KILN=build/kiln KILN_BUILD=build tests/e2e/escape.t [CASE-GLOB] [IDENTITY]
# Prints TAP. Each case is an attempt to get out of a stage, or to take the machine from inside one, by a
# program in a small image: it must be refused or ended, and Kiln must say so. All cases are run as root,
# as a plain user, and as root of a user namespace; an identity that cannot be had here is skipped.
# shellcheck disable=SC2317 # cases and identities are called by their names
set -uo pipefail
: "${KILN:?the program}" "${KILN_BUILD:?the build folder}"
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
case $KILN in /*) ;; *) KILN=$PWD/$KILN ;; esac
case $KILN_BUILD in /*) ;; *) KILN_BUILD=$PWD/$KILN_BUILD ;; esac
work=$(mktemp -d /var/tmp/kiln-escape.XXXXXX) || exit 1
chmod 755 "$work"
unset CI
plain=61234 # a user that no machine has
mark=kiln-mark-$(date +%N)$$
half=${mark:0:8} other=${mark:8}
triple=x86_64-unknown-linux-gnu
tree=$(printf %s "$mark" | sha256sum | cut -c1-64)

# ---- what they look for, outside ---------------------------------------------------------------

mkfifo "$work/hold"
"$KILN_BUILD/tests/inside/listener" "$mark" "$work/socket" <"$work/hold" >"$work/ports" &
exec 7>"$work/hold"
end() {
	exec 7>&-
	rm -rf "$work" "/tmp/$mark"
}
trap end EXIT
echo "$mark" >"/tmp/$mark"
for _ in $(seq 50); do [ ! -s "$work/ports" ] || break; sleep 0.1; done
read -r tcp4 tcp6 udp <"$work/ports"
address=$(hostname -I 2>/dev/null | tr ' ' '\n' | grep -m1 -F .)

# ---- the image ----------------------------------------------------------------------------------

mkdir "$work/bin"
cp "$KILN" "${KILN}-main" "$work/bin/"
cp "$KILN_BUILD"/tests/inside/{escape,hog} "$work/bin/"
"$KILN_BUILD/tests/tools/small_image" "$work/image" "$work/bin/escape" "$work/bin/hog" || exit 1
jq --arg tree "sha256:$tree" '{schema, images: {trixie: {amd64: (.images.trixie.amd64 + {tree: $tree})}}}' "$top/kiln.lock" >"$work/kiln.lock" || exit 1

# ---- whose they are -----------------------------------------------------------------------------

# Runs a command as the identity; a first word "mount" has its store's work on a small disk.
as_root() { env HOME="$home" KILN_STORE="$store" MARK="$mark" NO_COLOR=1 "$@"; }
as_user() {
	if [ "$(id -u)" -eq 0 ]; then
		as_root setpriv --reuid="$plain" --regid="$plain" --clear-groups "$@"
	else
		as_root "$@"
	fi
}
as_namespace() { as_root unshare -Ur "$@"; }

disk() { echo "mount -t tmpfs -o size=300m,mode=700$1 small '$store/work' && shift && exec \"\$@\""; }
disk_root() { as_root unshare -m sh -c "$(disk "")" sh x "$@"; }
disk_user() {
	[ "$(id -u)" -eq 0 ] || return 77
	as_root unshare -m sh -c "$(disk ",uid=$plain,gid=$plain")" sh x setpriv --reuid="$plain" --regid="$plain" --clear-groups "$@"
}
disk_namespace() { as_root unshare -Urm sh -c "$(disk "")" sh x "$@"; }

# Why the identity cannot be had, or nothing.
lacks() {
	case $1 in
	root) [ "$(id -u)" -eq 0 ] || echo "this is not root" ;;
	user) [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null || echo "setpriv is missing (Debian package util-linux)" ;;
	namespace) unshare -Ur true 2>/dev/null || echo "no user namespace can be made here" ;;
	esac
	store=$work home=$work
	"as_$1" "$work/bin/kiln" --store "$work/none" doctor 2>/dev/null | sed -n 's/^lack  sandbox */no sandbox: /p'
}

# Its home with a secret and a key, its project, its store with the image.
prepare() {
	local owner seen # of the image, outside and as Kiln sees it
	owner=$(id -u)
	store=$work/$1/store home=$work/$1/home
	case $1 in
	root) owner=2013265921 ;; # SANDBOX_UID
	user) [ "$owner" -ne 0 ] || owner=$plain ;;
	esac
	[ "$1" = namespace ] && seen=0 || seen=$owner
	mkdir -p "$home" "$work/$1/p/src" "$store/images/$tree" "$store/work"
	echo "$mark" | tee "$home/secret" "$home/release.pem" "$store/images/$tree/secret" >/dev/null
	echo source >"$work/$1/p/src/file"
	cp "$work/kiln.lock" "$work/$1/p/"
	cp -a "$work/image" "$store/images/$tree/root"
	jq --argjson uid "$seen" '{schema: "kiln.image/1", name: "trixie", architecture: "amd64", uid: $uid, lock: .images.trixie.amd64}' \
		"$work/kiln.lock" >"$store/images/$tree/complete"
	chmod 700 "$home" "$store"
	[ "$(id -u)" -ne 0 ] || chown -R "$owner:$owner" "$store/images/$tree/root"
	if [ "$1" = user ] && [ "$(id -u)" -eq 0 ]; then chown -R "$plain:$plain" "$work/$1"; fi
	cd "$work/$1/p" || return 1
}

# ---- what a case is written with ----------------------------------------------------------------

# A recipe of what is declared in Lua; each stage is s.NAME { FIELDS }, what ships is `last`.
recipe() {
	cat >kiln.lua <<-LUA
		kiln.recipe { name = "escape", version = "1", license = "MIT", date = 1700000000 }
		kiln.target { triple = "$triple", toolchain = "llvm-19", image = "trixie", variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local function run(name, options)
		  options.address = "$triple/plain/" .. name
		  options.env = options.env or {}
		  options.env.NONCE = "$RANDOM$RANDOM" -- so that it runs
		  return stage.run(options)
		end
		$1
		kiln.artefact { target = "$triple", variant = "plain", kind = "x", name = "x", media_type = "text/plain", from = last:at "o" }
	LUA
}

fail() {
	ok=0
	printf '# %s\n' "$@"
}

# Builds; what was said is in $work/said, the status in $status.
build() {
	"${2:-as_$identity}" timeout 60 "$work/bin/kiln" build --offline --progress plain ${1:+-j "$1"} >"$work/said" 2>&1 </dev/null
	status=$?
}

# Says what is expected in what was said.
says() {
	local text
	for text; do
		grep -qF -e "$text" "$work/said" || fail "not said: $text" "$(cat "$work/said")"
	done
}

fails() {
	[ "$status" -eq 1 ] || fail "status $status" "$(cat "$work/said")"
	says "$@"
}

lua_list() { printf '"%s", ' "$@"; }

# The attempt is refused, Kiln says that the stage failed and shows what it said of it.
refuses() {
	recipe "local last = run(\"try\", { argv = { $(lua_list /bin/escape "$@") }, outputs = { \"o\" } })"
	build
	fails "exit status 3" "refused: "
	if grep -q THROUGH "$work/said"; then fail "it came through"; fi
}

# The same outside comes through: the attempt is one.
outside() {
	"as_$identity" "$work/bin/escape" "$@" >"$work/control" 2>&1 || fail "outside: escape $*: $(cat "$work/control")"
	grep -q THROUGH "$work/control" || fail "outside: escape $*: $(cat "$work/control")"
}

# Ended for a limit that is named; nothing of it is left, and the next build is as if nothing had been.
ends() {
	local argv=$1 fields=$2 began=$SECONDS
	shift 2
	# shellcheck disable=SC2086 # words
	recipe "local last = run(\"hog\", { argv = { $(lua_list /bin/hog $argv "$mark-run") }, outputs = { \"o\" }, $fields })"
	build
	fails "$@"
	[ $((SECONDS - began)) -le 20 ] || fail "it took $((SECONDS - began)) s"
	clean
}

clean() {
	if pgrep -f "$mark-run|sleep 8640[.]$$" >/dev/null; then fail "something runs on: $(pgrep -fa "$mark-run|sleep 8640[.]$$")"; fi
	[ -z "$(find "$store/work" -mindepth 1 2>/dev/null)" ] || fail "work is left: $(find "$store/work" -mindepth 1 | head -n3)"
}

# ---- cases: the network -------------------------------------------------------------------------

case_tcp4() {
	outside tcp4 127.0.0.1 "$tcp4"
	refuses tcp4 127.0.0.1 "$tcp4"
	[ "$address" ] || return 0
	outside tcp4 "$address" "$tcp4"
	refuses tcp4 "$address" "$tcp4"
}
case_tcp6() {
	[ "$tcp6" != 0 ] || { skip="this machine has no IPv6"; return; }
	outside tcp6 "$tcp6"
	refuses tcp6 "$tcp6"
}
case_abstract_socket() {
	outside abstract "$mark"
	refuses abstract "$mark"
}
case_socket_with_a_path() {
	outside unix "$work/socket"
	refuses unix "$work/socket"
}
case_dns() {
	outside dns "$udp"
	refuses dns "$udp"
}
case_other_sockets() { refuses sockets; }

# ---- cases: files -------------------------------------------------------------------------------

case_read_home_shadow_store_keys() {
	outside read "$home/secret"
	for file in "$home/secret" "$home/release.pem" "$store/images/$tree/secret" "$store/work" /etc/shadow "/tmp/$mark" "/proc/1/root$home/secret"; do
		refuses read "$file"
	done
}
# Every file that can be reached, while another stage works beside it.
case_hunt_for_secrets_and_the_work_of_others() {
	recipe "local last = run(\"keep\", { argv = { \"/bin/sh\", \"-c\", \"echo $mark >mine; sleep 4; cp mine o\" }, outputs = { \"o\" } })
		local hunt = run(\"hunt\", { argv = { \"/bin/sh\", \"-c\", \"sleep 1; exec /bin/escape hunt $half \$OTHER\" }, env = { OTHER = \"$other\" }, outputs = { \"o\" } })
		kiln.artefact { target = \"$triple\", variant = \"plain\", kind = \"x\", name = \"y\", media_type = \"text/plain\", from = hunt:at \"o\" }"
	build 4
	fails "exit status 3" "refused: a hunt through all files"
	sed -nE 's|.*  (failed\|done)  .*/plain/(hunt\|keep) .*|\2|p' "$work/said" | tr '\n' ' ' | grep -qx 'hunt keep ' || fail "no other stage ran beside it" "$(cat "$work/said")"
	# Where it is to be found, it is.
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"echo $mark >mine; cd /; exec /bin/escape hunt $half $other\" }, outputs = { \"o\" } })"
	build
	fails "THROUGH: the text is below "
}
case_write_outside() {
	refuses write
	[ -z "$(find "$store/images" / /etc /usr /tmp -maxdepth 1 -name kiln-was-here)" ] || fail "it was there"
}
case_tmp_is_its_own() {
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"touch /tmp/$mark-in /dev/shm/$mark-in; ls /tmp >o\" }, outputs = { \"o\" } })"
	build
	[ "$status" -eq 0 ] || fail "$(cat "$work/said")"
	if [ -e "/tmp/$mark-in" ] || [ -e "/dev/shm/$mark-in" ]; then fail "it is on the machine"; fi
}
case_output_that_is_a_link_leads_nowhere() {
	local taken
	echo "link to $mark" >"$home/aim"
	taken=$(sha256sum <"$home/aim" | sed "s|^\(..\)\([0-9a-f]*\).*|$store/blobs/\1/\2|")
	chmod 644 "$home/aim"
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"ln -s $home/aim o\" }, outputs = { \"o\" } })"
	build
	"as_$identity" "$work/bin/kiln" get --offline . "$triple/plain/try" out >>"$work/said" 2>&1
	[ "$(readlink out/o)" = "$home/aim" ] || fail "it is no link any more" "$(cat "$work/said")"
	if grep -rqsF "$mark" out || [ -e "$taken" ]; then fail "it was taken in"; fi
	rm -rf out
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"rm -r d; ln -s $home d; echo >o\" }, outputs = { \"d/aim\", \"o\" } })"
	build
	fails "the output d/aim cannot be taken: d/aim is behind a link"
	[ ! -e "$taken" ] || fail "it was taken in"
}
case_checkout_is_a_copy() {
	recipe "local first = run(\"first\", { argv = { \"/bin/sh\", \"-c\", \"chmod -R u+w s; chmod 777 s/file; echo bad >>s/file; for f in s/*; do echo worse >\$f; done; cp s/file o\" },
		  inputs = { { at = \"s\", from = src } }, outputs = { \"o\" } })
		local last = run(\"last\", { argv = { \"/bin/sh\", \"-c\", \"cat s/file >o; cat f >>o; chmod 777 f; echo bad >f\" },
		  inputs = { { at = \"s\", from = src }, { at = \"f\", from = first:at \"o\" } }, outputs = { \"o\" } })"
	build
	[ "$status" -eq 0 ] || fail "$(cat "$work/said")"
	"as_$identity" "$work/bin/kiln" get --offline . "$triple/plain/last" out >"$work/said" 2>&1 || fail "$(cat "$work/said")"
	[ "$(cat out/o)" = "source
worse" ] || fail "it reads $(cat out/*)"
	[ "$(cat src/file)" = source ] || fail "the source was changed"
	rm -rf out
	"as_$identity" "$work/bin/kiln" store fsck >"$work/said" 2>&1 || fail "$(cat "$work/said")"
}

# ---- cases: privileges --------------------------------------------------------------------------

case_setuid_output() {
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"cp /bin/id o; chmod 4755 o\" }, outputs = { \"o\" } })"
	build
	fails "is setuid or setgid"
	[ -z "$(find "$store" -perm /6000 -type f | head -n1)" ] || fail "a setuid file is in the store"
}
case_setuid_file() { refuses setuid; }
case_mounts_are_nosuid() { refuses mounts; }
case_privileges() { refuses privileges; }
case_calls_past_the_filter() { refuses calls; }
case_namespace_inside() {
	if grep -q ' /proc/sys ro' /proc/self/mountinfo; then skip="/proc/sys is read-only here: bubblewrap cannot forbid them" && return; fi
	refuses nested
}

# ---- cases: other processes ---------------------------------------------------------------------

case_trace_or_signal_others() { refuses processes; }
case_descriptors() { refuses descriptors; }
case_daemon() {
	recipe "local last = run(\"try\", { argv = { \"/bin/sh\", \"-c\", \"/bin/escape daemon 8640.$$; (setsid sleep 8640.$$ &); echo done >o\" }, outputs = { \"o\" } })"
	build
	[ "$status" -eq 0 ] || fail "$(cat "$work/said")"
	clean
}

# One gives back what it was not lent and cannot spoil its fifo, one keeps what it was lent: the third gets the
# two tokens that three jobs leave it, and no more.
case_job_server_answered_falsely() {
	mkdir -p jobs
	cat >jobs/liar <<-'PERL'
		open my $jobs, "+<", "/dev/kiln/jobs" or die "jobs: $!\n";
		syswrite $jobs, "0" x 300;
		sleep 1;
		die "THROUGH: the fifo is spoilt\n" if chmod( 0, "/dev/kiln/jobs" ) || unlink "/dev/kiln/jobs";
		die "THROUGH: the fifo is another one\n" if rename "/dev/kiln/jobs", "/dev/kiln/mine";
		open my $o, ">", "o";
	PERL
	cat >jobs/take <<-'PERL'
		my ($n, $more) = @ARGV;
		open my $jobs, "<", "/dev/kiln/jobs" or die "jobs: $!\n";
		$SIG{ALRM} = sub { die "no token comes\n" };
		alarm 20;
		sysread $jobs, my $token, 1 or die "jobs: $!\n" for 1 .. $n;
		$SIG{ALRM} = sub { open my $o, ">", "o"; exit };
		alarm 2;
		sysread $jobs, my $token, 1;
		die "more than $n tokens\n";
	PERL
	recipe "local jobs = kiln.leaf(\"jobs\", { kind = \"folder\", path = \"jobs\" })
		local liar = run(\"liar\", { argv = { \"/bin/perl\", \"j/liar\" }, outputs = { \"o\" }, inputs = { { at = \"j\", from = jobs } } })
		local keeper = run(\"keeper\", { argv = { \"/bin/perl\", \"j/take\", \"2\" }, outputs = { \"o\" },
		  inputs = { { at = \"j\", from = jobs }, { at = \"after\", from = liar:at \"o\" } } })
		local last = run(\"last\", { argv = { \"/bin/perl\", \"j/take\", \"2\" }, outputs = { \"o\" },
		  inputs = { { at = \"j\", from = jobs }, { at = \"after\", from = keeper:at \"o\" } } })"
	build 3
	[ "$status" -eq 0 ] || fail "status $status" "$(cat "$work/said")"
	says "plain/liar   it gave back 300 tokens of the job server that it was not lent; they were ignored"
	clean
}

# ---- cases: taking the machine ------------------------------------------------------------------

case_memory() { ends memory "memory = $((64 << 20))" "killed: its processes " " limit of 64 MiB (memory = … in the recipe)"; }
case_memory_in_tmp() { ends "fill /tmp/x" "memory = $((64 << 20))" " limit of 64 MiB (memory = … in the recipe)"; }
case_fork_bomb() { ends bomb "" "killed: it " " processes and threads" "than its limit of 4096 (processes = … in the recipe)"; }
case_work_folder() { ends "fill x" "disk = $((32 << 20))" "killed: its work folder held " ", more than its limit of 32 MiB (disk = … in the recipe)"; }
case_output_without_end() { ends print "" "killed: standard error passed its limit of 64 MiB"; }
case_ignores_signals() { ends ignore "timeout = 1" "killed after its time limit of 1 s"; }
case_disk() {
	"disk_$identity" true
	case $? in
	0) ;;
	77) skip="only root can make a small disk for a plain user" && return ;;
	*) skip="no small disk can be mounted here" && return ;;
	esac
	recipe "local last = run(\"hog\", { argv = { \"/bin/hog\", \"fill\", \"x\" }, outputs = { \"o\" } })"
	build "" "disk_$identity"
	fails "killed: it took " " of the store's file system, and only " "(make room there, or keep the store elsewhere: --store DIR or KILN_STORE)"
	[ ! -e "$store/failed" ] || [ -z "$(find "$store/failed" -name x -size +100M)" ] || fail "what filled the disk is kept"
}

# ---- running them -------------------------------------------------------------------------------

mapfile -t cases < <(compgen -A function case_ | sort)
glob=${1:-*} n=0 failed=0
for identity in ${2:-root user namespace}; do
	why=$(lacks "$identity" | head -n1)
	[ "$why" ] || prepare "$identity" || exit 1
	for case in "${cases[@]}"; do
		# shellcheck disable=SC2254 # a glob
		case ${case#case_} in $glob) ;; *) continue ;; esac
		n=$((n + 1)) ok=1 skip=$why
		[ "$skip" ] || "$case"
		name="as $identity: ${case#case_}"
		[ "$ok" = 1 ] && echo "ok $n - ${name//_/ }${skip:+ # SKIP $skip}" || echo "not ok $n - ${name//_/ }"
		[ "$ok" = 1 ] || failed=1
	done
done
echo "1..$n"
exit $failed
