# Shared by the end-to-end tests: one store (so that the image is built once), a project to break.
bats_require_minimum_version 1.5.0
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# Fails when the command succeeds; a bare "!" would not fail a test.
refute() {
	if "$@"; then
		echo "this should not have succeeded: $*" >&2
		return 1
	fi
}

e2e_setup() {
	export NO_COLOR=1
	unset CI
	export KILN_STORE=${KILN_E2E_STORE:-$KILN_BUILD/e2e/store}
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/state
	mkdir -p "$KILN_STORE" "$KILN_BUILD/e2e"
	cd "$BATS_TEST_TMPDIR"
}

# Whether the project's lock pins packages that the mirror no longer has and the store never had.
lock_is_stale() {
	local verdict
	verdict=$KILN_BUILD/e2e/lock-$(sha256sum <"$top/kiln.lock" | cut -c1-16)
	if [ ! -e "$verdict" ]; then
		if "$KILN" -C "$top" image build trixie >/dev/null 2>"$verdict.log"; then
			echo current >"$verdict"
		elif grep -q 'the mirror no longer has' "$verdict.log"; then
			echo "# NOTE: the mirror no longer has packages that kiln.lock pins: these tests use pins of today" >&3
			echo stale >"$verdict"
		else
			cat "$verdict.log" >&2
			return 1
		fi
	fi
	[ "$(cat "$verdict")" = stale ]
}

# The lock to build RECIPE by: the project's, or, when that is stale, one with pins of today that
# starts from it. Mirrors move on; what the tests look at stays.
project_lock() {
	local renewed=$KILN_BUILD/e2e/renewed
	if ! lock_is_stale; then
		echo "$top/kiln.lock"
		return
	fi
	if [ ! -e "$renewed/$1.done" ]; then
		mkdir -p "$renewed"
		[ -e "$renewed/kiln.lock" ] || cp -r "$top/kiln.lock" "$top/kiln.profiles" "$renewed/"
		"$KILN" lock --progress none --lock "$renewed/kiln.lock" "$top/recipes/$1" >&2
		: >"$renewed/$1.done"
	fi
	echo "$renewed/kiln.lock"
}

# The small program's project, with a lock that pins it, in ./hello.
hello() {
	local lock
	lock=$(project_lock hello)
	cp -r "$top/recipes/hello" hello
	cp "$lock" hello/kiln.lock
	cp -r "$(dirname "$lock")/kiln.profiles" hello/
	chmod -R u+w hello
}

# The same in a store of this test alone, with the image of the others: the same files, so that it costs
# nothing. Sets `tree`, the image's.
hello_alone() {
	local whole=$KILN_STORE
	hello
	"$KILN" plan hello --progress none >/dev/null 2>&1 # the image is there then
	export KILN_STORE=$BATS_TEST_TMPDIR/store
	mkdir -m 700 "$KILN_STORE"
	mkdir "$KILN_STORE/images"
	tree=$(sed -n 's/.*"tree": "sha256:\([0-9a-f]*\)".*/\1/p' hello/kiln.lock | head -n1)
	cp -al "$whole/images/$tree" "$KILN_STORE/images/" 2>/dev/null || cp -a "$whole/images/$tree" "$KILN_STORE/images/"
}

# A project of the test's own, to be written in ./p, where it goes; `lock` pins its image.
own_project() {
	# shellcheck disable=SC2034 # for the tests
	lock=$(project_lock hello)
	mkdir -p p/src
	cd p
}

# A program that says more where it is built with -DLOUD.
can_be_loud() {
	printf '%s\n' '#ifdef LOUD' '__attribute__((constructor)) static void loud(void) { puts("loud"); }' '#endif' >>"$1"
}

x86=x86_64-unknown-linux-gnu
