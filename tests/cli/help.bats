# Help, manual pages and the reference: all made of the command table, the annotations, the schemas.
bats_require_minimum_version 1.5.0

setup() {
	top=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
	# What a terminal is or says must not matter.
	unset COLUMNS LINES MANWIDTH
}

commands() {
	"$KILN" help --all | sed -nE 's/^  ([a-z]+( [a-z]+)?)  +.*/\1/p'
}

need() { # need COMMAND PACKAGE
	command -v "$1" >/dev/null || skip "$1 is missing: install the Debian package $2 (scripts/setup --check does it)"
}

@test "the overview fits a screen of 24 lines and 80 columns, the first commands with their summary" {
	run "$KILN" --help
	[ "$status" -eq 0 ]
	# One line of the screen is the prompt's.
	[ "$(wc -l <<<"$output")" -le 23 ]
	[ "$(wc -L <<<"$output")" -le 79 ]
	for command in build release verify doctor; do
		summary=$("$KILN" help --all | sed -nE "s/^  $command  +//p")
		grep -qE "^  $command +$summary\$" <<<"$output" || { echo "$command: $summary"; false; }
	done
}

@test "every command is in the overview, once" {
	"$KILN" --help | awk '/^first:/ { on = 1; next } /^and:/ { on = 2; next } /^$/ { on = 0 }
		on == 1 { print $1 }
		on == 2 { print substr($0, 11) }' | tr ',' '\n' | sed 's/^ *//; /^$/d' | sort >shown
	commands | sort >known
	[ "$(wc -l <known)" -ge 19 ]
	diff known shown
}

@test "every command has help of its own, that fits 80 columns and has no colour" {
	while read -r command; do
		# shellcheck disable=SC2086 # "image build" is two words
		run env -u NO_COLOR "$KILN" --color always $command --help
		[ "$status" -eq 0 ]
		[[ $output == "usage: kiln $command"* ]]
		[[ $output == *"common options:"* ]]
		[ "$(wc -L <<<"$output")" -le 79 ] || { echo "$output"; false; }
		[[ $output != *$'\e'* ]]
	done < <(commands)
}

@test "help is the same in every locale" {
	for locale in C C.UTF-8 tr_TR.UTF-8; do
		LC_ALL=$locale "$KILN" help --all >"all.$locale"
		LC_ALL=$locale "$KILN" help build >"build.$locale"
	done
	cmp all.C all.C.UTF-8
	cmp all.C all.tr_TR.UTF-8
	cmp build.C build.tr_TR.UTF-8
}

@test "help as people ask for it: kiln help, kiln help build, kiln image --help" {
	[ "$("$KILN" help)" = "$("$KILN" --help)" ]
	[ "$("$KILN" help)" = "$("$KILN")" ]
	[ "$("$KILN" help build)" = "$("$KILN" build --help)" ]
	[ "$("$KILN" help image ls)" = "$("$KILN" image ls --help)" ]
	[ "$("$KILN" help help)" = "$("$KILN" help --help)" ]
	for words in "help image" "image --help" "--help image"; do
		# shellcheck disable=SC2086 # words
		run "$KILN" $words
		[ "$status" -eq 0 ]
		[[ $output == *"image export   write an image into one file"* ]]
		[[ $output != *"kiln-"* && $output != *"doctor"* ]]
	done
	run "$KILN" image
	[ "$status" -eq 2 ]
	[[ $output == *"build, ls, export, import"* ]]
}

@test "help for a command that there is not names the nearest: status 2" {
	run --separate-stderr "$KILN" help relaese
	[ "$status" -eq 2 ]
	[ -z "$output" ]
	[[ $stderr == *'did you mean "release"'* ]]
	run "$KILN" help image lss
	[ "$status" -eq 2 ]
	[[ $output == *'did you mean "image ls"'* ]]
	# What programs ask is no candidate for people.
	run "$KILN" complet
	[[ $output != *'"complete"'* ]]
}

