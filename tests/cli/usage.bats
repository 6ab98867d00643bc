# The command line itself: help, versions, wrong words, exit statuses, where output goes.
bats_require_minimum_version 1.5.0

setup() {
	export HOME=$BATS_TEST_TMPDIR KILN_STORE=$BATS_TEST_TMPDIR/store NO_COLOR=1
	cd "$BATS_TEST_TMPDIR"
}

@test "no command prints the overview on stdout and ends with 0" {
	run --separate-stderr "$KILN"
	[ "$status" -eq 0 ]
	[[ $output == *"usage: kiln COMMAND"* ]]
	[ -z "$stderr" ]
}

@test "every command that messages, help and texts name is one" {
	top=$BATS_TEST_DIRNAME/../..
	# In backquotes, or at the start of an example's line.
	grep -rhoE '`kiln [a-z]+( [a-z]+)?|^ *\$? ?kiln [a-z]+( [a-z]+)?' "$top"/orchestrator "$top"/*.md "$top"/scripts |
		sed -E 's/^[^k]*//' | awk '{ print $2, ($2 == "image" ? $3 : "") }' | sort -u >named
	[ "$(wc -l <named)" -ge 12 ]
	while read -r command; do
		# shellcheck disable=SC2086 # "image build" is two words
		"$KILN" $command --help >/dev/null || { echo "there is no kiln $command" >&2; return 1; }
	done <named
}

@test "version is one line, and JSON on request" {
	run "$KILN" version
	[ "$status" -eq 0 ]
	[[ $output =~ ^kiln\ [0-9]+\.[0-9]+\.[0-9]+ ]]
	"$KILN" version --json | jq -e '.schema == "kiln.version/1" and (.schemas | index("kiln.lock/1"))'
	[ "$("$KILN" --version)" = "$("$KILN" version)" ]
}

@test "an unknown command names the nearest: status 2" {
	run --separate-stderr "$KILN" relaese
	[ "$status" -eq 2 ]
	[[ $stderr == *'did you mean "release"'* ]]
	[ -z "$output" ]
}

@test "an unknown option names the nearest: status 2" {
	run "$KILN" build --variannt plain
	[ "$status" -eq 2 ]
	[[ $output == *'did you mean "--variant"'* ]]
}

@test "an option without its value, twice, or with one too many: status 2" {
	run "$KILN" build --variant
	[ "$status" -eq 2 ]
	[[ $output == *"--variant needs a value"* ]]
	run "$KILN" build --variant a --variant b
	[ "$status" -eq 2 ]
	[[ $output == *"given twice"* ]]
	run "$KILN" version --json=yes
	[ "$status" -eq 2 ]
}

@test "wrong numbers and words of common options: status 2" {
	run "$KILN" -j 0 version
	[ "$status" -eq 2 ]
	run "$KILN" -j many version
	[ "$status" -eq 2 ]
	run "$KILN" --progress tyt version
	[ "$status" -eq 2 ]
	[[ $output == *'did you mean "tty"'* ]]
	run "$KILN" --color green version
	[ "$status" -eq 2 ]
	run "$KILN" -C /no/such/folder version
	[ "$status" -eq 2 ]
}

@test "too few and too many operands: status 2 with the usage" {
	run "$KILN" log
	[ "$status" -eq 2 ]
	[[ $output == *"usage: kiln log"* ]]
	run "$KILN" version more
	[ "$status" -eq 2 ]
}

@test "no recipe here or above: status 2 says where it looked" {
	run "$KILN" build
	[ "$status" -eq 2 ]
	[[ $output == *"kiln.lua"* ]]
}

@test "an option that there is not, without a command: status 2" {
	run "$KILN" --bogus
	[ "$status" -eq 2 ]
	[[ $output == *'`kiln --help`'* ]]
}

@test "wrong words of a recipe's commands: status 2 before the recipe is looked for" {
	for command in build plan "log STAGE" "get STAGE out"; do
		# shellcheck disable=SC2086 # a command and its operands
		run "$KILN" $command --runtime docker
		[ "$status" -eq 2 ]
		[[ $output == *'there are bwrap, podman and host'* ]]
	done
	run "$KILN" build --keep-going --fail-fast
	[ "$status" -eq 2 ]
	[[ $output == *'exclude each other'* ]]
}

@test "build: -o takes packages, not what a named stage made: status 2 names get" {
	run "$KILN" build -o out x86_64/plain/build
	[ "$status" -eq 2 ]
	[[ $output == *"kiln get STAGE DIR"* ]]
	[ ! -e out ]
}

@test "a full stdout is an error, not silence" {
	[ -c /dev/full ] || skip "no /dev/full"
	run bash -c '"$KILN" --help >/dev/full'
	[ "$status" -eq 7 ]
	for options in "" --json; do
		# shellcheck disable=SC2086 # no option is no word
		run bash -c '"$KILN" keygen "$1" $2 >/dev/full' - "key$options" $options
		[ "$status" -eq 7 ]
	done
}

@test "CI=true without a key ends with 5 before anything is looked at" {
	CI=true run "$KILN" release missing.lua
	[ "$status" -eq 5 ]
	[[ $output == *"--key"* ]]
}

@test "the store's place: a store that cannot be made is status 7 and named" {
	mkdir project && echo 'this is not read' >project/kiln.lua
	echo file >notadir
	run "$KILN" --store notadir/x image ls
	[ "$status" -eq 7 ]
	[[ $output == *"notadir"* ]]
}

@test "an image by a lock that is named and not there: status 3, not an unpinned one" {
	run "$KILN" --store store image build trixie --lock gone.lock
	[ "$status" -eq 3 ]
	[[ $output == *"there is no lock gone.lock"*"kiln lock --lock gone.lock"* ]]
}
