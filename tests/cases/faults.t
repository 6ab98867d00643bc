#!/bin/bash
# usage: KILN=build/kiln tests/cases/faults.t
# Prints TAP. Each block of tests/cases/faults is a recipe that differs from the one below in a few fields,
# and the whole message that it gets; `kiln plan` must end with status 3 and print nothing else. A line
# "$ COMMAND" is typed instead, "= STATUS" expected, "@ FILE TEXT" a further file (\n in its text ends a
# line); DIR is the folder of the recipe.
set -uo pipefail
: "${KILN:?the program}"
here=$(cd "$(dirname "$0")" && pwd)
case $KILN in /*) ;; *) KILN=$PWD/$KILN ;; esac
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
unset CI
export KILN_STORE=$work/store XDG_STATE_HOME=$work/state NO_COLOR=1 LC_ALL=C.UTF-8 PATH=$work/bin:$PATH
mkdir "$work/bin"
ln -s "$KILN" "$work/bin/kiln"

# A fresh project in the current folder.
project() {
	rm -rf "$work/p"
	mkdir -p "$work/p/src/man" "$work/p/work/train" "$work/p/work/holdout"
	cd "$work/p" || exit 1
	touch src/README src/man/tool.1 src/man/README
	echo a >work/train/a.txt
	echo b >work/holdout/b.txt
}

# "FILE TEXT"
further() {
	mkdir -p "$(dirname "${1%% *}")"
	printf '%b\n' "${1#* }" >"${1%% *}"
}

# The recipe on standard output, with the lines of a block in the place of fields of the same name, new
# ones before its end. "-FIELD" leaves a field out, "-release" all of it; lines without a field stand before the release.
recipe() {
	awk '
		NR == FNR && /^-[a-z]+$/ { without[substr($0, 2)] = 1; next }
		NR == FNR && /^[a-z]+ =/ && !/^local/ { own[$1] = $0; order[++n] = $1; next }
		NR == FNR { print; next }
		"release" in without { exit }
		/^}/ { for (i = 1; i <= n; i++) if (order[i] in own) print "  " own[order[i]] }
		$1 in without { next }
		$1 in own { print "  " own[$1]; delete own[$1]; next }
		{ print }
	' "$1" - <<'LUA'
return release {
  api = 1,
  name = "tool",
  version = "1.0",
  license = "MIT",
  date = 1735689600,
  source = folder "src",
  work = folder "work",
  build = make.build { bins = { "tool" } },
  targets = { "x86_64-unknown-linux-gnu" },
  train = { run { bin "tool", file "train/a.txt" } },
  holdout = { run { bin "tool", file "holdout/b.txt" } },
  optimize = fdo { lto = "thin", pgo = true, bolt = true, ship = "pgo+lto" },
  packages = { archive { "tar.gz" } },
}
LUA
}

# One block lies in $work/change and $work/expected.
check() {
	local status=0
	rm -f "$work/diff"
	recipe "$work/change" >kiln.lua
	sh -c "$typed" >"$work/out" 2>"$work/err" </dev/null || status=$?
	sed -i "s|$work/p|DIR|g" "$work/err"
	if [ $status = "$wanted" ] && [ ! -s "$work/out" ] && diff "$work/expected" "$work/err" >"$work/diff"; then
		echo "ok $n - $name"
		return
	fi
	failed=1
	echo "not ok $n - $name (status $status)"
	[ ! -e "$work/diff" ] || sed 's/^/# /' "$work/diff" >&2
}

n=0
failed=0
echo "1..$(grep -c '^== ' "$here/faults")"
while IFS= read -r line; do
	case $line in
	'== '*)
		[ $n = 0 ] || check
		n=$((n + 1)) name=${line#== } typed="kiln plan" wanted=3
		project
		: >"$work/change"
		: >"$work/expected"
		;;
	'$ '*) typed=${line#$ } ;;
	'@ '*) further "${line#@ }" ;;
	'= '*) wanted=${line#= } ;;
	'> '*) printf '%s\n' "${line#> }" >>"$work/expected" ;;
	'#'* | '') ;;
	*) printf '%s\n' "$line" >>"$work/change" ;;
	esac
done <"$here/faults"
[ $n = 0 ] || check
exit $failed
