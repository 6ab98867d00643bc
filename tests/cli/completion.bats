# Completion in the real shells: the script is sourced, a line and Tab are typed, and what is offered
# must be just that.
bats_require_minimum_version 1.5.0

setup_file() {
	export top=$BATS_FILE_TMPDIR/project
	cp -r "$BATS_TEST_DIRNAME/../../recipes/hello" "$top"
	mkdir -p "$top/.kiln/containers" "$top/sub folder"
	echo 'return release {' >"$top/bad.lua"
	sed 's/^return release {/local level = option("level", "-O3")\nlocal fast = option("fast", false)\n&/' \
		"$top/kiln.lua" >"$top/options.lua"
	echo broken >"$top/.kiln/containers/mine.yaml"
	: >"$top/key.pem"
	: >"$top/kiln.lock"
	for shell in bash fish zsh; do
		"$KILN" completion "$shell" >"$BATS_FILE_TMPDIR/kiln.$shell"
	done
	mkdir "$BATS_FILE_TMPDIR/bin"
	ln -s "$KILN" "$BATS_FILE_TMPDIR/bin/kiln"
	export PATH=$BATS_FILE_TMPDIR/bin:$PATH
}

setup() {
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config XDG_DATA_HOME=$BATS_TEST_TMPDIR/data TERM=xterm NO_COLOR=1
	unset ZDOTDIR
	cd "$top"
}

need() { # need COMMAND
	command -v "$1" >/dev/null || skip "$1 is missing: install the Debian package $1 (scripts/setup --check does it)"
}

# The shell under test types what others look at.
offered() { # offered LINE
	timeout 60 "$BATS_TEST_DIRNAME/offered" "$shell" "$BATS_FILE_TMPDIR/kiln.$shell" "$1"
}

# offers LINE CANDIDATE...: those and no others. "+" in front says that no space follows.
offers() {
	local line=$1
	shift
	diff <(printf '%s\n' "$@" | grep . | sort -u) <(offered "$line" | sort -u) ||
		{ echo "$shell: $line"; return 1; }
}

words_of_all_shells() {
	offers "kiln bu" build
	offers "kiln no-such" ""
	offers "kiln image " build export import ls
	offers "kiln image e" export
	offers "kiln help image l" ls
	offers "kiln completion " bash fish zsh
	offers "kiln keygen --type " ed25519 p256
	offers "kiln keygen --ty" --type
	offers "kiln -C nowhere build --prog" --progress
	offers "kiln build --target " aarch64-unknown-linux-gnu x86_64-unknown-linux-gnu
	offers "kiln build --variant " lto pgo+lto pgo+lto+bolt plain
	offers "kiln plan --runtime " bwrap podman host
	offers "kiln init --build " autotools cargo cmake make meson
	offers "kiln in" init
	offers "kiln image build " mine trixie
	offers "kiln build x86_64-unknown-linux-gnu/lto/b" x86_64-unknown-linux-gnu/lto/build
	offers "kiln plan --until x86_64-unknown-linux-gnu/plain/smo" x86_64-unknown-linux-gnu/plain/smoke
	# An option that was given is not offered again, one that may be repeated is. Fish takes what is
	# near where nothing fits.
	[ "$shell" = fish ] || offers "kiln build --keep-going --keep" ""
	offers "kiln build --until a --unt" --until
	# Behind -- nothing is an option; another command's options are not offered.
	offers "kiln version -- --js" ""
	offers "kiln version --vari" ""
	# A value is no command, and an operand is no option's value.
	offers "kiln --color build bu" build
	offers "kiln -C build ver" verify version
}

@test "bash: commands, options, closed sets, what the recipe says; without bash-completion" {
	shell=bash
	need zsh
	words_of_all_shells
	offers "kiln --color=" always auto never
	offers "kiln --color " always auto never
	offers "kiln build --progress=t" tty
	# One candidate that is only a part: no space behind it. Where there are more none is added.
	offers "kiln log x86" +x86_64-unknown-linux-gnu/
	offers "kiln log " aarch64-unknown-linux-gnu/ x86_64-unknown-linux-gnu/ bad.lua options.lua kiln.lua .kiln src work "sub folder"
	offers "kiln release --key en" +env:
	offers "kiln release --key file:k" key.pem
	offers "kiln release --key=file:k" key.pem
	offers "kiln build options.lua --set f" +fast=
	offers "kiln build --lock kiln.l" kiln.lua kiln.lock
	offers "kiln build --lock=kiln.lo" kiln.lock
	offers "kiln release o" options.lua
	offers "kiln sign su" "sub folder"
	offers "kiln -C src build --lock hel" hello.c
	# Behind a pipe, a variable and with the program named by its path.
	offers "ls | A=1 kiln bu" build
	offers "$BATS_FILE_TMPDIR/bin/kiln bu" build
}

@test "zsh: commands, options, closed sets, what the recipe says" {
	shell=zsh
	need zsh
	words_of_all_shells
	offers "kiln --color=" --color=always --color=auto --color=never
	offers "kiln build --progress=t" --progress=tty
	offers "kiln log x86" +x86_64-unknown-linux-gnu/
	offers "kiln release --key en" +env:
	offers "kiln release --key file:k" file:key.pem
	offers "kiln build options.lua --set f" +fast=
	offers "kiln build --lock kiln.l" kiln.lua kiln.lock
	offers "kiln build --lock=kiln.lo" --lock=kiln.lock
	offers "kiln release o" options.lua
	offers "kiln sign su" 'sub\ folder'
	offers "kiln -C src build --lock hel" hello.c
	offers "ls | A=1 kiln bu" build
}

