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
	mkdir -p "$KILN_STORE"
	cd "$BATS_TEST_TMPDIR"
}

# The small program's project, with the project's lock, in ./hello.
hello() {
	cp -r "$top/recipes/hello" hello
	[ ! -e "$top/kiln.lock" ] || cp "$top/kiln.lock" hello/kiln.lock
	[ ! -d "$top/kiln.profiles" ] || cp -r "$top/kiln.profiles" hello/
	chmod -R u+w hello
}

x86=x86_64-unknown-linux-gnu
