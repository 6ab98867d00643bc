# Every command of the pages below docs/, typed in the order in which it stands: the tutorial from an empty
# folder, the other pages in the project that it leaves. Blocks marked `sh` are typed, blocks behind
# <!-- file: NAME --> are written to that file; <!-- needs: TOOL --> is left out, and counted, where
# the tool is missing.
# shellcheck disable=SC2154 # top is from the helper
load helper

setup_file() {
	e2e_setup
	export HOME=$BATS_FILE_TMPDIR/home
	mkdir -p "$HOME/bin" "$BATS_FILE_TMPDIR/work"
	ln -s "$KILN" "$HOME/bin/kiln"
	"$top/scripts/get-cosign" "$KILN_BUILD/cosign" >"$HOME/cosign" 2>"$HOME/cosign.log" &&
		ln -s "$(cat "$HOME/cosign")" "$HOME/bin/cosign"
	typed "$top/docs/tutorial.md" "$BATS_FILE_TMPDIR/work" >"$BATS_FILE_TMPDIR/tutorial.log" 2>&1 ||
		touch "$BATS_FILE_TMPDIR/failed"
}

setup() {
	e2e_setup
	export HOME=$BATS_FILE_TMPDIR/home
}

# PAGE: the script that somebody types who follows it.
script() {
	awk -v tools="$(ls "$HOME/bin")" '
		BEGIN { n = split(tools, list); for (i = 1; i <= n; i++) have[list[i]] = 1 }
		/^<!-- file: .* -->$/ { file = $3; next }
		/^<!-- needs: .* -->$/ { without = !have[$3]; next }
		/^```/ && on { if (on == "file") print "END_OF_PAGE_FILE"; on = ""; next }
		/^```/ && without { without = 0; on = "left out"; next }
		/^```/ && file { printf "cat >%s <<'\''END_OF_PAGE_FILE'\''\n", file; file = ""; on = "file"; next }
		/^```/ { on = $0 == "```sh" ? "typed" : "shown"; next }
		on == "typed" || on == "file"' "$1"
}

# PAGE FOLDER
typed() {
	(
		cd "$2" || exit
		export PATH=$HOME/bin:$PATH XDG_STATE_HOME=$HOME/state
		export GIT_AUTHOR_NAME=Me GIT_AUTHOR_EMAIL=me@example.org
		export GIT_COMMITTER_NAME=Me GIT_COMMITTER_EMAIL=me@example.org
		{ echo 'set -eux'; script "$1"; } >"$HOME/script"
		bash "$HOME/script"
	)
}

# PAGE: in a copy of what the tutorial left.
page() {
	[ ! -e "$BATS_FILE_TMPDIR/failed" ] || { echo "the tutorial failed already"; return 1; }
	cp -a "$BATS_FILE_TMPDIR/work/wordfreq" wordfreq
	[ "$(script "$top/docs/$1" | wc -l)" -gt 0 ]
	typed "$top/docs/$1" wordfreq 2>&1
}

@test "the tutorial ends with a release that verifies" {
	if [ -e "$BATS_FILE_TMPDIR/failed" ]; then
		cat "$BATS_FILE_TMPDIR/tutorial.log"
		false
	fi
	grep -q "all checks hold" "$BATS_FILE_TMPDIR/tutorial.log"
	# The lock is used and not only written: nothing is trained again.
	sed -n '/^+ git tag/,$p' "$BATS_FILE_TMPDIR/tutorial.log" >after
	refute grep -qE "trained anew|this run trains|train-texts" after
}

@test "how to debug a failing stage" {
	page how-to/debug-a-stage.md >log || { cat log; false; }
	grep -q "ended with 1" log
	grep -q "command  make " log
	[ -s wordfreq/build.log ] || [ -e wordfreq/build.log ]
}

@test "how to see why a stage runs" {
	page how-to/why-a-stage-runs.md >log || { cat log; false; }
	grep -q 'plain/build  \[build\]  wordfreq.c changed' log
	grep -q '^    wordfreq.c  .* → ' log
	grep -q 'argument .* nothing → V=1' log
	[ -s wordfreq/why.json ]
}

@test "how to share the machine" {
	page how-to/share-the-machine.md >log || { cat log; false; }
	grep -q "1 stage was built by increments: not for a release" log
	grep -q "memory" log
}

@test "how to verify a release" {
	[ -e "$HOME/bin/cosign" ] || echo "# NOTE: without cosign: $(tail -n1 "$HOME/cosign.log")" >&3
	page how-to/verify-a-release.md >log || { cat log; false; }
	grep -q "refused with 4" log
}

@test "how to make a workload representative" {
	page how-to/representative-workload.md >log || { cat log; false; }
	grep -q "train-large" log
}

@test "the explanations: profiles, lock, facts" {
	page explanation/lock.md >log || { cat log; false; }
	rm -rf wordfreq
	page explanation/facts.md >log || { cat log; false; }
	grep -q '"facts"' log
}

@test "there is no page whose commands nobody types" {
	cd "$top/docs"
	for each in $(find . -name '*.md' -not -path './reference/*' | cut -c3- | sort); do
		[ "$(script "$each" | wc -l)" -eq 0 ] || grep -qF "$each" "$BATS_TEST_FILENAME" ||
			{ echo "$each is run by no test"; false; }
		# Where it points to.
		grep -oE '\]\([^)#:]+\)' "$each" | sed 's/](\(.*\))/\1/' >"$BATS_TEST_TMPDIR/links" || true
		while read -r link; do
			[ -e "$(dirname "$each")/$link" ] || { echo "$each: no $link"; false; }
		done <"$BATS_TEST_TMPDIR/links"
	done
}