@test "fish: commands, options, closed sets, what the recipe says" {
	shell=fish
	need fish
	need zsh
	words_of_all_shells
	offers "kiln --color=" --color=always --color=auto --color=never
	offers "kiln build --progress=t" --progress=tty
	offers "kiln log x86" x86_64-unknown-linux-gnu/
	offers "kiln release --key en" env:
	offers "kiln release --key file:k" file:key.pem
	offers "kiln build options.lua --set f" fast=
	offers "kiln build --lock kiln.l" kiln.lua kiln.lock
	offers "kiln build --lock=kiln.lo" --lock=kiln.lock
	offers "kiln release o" options.lua
	offers "kiln sign su" "sub folder/"
	offers "kiln -C src build --lock hel" hello.c
	offers "ls | A=1 kiln bu" build
	# A word on each.
	fish --no-config -c "source $BATS_FILE_TMPDIR/kiln.fish; complete -C 'kiln bu'" >out
	[ "$(cat out)" = "build"$'\t'"$("$KILN" help --all | sed -nE 's/^  build +//p')" ]
	rm out
}

@test "the scripts' syntax: bash, zsh, fish and shellcheck have nothing against them" {
	bash -n "$BATS_FILE_TMPDIR/kiln.bash"
	need shellcheck
	shellcheck "$BATS_FILE_TMPDIR/kiln.bash"
	need zsh
	zsh -n "$BATS_FILE_TMPDIR/kiln.zsh"
	need fish
	fish -n "$BATS_FILE_TMPDIR/kiln.fish"
}

@test "zsh finds the script in a folder of functions, as make install puts it" {
	need zsh
	mkdir "$BATS_TEST_TMPDIR/functions"
	cp "$BATS_FILE_TMPDIR/kiln.zsh" "$BATS_TEST_TMPDIR/functions/_kiln"
	# shellcheck disable=SC2016 # zsh's
	run zsh -f -c 'fpath=($1 $fpath); autoload -Uz compinit; compinit -D -u; print $_comps[kiln]' - "$BATS_TEST_TMPDIR/functions"
	[ "$output" = _kiln ]
	# The first use, which loads it, offers too.
	echo "fpath=(${BATS_TEST_TMPDIR}/functions \$fpath); compinit -D -u" >"$BATS_TEST_TMPDIR/rc.zsh"
	run timeout 60 "$BATS_TEST_DIRNAME/offered" zsh "$BATS_TEST_TMPDIR/rc.zsh" "kiln bu"
	[ "$output" = build ]
}

@test "nothing is said, written, fetched or waited for, whatever lies there" {
	for words in "build bad.lua --target" "build --lock" "-C /no/such build" "log" "get nosuch.lua" "--no-such" "x y z" ""; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr "$KILN" complete -- $words ""
		[ "$status" -eq 0 ] || { echo "$words"; false; }
		[ -z "$stderr" ] || { echo "$words: $stderr"; false; }
	done
	# A recipe without end costs a second of processor time, not the usual five.
	mkdir "$BATS_TEST_TMPDIR/loop"
	echo 'while true do pcall(string.rep, "x", 1000000) end' >"$BATS_TEST_TMPDIR/loop/kiln.lua"
	run --separate-stderr timeout 20 "$KILN" complete -- -C "$BATS_TEST_TMPDIR/loop" log ""
	[ "$status" -eq 0 ]
	[ -z "$stderr" ]
	# What a recipe prints is no candidate, and comes on no terminal.
	cp -r "$top" "$BATS_TEST_TMPDIR/prints"
	(echo 'print "printed"'; cat kiln.lua) >"$BATS_TEST_TMPDIR/prints/kiln.lua"
	run --separate-stderr "$KILN" complete -- -C "$BATS_TEST_TMPDIR/prints" build --target ""
	[ "$output" = "aarch64-unknown-linux-gnu"$'\n'"x86_64-unknown-linux-gnu" ]
	[ -z "$stderr" ]
	[ ! -e "$KILN_STORE" ]
	[ ! -e "$XDG_STATE_HOME" ]
}

@test "it is sorted, without doubles, and the same in every locale" {
	for words in "build" "image" "build --" "build --until"; do
		# shellcheck disable=SC2086 # words
		"$KILN" complete -- $words "" >"$BATS_TEST_TMPDIR/c"
		# shellcheck disable=SC2086 # words
		LC_ALL=tr_TR.UTF-8 "$KILN" complete -- $words "" >"$BATS_TEST_TMPDIR/tr"
		cmp "$BATS_TEST_TMPDIR/c" "$BATS_TEST_TMPDIR/tr"
		grep -v '^:' "$BATS_TEST_TMPDIR/c" | cut -f 1 | LC_ALL=C sort -c -u
	done
}

@test "a name that a line cannot carry is left out" {
	mkdir "$BATS_TEST_TMPDIR/odd"
	: >"$BATS_TEST_TMPDIR/odd/"$'a\nb.pem'
	: >"$BATS_TEST_TMPDIR/odd/"$'c\td.pem'
	: >"$BATS_TEST_TMPDIR/odd/good.pem"
	run "$KILN" complete -- -C "$BATS_TEST_TMPDIR/odd" verify --key ""
	[ "$output" = good.pem ]
}

@test "completion for an unknown shell names the nearest: status 2" {
	run --separate-stderr "$KILN" completion bsh
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *'only for bash, fish and zsh; did you mean "bash"'* ]]
	run "$KILN" completion
	[ "$status" -eq 2 ]
}
