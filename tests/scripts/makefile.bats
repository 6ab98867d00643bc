# The Makefile as somebody on a bare or odd machine meets it.

setup() {
	stub=$BATS_TEST_TMPDIR/pkg-config
	build=$BATS_TEST_TMPDIR/build
}

quiet_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u BUILD make --no-print-directory "$@"
}

@test "a missing library is one line that names module and Debian package" {
	printf '#!/bin/sh\ncase "$*" in *jansson*) exit 1;; esac\nexec pkg-config "$@"\n' >"$stub"
	chmod +x "$stub"
	run quiet_make PKG_CONFIG="$stub" BUILD="$build" all
	echo "$output"
	[ "$status" != 0 ]
	[ "${#lines[@]}" = 1 ]
	[[ $output == *"jansson: not found"*"install libjansson-dev from Debian (make setup does it)"* ]]
	[ ! -e "$build" ]
}

@test "two missing libraries are both named" {
	printf '#!/bin/sh\ncase "$*" in *jansson*|*yaml*) exit 1;; esac\nexec pkg-config "$@"\n' >"$stub"
	chmod +x "$stub"
	run quiet_make PKG_CONFIG="$stub" BUILD="$build" all
	[ "$status" != 0 ]
	[[ $output == *libyaml-dev*libjansson-dev* ]]
}

@test "a missing pkg-config and a missing protoc-c are named" {
	run quiet_make PKG_CONFIG="$stub" BUILD="$build" all
	[ "$status" != 0 ]
	[[ $output == *"install the Debian package pkg-config"* ]]
	run quiet_make PROTOC_C="$stub" BUILD="$build" all
	[ "$status" != 0 ]
	[[ $output == *"install the Debian package protobuf-c-compiler"* ]]
}

@test "help, clean and fmt's neighbours need no library" {
	run quiet_make PKG_CONFIG="$stub" BUILD="$build" help
	[ "$status" = 0 ]
	[[ $output == *"make demo"* ]]
	run quiet_make PKG_CONFIG="$stub" BUILD="$build" clean
	[ "$status" = 0 ]
}

@test "every target that help names exists" {
	for target in all setup demo check bench lint fmt fuzz install uninstall clean help \
		check-unit check-cli check-asan check-e2e check-long check-lint; do
		quiet_make BUILD="$build" --dry-run "$target" >/dev/null 2>"$BATS_TEST_TMPDIR/err" ||
			{ cat "$BATS_TEST_TMPDIR/err"; echo "$target"; return 1; }
	done
}

@test "install puts everything below DESTDIR and PREFIX, uninstall takes all of it away" {
	[ -x build/kiln ] || skip "build/kiln is not built"
	run quiet_make install DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/kiln
	echo "$output"
	[ "$status" = 0 ]
	cmp build/kiln "$BATS_TEST_TMPDIR/root/opt/kiln/bin/kiln"
	cmp build/kiln-main "$BATS_TEST_TMPDIR/root/opt/kiln/libexec/kiln/kiln-main"
	"$BATS_TEST_TMPDIR/root/opt/kiln/bin/kiln" --version
	[ -f "$BATS_TEST_TMPDIR/root/opt/kiln/share/doc/kiln/LICENSE" ]
	share=$BATS_TEST_TMPDIR/root/opt/kiln/share
	cmp toolchains/schema.json "$share/kiln/schemas/toolchain.schema.json"
	cmp containers/schema.json "$share/kiln/schemas/container.schema.json"
	cmp orchestrator/report/events.json "$share/kiln/schemas/events.schema.json"
	cmp recipes/lib/kiln.d.lua "$share/kiln/annotations/kiln.d.lua"
	grep -q '^.TH' "$share/man/man1/kiln-init.1"
	for script in bash-completion/completions/kiln zsh/site-functions/_kiln fish/vendor_completions.d/kiln.fish; do
		cmp <(build/kiln completion "${script%%[-/]*}") "$share/$script"
	done
	run quiet_make uninstall DESTDIR="$BATS_TEST_TMPDIR/root" PREFIX=/opt/kiln
	[ "$status" = 0 ]
	[ -z "$(find "$BATS_TEST_TMPDIR/root" ! -type d)" ]
}
