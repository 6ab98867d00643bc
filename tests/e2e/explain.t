#!/bin/bash
# usage: KILN=build/kiln KILN_BUILD=build tests/e2e/explain.t [BLOCK-GLOB]
# Prints TAP. Each block of tests/e2e/explain is a story of the project below:
#   $ COMMAND     typed in its folder, must succeed (with "? COMMAND" it must not)
#   = RUN CACHED  `kiln build` then runs and finds exactly so many stages
#   explain WORD… or plan WORD…, and > LINE for each line that `kiln explain` or `kiln plan` then says
# Digests read HEX in it, dates DATE, versions of packages VERSION, the target T.
set -uo pipefail
: "${KILN:?the program}" "${KILN_BUILD:?the build folder}"
here=$(cd "$(dirname "$0")" && pwd)
case $KILN in /*) ;; *) KILN=$PWD/$KILN ;; esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset CI
export KILN_STORE=${KILN_E2E_STORE:-$KILN_BUILD/e2e/store} XDG_STATE_HOME=$work/state NO_COLOR=1 LC_ALL=C.UTF-8
export PATH=$work/bin:$PATH
mkdir -p "$work/bin" "$KILN_STORE"
ln -s "$KILN" "$work/bin/kiln"

# Actions of no other run: what is cached is what this story made.
nonce=$(date +%s%N)

project() {
	rm -rf "$work/p"
	mkdir -p "$work/p/src" "$work/p/data" "$work/p/notes" && cd "$work/p" || exit 1
	echo 'int a;' >src/a.c
	echo 'int b;' >src/b.c
	ln -s a.c src/c.c
	echo one >data/one
	echo 'read me' >notes/readme
	cat >kiln.lua <<-LUA
		kiln.recipe { name = "story$n-$nonce", version = "1.0", license = "MIT", date = 1700000000 }
		local triple = "x86_64-unknown-linux-gnu"
		kiln.target { triple = triple, toolchain = "llvm-19", image = "trixie",
		  variants = { "plain" }, ship = "plain", reference = "plain" }
		local src = kiln.leaf("src", { kind = "folder", path = "src" })
		local data = kiln.leaf("data", { kind = "folder", path = "data" })
		local notes = kiln.leaf("notes", { kind = "folder", path = "notes" })
		local level = option("level", "1")
		local cc = kiln.toolchain("llvm-19", triple).cc[1]
		local function step(name, options)
		  options.address = triple .. "/plain/" .. name
		  options.env = options.env or {}
		  options.env.NONCE = "$n-$nonce"
		  return stage.run(options)
		end
		local compile = step("compile", { argv = { "sh", "-c", "cat s/*.c >o; cp o p", "x" }, outputs = { "o", "p" },
		  inputs = { { at = "s", from = src } } })
		local link = step("link", { argv = { "sh", "-c", "wc -l <o >l; cat d/* >>l", "level=" .. level, "cc=" .. cc }, outputs = { "l" },
		  inputs = { { at = "o", from = compile:at "o" }, { at = "d", from = data } } })
		local doc = step("doc", { argv = { "cp", "n/readme", "t" }, outputs = { "t" },
		  inputs = { { at = "n", from = notes } } })
		local pack = step("pack", { argv = { "sh", "-c", "cat l t >k" }, outputs = { "k" },
		  inputs = { { at = "l", from = link:at "l" }, { at = "t", from = doc:at "t" } } })
		kiln.artefact { target = triple, variant = "plain", kind = "x", name = "x.txt",
		  media_type = "text/plain", from = pack:at "k" }
	LUA
}

# "RUN CACHED" of the build that just ended.
counts() {
	sed -nE 's/.* ([0-9]+) stages? run, ([0-9]+) cached.*/\1 \2/p; s/.*nothing to do: all ([0-9]+) stages.*/0 \1/p; s/.*nothing to do: the stage.*/0 1/p' "$1"
}

fail() {
	ok=0
	printf '# %s\n' "$@" >&2
}

told() {
	local command=$1 hex='[0-9a-f]{8}( executable)?'
	shift
	kiln "$command" --offline --lock "$lock" "$@" 2>&1 | sed -E "
		/^profiler: /d
		s/[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2})?/DATE/
		s/\b$hex( →|   \\(|\$)/HEX\1\2/g
		s/sha256:[0-9a-f]{64}/sha256:HEX/
		s/(package .* → ).*/\1VERSION/
		s/(\"since_us\": )[1-9][0-9]*/\1TIME/
		s/x86_64-unknown-linux-gnu/T/g
		s/$n-$nonce/NONCE/g"
}

compare() {
	[ "$asked" ] || return 0
	# shellcheck disable=SC2086 # words
	told $asked >"$work/told"
	diff "$work/expected" "$work/told" >"$work/diff" || fail "$asked:" "$(cat "$work/diff")"
	asked=""
	: >"$work/expected"
}

line() {
	case $1 in
	'$ '*)
		compare
		sh -c "${1#??}" >"$work/log" 2>&1 </dev/null || fail "failed: ${1#??}" "$(cat "$work/log")"
		;;
	'? '*)
		compare
		! sh -c "${1#??}" >"$work/log" 2>&1 </dev/null || fail "did not fail: ${1#??}"
		;;
	'= '*)
		compare
		kiln build --offline --lock "$lock" >"$work/log" 2>&1 </dev/null || fail "the build failed" "$(cat "$work/log")"
		[ "$(counts "$work/log")" = "${1#??}" ] || fail "expected ${1#??} (run, cached), got $(counts "$work/log")"
		;;
	explain | 'explain '* | 'plan '*)
		compare
		asked=$1
		;;
	'> '*) echo "${1#??}" >>"$work/expected" ;;
	'>') echo >>"$work/expected" ;;
	'' | '#'*) ;;
	*) fail "not understood: $1" ;;
	esac
}

# The helper's way to a lock whose packages can be had.
# shellcheck disable=SC2317 # the helper calls it
bats_require_minimum_version() { :; }
exec 3>&2
# shellcheck disable=SC1091 # a file of its own
. "$here/helper.bash"
mkdir -p "$KILN_BUILD/e2e"
lock=$(project_lock hello) || exit 1
export lock top

echo "1..$(grep -c '^== ' "$here/explain")"
n=0 failed=0 name="" ok=1 asked=""
end() {
	[ "$name" ] || return 0
	compare
	if [ $ok = 1 ]; then
		echo "ok $n - $name"
	else
		failed=1
		echo "not ok $n - $name"
	fi
}
while IFS= read -r text || [ "$text" ]; do
	case $text in
	'== '*)
		end
		name=${text#== } n=$((n + 1)) ok=1 asked=""
		: >"$work/expected"
		# shellcheck disable=SC2254 # a glob
		case $name in ${1:-*}) project ;; *) name="" ;; esac
		;;
	*) [ ! "$name" ] || line "$text" ;;
	esac
done <"$here/explain"
end
exit $failed