@test "the manual has a page for each command, and mandoc has nothing against any" {
	need mandoc mandoc
	"$KILN" help --man man
	while read -r command; do
		[ -s "man/man1/kiln-${command// /-}.1" ] || { echo "no page: $command"; false; }
	done < <(commands)
	[ "$(find man -type f | wc -l)" -eq $(($(commands | wc -l) + 3)) ]
	for page in man/man*/*; do
		run mandoc -T lint -W warning "$page"
		[ "$status" -eq 0 ] || { echo "$output"; false; }
		[ -z "$output" ]
	done
	# The check can fail.
	printf '.TH X 1\n.SH NAME\n.PP\nx\n' >bad.1
	run mandoc -T lint -W warning bad.1
	[ "$status" -ne 0 ]
}

@test "man shows every page without a warning, as people read it" {
	need man man-db
	need groff groff-base
	"$KILN" help --man man
	for page in man/man*/*; do
		LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l "$page" >text 2>warnings
		[ ! -s warnings ] || { echo "$page"; cat warnings; false; }
		[ -s text ]
	done
	LC_ALL=C.UTF-8 MANWIDTH=80 man -E UTF-8 -l man/man1/kiln-image-build.1 >text
	grep -q 'kiln image build \[OPTION\]... \[IMAGE\]...' text
	grep -q -- '--offline' text
	# An option's dashes can be copied and searched for.
	LC_ALL=C.UTF-8 man -E UTF-8 -l man/man1/kiln.1 | grep -q -- '--progress HOW'
}

@test "man finds the pages by name in the folder they were written to" {
	need man man-db
	"$KILN" help --man man
	for page in kiln kiln-release kiln-image-build; do
		[ "$(MANPATH=$PWD/man man -w 1 "$page")" = "$PWD/man/man1/$page.1" ]
	done
	[ "$(MANPATH=$PWD/man man -w 5 kiln-recipe)" = "$PWD/man/man5/kiln-recipe.5" ]
	[ "$(MANPATH=$PWD/man man -w 5 kiln.lock)" = "$PWD/man/man5/kiln.lock.5" ]
}

@test "the manual and the reference name every option, function, field and variable" {
	"$KILN" help --man man
	"$KILN" help --markdown reference
	while read -r command; do
		# shellcheck disable=SC2086 # "image build" is two words
		"$KILN" $command --help | sed -nE 's/^  (-[^ ]+).*/\1/p' >options
		[ "$(wc -l <options)" -ge 9 ]
		while read -r option; do
			grep -qF -- "\\fB${option//-/\\-}" "man/man1/kiln-${command// /-}.1" ||
				{ echo "$command: $option"; false; }
			grep -qE -- "^- .${option}[ \`]" reference/commands.md || { echo "$option"; false; }
		done <options
	done < <(commands)
	sed -nE 's/^function ([A-Za-z_.:]+)\(.*/\1/p' "$top/recipes/lib/kiln.d.lua" >functions
	[ "$(wc -l <functions)" -ge 30 ]
	while read -r function; do
		grep -qE "^### ${function}( \{|\()" reference/recipe.md || { echo "no $function"; false; }
	done <functions
	sed -nE 's/^---@field (\[")?([a-z_]+)("\])?\?? .*/\2/p' "$top/recipes/lib/kiln.d.lua" | sort -u >fields
	[ "$(wc -l <fields)" -ge 80 ]
	while read -r field; do
		grep -qE "^- .$field\??:" reference/recipe.md || { echo "no field $field"; false; }
	done <fields
	grep -rhoE 'getenv\("KILN_[A-Z_]+"\)' "$top/orchestrator" | grep -oE 'KILN_[A-Z_]+' | sort -u |
		grep -vE '^KILN_(CLOCK|FAILPOINT|FAILPOINT_RECORD)$' >variables
	[ -s variables ]
	while read -r variable; do
		grep -qF "\`$variable\`" reference/commands.md || { echo "no $variable"; false; }
	done <variables
}

@test "the reference has every member of the schemas" {
	"$KILN" help --markdown reference
	for schema in toolchains/schema.json containers/schema.json orchestrator/report/events.json; do
		name=${schema%/*}
		name=${name%s}
		[[ $schema != */events.json ]] || name=events
		jq -r '[.. | objects | .properties? // empty | keys[]] | unique | .[]' "$top/$schema" >members
		[ "$(wc -l <members)" -ge 8 ]
		while read -r member; do
			grep -qE "^- .([][A-Za-z_.]+\.)?$member\??: " "reference/$name.md" || { echo "no $member"; false; }
		done <members
	done
	grep -q '^- `files\[\].deb: text`' reference/container.md
	grep -q '^- `targets.NAME.bolt.runtime_library?: text`' reference/toolchain.md
}

@test "docs/reference is what make docs writes" {
	"$KILN" help --markdown reference
	diff -r "$top/docs/reference" reference || {
		echo "docs/reference lags behind: run make docs and commit it"
		false
	}
}

@test "pages that cannot be written are an error that names the place: status 7" {
	echo >file
	run "$KILN" help --man file/man
	[ "$status" -eq 7 ]
	[[ $output == *"file/man"* ]]
	run "$KILN" help --markdown file/reference
	[ "$status" -eq 7 ]
	[[ $output == *"file/reference"* ]]
}
