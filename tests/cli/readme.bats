# README keeps to the program: its commands parse, its tables say what help says, its recipe is the
# one in the tree.
bats_require_minimum_version 1.5.0

setup() {
	readme=$BATS_TEST_DIRNAME/../../README.md
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR NO_COLOR=1
}

# The kiln command lines of the code blocks, without prompt and comment.
commands() {
	awk '/^```/ { on = !on; next } on' "$1" | sed -nE 's/^(\$ )?kiln ([a-z].*)$/\2/p' |
		sed -E 's/ +#.*$//'
}

# check WORD...: the words behind "kiln": a command, options its help has, operands as many as the
# usage line allows. Says what is wrong.
check() {
	local command=$1 word help usage most operands=0
	shift
	if [ "$command" = image ]; then
		command="image $1"
		shift
	fi
	# shellcheck disable=SC2086 # "image build" is two words
	help=$("$KILN" $command --help) || { echo "no command: $command"; return 1; }
	usage=${help%%$'\n'*}
	[[ $usage == "usage: kiln $command "* || $usage == "usage: kiln $command" ]] ||
		{ echo "$command: $usage"; return 1; }
	while [ $# -gt 0 ]; do
		word=$1
		shift
		if [[ $word != -* ]]; then
			operands=$((operands + 1))
		elif grep -qE -- "^  $word( [A-Za-z].*)?  +[^ ]" <<<"$help"; then
			# One space and a word in capitals: the option takes a value.
			if grep -qE -- "^  $word [A-Z]" <<<"$help"; then
				[ $# -gt 0 ] || { echo "$command: $word has no value"; return 1; }
				shift
			fi
		else
			echo "$command: no option $word"
			return 1
		fi
	done
	most=$(wc -w <<<"${usage#usage: kiln "$command" \[OPTION\]...}")
	[ "$operands" -le "$most" ] || { echo "$command: $operands operands, not $most"; return 1; }
}

@test "every command line in a code block is one that help knows" {
	commands "$readme" >lines
	[ "$(wc -l <lines)" -ge 12 ]
	local words=()
	while read -r line; do
		eval "words=($line)"
		run check "${words[@]}"
		[ "$status" -eq 0 ] || { echo "README: kiln $line: $output"; false; }
	done <lines
}

@test "a command line that help does not know would be found" {
	run check relaese
	[ "$status" -ne 0 ]
	run check release --keys file:k
	[ "$status" -ne 0 ]
	run check release --key
	[ "$status" -ne 0 ]
	run check sign one two
	[ "$status" -ne 0 ]
	run check image ls --json
	[ "$status" -eq 0 ]
}

@test "every command is in the table, and no other" {
	"$KILN" help --all | sed -nE 's/^  ([a-z]+( [a-z]+)?)  +.*/\1/p' | sort >known
	[ "$(wc -l <known)" -ge 15 ]
	sed -n '/^| command /,/^$/p' "$readme" | cut -d'|' -f2 | grep -o '`kiln [a-z ]*`' |
		sed 's/`kiln \(.*\)`/\1/' | sort >named
	diff known named
}

@test "the exit statuses are those of the overview" {
	"$KILN" --help | tr '\n' ' ' | sed 's/.*Exit status: //; s/\. *$//; s/, \([0-9][0-9]* \)/\n\1/g' >known
	echo >>known
	[ "$(head -1 known)" = "0 done" ]
	[ "$(grep -c '^[0-9]' known)" -ge 9 ]
	sed -n '/^| status /,/^$/p' "$readme" | sed -nE 's/^\| ([0-9]+) \| (.*) \|$/\1 \2/p' >named
	diff <(grep . known) named
}

@test "the recipe is the one in the tree, but for its comment" {
	sed -n '/^```lua$/,/^```$/p' "$readme" | grep -v '^```' >shown
	diff <(grep -v '^--' "$BATS_TEST_DIRNAME/../../recipes/hello/kiln.lua") shown
}

@test "the files and folders it points to are there" {
	grep -oE '\]\([^)#]+\)' "$readme" | sed 's/](\(.*\))/\1/' >links
	grep -oE '`[a-z.]+(/[a-z0-9._-]+)*(/|\.(lua|yaml|lock|md))`' "$readme" | tr -d '`' |
		grep -E '^(orchestrator|recipes|toolchains|containers|kiln\.|tests|scripts|ci)' |
		grep -v '^kiln.lua$' >>links
	[ "$(wc -l <links)" -ge 15 ]
	while read -r link; do
		[ -e "$BATS_TEST_DIRNAME/../../$link" ] || { echo "README: no $link"; false; }
	done <links
}
